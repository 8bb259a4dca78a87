"""How exchanges, instruments, books and daemons read in JSON."""

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.feeds.drivers.registry import offered_depths
from apps.feeds.market import BookState, MarketType
from apps.feeds.models import Exchange, TradePair
from apps.users.rest.serializers import StrictSerializer, Text, YesOrNo


@extend_schema_field(OpenApiTypes.STR)
class ExactText(serializers.Field):
    """A decimal as text, every digit and no more: `0.01`."""

    def to_representation(self, value: Decimal) -> str:
        return format(value.normalize(), "f")


class ExchangeSerializer(serializers.ModelSerializer):
    """`depths`: what may be asked for on each market, 0 is the full book."""

    depths = serializers.SerializerMethodField()

    class Meta:
        model = Exchange
        fields = ["code", "name", "enabled", "depths"]

    def get_depths(self, row: Exchange) -> dict[str, list[int]]:
        offered = offered_depths()
        return {market.value: list(offered.get((row.code, market), ())) for market in MarketType}


class ExchangeEditSerializer(StrictSerializer):
    enabled = YesOrNo()
    reason = Text(max_length=500, default="", allow_blank=True)


class InstrumentSerializer(serializers.ModelSerializer):
    exchange = serializers.CharField(source="exchange.code")
    tick = ExactText()
    lot = ExactText()
    contract_size = ExactText()
    min_amount = ExactText(allow_null=True)
    min_notional = ExactText(allow_null=True)
    volume_24h = ExactText(allow_null=True)

    class Meta:
        model = TradePair
        fields = [
            "id",
            "exchange",
            "market_type",
            "pair",
            "symbol",
            "base",
            "quote",
            "settle",
            "tick",
            "lot",
            "contract_size",
            "inverse",
            "min_amount",
            "min_notional",
            "status",
            "volume_24h",
            "refreshed_at",
        ]


class LevelField(serializers.ListField):
    """`[price, amount]`."""

    child = serializers.FloatField()


class BookSerializer(serializers.Serializer):
    """The latest book that is published; amounts in base currency, best level first."""

    exchange = serializers.CharField()
    market_type = serializers.ChoiceField(choices=[market.value for market in MarketType])
    pair = serializers.CharField()
    state = serializers.ChoiceField(choices=[state.value for state in BookState])
    reason = serializers.CharField()
    seq = serializers.IntegerField(allow_null=True)
    exchange_ms = serializers.IntegerField(allow_null=True)
    received_ns = serializers.IntegerField(allow_null=True)
    bids = serializers.ListField(child=LevelField())
    asks = serializers.ListField(child=LevelField())


class BookStatusSerializer(serializers.Serializer):
    """One book as its daemon sees it."""

    key = serializers.CharField()
    daemon = serializers.CharField()
    state = serializers.ChoiceField(choices=[state.value for state in BookState])
    reason = serializers.CharField()
    step = serializers.CharField(allow_null=True)
    age_ms = serializers.IntegerField(allow_null=True)
    limit_ms = serializers.IntegerField(allow_null=True)
    msg_s = serializers.FloatField(allow_null=True)
    gaps_1h = serializers.IntegerField(allow_null=True)
    depth = serializers.IntegerField(allow_null=True)
    shard = serializers.CharField(allow_null=True)
    fence = serializers.IntegerField(allow_null=True)


class TradingSerializer(serializers.Serializer):
    """What a daemon that trades looks after: counts by step, the accounts of READY may send orders."""

    accounts = serializers.DictField(child=serializers.IntegerField())
    stopping = serializers.BooleanField()


class DaemonSerializer(serializers.Serializer):
    """One daemon's last word about itself; LOST when it has not spoken for longer than it should."""

    daemon = serializers.CharField()
    role = serializers.CharField()
    host = serializers.CharField()
    state = serializers.CharField()
    age_ms = serializers.IntegerField()
    pairs = serializers.IntegerField()
    capacity = serializers.IntegerField()
    sockets = serializers.IntegerField()
    max_sockets = serializers.IntegerField()
    trading = TradingSerializer(allow_null=True, help_text="null: it does not trade")


def daemon_summary(status: dict[str, Any], *, now_ms: int, lost: bool) -> dict[str, Any]:
    """The fields of DaemonSerializer out of a published status."""
    names = ("daemon", "role", "host", "pairs", "capacity", "sockets", "max_sockets")
    summary = {name: status.get(name) for name in names}
    trading = status.get("trading")
    told = None if trading is None else {"accounts": trading["accounts"], "stopping": trading["stopping"]}
    return {
        **summary,
        "trading": told,
        "state": "LOST" if lost else status.get("state"),
        "age_ms": max(0, now_ms - status["now_ms"]),
    }
