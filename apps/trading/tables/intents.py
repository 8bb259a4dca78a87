"""What strategies and people want: the parents of orders."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.feeds.models import TradePair
from apps.feeds.orders import MarginMode, OrderType, PositionSide, TimeInForce
from apps.trading.fields import ExactTextField, Money
from apps.trading.intent import Purpose
from apps.trading.tables.accounts import Account
from apps.trading.tables.kept import Kept, KeptQuerySet
from apps.trading.tables.trades import Arbitrage, Trade
from apps.trading.tables.words import (
    MARGIN_CHOICES,
    POSITION_CHOICES,
    PURPOSE_CHOICES,
    SIDE_CHOICES,
    SIDES,
    TIF_CHOICES,
    TYPE_CHOICES,
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
    purpose = models.CharField(max_length=10, choices=PURPOSE_CHOICES, db_default=Purpose.ENTRY)
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
            models.CheckConstraint(condition=Q(purpose__in=list(Purpose)), name="order_intent_purpose"),
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
