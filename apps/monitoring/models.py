"""What we watch, and the ledger of what we kept.

MONITORING is written by people with plain SQL too: everything that can be defaulted is defaulted by the database,
and nothing in a row is trusted before `apps.feeds.subscriptions.wanted` has looked at it.
"""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from apps.feeds.models import MARKET_TYPES, TradePair

DEPTH_CHOICES = [(20, "20"), (50, "50"), (0, "full")]


class Monitoring(models.Model):
    """One pair to watch, and those of its `more_pairs`. It runs while ENABLED and ACTIVE are both true."""

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
    priority = models.IntegerField(
        null=True,
        blank=True,
        db_default=0,
        db_column="DAEMON_PRIORITY",
        help_text="Higher is served first when capacity is short",
    )
    enabled = models.BooleanField(null=True, db_default=True, db_column="ENABLED")
    depth = models.IntegerField(
        null=True,
        blank=True,
        db_default=20,
        choices=DEPTH_CHOICES,
        db_column="ORDERBOOK_DEPTH",
        help_text="Empty: CT_ORDERBOOK_DEPTH",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False, db_column="CREATED_AT")
    updated_at = models.DateTimeField(db_default=Now(), editable=False, db_column="UPDATED_AT")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, db_column="USER_ID"
    )
    active = models.BooleanField(null=True, db_default=True, db_column="ACTIVE")

    class Meta:
        db_table = "MONITORING"
        ordering = ["exchange", "market_type", "pair", "id"]
        verbose_name = "watched pair"
        indexes = [
            models.Index(fields=["exchange", "market_type", "enabled"], name="monitoring_market"),
            models.Index(fields=["priority"], name="monitoring_priority"),
        ]

    def __str__(self) -> str:
        return f"{self.exchange} {self.market_type or 'spot'} {self.pair}"


class MonitoringPair(models.Model):
    """One more pair of a MONITORING row, named by its row in the catalogue."""

    id = models.AutoField(primary_key=True, db_column="ID")
    monitor = models.ForeignKey(Monitoring, on_delete=models.CASCADE, related_name="more_pairs", db_column="MONITOR_ID")
    trade_pair = models.ForeignKey(TradePair, on_delete=models.CASCADE, db_column="PAIR_ID")

    class Meta:
        db_table = "MONITORING_SPOT_ARRAYS"
        verbose_name = "further pair"
        constraints = [models.UniqueConstraint(fields=["monitor", "trade_pair"], name="further_pair_once")]

    def __str__(self) -> str:
        return f"{self.monitor_id}: {self.trade_pair_id}"


class BatchState(models.TextChoices):
    OPEN = "OPEN"
    SEALED = "SEALED"
    SENDING = "SENDING"
    DONE = "DONE"
    QUARANTINE = "QUARANTINE"  # ClickHouse holds another number of its rows: a person is asked


class ChBatch(models.Model):
    """The ledger of spool segments: one sealed segment is one insert into ClickHouse."""

    batch_id = models.CharField(primary_key=True, max_length=128)
    table_name = models.CharField(max_length=64)
    stream = models.CharField(max_length=64, null=True)  # noqa: DJ001  # null: rows of several shards
    daemon = models.CharField(max_length=64)
    host = models.CharField(max_length=255)
    path = models.CharField(max_length=500)
    epoch = models.BigIntegerField(null=True)
    first_no = models.BigIntegerField(null=True)
    last_no = models.BigIntegerField(null=True)
    rows = models.BigIntegerField(db_default=0)
    bytes = models.BigIntegerField(db_default=0)
    sha256 = models.CharField(max_length=64)
    state = models.CharField(max_length=12, choices=BatchState.choices, db_default=BatchState.SEALED)
    attempts = models.IntegerField(db_default=0)
    last_error = models.CharField(max_length=500, db_default="", blank=True)
    sealed_at = models.DateTimeField(db_default=Now())
    first_sent_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "ch_batch"
        ordering = ["-sealed_at"]
        verbose_name = "batch"
        verbose_name_plural = "batches"
        default_permissions = ("view",)
        indexes = [models.Index(fields=["state", "host", "sealed_at"], name="ch_batch_due")]

    def __str__(self) -> str:
        return self.batch_id


class FeedGap(models.Model):
    """An interval of one stream that we know we do not have, and why."""

    id = models.BigAutoField(primary_key=True)
    exchange = models.CharField(max_length=50)
    market_type = models.CharField(max_length=20)
    pair = models.CharField(max_length=50)
    stream = models.CharField(max_length=64)  # the shard
    epoch = models.BigIntegerField(db_default=0)
    from_seq = models.BigIntegerField(null=True)
    to_seq = models.BigIntegerField(null=True)
    from_ts = models.DateTimeField()
    to_ts = models.DateTimeField(null=True)  # null: not over yet
    reason = models.CharField(max_length=200)
    daemon = models.CharField(max_length=64)
    fence = models.BigIntegerField(db_default=0)
    ended_by = models.CharField(max_length=64, db_default="", blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "feed_gap"
        ordering = ["-from_ts", "-id"]
        verbose_name = "gap"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["exchange", "market_type", "pair", "from_ts"], name="feed_gap_pair"),
            models.Index(fields=["from_ts"], name="feed_gap_time"),
        ]
        constraints = [  # a gap that is reported twice, by its daemon and by a scan of the spool, is one gap
            models.UniqueConstraint(
                fields=["exchange", "market_type", "pair", "daemon", "from_ts"], name="feed_gap_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.exchange} {self.market_type} {self.pair}: {self.reason}"
