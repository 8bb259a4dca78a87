"""Intents, orders, and what happened to them. An intent is the parent; a row of ORDERS is one attempt of it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.feeds.market import Side
from apps.feeds.models import Exchange, TradePair
from apps.feeds.orders import MarginMode, OrderStatus, OrderType, PositionSide, TimeInForce
from apps.trading.fields import ExactTextField, Money, UpperCaseField
from apps.trading.order_state import CancelState
from apps.trading.tables.accounts import Account
from apps.trading.tables.kept import EventQuerySet, Kept, KeptQuerySet, OrderQuerySet
from apps.trading.tables.trades import Arbitrage, Trade
from apps.trading.tables.words import (
    CANCEL_CHOICES,
    MARGIN_CHOICES,
    POSITION_CHOICES,
    SIDE_CHOICES,
    SIDES,
    STATUS_CHOICES,
    TIF_CHOICES,
    TYPE_CHOICES,
    FillSource,
    IntentPurpose,
    IntentResult,
    IntentState,
)


class OrderIntent(Kept):
    """What a strategy or a person wants. `lane` names account and pair: its intents are worked one after the other."""

    id = models.BigAutoField(primary_key=True)
    intent_key = ExactTextField(max_length=150, unique=True)  # the caller's: the same key is the same intent
    fingerprint = models.CharField(max_length=64)  # of the body: the same key with another body is refused
    account = models.ForeignKey(Account, on_delete=models.PROTECT)
    trade = models.ForeignKey(Trade, on_delete=models.PROTECT)
    pair = models.ForeignKey(TradePair, on_delete=models.PROTECT)
    lane = models.CharField(max_length=100)
    purpose = models.CharField(max_length=10, choices=IntentPurpose.choices, db_default=IntentPurpose.ENTRY)
    side = models.CharField(max_length=4, choices=SIDE_CHOICES)
    type = models.CharField(max_length=6, choices=TYPE_CHOICES)
    amount = Money()  # base currency, as wanted
    price = Money(null=True)  # null: market
    tif = models.CharField(max_length=10, choices=TIF_CHOICES, db_default=TimeInForce.GTC)
    reduce_only = models.BooleanField(db_default=False)
    position_side = models.CharField(max_length=5, choices=POSITION_CHOICES, db_default=PositionSide.NET)
    margin_mode = models.CharField(max_length=10, choices=MARGIN_CHOICES, db_default=MarginMode.ISOLATED)
    leverage = models.SmallIntegerField(null=True)  # null: what the account is set to
    repeats = models.BooleanField(db_default=False)  # the same again within a second is meant
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True)
    arbitrage = models.ForeignKey(Arbitrage, on_delete=models.PROTECT, null=True, related_name="legs")
    leg = models.SmallIntegerField(null=True)
    max_age_ms = models.IntegerField()
    state = models.CharField(max_length=8, choices=IntentState.choices, db_default=IntentState.NEW)
    result = models.CharField(  # noqa: DJ001  # null until it is done
        max_length=20, choices=IntentResult.choices, null=True
    )
    deny_reason = models.CharField(max_length=50, db_default="")  # a DenyReason
    deny_text = models.CharField(max_length=300, db_default="")
    attempt = models.SmallIntegerField(db_default=0)  # the next one to make
    reserved_asset = models.CharField(max_length=30, db_default="")
    reserved_amount = Money(db_default=0)  # of that asset, held back until the intent is done
    reserved_notional = Money(db_default=0)  # in USDT
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True)  # whose it is
    created_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)

    objects = KeptQuerySet.as_manager()

    class Meta:
        db_table = "order_intent"
        ordering = ["-id"]
        verbose_name = "intent"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["lane", "state", "id"], name="order_intent_head"),
            models.Index(fields=["state", "id"], name="order_intent_open"),
            models.Index(fields=["account", "state"], name="order_intent_account"),
            models.Index(fields=["trade", "id"], name="order_intent_trade"),
        ]
        constraints = [  # a CHECK lets through what it cannot tell, so each names the columns that must be there
            models.CheckConstraint(condition=Q(state__in=IntentState.values), name="order_intent_state"),
            models.CheckConstraint(condition=Q(purpose__in=IntentPurpose.values), name="order_intent_purpose"),
            models.CheckConstraint(condition=Q(side__in=SIDES), name="order_intent_side"),
            models.CheckConstraint(condition=Q(type__in=list(OrderType)), name="order_intent_type"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="order_intent_amount"),
            models.CheckConstraint(
                condition=Q(type=OrderType.MARKET, price=None)
                | Q(type=OrderType.LIMIT, price__isnull=False, price__gt=0),
                name="order_intent_price",
            ),
            models.CheckConstraint(
                condition=(~Q(state=IntentState.DONE) & Q(result=None))
                | Q(state=IntentState.DONE, result__isnull=False, result__in=IntentResult.values),
                name="order_intent_result",
            ),
            models.CheckConstraint(condition=Q(reserved_amount__gte=0), name="order_intent_reserved"),
            models.CheckConstraint(condition=Q(attempt__range=(0, 31)), name="order_intent_attempt"),
        ]

    def __str__(self) -> str:
        return f"intent {self.pk}"


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
    last_error_code = models.CharField(max_length=50, db_default="", db_column="LAST_ERROR_CODE")
    last_error = models.CharField(max_length=300, db_default="", db_column="LAST_ERROR")
    cancel_state = models.CharField(
        max_length=10, choices=CANCEL_CHOICES, db_default=CancelState.NONE, db_column="CANCEL_STATE"
    )
    cancel_requested_at = models.DateTimeField(null=True, db_column="CANCEL_REQUESTED_AT")
    cancel_attempts = models.IntegerField(db_default=0, db_column="CANCEL_ATTEMPTS")
    exchange_ms = models.BigIntegerField(db_default=0, db_column="EXCHANGE_MS")  # of the latest update applied
    updated_at = models.DateTimeField(db_default=Now(), db_column="UPDATED_AT")

    objects = OrderQuerySet.as_manager()

    class Meta:
        db_table = "ORDERS"
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["account", "pair", "status"], name="orders_lane"),
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
