"""How switches, limits and halts read in JSON."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.feeds.serializers import ExactText
from apps.trading.halts.report import Report, Verdict
from apps.trading.models import RiskLimit, RiskState, TradingSwitch


class StateSerializer(serializers.ModelSerializer):
    """One switch; the most severe of those that an order is under counts. `mode` is that of a halt."""

    class Meta:
        model = RiskState
        fields = ["scope", "scope_id", "state", "mode", "reason", "by", "at", "resumed_at"]


class SwitchSerializer(serializers.ModelSerializer):
    """`allowed_build` empty: executors of no build send."""

    class Meta:
        model = TradingSwitch
        fields = ["live_allowed", "allowed_build", "by", "at"]


class LimitSerializer(serializers.ModelSerializer):
    value = ExactText()

    class Meta:
        model = RiskLimit
        fields = ["id", "scope", "scope_id", "name", "value", "by", "reason", "at"]


class LimitNameSerializer(serializers.Serializer):
    """A limit that may be set: what holds where nobody has set it, and how far it goes."""

    name = serializers.CharField()
    default = ExactText()
    ceiling = ExactText()


class LineSerializer(serializers.Serializer):
    """One order of a halt; `why` says what is missing for a confirmation."""

    order_id = serializers.IntegerField()
    account_id = serializers.IntegerField()
    exchange = serializers.CharField()
    market_type = serializers.CharField()
    pair = serializers.CharField()
    side = serializers.CharField()
    amount = ExactText()
    filled = ExactText()
    client_order_id = serializers.CharField()
    status = serializers.CharField()
    verdict = serializers.ChoiceField(choices=list(Verdict))
    why = serializers.CharField()


class HoldingSerializer(serializers.Serializer):
    account_id = serializers.IntegerField()
    exchange = serializers.CharField()
    market_type = serializers.CharField()
    pair = serializers.CharField()
    side = serializers.CharField()
    amount = ExactText(help_text="To be closed")
    left = ExactText(help_text="Stays, and why")
    why = serializers.CharField()


class ReportSerializer(serializers.Serializer):
    """`orders` and `unconfirmed` count everybody's; `lines` and `holdings` are of accounts that one may see."""

    scope = serializers.CharField()
    scope_id = serializers.CharField()
    state = serializers.CharField()
    mode = serializers.CharField(allow_null=True)
    reason = serializers.CharField()
    by = serializers.CharField()
    at = serializers.DateTimeField()
    waiting = serializers.IntegerField()
    orders = serializers.SerializerMethodField()
    unconfirmed = serializers.IntegerField()
    is_done = serializers.BooleanField()
    lines = serializers.SerializerMethodField()
    holdings = serializers.SerializerMethodField()

    def get_orders(self, report: Report) -> int:
        return len(report.lines)

    @extend_schema_field(LineSerializer(many=True))
    def get_lines(self, report: Report) -> Any:
        seen = [line for line in report.lines if line.account_id in self.context["seen"]]
        return LineSerializer(seen, many=True).data

    @extend_schema_field(HoldingSerializer(many=True))
    def get_holdings(self, report: Report) -> Any:
        seen = [each for each in report.holdings if each.account_id in self.context["seen"]]
        return HoldingSerializer(seen, many=True).data
