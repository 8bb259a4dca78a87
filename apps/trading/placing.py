"""Orders by hand: what a person wrote is held against the instrument, and then goes the road of every intent.

Nothing is rounded for a person: what is off the grid is refused at its field, with the grid.
"""

from decimal import Decimal

from django.core.exceptions import ValidationError

from apps.feeds import selectors as feeds
from apps.feeds.market import BookKey, Instrument, InstrumentStatus, MarketType, Side
from apps.feeds.models import TradePair
from apps.feeds.orders import OrderType, TimeInForce
from apps.trading.execution import cancelling, intake
from apps.trading.execution.market import Market
from apps.trading.models import Account, OrderIntent
from apps.trading.order_state import FINAL
from apps.trading.rounding import grain, is_on_grid
from apps.users.models import User
from apps.users.services import Actor, record

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
        user=user,
        market=market,
    )


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
    if not account.exchange.enabled:
        errors["account"] = f"{account.exchange.name} is switched off."
    if instrument.status is not InstrumentStatus.TRADING:
        errors["pair"] = f"{instrument.pair} is {instrument.status} at {account.exchange.name}."
    elif instrument.inverse:
        errors["pair"] = "Inverse contracts are not traded."
    elif not is_on_grid(amount, grain(instrument)):
        errors["amount"] = f"Must be a multiple of {_plain(grain(instrument))}."
    if price is not None and not is_on_grid(price, instrument.tick):
        errors["price"] = f"Must be a multiple of {_plain(instrument.tick)}."
    elif price is not None and _is_far(price, market.mid(instrument.key)):
        errors["price"] = "Is nowhere near the market."
    if errors:
        raise ValidationError(errors)


def _is_far(price: Decimal, mid: Decimal | None) -> bool:
    return mid is not None and not mid / FAR <= price <= mid * FAR


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
