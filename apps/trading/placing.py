"""Orders by hand: what a person wrote is held against the instrument, and then goes the road of every intent.

Nothing is rounded for a person: what is off the grid is refused at its field, with the grid.
"""

from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.market import BookKey, Instrument, InstrumentStatus, MarketType, Side
from apps.feeds.models import TradePair
from apps.feeds.orders import OrderType, TimeInForce
from apps.trading import limit_settings
from apps.trading.execution.cancels import cancelling
from apps.trading.execution.entry import intake
from apps.trading.execution.pretrade import rates
from apps.trading.execution.pretrade.market import Market
from apps.trading.execution.runtime.transactions import in_transaction
from apps.trading.limit_settings import PAIR
from apps.trading.models import Account, AccountMode, Order, OrderIntent, RiskLimit
from apps.trading.order_state import FINAL
from apps.trading.risk import limits
from apps.trading.risk.rounding import fee_up, grain, is_on_grid, notional, price_step, slipped
from apps.trading.risk.view import Scope, Top
from apps.users.models import User
from apps.users.services import Actor, record


class Use(Struct, frozen=True, kw_only=True):
    """What an order takes of a limit, with what is taken already where that adds up."""

    name: str
    used: Decimal
    most: Decimal


class Preview(Struct, frozen=True, kw_only=True):
    """`deny_reason` is empty where risk would let it through. At the market `price` is the worst that it may trade at;
    without a book that is unknown, and `value` and `fee` with it."""

    side: str
    amount: Decimal
    price: Decimal | None
    value: Decimal | None
    fee: Decimal | None
    reserved_asset: str
    reserved_amount: Decimal
    deny_reason: str
    deny_text: str
    limits: tuple[Use, ...]


ZERO = Decimal(0)
IN_FULL = 1  # leverage
FAR = 10  # times the market or a tenth of it: a slip of the finger, which no control has to look at


def place(
    *,
    key: str,
    account: Account,
    pair: str,
    side: Side,
    type: OrderType,
    amount: Decimal,
    price: Decimal | None,
    tif: TimeInForce,
    reduce_only: bool,
    leverage: int | None = None,
    user: User,
    market: Market,
) -> intake.Recorded:
    """The person's intent of that key, written once. Raises ValidationError for what can be no order, and KeyConflict
    for another one under the same key; what risk refuses is a row with the reason."""
    name = key_of(user, key)
    listed = _listed(account, pair)
    if not OrderIntent.objects.filter(intent_key=name).exists():  # a repeat is answered, whatever has changed since
        _check(account, feeds.instrument(listed), amount, price, market)
    return intake.record_intent(
        key=name,
        account=account,
        pair=listed,
        side=side,
        type=type,
        amount=amount,
        price=price,
        tif=tif,
        reduce_only=reduce_only,
        leverage=_leverage(account, leverage),
        user=user,
        market=market,
    )


def _leverage(account: Account, wanted: int | None) -> int | None:
    """Futures are paid in full where nobody says otherwise: always the same, so that a repeat is one."""
    if account.market_type != MarketType.FUTURES:
        if wanted is not None:
            raise ValidationError({"leverage": "Only futures have one."})
        return None
    if account.mode == AccountMode.PAPER and wanted not in (None, IN_FULL):
        raise ValidationError({"leverage": "On paper there is none."})
    return wanted or IN_FULL


@in_transaction
def preview(*, account: Account, **wanted: Any) -> Preview:
    """What `place` would answer to the same now; nothing stays written. Raises ValidationError as it does."""
    seen = _SeenOnce(wanted.pop("market"))
    found = _previewed(place(key=f"preview {uuid4()}", account=account, market=seen, **wanted).intent, account, seen)
    transaction.set_rollback(True)
    return found


