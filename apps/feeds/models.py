"""Exchanges, what they list, and which daemon holds which part of them."""

from django.db import models
from django.db.models.functions import Now

from apps.feeds.fields import ExactDecimalField
from apps.feeds.market import BookKey, InstrumentStatus, MarketType

MARKET_TYPES = [(market.value, market.value) for market in MarketType]
STATUSES = [(status.value, status.value) for status in InstrumentStatus]


class Exchange(models.Model):
    id = models.AutoField(primary_key=True, db_column="ID")
    code = models.CharField(max_length=50, unique=True, db_column="CODE", help_text="As in MONITORING.EXCHANGE_ID")
    name = models.CharField(max_length=100, db_column="NAME")
    enabled = models.BooleanField(db_default=True, db_column="ENABLED", help_text="Off: none of its pairs runs")

    class Meta:
        db_table = "EXCHANGE"
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class TradePair(models.Model):
    """One instrument of the catalogue, spot or futures, as the exchange last described it."""

    id = models.AutoField(primary_key=True, db_column="ID")
    exchange = models.ForeignKey(Exchange, on_delete=models.CASCADE, db_column="EXCHANGE_ID")
    market_type = models.CharField(max_length=20, choices=MARKET_TYPES, db_column="MARKET_TYPE")
    pair = models.CharField(max_length=50, db_column="PAIR")
    symbol = models.CharField(max_length=50, db_column="SYMBOL")
    base = models.CharField(max_length=30, db_column="BASE")
    quote = models.CharField(max_length=30, db_column="QUOTE")
    settle = models.CharField(max_length=30, db_column="SETTLE")
    tick = ExactDecimalField(max_digits=38, decimal_places=18, db_column="TICK")
    lot = ExactDecimalField(max_digits=38, decimal_places=18, db_column="LOT")
    contract_size = ExactDecimalField(max_digits=38, decimal_places=18, db_default=1, db_column="CONTRACT_SIZE")
    inverse = models.BooleanField(db_default=False, db_column="INVERSE")
    min_amount = ExactDecimalField(max_digits=38, decimal_places=18, null=True, db_column="MIN_AMOUNT")
    min_notional = ExactDecimalField(max_digits=38, decimal_places=18, null=True, db_column="MIN_NOTIONAL")
    status = models.CharField(max_length=20, choices=STATUSES, db_default="trading", db_column="STATUS")
    volume_24h = ExactDecimalField(
        max_digits=38, decimal_places=8, null=True, db_column="VOLUME_24H", help_text="In quote currency"
    )
    number = models.BigIntegerField(
        null=True, db_column="NUMBER", help_text="The exchange's own number of it, where orders name that"
    )
    refreshed_at = models.DateTimeField(db_default=Now(), db_column="REFRESHED_AT")

    class Meta:
        db_table = "SPOT_TRADE_PAIR"
        ordering = ["exchange", "market_type", "pair"]
        verbose_name = "instrument"
        constraints = [models.UniqueConstraint(fields=["exchange", "market_type", "pair"], name="instrument_once")]
        indexes = [
            models.Index(fields=["pair"], name="instrument_pair"),
            models.Index(fields=["base"], name="instrument_base"),
        ]

    def __str__(self) -> str:
        return f"{self.exchange} {self.market_type} {self.pair}"

    @property
    def key(self) -> BookKey:
        """Costs a query unless the exchange was selected with it."""
        return BookKey(self.exchange.code, MarketType(self.market_type), self.pair)


class Daemon(models.Model):
    """One `python -m workers` process, alive while its heartbeat is young."""

    id = models.CharField(primary_key=True, max_length=64)
    boot_uuid = models.UUIDField()  # another process under the same name is told by it
    role = models.CharField(max_length=20)
    host = models.CharField(max_length=255)
    pid = models.IntegerField()
    heartbeat_at = models.DateTimeField()
    started_at = models.DateTimeField()
    capacity = models.IntegerField(help_text="Pairs that it can hold")
    sockets = models.IntegerField(db_default=20, help_text="Sockets that it may open, to hold them on")
    build_id = models.CharField(max_length=40)
    draining = models.BooleanField(db_default=False)

    class Meta:
        db_table = "daemon"
        ordering = ["id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.id


class Lease(models.Model):
    """Who holds a resource (`shard:binance:spot:3`). The fence grows with each change of owner and never falls."""

    resource = models.CharField(primary_key=True, max_length=100)
    holder = models.CharField(max_length=64, blank=True)  # empty: released
    fence = models.BigIntegerField(db_default=0)
    expires_at = models.DateTimeField()
    torn_at = models.DateTimeField(null=True)  # when it was last taken from who had not let go
    torn = models.PositiveIntegerField(db_default=0)  # how often in a row, see `leases.flapping`

    class Meta:
        db_table = "lease"
        ordering = ["resource"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.resource}: {self.holder or 'free'}"
