"""What shall be traded: TRADE rows as the seeds have them.

TRADE is written by people with plain SQL too: everything that can be defaulted is defaulted by the database, and
nothing in a row is trusted before `apps.trading.runnable` has looked at it.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.feeds.models import MARKET_TYPES
from apps.trading.fields import Money
from apps.trading.tables.accounts import Account
from apps.trading.tables.kept import Kept, KeptQuerySet
from apps.trading.tables.words import AccountMode, ArbitrageStatus

MANUAL = "manual"  # the strategy of orders by hand


class TradeType(models.Model):
    """A strategy by name."""

    id = models.AutoField(primary_key=True, db_column="ID")
    name = models.CharField(max_length=50, unique=True, db_column="NAME")
    description = models.TextField(null=True, blank=True, db_column="DESCRIPTION")  # noqa: DJ001  # as the seeds

    class Meta:
        db_table = "TRADE_TYPE"
        ordering = ["name"]
        verbose_name = "trade type"

    def __str__(self) -> str:
        return self.name


class Trade(models.Model):
    """One strategy on one pair; it runs while ENABLED. Without an account it is on paper, see `selectors.running`."""

    id = models.AutoField(primary_key=True, db_column="ID")
    exchange = models.CharField(max_length=50, db_column="EXCHANGE_ID")
    exchange_name = models.CharField(  # noqa: DJ001  # as the seeds
        max_length=100, null=True, blank=True, db_column="EXCHANGE_NAME"
    )
    market_type = models.CharField(  # noqa: DJ001  # as the seeds
        max_length=20, null=True, blank=True, choices=MARKET_TYPES, db_column="MARKET_TYPE", help_text="Empty: spot"
    )
    trade_pair_id = models.IntegerField(null=True, blank=True, db_column="TRADE_PAIR_ID")
    pair = models.CharField(max_length=50, db_column="TRADE_PAIR")
    strategy = models.CharField(  # noqa: DJ001  # as the seeds
        max_length=100, null=True, blank=True, db_column="STRATEGY_ID", help_text="Empty: CT_DEFAULT_STRATEGY"
    )
    params = models.JSONField(null=True, blank=True, db_column="STRATEGY_PARAMS")
    priority = models.IntegerField(
        null=True,
        blank=True,
        db_default=0,
        db_column="DAEMON_PRIORITY",
        help_text="Higher is served first when capacity is short",
    )
    enabled = models.BooleanField(null=True, db_default=True, db_column="ENABLED")
    created_at = models.DateTimeField(db_default=Now(), editable=False, db_column="CREATED_AT")
    updated_at = models.DateTimeField(db_default=Now(), editable=False, db_column="UPDATED_AT")
    trade_type = models.ForeignKey(
        TradeType, on_delete=models.PROTECT, null=True, blank=True, db_column="TRADE_TYPE_ID"
    )
    account = models.ForeignKey(
        Account,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        db_column="ACCOUNT_ID",
        help_text="Empty: the default paper account",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, db_column="USER_ID"
    )
    mode = models.CharField(
        max_length=10,
        choices=AccountMode.choices,
        db_default=AccountMode.PAPER,
        db_column="MODE",
        help_text="It trades only on an account of the same mode",
    )

    class Meta:
        db_table = "TRADE"
        ordering = ["exchange", "market_type", "pair", "id"]
        indexes = [
            models.Index(fields=["exchange", "market_type", "enabled"], name="trade_market"),
            models.Index(fields=["priority"], name="trade_priority"),
        ]
        constraints = [models.CheckConstraint(condition=Q(mode__in=AccountMode.values), name="trade_mode")]

    def __str__(self) -> str:
        return f"{self.pk}: {self.exchange} {self.market_type or 'spot'} {self.pair}"


class Arbitrage(Kept):
    """One arbitrage; it owns its legs, which are intents."""

    id = models.BigAutoField(primary_key=True, db_column="ID")
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, db_column="TRADE_ID")
    status = models.CharField(max_length=10, choices=ArbitrageStatus.choices, db_column="STATUS")
    profit_usd = Money(null=True, db_column="PROFIT_USD")
    started_at = models.DateTimeField(db_default=Now(), db_column="START_TIME")
    ended_at = models.DateTimeField(null=True, db_column="END_TIME")
    kind = models.CharField(max_length=30, db_default="", db_column="KIND")
    expected_profit_usd = Money(null=True, db_column="EXPECTED_PROFIT_USD")
    leg_state = models.CharField(max_length=20, db_default="", db_column="LEG_STATE")
    unhedged = Money(db_default=0, db_column="UNHEDGED_AMOUNT")
    unhedged_since = models.DateTimeField(null=True, db_column="UNHEDGED_SINCE")

    objects = KeptQuerySet.as_manager()

    class Meta:
        db_table = "ARBITRAGE_TRANS"
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["status", "started_at"], name="arbitrage_open")]
        constraints = [models.CheckConstraint(condition=Q(status__in=ArbitrageStatus.values), name="arbitrage_status")]

    def __str__(self) -> str:
        return f"arbitrage {self.pk} of trade {self.trade_id}"
