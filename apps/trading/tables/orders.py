"""ORDERS, one row per attempt of an intent, and what happened to each."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.feeds.market import Side
from apps.feeds.models import Exchange, TradePair
from apps.feeds.orders import OrderStatus, OrderType, PositionSide, TimeInForce
from apps.trading.fields import ExactTextField, Money, UpperCaseField
from apps.trading.order_state import FINAL, CancelState
from apps.trading.tables.accounts import Account
from apps.trading.tables.intents import OrderIntent
from apps.trading.tables.kept import EventQuerySet, Kept, OrderQuerySet
from apps.trading.tables.trades import Trade
from apps.trading.tables.words import CANCEL_CHOICES, SIDES, STATUS_CHOICES


class Order(Kept):
    """One attempt, committed before its request leaves. Rows without an intent were found at the exchange, or written
    with plain SQL; they are never sent."""

    id = models.BigAutoField(primary_key=True, db_column="ID")
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT, db_column="TRADE_ID")
    exchange = models.ForeignKey(Exchange, on_delete=models.PROTECT, db_column="EXCHANGE_ID")
    pair = models.ForeignKey(TradePair, on_delete=models.PROTECT, db_column="PAIR_ID")
    type = UpperCaseField(OrderType, max_length=6, db_column="ORDER_TYPE")
    side = UpperCaseField(Side, max_length=4, db_column="SIDE")
    amount = Money(db_column="AMOUNT")  # base currency
    price = Money(null=True, db_column="PRICE")
    status = models.CharField(max_length=10, choices=STATUS_CHOICES, db_column="STATUS")
    exchange_order_id = ExactTextField(max_length=100, null=True, db_column="EXTERNAL_ORDER_ID")
    created_at = models.DateTimeField(db_default=Now(), db_column="CREATED_AT")
    client_order_id = ExactTextField(max_length=64, null=True, unique=True, db_column="CLIENT_ORDER_ID")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, null=True, db_column="ACCOUNT_ID")
    intent = models.ForeignKey(
        OrderIntent, on_delete=models.PROTECT, null=True, related_name="attempts", db_column="INTENT_ID"
    )
    attempt = models.SmallIntegerField(db_default=0, db_column="ATTEMPT")
    is_external = models.BooleanField(db_default=False, db_column="IS_EXTERNAL")  # somebody else's: never touched
    quote_amount = Money(null=True, db_column="QUOTE_AMOUNT")  # of a market buy that is asked for so
    tif = UpperCaseField(TimeInForce, max_length=10, db_default="GTC", db_column="TIME_IN_FORCE")
    reduce_only = models.BooleanField(db_default=False, db_column="REDUCE_ONLY")
    position_side = UpperCaseField(PositionSide, max_length=5, db_default="NET", db_column="POSITION_SIDE")
    filled = Money(db_default=0, db_column="FILLED")  # base currency, never falls
    told = Money(db_default=0, db_column="TOLD")  # the most that the exchange has called filled
    average_price = Money(null=True, db_column="AVERAGE_PRICE")
    fence = models.BigIntegerField(db_default=0, db_column="FENCE")  # of the lane's lease
    build_id = models.CharField(max_length=40, db_default="", db_column="BUILD_ID")
    request_expires_at = models.DateTimeField(null=True, db_column="REQUEST_EXPIRES_AT")  # clock of the exchange
    sent_at = models.DateTimeField(null=True, db_column="SENT_AT")
    misses = models.IntegerField(db_default=0, db_column="MISSES")  # clean answers "not found", in a row
    missed_ms = models.BigIntegerField(null=True, db_column="MISSED_MS")  # when the last was asked for, its clock
    alarms = models.CharField(max_length=100, db_default="", db_column="ALARMS")  # words of Alarm, comma between
    next_check_at = models.DateTimeField(null=True, db_column="NEXT_CHECK_AT")
    quarantined_at = models.DateTimeField(null=True, db_column="QUARANTINED_AT")  # a person is asked
    unknown_at = models.DateTimeField(null=True, db_column="UNKNOWN_AT")  # when it last became UNKNOWN
    ended_at = models.DateTimeField(null=True, db_column="ENDED_AT")  # when it became final
    last_error_code = models.CharField(max_length=50, db_default="", db_column="LAST_ERROR_CODE")
    last_error = models.CharField(max_length=300, db_default="", db_column="LAST_ERROR")
    cancel_state = models.CharField(
        max_length=10, choices=CANCEL_CHOICES, db_default=CancelState.NONE, db_column="CANCEL_STATE"
    )
    cancel_requested_at = models.DateTimeField(null=True, db_column="CANCEL_REQUESTED_AT")
    cancel_attempts = models.IntegerField(db_default=0, db_column="CANCEL_ATTEMPTS")
    exchange_ms = models.BigIntegerField(db_default=0, db_column="EXCHANGE_MS")  # of the latest update applied
    events_told = models.IntegerField(db_default=0, db_column="EVENTS")  # the number of the last of them
    updated_at = models.DateTimeField(db_default=Now(), db_column="UPDATED_AT")

    objects = OrderQuerySet.as_manager()

    class Meta:
        db_table = "ORDERS"
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["account", "pair", "status"], name="orders_lane"),
            models.Index(fields=["account", "pair", "id"], name="orders_recent"),
            models.Index(fields=["account", "status"], name="orders_working"),
            models.Index(fields=["account", "unknown_at"], name="orders_unknown"),
            models.Index(fields=["account", "created_at"], name="orders_account"),
            models.Index(fields=["trade", "created_at"], name="orders_executions"),
            models.Index(fields=["account", "ended_at"], name="orders_ended"),
            models.Index(fields=["next_check_at"], name="orders_due"),
            models.Index(fields=["status", "created_at"], name="orders_status"),
            models.Index(fields=["cancel_state"], name="orders_cancels"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["intent", "attempt"], name="orders_attempt_once"),
            models.UniqueConstraint(fields=["account", "pair", "exchange_order_id"], name="orders_exchange_id_once"),
            models.CheckConstraint(condition=Q(status__in=list(OrderStatus)), name="orders_status_known"),
            models.CheckConstraint(condition=Q(side__in=SIDES), name="orders_side"),
            models.CheckConstraint(condition=Q(type__in=list(OrderType)), name="orders_type"),
            models.CheckConstraint(condition=Q(cancel_state__in=list(CancelState)), name="orders_cancel_state"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="orders_amount"),
            models.CheckConstraint(condition=Q(price=None) | Q(price__gt=0), name="orders_price"),
            models.CheckConstraint(condition=Q(filled__gte=0), name="orders_filled"),
            models.CheckConstraint(condition=Q(attempt__range=(0, 31)), name="orders_attempt"),
            models.CheckConstraint(  # risk finds what works as what has not ended
                condition=Q(ended_at=None) | Q(status__in=sorted(FINAL)), name="orders_ended_are_final"
            ),
            models.CheckConstraint(  # what is sent can always be told again from anybody else's
                condition=Q(intent=None) | (~Q(account=None) & ~Q(client_order_id=None) & Q(is_external=False)),
                name="orders_ours",
            ),
        ]

    def __str__(self) -> str:
        return self.client_order_id or self.exchange_order_id or f"order {self.pk}"


class OrderEvent(Kept):
    """One step in an order's life, with its evidence. Nothing secret is in it, and nothing in it is changed."""

    id = models.BigAutoField(primary_key=True)
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events")
    seq = models.IntegerField()  # from 1, without holes
    kind = models.CharField(max_length=30)
    from_status = models.CharField(max_length=10, db_default="")
    to_status = models.CharField(max_length=10, choices=STATUS_CHOICES)
    evidence = models.JSONField(null=True)
    at = models.DateTimeField(db_default=Now())

    objects = EventQuerySet.as_manager()

    class Meta:
        db_table = "order_event"
        ordering = ["order", "seq"]
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["order", "seq"], name="order_event_once")]
        indexes = [models.Index(fields=["at"], name="order_event_time")]

    def __str__(self) -> str:
        return f"{self.order_id}.{self.seq} {self.from_status} to {self.to_status}"
