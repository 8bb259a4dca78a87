"""How positions, balances and what they earned read in JSON."""

from rest_framework import serializers

from apps.feeds.serializers import ExactText
from apps.trading.models import FundingPayment, Position, RiskUsage, Wallet
from apps.trading.serializers.instrument import INSTRUMENT, OfInstrument


class PositionSerializer(OfInstrument):
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


class FundingSerializer(OfInstrument):
    amount = ExactText()
    rate = ExactText(allow_null=True)

    class Meta:
        model = FundingPayment
        fields = [
            *("id", "account", "account_name", "mode", *INSTRUMENT, "payment_id", "asset", "amount", "rate"),
            "exchange_ms",
        ]
