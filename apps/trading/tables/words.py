"""The words that trading rows hold, as choices; and those that only rows know."""

from django.db import models

from apps.feeds.market import Side
from apps.feeds.orders import MarginMode, OrderStatus, OrderType, PositionSide, TimeInForce
from apps.trading.intent import Purpose
from apps.trading.order_state import CancelState
from apps.trading.risk.view import Scope, ScopeState

SIDES = (Side.BUY, Side.SELL)
SIDE_CHOICES = [(side.value, side.value) for side in SIDES]
TYPE_CHOICES = [(kind.value, kind.value) for kind in OrderType]
TIF_CHOICES = [(tif.value, tif.value) for tif in TimeInForce]
STATUS_CHOICES = [(status.value, status.value) for status in OrderStatus]
POSITION_CHOICES = [(side.value, side.value) for side in PositionSide]
CANCEL_CHOICES = [(state.value, state.value) for state in CancelState]
PURPOSE_CHOICES = [(purpose.value, purpose.value) for purpose in Purpose]
STATE_CHOICES = [(state.value, state.value) for state in ScopeState]
SCOPE_CHOICES = [(scope.value, scope.value) for scope in Scope]
LIMIT_CHOICES = [*SCOPE_CHOICES, ("pair", "pair")]
MARGIN_CHOICES = [(mode.value, mode.value) for mode in MarginMode]


class AccountMode(models.TextChoices):
    PAPER = "paper"  # the paper matcher against the live books
    TESTNET = "testnet"  # the exchange's own, or the simulator
    LIVE = "live"


class IntentState(models.TextChoices):
    NEW = "NEW"
    SENDING = "SENDING"
    WORKING = "WORKING"
    DONE = "DONE"


class IntentResult(models.TextChoices):
    FILLED = "FILLED"
    PARTIAL_CANCELLED = "PARTIAL_CANCELLED"
    CANCELLED = "CANCELLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"
    NOT_PLACED = "NOT_PLACED"
    RISK_DENIED = "RISK_DENIED"


class FillSource(models.TextChoices):
    WS = "ws"
    REST = "rest"
    PAPER = "paper"
    INFERRED = "inferred"
    SQL = "sql"  # written by hand


class ArbitrageStatus(models.TextChoices):
    PENDING = "PENDING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class HaltMode(models.TextChoices):
    STOP = "stop"  # nothing new
    CANCEL = "cancel"  # and cancel what rests
    FLATTEN = "flatten"  # and close what is held
