"""How watched pairs, tasks, gaps and history read in JSON, and what may be asked of them."""

from typing import Any

from rest_framework import serializers

from apps.feeds.market import BookKey, MarketType, Side
from apps.feeds.serializers import LevelField
from apps.monitoring.models import FeedGap, Monitoring
from apps.monitoring.services import MOST_AT_ONCE
from apps.monitoring.watchable import PRIORITIES
from apps.users.rest.serializers import StrictSerializer, Text, WholeNumber, YesOrNo

DEPTHS = "20, 50, 0 (full); null: the default"


class PairSerializer(serializers.ModelSerializer):
    """A MONITORING row with what became of it: `live` is its book, `reason` why there is none."""

    live = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()

    class Meta:
        model = Monitoring
        fields = [
            "id",
            "exchange",
            "market_type",
            "pair",
            "depth",
            "priority",
            "enabled",
            "active",
            "created_at",
            "updated_at",
            "reason",
            "live",
        ]

    def get_live(self, row: Monitoring) -> dict[str, Any] | None:
        found: dict[str, Any] | None = self.context["live"].get(row.pk)
        return found

    def get_reason(self, row: Monitoring) -> str | None:
        found: str | None = self.context["reasons"].get(row.pk)
        return found


class _Reasoned(StrictSerializer):
    reason = Text(max_length=500, default="", allow_blank=True)


class NewPairSerializer(_Reasoned):
    exchange = Text(max_length=50)
    market_type = Text(max_length=20, default="spot")
    pair = Text(max_length=50)
    depth = WholeNumber(allow_null=True, default=None, help_text=DEPTHS)
    priority = WholeNumber(default=0, min_value=PRIORITIES[0], max_value=PRIORITIES[1])
    enabled = YesOrNo(default=True)


class PairEditSerializer(_Reasoned):
    enabled = YesOrNo(required=False)
    depth = WholeNumber(required=False, allow_null=True, help_text=DEPTHS)
    priority = WholeNumber(required=False, min_value=PRIORITIES[0], max_value=PRIORITIES[1])

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() - {"reason"}:
            raise serializers.ValidationError("Nothing to change: enabled, depth or priority.")
        return attrs


class KeySerializer(StrictSerializer):
    """Names one instrument."""

    exchange = Text(max_length=50)
    market_type = serializers.ChoiceField(choices=[market.value for market in MarketType], default="spot")
    pair = Text(max_length=50)

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        return BookKey(found["exchange"], MarketType(found["market_type"]), found["pair"].upper())


class BulkSerializer(_Reasoned):
    """Many instruments, switched on or off together."""

    pairs = serializers.ListField(child=KeySerializer(), allow_empty=False, max_length=MOST_AT_ONCE)
    enabled = YesOrNo()
    depth = WholeNumber(allow_null=True, default=None, help_text=DEPTHS)


class ChangeSerializer(serializers.Serializer):
    change_id = serializers.IntegerField(allow_null=True)
    rows = serializers.ListField(child=serializers.IntegerField())


class CostSerializer(serializers.Serializer):
    """Numbers before and after."""

    books = serializers.ListField(child=serializers.IntegerField())
    sockets = serializers.ListField(child=serializers.IntegerField())
    socket_slots = serializers.IntegerField()
    pair_slots = serializers.IntegerField()
    subscribe_frames = serializers.IntegerField()
    interrupted = serializers.IntegerField()
    messages_s = serializers.ListField(child=serializers.FloatField())
    fits = serializers.BooleanField()


class TaskSerializer(serializers.Serializer):
    """One row as it was loaded, and why it does not run, if it does not."""

    source = serializers.CharField()  # type: ignore[assignment]  # a name in JSON, not the field's attribute
    row_id = serializers.IntegerField()
    exchange = serializers.CharField()
    market_type = serializers.CharField()
    pair = serializers.CharField()
    depth = serializers.IntegerField(allow_null=True)
    priority = serializers.IntegerField()
    refused = serializers.CharField(allow_null=True)


class GapSerializer(serializers.ModelSerializer):
    class Meta:
        model = FeedGap
        fields = "__all__"


class _RowSerializer(serializers.Serializer):
    ts_recv = serializers.DateTimeField()
    ts_exchange = serializers.DateTimeField(allow_null=True)
    symbol = serializers.CharField()
    stream = serializers.CharField()
    epoch = serializers.IntegerField()
    event_no = serializers.IntegerField()


class UpdateSerializer(_RowSerializer):
    """One book event as it was kept."""

    is_snapshot = serializers.BooleanField()
    from_rest = serializers.BooleanField()
    first_seq = serializers.IntegerField(allow_null=True)
    seq = serializers.IntegerField(allow_null=True)
    prev_seq = serializers.IntegerField(allow_null=True)
    bids = serializers.ListField(child=LevelField())
    asks = serializers.ListField(child=LevelField())


class TradeSerializer(_RowSerializer):
    trade_id = serializers.CharField()
    side = serializers.ChoiceField(choices=[side.value for side in Side])
    price = serializers.FloatField()
    amount = serializers.FloatField()


class DaySerializer(serializers.Serializer):
    """One day of a pair; `missing` counts numbered events of its shard that are in no row."""

    day = serializers.DateField()
    updates = serializers.IntegerField()
    snapshots = serializers.IntegerField()
    trades = serializers.IntegerField()
    first_at = serializers.DateTimeField()
    last_at = serializers.DateTimeField()
    gaps = serializers.IntegerField()
    gap_s = serializers.FloatField()
    missing = serializers.IntegerField()


class UpdatesSerializer(serializers.Serializer):
    """`more` tells that the limit cut the answer."""

    count = serializers.IntegerField()
    more = serializers.BooleanField()
    results = UpdateSerializer(many=True)


class TradesSerializer(serializers.Serializer):
    """`more` tells that the limit cut the answer."""

    count = serializers.IntegerField()
    more = serializers.BooleanField()
    results = TradeSerializer(many=True)


class DaysSerializer(serializers.Serializer):
    results = DaySerializer(many=True)
