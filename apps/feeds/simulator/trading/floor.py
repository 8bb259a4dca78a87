"""Where accepted orders meet the markets: matched, booked, told."""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, Protocol

from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.market import Market, Trade
from apps.feeds.simulator.trading import checks
from apps.feeds.simulator.trading.accounts import CENT, Account, Execution, Funding, Order, Position
from apps.feeds.simulator.trading.events import AccountEvent, OrderEvent
from apps.feeds.simulator.trading.ledger import Ledger, copied, spent, touched
from apps.feeds.simulator.trading.matching import MatchBook, Resting
from apps.feeds.simulator.trading.tickets import Ended


class Stage(Protocol):
    """Where the markets are shown."""

    def tell(self, market: Market, trades: list[Trade]) -> None:
        """Let the trade channels tell these."""

    def stir(self, market: Market) -> None:
        """Let the market move for as long as an account has an order in it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """One line of the accept log: what the matcher took, whatever became of it."""

    ms: int
    account: str
    client_id: str
    order: Order


class Floor:
    def __init__(self, ledger: Ledger, stage: Stage, now_ms: Callable[[], int]) -> None:
        self.accepted: list[Accepted] = []
        self._ledger = ledger
        self._stage = stage
        self._now_ms = now_ms
        self._books: dict[Market, MatchBook] = {}
        self._changed: dict[int, Order] = {}  # of accounts that are kept, since they were last forgotten
        self._moved: list[tuple[Account, Listing]] = []  # whose futures position has changed in this action

    def book(self, market: Market) -> MatchBook:
        book = self._books.get(market)
        if book is None:
            book = self._books[market] = MatchBook(market.bids, market.asks, market.put)
            market.queues, market.floor = book, self
        return book

    def accept(self, account: Account, order: Order) -> None:
        account.orders[order.id] = account.open[order.id] = order
        if order.client_id:
            account.client_ids[order.ticket.market_type, order.client_id] = order
        self.accepted.append(Accepted(order.created_ms, account.name, order.client_id, order))
        self._tell_order(account, order, "new")
        if order.locked:
            self.tell_money(account, "order", order.listing.market_type, (spent(order),))

    def remember(self, order: Order) -> None:
        """One of a former process; where it is open it has still to be worked."""
        account = order.account
        account.orders[order.id] = order
        if order.client_id:
            account.client_ids[order.ticket.market_type, order.client_id] = order
        if order.is_open:
            account.open[order.id] = order
        self.accepted.append(Accepted(order.created_ms, account.name, order.client_id, order))

    def changed(self) -> list[Order]:
        """The orders of accounts that are kept that have changed since they were last forgotten."""
        return list(self._changed.values())

    def forget_changed(self) -> None:
        self._changed.clear()

    def work(self, account: Account, order: Order, market: Market) -> None:
        """Match an accepted order; what is left of it rests, or ends."""
        ticket, side = order.ticket, checks.side_taken(market, order.ticket)
        limit = side.sign * order.price if order.price else None
        taken = self.book(market).take(side, order.left, limit=limit, account=account, self_trade=ticket.self_trade)
        trades = market.settle(taken.matches, order.side, self._now_ms())
        for trade in trades:
            self._fill(account, order, trade, is_maker=False)
        for pulled in taken.pulled:
            self.end(account, pulled.order, Ended.SELF_TRADE)
        if order.left and taken.stopped:
            self.end(account, order, Ended.SELF_TRADE)
        elif order.left and (not order.price or ticket.force in ("ioc", "fok")):
            self.end(account, order, Ended.IOC)
        elif order.left:
            self._rest(account, order, market)
        self._show(market, trades)

    def withdraw(self, account: Account, order: Order, market: Market, ended: Ended) -> None:
        """End an order that rests."""
        if order.resting is not None:
            self.book(market).cancel(order.resting)
            market.touch()
        self.end(account, order, ended)

    def trade(self, market: Market, side: Literal["buy", "sell"], size: int, key: int | None) -> int:
        """Let an anonymous taker trade up to the level `key`; returns the lots that found nobody."""
        taken = self.book(market).take(market.asks if side == "buy" else market.bids, size, limit=key)
        self._show(market, market.settle(taken.matches, side, self._now_ms()))
        return taken.left

    def end(self, account: Account, order: Order, ended: Ended) -> None:
        held = order.locked
        self._ledger.release(account, order, order.left)
        order.status, order.ended, order.resting = "cancelled", ended, None
        order.updated_ms = self._now_ms()
        account.open.pop(order.id, None)
        self._tell_order(account, order, "cancelled")
        if held:
            self.tell_money(account, "order", order.listing.market_type, (spent(order),))

    def fill_maker(self, maker: Resting, trade: Trade) -> None:
        """A resting order has traded."""
        self._fill(maker.order.account, maker.order, trade, is_maker=True)

    def clear_up(self, market: Market) -> None:
        """Orders that may only make a position smaller end, the youngest first, when it is less than they are."""
        moved, self._moved = self._moved, []
        for account, listing in moved:
            for order in [o for o in reversed(account.open.values()) if o.listing is listing and o.resting is not None]:
                ticket = order.ticket
                if checks.closes_only(ticket) and checks.closable(account, listing, ticket) < checks.closing(
                    account, listing, ticket
                ):
                    self.withdraw(account, order, market, Ended.REDUCE_ONLY)

    def fund(self, account: Account, listing: Listing, amount: Decimal, rate: Decimal) -> None:
        account.holding("futures", listing.settle).total += amount
        self._ledger.settled[listing.settle] += amount
        number = len(account.funding) + 1
        account.funding.append(Funding(number, listing, listing.settle, amount, rate, self._now_ms()))
        self.tell_money(account, "funding", "futures", (listing.settle,), {listing.settle: amount})

    def tell_money(
        self,
        account: Account,
        reason: Literal["order", "trade", "funding", "transfer"],
        market_type: str,
        assets: Iterable[str],
        changes: dict[str, Decimal] | None = None,
        order: Order | None = None,
    ) -> None:
        """`order`: whose execution may have changed a position."""
        if not account.outbox.heard:
            return
        positions: tuple[Position, ...] = ()
        if order is not None and market_type == "futures":
            positions = (copy.copy(account.position(order.listing, order.ticket.position_side)),)
        holdings = copied(account, market_type, assets)
        margins = {asset: account.margin(asset) for asset in holdings} if market_type == "futures" else {}
        wallet = account.rules.wallets[market_type]
        account.outbox.add(
            AccountEvent(reason, market_type, wallet, self._now_ms(), holdings, changes or {}, positions, margins)
        )

    def _rest(self, account: Account, order: Order, market: Market) -> None:
        side = market.bids if order.side == "buy" else market.asks
        order.resting = Resting(side, side.sign * order.price, order.left, account, order)
        self.book(market).rest(order.resting)
        self._stage.stir(market)

    def _show(self, market: Market, trades: list[Trade]) -> None:
        """Accounts have changed the book, and traded."""
        self.clear_up(market)
        market.trades.extend(trades)
        market.touch()
        if trades:
            self._stage.tell(market, trades)

    def _fill(self, account: Account, order: Order, trade: Trade, *, is_maker: bool) -> None:
        listing = order.listing
        before = {asset: account.holding(listing.market_type, asset).total for asset in touched(order)}
        execution = self._ledger.execute(account, order, trade, is_maker=is_maker)
        order.filled += trade.size
        order.value += execution.value
        order.updated_ms = trade.ms
        order.status = "partial" if order.left else "filled"
        order.executions.append(execution)
        account.executions.append(execution)
        if not order.left:
            order.resting = None
            account.open.pop(order.id, None)
        self._tell_order(account, order, "trade", execution)
        changes = {asset: account.holding(listing.market_type, asset).total - total for asset, total in before.items()}
        self.tell_money(account, "trade", listing.market_type, before, changes, order)
        if listing.market_type == "futures":
            self._moved.append((account, listing))

    def _tell_order(
        self,
        account: Account,
        order: Order,
        kind: Literal["new", "trade", "cancelled"],
        execution: Execution | None = None,
    ) -> None:
        if account.is_made:
            self._changed[order.number] = order
        if account.outbox.heard:
            account.outbox.add(OrderEvent(kind, copy.copy(order), order.updated_ms, execution))


def funding_of(worth: Decimal, rate: Decimal) -> Decimal:
    """What the holder of a position worth so much (negative: short) receives."""
    return (-worth * rate).quantize(CENT)
