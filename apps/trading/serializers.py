"""How rows of trading read in JSON. Money is text, every digit of it; amounts are in base currency."""

from typing import Any

from rest_framework import serializers

from apps.feeds.serializers import ExactText
from apps.trading.models import (
    Account,
    AccountKey,
    FundingPayment,
    Order,
    OrderEvent,
    OrderFill,
    OrderIntent,
    Position,
    RiskUsage,
    Wallet,
)

INSTRUMENT = ("exchange", "market_type", "pair")


class KeySerializer(serializers.ModelSerializer):
    """Of a key nothing but these can be read."""

    by = serializers.CharField(source="user.username")

    class Meta:
        model = AccountKey
        fields = ["hint", "version", "permissions", "by", "written_at", "probed_at"]


class AccountSerializer(serializers.ModelSerializer):
    """`owner` null: the desk's. `key` null: none is kept. `state` is the account's own switch."""

    exchange = serializers.CharField(source="exchange.code")
    owner = serializers.CharField(source="owner.username", allow_null=True, default=None)
    is_default = serializers.SerializerMethodField()
    key = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    maker_fee = ExactText(allow_null=True)
    taker_fee = ExactText(allow_null=True)

    class Meta:
        model = Account
        fields = [
            *("id", "name", "owner", "exchange", "market_type", "mode", "state", "active", "is_default"),
            *("requested_mode", "requested_by", "approved_by", "approved_at", "maker_fee", "taker_fee", "fees_at"),
            *("reconciled_at", "dead_man_fired_at", "stopped_at", "created_at", "updated_at", "key"),
        ]

    def get_is_default(self, row: Account) -> bool:
        return bool(row.is_default)

    def get_key(self, row: Account) -> dict[str, Any] | None:
        key = getattr(row, "key", None)
        return None if key is None else dict(KeySerializer(key).data)

    def get_state(self, row: Account) -> str | None:
        found: str | None = self.context["states"].get(str(row.pk))
        return found


class _OfInstrument(serializers.ModelSerializer):
    """A row of an account and an instrument."""

    exchange = serializers.CharField(source="pair.exchange.code")
    market_type = serializers.CharField(source="pair.market_type")
    pair = serializers.CharField(source="pair.pair")
    account_name = serializers.CharField(source="account.name", allow_null=True, default=None)
    mode = serializers.CharField(source="account.mode", allow_null=True, default=None)


class IntentSerializer(_OfInstrument):
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


class OrderSerializer(_OfInstrument):
    """One attempt of an intent, or, `is_external`, somebody else's order that was found at the exchange."""

    strategy = serializers.CharField(source="trade.strategy")
    type = serializers.CharField()
    side = serializers.CharField()
    tif = serializers.CharField()
    position_side = serializers.CharField()
    amount = ExactText()
    quote_amount = ExactText(allow_null=True)
    price = ExactText(allow_null=True)
    filled = ExactText()
    average_price = ExactText(allow_null=True)

    class Meta:
        model = Order
        fields = [
            *("id", "client_order_id", "exchange_order_id", "account", "account_name", "mode", *INSTRUMENT),
            *("trade", "strategy", "intent", "attempt", "is_external", "side", "type", "amount", "quote_amount"),
            *("price", "tif", "reduce_only", "position_side", "status", "filled", "average_price", "cancel_state"),
            *("created_at", "sent_at", "ended_at", "unknown_at", "quarantined_at", "next_check_at", "misses"),
            *("alarms", "last_error_code", "last_error", "updated_at"),
        ]


class EventSerializer(serializers.ModelSerializer):
    class Meta:
        model = OrderEvent
        fields = ["seq", "kind", "from_status", "to_status", "evidence", "at"]


class FillSerializer(_OfInstrument):
    exchange = serializers.CharField(source="order.pair.exchange.code")
    market_type = serializers.CharField(source="order.pair.market_type")
    pair = serializers.CharField(source="order.pair.pair")
    client_order_id = serializers.CharField(source="order.client_order_id", allow_null=True)
    side = serializers.SerializerMethodField()
    amount = ExactText()
    price = ExactText()
    fee = ExactText(allow_null=True)

    class Meta:
        model = OrderFill
        fields = [
            *("id", "order", "client_order_id", "account", "account_name", "mode", *INSTRUMENT, "side", "amount"),
            *("price", "fee", "fee_asset", "is_maker", "trade_id", "source", "executed_at", "exchange_ms"),
        ]

    def get_side(self, row: OrderFill) -> str:
        return str(row.side or row.order.side)


class OrderDetailSerializer(OrderSerializer):
    """With every step of its life and its fills."""

    events = EventSerializer(many=True)
    fills = FillSerializer(many=True)

    class Meta(OrderSerializer.Meta):
        fields = [*OrderSerializer.Meta.fields, "events", "fills"]


class PositionSerializer(_OfInstrument):
    """By our fills; `told_…` is what the exchange last said."""

    amount = ExactText()
    entry_price = ExactText(allow_null=True)
    realised = ExactText()
    fees = ExactText()
    funding = ExactText()
    told_amount = ExactText(allow_null=True)
    told_entry_price = ExactText(allow_null=True)
    told_unrealised = ExactText(allow_null=True)
    liquidation_price = ExactText(allow_null=True)
    leverage = ExactText(allow_null=True)

    class Meta:
        model = Position
        fields = [
            *("id", "account", "account_name", "mode", *INSTRUMENT, "side", "amount", "entry_price", "realised"),
            *("fees", "funding", "told_amount", "told_entry_price", "told_unrealised", "liquidation_price"),
            *("leverage", "margin_mode", "mismatch_since", "exchange_ms", "updated_at"),
        ]


class BalanceSerializer(serializers.ModelSerializer):
    """`expected` is the total by our fills; `reserved` is held back for what is not over yet."""

    account_name = serializers.CharField(source="account.name")
    mode = serializers.CharField(source="account.mode")
    free = ExactText(allow_null=True)
    total = ExactText()
    expected = ExactText(allow_null=True)
    reserved = serializers.SerializerMethodField()

    class Meta:
        model = Wallet
        fields = [
            *("account", "account_name", "mode", "asset", "free", "total", "expected", "reserved"),
            *("mismatch_since", "exchange_ms", "updated_at"),
        ]

    def get_reserved(self, row: Wallet) -> str:
        held = self.context["reserved"].get((row.account_id, row.asset))
        return "0" if held is None else ExactText().to_representation(held)


class PnlSerializer(serializers.ModelSerializer):
    """One account's day since 00:00 UTC, in USDT; `equity` is what it began with."""

    account_name = serializers.CharField(source="account.name")
    mode = serializers.CharField(source="account.mode")
    equity = ExactText(allow_null=True)
    realised = ExactText()
    unrealised = ExactText()
    fees = ExactText()
    funding = ExactText()

    class Meta:
        model = RiskUsage
        fields = [
            *("account", "account_name", "mode", "day", "equity", "realised", "unrealised", "fees", "funding"),
            "updated_at",
        ]


class FundingSerializer(_OfInstrument):
    amount = ExactText()
    rate = ExactText(allow_null=True)

    class Meta:
        model = FundingPayment
        fields = [
            *("id", "account", "account_name", "mode", *INSTRUMENT, "payment_id", "asset", "amount", "rate"),
            "exchange_ms",
        ]


class FindingSerializer(serializers.Serializer):
    """One line of what was found out about a key."""

    check = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["passed", "warning", "failed"])
    text = serializers.CharField()


class KeyAnswerSerializer(serializers.Serializer):
    key = KeySerializer()
    findings = FindingSerializer(many=True)


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
