"""How accounts and what may be read of their keys read in JSON."""

from typing import Any

from rest_framework import serializers

from apps.feeds.serializers import ExactText
from apps.trading.models import Account, AccountKey


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


class FindingSerializer(serializers.Serializer):
    """One line of what was found out about a key."""

    check = serializers.CharField()
    outcome = serializers.ChoiceField(choices=["passed", "warning", "failed"])
    text = serializers.CharField()


class KeyAnswerSerializer(serializers.Serializer):
    key = KeySerializer()
    findings = FindingSerializer(many=True)
