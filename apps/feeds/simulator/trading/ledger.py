"""Which money an order holds back, and what an execution moves. Fees are collected, so that no money is lost."""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Trade
from apps.feeds.simulator.trading.accounts import CENT, ZERO, Account, Execution, Holding, Order, Position, worth
from apps.feeds.simulator.trading.checks import coins
from apps.feeds.simulator.trading.rules import Rules
from apps.feeds.simulator.trading.tickets import Reason, Refused


class Ledger:
    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.fees: dict[str, Decimal] = defaultdict(Decimal)  # collected by the exchange
        self.settled: dict[str, Decimal] = defaultdict(Decimal)  # profits paid out less losses taken in

    def reserve(self, account: Account, order: Order, value: Decimal) -> None:
        """Hold back what an order needs; `value`: what it is worth. A market order is only checked.

        Raises Refused when the account has not that much.
        """
        holding = account.holding(order.listing.market_type, spent(order))
        need = self._need(account, order, order.size, value)
        fee = value * account.rate("futures").taker if order.listing.market_type == "futures" and order.opens else ZERO
        if need + fee > holding.free:
            raise Refused(Reason.INSUFFICIENT_FUNDS)
        if order.price:
            holding.locked += need
            order.locked = need

    def release(self, account: Account, order: Order, size: int) -> None:
        """Let go what `size` lots of the order held back; all of it for the last of them."""
        need = self._need(account, order, size, worth(order.listing, order.price, size))
        freed = order.locked if size == order.left else min(order.locked, need)
        account.holding(order.listing.market_type, spent(order)).locked -= freed
        order.locked -= freed

    def execute(self, account: Account, order: Order, trade: Trade, *, is_maker: bool) -> Execution:
        """Book one match; returns it. The order itself is not changed but for what it holds back."""
        self.release(account, order, trade.size)
        rates = account.rate(order.listing.market_type)
        rate = rates.maker if is_maker else rates.taker
        book = self._spot if order.listing.market_type == "spot" else self._futures
        fee, fee_asset, realised = book(account, order, trade, rate)
        self.fees[fee_asset] += fee
        account.holding(order.listing.market_type, fee_asset).total -= fee
        value = worth(order.listing, trade.price, trade.size)
        return Execution(
            trade.number, order, trade.price, trade.size, value, fee, fee_asset, is_maker, realised, trade.ms
        )

    def set_margin(self, account: Account, position: Position, leverage: int) -> None:
        """Let a position be held with another leverage."""
        before, position.leverage = position.margin, leverage
        account.holding("futures", position.listing.settle).locked += position.margin - before

    def _need(self, account: Account, order: Order, size: int, value: Decimal) -> Decimal:
        listing = order.listing
        if listing.market_type == "futures":
            return (value / account.setting(listing.symbol).leverage).quantize(CENT) if order.opens else ZERO
        if order.side == "sell":
            return coins(listing, size)
        return value * (1 + account.rate("spot").taker) if self._rules.fee_in == "quote" else value

    def _spot(self, account: Account, order: Order, trade: Trade, rate: Decimal) -> tuple[Decimal, str, Decimal]:
        listing = order.listing
        amount, value = coins(listing, trade.size), worth(listing, trade.price, trade.size)
        sign = 1 if order.side == "buy" else -1
        account.holding("spot", listing.base).total += sign * amount
        account.holding("spot", listing.quote).total -= sign * value
        in_base = order.side == "buy" and self._rules.fee_in == "received"
        fee = (rate * (amount if in_base else value)).quantize(CENT)
        return fee, listing.base if in_base else listing.quote, ZERO

    def _futures(self, account: Account, order: Order, trade: Trade, rate: Decimal) -> tuple[Decimal, str, Decimal]:
        listing = order.listing
        position = account.position(listing, order.ticket.position_side)
        holding = account.holding("futures", listing.settle)
        before = position.margin
        realised = _move(position, trade.size if order.side == "buy" else -trade.size, trade.price)
        position.updated_ms = trade.ms
        holding.locked += position.margin - before
        holding.total += realised
        self.settled[listing.settle] += realised
        return (rate * worth(listing, trade.price, trade.size)).quantize(CENT), listing.settle, realised


def _move(position: Position, size: int, price: int) -> Decimal:
    """Change a position by signed lots; returns the profit of what that closes."""
    listing = position.listing
    closed = min(abs(size), abs(position.size)) if size * position.size < 0 else 0
    realised = ZERO
    if closed:
        share = position.cost if closed == abs(position.size) else position.cost * closed / abs(position.size)
        share = share.quantize(CENT)
        value = worth(listing, price, closed)
        realised = value - share if position.size > 0 else share - value
        position.cost -= share
    position.cost += worth(listing, price, abs(size) - closed)
    position.size += size
    position.realised += realised
    return realised


def spent(order: Order) -> str:
    """The asset that an order is paid with."""
    if order.listing.market_type == "futures":
        return order.listing.settle
    return order.listing.quote if order.side == "buy" else order.listing.base


def touched(order: Order) -> Iterable[str]:
    """The assets that an execution of the order moves."""
    listing: Listing = order.listing
    return (listing.settle,) if listing.market_type == "futures" else (listing.base, listing.quote)


def copied(account: Account, market_type: str, assets: Iterable[str]) -> dict[str, Holding]:
    holdings = {asset: account.holding(market_type, asset) for asset in assets}
    return {asset: Holding(holding.total, holding.locked) for asset, holding in holdings.items()}
