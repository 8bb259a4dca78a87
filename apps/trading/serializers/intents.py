"""How wishes and their previews read in JSON."""

from rest_framework import serializers

from apps.feeds.serializers import ExactText
from apps.trading.models import OrderIntent
from apps.trading.serializers.instrument import INSTRUMENT, OfInstrument


class IntentSerializer(OfInstrument):
    """What somebody wants; `result` is null until it is over."""

    strategy = serializers.CharField(source="trade.strategy")
    user = serializers.CharField(source="user.username", allow_null=True, default=None)
    amount = ExactText()
    price = ExactText(allow_null=True)
    reserved_amount = ExactText()

    class Meta:
        model = OrderIntent
        fields = [
            *("id", "intent_key", "account", "account_name", "mode", *INSTRUMENT, "trade", "strategy", "user"),
            *("side", "type", "amount", "price", "tif", "purpose", "reduce_only", "position_side", "margin_mode"),
            *("leverage", "max_age_ms", "state", "result", "deny_reason", "deny_text", "attempt"),
            *("reserved_asset", "reserved_amount", "created_at", "done_at"),
        ]


class UseSerializer(serializers.Serializer):
    name = serializers.CharField()
    used = ExactText()
    most = ExactText()


class PreviewSerializer(serializers.Serializer):
    """`deny_reason` is empty where risk would let the order through."""

    side = serializers.CharField()
    amount = ExactText()
    price = ExactText(allow_null=True)
    value = ExactText(allow_null=True)
    fee = ExactText(allow_null=True)
    reserved_asset = serializers.CharField()
    reserved_amount = ExactText()
    deny_reason = serializers.CharField()
    deny_text = serializers.CharField()
    limits = UseSerializer(many=True)
