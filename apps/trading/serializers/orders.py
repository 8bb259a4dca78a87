"""How orders, their events and their fills read in JSON."""

from rest_framework import serializers

from apps.feeds.serializers import ExactText
from apps.trading.models import Order, OrderEvent, OrderFill
from apps.trading.serializers.instrument import INSTRUMENT, OfInstrument


class OrderSerializer(OfInstrument):
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


class FillSerializer(OfInstrument):
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


class CancelledSerializer(serializers.Serializer):
    """Of how many orders the cancel is asked for now, and how many were over already."""

    asked = serializers.IntegerField()
    over = serializers.IntegerField()