class _SeenOnce:
    """A market that does not move between what risk says of an order and what is told of its price."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._tops: dict[BookKey, Top | None] = {}

    def top(self, key: BookKey) -> Top | None:
        if key not in self._tops:
            self._tops[key] = self._market.top(key)
        return self._tops[key]

    def mid(self, key: BookKey) -> Decimal | None:
        return self._market.mid(key)


def _previewed(intent: OrderIntent, account: Account, market: Market) -> Preview:
    have, instrument = _limits(intent), feeds.instrument(intent.pair)
    price = intent.price
    if price is None:
        price = _worst(Side(intent.side), instrument, have.slip_share, market)
    value = None if price is None else notional(intent.amount, price, instrument)
    worth = intent.reserved_notional
    if intent.deny_reason and value is not None:  # nothing is reserved, and it is told how much it is too much
        worth = value * rates.quotes([instrument.quote], [account.exchange.code], market).get(instrument.quote, ZERO)
    working = Order.objects.filter(account=account, is_external=False).exclude(status__in=list(FINAL)).count()
    return Preview(
        side=intent.side,
        amount=intent.amount,
        price=price,
        value=value,
        fee=None if value is None else fee_up(value, account.taker_fee or have.fee_share),
        reserved_asset=intent.reserved_asset,
        reserved_amount=intent.reserved_amount,
        deny_reason=intent.deny_reason,
        deny_text=intent.deny_text,
        limits=(
            Use(name="max_order_usdt", used=worth, most=have.max_order_usdt),
            Use(name="max_open_account", used=Decimal(working + 1), most=Decimal(have.max_open_account)),
        ),
    )


def _worst(side: Side, instrument: Instrument, slip: Decimal, market: Market) -> Decimal | None:
    """What an order at the market is sent with: so far beyond the best price of the other side."""
    top = market.top(instrument.key)
    return None if top is None else slipped(top.ask if side is Side.BUY else top.bid, side, slip, instrument)


def _limits(intent: OrderIntent) -> limits.Limits:
    """Those that concern it. What makes no sense is passed over: risk has refused the intent for it, with its name."""
    named = {
        Scope.GLOBAL: "",
        Scope.EXCHANGE: intent.pair.exchange.code,
        Scope.ACCOUNT: str(intent.account_id),
        Scope.TRADE: str(intent.trade_id),
        PAIR: str(intent.pair_id),
    }
    concerned = Q(pk__in=[])
    for scope, scope_id in named.items():
        concerned |= Q(scope=scope, scope_id=scope_id)
    rows = RiskLimit.objects.filter(concerned).values_list("name", "value")
    return limits.strictest([row for row in rows if limits.makes_sense(*row)], limit_settings.ceilings())


def cancel(*, intent: OrderIntent, actor: Actor) -> None:
    """End it: what nobody has begun to send is over at once, of the rest the order's cancel is wished for."""
    if intake.cancel_intent(intent.pk):
        record(actor=actor, action="intent.cancel", object=f"intent {intent.pk}")
        return
    for order in intent.attempts.exclude(status__in=list(FINAL)):
        cancelling.request_cancel(order, actor)


def key_of(user: User, key: str) -> str:
    """Keys of people do not meet: neither each other's nor those of strategies."""
    return f"by hand {user.pk} {key}"


def _listed(account: Account, pair: str) -> TradePair:
    key = BookKey(account.exchange.code, MarketType(account.market_type), pair.strip().upper())
    found = feeds.listed(keys=[key]).get(key)
    if found is None:
        raise ValidationError(
            {"pair": f"{key.pair[:50]!r} is not in the catalogue of {key.exchange} {key.market_type}."}
        )
    return found


def _check(account: Account, instrument: Instrument, amount: Decimal, price: Decimal | None, market: Market) -> None:
    """Raise what is wrong, field by field."""
    errors = {}
    if not account.active:
        errors["account"] = "It is closed."
    if instrument.status is not InstrumentStatus.TRADING:
        errors["pair"] = f"{instrument.pair} is {instrument.status} at {account.exchange.name}."
    elif instrument.inverse:
        errors["pair"] = "Inverse contracts are not traded."
    elif not is_on_grid(amount, grain(instrument)):
        errors["amount"] = f"Must be a multiple of {_plain(grain(instrument))}."
    if price is not None and not is_on_grid(price, price_step(price, instrument)):
        errors["price"] = f"Must be a multiple of {_plain(price_step(price, instrument))}."
    elif price is not None and _is_far(price, market.mid(instrument.key)):
        errors["price"] = "Is nowhere near the market."
    if errors:
        raise ValidationError(errors)


def _is_far(price: Decimal, mid: Decimal | None) -> bool:
    return mid is not None and not mid / FAR <= price <= mid * FAR


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
