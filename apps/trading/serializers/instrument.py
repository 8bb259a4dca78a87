"""What rows of an account and an instrument have in common.

Money is text, every digit of it; amounts are in base currency.
"""

from rest_framework import serializers

INSTRUMENT = ("exchange", "market_type", "pair")


class OfInstrument(serializers.ModelSerializer):
    """A row of an account and an instrument."""

    exchange = serializers.CharField(source="pair.exchange.code")
    market_type = serializers.CharField(source="pair.market_type")
    pair = serializers.CharField(source="pair.pair")
    account_name = serializers.CharField(source="account.name", allow_null=True, default=None)
    mode = serializers.CharField(source="account.mode", allow_null=True, default=None)
