"""How people, tokens and the trail read in JSON."""

from datetime import datetime

from knox.models import AuthToken
from rest_framework import serializers

from apps.users.alerts import halts_at
from apps.users.models import Alert, Audit
from apps.users.rest.serializers import Code, StrictSerializer, Text, WholeNumber


class MeSerializer(serializers.Serializer):
    name = serializers.CharField()
    role = serializers.CharField(allow_null=True)
    second_factor = serializers.BooleanField(help_text="Whether a device is enrolled")


class FirstCodeBody(StrictSerializer):
    """The first code of the device that was begun on /me/."""

    code = Code(needed=True)


class RemoveFactorBody(StrictSerializer):
    password = Text(max_length=500, write_only=True, trim_whitespace=False)
    code = Code(needed=True)


class TokenSerializer(serializers.ModelSerializer):
    id = serializers.CharField(source="token_key")

    class Meta:
        model = AuthToken
        fields = ["id", "created", "expiry"]


class TokenRequestSerializer(StrictSerializer):
    days = WholeNumber(min_value=1, max_value=365, default=90)
    code = Code()


class NewTokenSerializer(serializers.Serializer):
    """The token itself is shown this once."""

    id = serializers.CharField()
    token = serializers.CharField()
    expiry = serializers.DateTimeField()


class AuditSerializer(serializers.ModelSerializer):
    class Meta:
        model = Audit
        fields = [
            "change_id",
            "at",
            "user",
            "role",
            "ip",
            "action",
            "object",
            "before",
            "after",
            "reason",
            "approved_by",
            "result",
            "second_factor",
            "hash",
        ]


class VerdictSerializer(serializers.Serializer):
    intact = serializers.BooleanField()
    last_change_id = serializers.IntegerField()
    broken_at = serializers.IntegerField(allow_null=True)


class AlertSerializer(serializers.ModelSerializer):
    """Something that a person must look at; `acked_at` null: nobody has yet. `halts_at`: when its account is halted
    unless somebody comes."""

    halts_at = serializers.SerializerMethodField()

    class Meta:
        model = Alert
        fields = [
            *("id", "kind", "scope", "scope_id", "subject", "text", "at", "acked_by", "acked_at"),
            *("escalates", "halts_at", "escalated_at", "cleared_at", "paged_at", "page_tries", "page_error"),
            *("mailed_at", "mail_tries", "mail_error"),
        ]

    def get_halts_at(self, row: Alert) -> datetime | None:
        return halts_at(row)
