"""Who may trade now, how much, and what was used of it."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.trading.fields import Money
from apps.trading.risk.view import Scope, ScopeState
from apps.trading.tables.accounts import Account
from apps.trading.tables.words import LIMIT_CHOICES, SCOPE_CHOICES, STATE_CHOICES, HaltMode


class RiskState(models.Model):
    """One switch. The most severe of the four that an order is under counts; a row that is missing denies.

    `scope_id` is empty (global), EXCHANGE.CODE, account.id or TRADE.ID.
    """

    id = models.AutoField(primary_key=True)
    scope = models.CharField(max_length=10, choices=SCOPE_CHOICES)
    scope_id = models.CharField(max_length=50, db_default="", blank=True)
    state = models.CharField(max_length=10, choices=STATE_CHOICES)
    mode = models.CharField(max_length=10, choices=HaltMode.choices, null=True)  # noqa: DJ001  # of a halt only
    reason = models.CharField(max_length=500, db_default="", blank=True)
    by = models.CharField(max_length=150, db_default="", blank=True)  # a person's name, or a control's
    at = models.DateTimeField(db_default=Now())
    resumed_at = models.DateTimeField(null=True)  # when a person last resumed it

    class Meta:
        db_table = "risk_state"
        ordering = ["scope", "scope_id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["scope", "scope_id"], name="risk_state_once"),
            models.CheckConstraint(condition=Q(state__in=list(ScopeState)), name="risk_state_known"),
            models.CheckConstraint(
                condition=Q(scope=Scope.GLOBAL, scope_id="")
                | (Q(scope__in=[Scope.EXCHANGE, Scope.ACCOUNT, Scope.TRADE]) & ~Q(scope_id="")),
                name="risk_state_scope",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.scope_id}: {self.state}"


class RiskLimit(models.Model):
    """A limit that a person has set; names and defaults are those of `apps.trading.risk.limits`.

    `scope_id` as in `RiskState`, and SPOT_TRADE_PAIR.ID of a pair.
    """

    id = models.AutoField(primary_key=True)
    scope = models.CharField(max_length=10, choices=LIMIT_CHOICES)
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
            models.CheckConstraint(
                condition=Q(scope__in=[scope for scope, _ in LIMIT_CHOICES]), name="risk_limit_scope"
            ),
            models.CheckConstraint(condition=Q(value__gte=0), name="risk_limit_value"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.scope} {self.scope_id}"


class TradingSwitch(models.Model):
    """What a person has allowed of the whole deployment, one row; a row that is missing allows nothing."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    live_allowed = models.BooleanField(db_default=False)
    allowed_build = models.CharField(max_length=40, db_default="", blank=True)  # executors of other builds send nothing
    by = models.CharField(max_length=150, db_default="", blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "trading_switch"
        default_permissions = ("view",)
        constraints = [models.CheckConstraint(condition=Q(id=1), name="trading_switch_one")]

    def __str__(self) -> str:
        return f"build {self.allowed_build or 'none'}, live {'on' if self.live_allowed else 'off'}"


class RiskUsage(models.Model):
    """What an account has used of its day, in USDT. Locked by whoever reserves or sends for the account.

    The day's result is realised + unrealised - fees + funding, each since the day began.
    """

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="usage")
    day = models.DateField(null=True)  # UTC; null: no trade yet
    equity = Money(null=True)  # when the day began
    realised = Money(db_default=0)
    fees = Money(db_default=0)
    funding = Money(db_default=0)
    unrealised = Money(db_default=0)
    began = models.JSONField(null=True)  # what had added up before, by asset, see `apps.trading.bookkeeping.usage`
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
