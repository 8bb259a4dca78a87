"""Executions: each once, and those that came before we knew whose they are."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.feeds.market import Side
from apps.feeds.models import TradePair
from apps.trading.fields import ExactTextField, Money, UpperCaseField
from apps.trading.tables.accounts import Account
from apps.trading.tables.kept import Kept, KeptQuerySet
from apps.trading.tables.orders import Order
from apps.trading.tables.trades import Arbitrage
from apps.trading.tables.words import SIDE_CHOICES, FillSource


class OrderFill(Kept):
    """One execution. A trade id is unique per account, pair and side: who trades with himself has it on both."""

    id = models.BigAutoField(primary_key=True, db_column="ID")
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="fills", db_column="ORDER_ID")
    arbitrage = models.ForeignKey(Arbitrage, on_delete=models.PROTECT, null=True, db_column="ARBITRAGE_TRANS_ID")
    amount = Money(db_column="AMOUNT_FILLED")  # base currency
    price = Money(db_column="PRICE_FILLED")
    fee = Money(null=True, db_column="FEE")  # negative is a rebate; null: not told
    executed_at = models.DateTimeField(db_default=Now(), db_column="TIMESTAMP")
    fee_asset = models.CharField(max_length=30, db_default="", db_column="FEE_ASSET")
    trade_id = ExactTextField(max_length=100, null=True, db_column="VENUE_TRADE_ID")
    source = models.CharField(max_length=10, choices=FillSource.choices, db_default=FillSource.SQL, db_column="SOURCE")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, db_column="ACCOUNT_ID")
    pair = models.ForeignKey(TradePair, on_delete=models.PROTECT, null=True, db_column="PAIR_ID")
    side = UpperCaseField(Side, max_length=4, null=True, db_column="SIDE")
    is_maker = models.BooleanField(null=True, db_column="IS_MAKER")
    exchange_ms = models.BigIntegerField(null=True, db_column="EXCHANGE_MS")
    created_at = models.DateTimeField(db_default=Now(), db_column="CREATED_AT")

    objects = KeptQuerySet.as_manager()

    class Meta:
        db_table = "ORDER_TRANSACTIONS"
        ordering = ["-id"]
        verbose_name = "fill"
        default_permissions = ("view",)
        indexes = [models.Index(fields=["account", "executed_at"], name="order_transactions_account")]
        constraints = [
            models.UniqueConstraint(fields=["account", "pair", "trade_id", "side"], name="order_transactions_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="order_transactions_amount"),
            models.CheckConstraint(condition=Q(price__gt=0), name="order_transactions_price"),
            models.CheckConstraint(condition=Q(source__in=FillSource.values), name="order_transactions_source"),
        ]

    def __str__(self) -> str:
        return f"fill {self.pk} of order {self.order_id}"


class StrayFill(Kept):
    """A fill that came before we knew whose it is; it is attached when the order is known."""

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    symbol = models.CharField(max_length=50)
    exchange_order_id = ExactTextField(max_length=100)
    client_order_id = ExactTextField(max_length=64, db_default="")
    trade_id = ExactTextField(max_length=100)
    side = models.CharField(max_length=4, choices=SIDE_CHOICES)
    price = Money()
    amount = Money()  # as the exchange counts it
    fee = Money(null=True)
    fee_asset = models.CharField(max_length=30, db_default="")
    is_maker = models.BooleanField(null=True)
    exchange_ms = models.BigIntegerField()
    source = models.CharField(max_length=10, choices=FillSource.choices)
    received_at = models.DateTimeField(db_default=Now())
    order = models.ForeignKey(Order, on_delete=models.PROTECT, null=True)  # null: not attached yet

    objects = KeptQuerySet.as_manager()

    class Meta:
        db_table = "stray_fill"
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [models.Index(fields=["account", "exchange_order_id"], name="stray_fill_order")]
        constraints = [
            models.UniqueConstraint(fields=["account", "symbol", "trade_id", "side"], name="stray_fill_once")
        ]

    def __str__(self) -> str:
        return f"trade {self.trade_id} of account {self.account_id}"


class TradeHistory(Kept):
    """Executions as the seeds list them, one row per fill."""

    id = models.AutoField(primary_key=True, db_column="ID")
    daemon = models.CharField(max_length=100, null=True, db_column="DAEMON_ID")  # noqa: DJ001  # as the seeds
    exchange = models.CharField(max_length=50, null=True, db_column="EXCHANGE_ID")  # noqa: DJ001  # as the seeds
    pair = models.CharField(max_length=50, null=True, db_column="TRADE_PAIR")  # noqa: DJ001  # as the seeds
    order = models.CharField(  # noqa: DJ001  # as the seeds
        max_length=100, null=True, db_column="ORDER_ID"
    )  # our id of it, or theirs
    side = models.CharField(max_length=10, null=True, db_column="SIDE")  # noqa: DJ001  # as the seeds
    price = Money(null=True, db_column="PRICE")
    amount = Money(null=True, db_column="AMOUNT")
    commission = Money(null=True, db_column="COMMISSION")
    status = models.CharField(max_length=50, null=True, db_column="STATUS")  # noqa: DJ001  # as the seeds
    executed_at = models.DateTimeField(null=True, db_column="EXECUTED_AT")
    created_at = models.DateTimeField(db_default=Now(), db_column="CREATED_AT")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, db_column="ACCOUNT_ID")
    fill = models.OneToOneField(OrderFill, on_delete=models.PROTECT, null=True, db_column="FILL_ID")

    objects = KeptQuerySet.as_manager()

    class Meta:
        db_table = "TRADE_HISTORY"
        ordering = ["-id"]
        verbose_name_plural = "trade history"
        default_permissions = ("view",)
        indexes = [models.Index(fields=["exchange", "pair", "executed_at"], name="trade_history_pair")]

    def __str__(self) -> str:
        return f"{self.exchange} {self.pair} {self.side} {self.amount}"
