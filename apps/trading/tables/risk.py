"""Who may trade now, how much, and what was used of it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.trading.fields import Money
from apps.trading.tables.accounts import Account
from apps.trading.tables.words import HaltMode, Scope, ScopeState


class RiskState(models.Model):
    """One switch. The most severe of the four that an order is under counts; a row that is missing denies."""

    id = models.AutoField(primary_key=True)
    scope = models.CharField(max_length=10, choices=Scope.choices)
    scope_id = models.CharField(max_length=50, db_default="", blank=True)
    state = models.CharField(max_length=10, choices=ScopeState.choices)
    mode = models.CharField(max_length=10, choices=HaltMode.choices, null=True)  # noqa: DJ001  # of a halt only
    reason = models.CharField(max_length=500, db_default="", blank=True)
    by = models.CharField(max_length=150, db_default="", blank=True)  # a person's name, or a control's
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "risk_state"
        ordering = ["scope", "scope_id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["scope", "scope_id"], name="risk_state_once"),
            models.CheckConstraint(condition=Q(state__in=ScopeState.values), name="risk_state_known"),
            models.CheckConstraint(
                condition=Q(scope=Scope.GLOBAL, scope_id="")
                | (Q(scope__in=[Scope.EXCHANGE, Scope.ACCOUNT, Scope.TRADE]) & ~Q(scope_id="")),
                name="risk_state_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.scope_id}: {self.state}"


class RiskLimit(models.Model):
    """A limit that differs from its default; names and defaults are those of `apps.trading.limits`."""

    id = models.AutoField(primary_key=True)
    scope = models.CharField(max_length=10, choices=Scope.choices)
    scope_id = models.CharField(max_length=50, db_default="", blank=True)
    name = models.CharField(max_length=50)
    value = Money()
    by = models.CharField(max_length=150, db_default="", blank=True)
    reason = models.CharField(max_length=500, db_default="", blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "risk_limit"
        ordering = ["scope", "scope_id", "name"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["scope", "scope_id", "name"], name="risk_limit_once"),
            models.CheckConstraint(condition=Q(scope__in=Scope.values), name="risk_limit_scope"),
            models.CheckConstraint(condition=Q(value__gte=0), name="risk_limit_value"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.scope} {self.scope_id}"


class RiskUsage(models.Model):
    """What an account has used of its day, in USDT. Locked by whoever reserves or sends for the account."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="usage")
    day = models.DateField(null=True)  # UTC; null: no trade yet
    equity = Money(null=True)  # when the day began
    realised = Money(db_default=0)
    fees = Money(db_default=0)
    funding = Money(db_default=0)
    unrealised = Money(db_default=0)
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "risk_usage"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"usage of account {self.account_id}"


class LanePause(models.Model):
    """A lane rests after too many rejects; too many pauses in an hour halt its account."""

    id = models.BigAutoField(primary_key=True)
    lane = models.CharField(max_length=100)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    at = models.DateTimeField(db_default=Now())
    until = models.DateTimeField()
    reason = models.CharField(max_length=300)

    class Meta:
        db_table = "lane_pause"
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["lane", "until"], name="lane_pause_lane"),
            models.Index(fields=["account", "at"], name="lane_pause_account"),
        ]

    def __str__(self) -> str:
        return f"{self.lane} until {self.until}"
