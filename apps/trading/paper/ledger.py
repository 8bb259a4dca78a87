"""The books of a paper account: spot wallets, or a futures wallet with its positions. Every entry is marked PAPER.

Nothing is made up: what an entry says is exactly how a wallet changed, and fees are rounded against the account.
"""

from collections.abc import Iterable, Mapping
from decimal import ROUND_CEILING, Context, Decimal
from enum import StrEnum

from msgspec import Struct

from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Balance, Balances, Fees, Fill, MarginMode, Position, Positions, PositionSide
from apps.trading.paper.order import SMALLEST, PaperOrder

EXACT = Context(prec=60)  # in which all of this is to be called: prices times amounts are never rounded
ZERO = Decimal(0)


class EntryKind(StrEnum):
    DEPOSIT = "deposit"  # what the account began with
    TRADE = "trade"  # what was bought or sold, and what for
    FEE = "fee"
    PROFIT = "profit"  # realised by closing a position


class Entry(Struct, frozen=True, kw_only=True):
    """One change of one wallet."""

    account: str
    kind: EntryKind
    asset: str
    amount: Decimal  # positive came in
    client_order_id: str
    trade_id: str
    at_ms: int
    mode: str = "PAPER"


class Execution(Struct, frozen=True, kw_only=True):
    """A fill as the ledger sees it, in base currency."""

    order: PaperOrder
    trade_id: str
    price: Decimal
    amount: Decimal
    fee: Decimal  # in the quote or settle currency, negative is a rebate
    at_ms: int

    def fill(self, *, is_maker: bool) -> Fill:
        """As an exchange would tell it, in the units that it counts. Fees are taken in quote or settle currency."""
        order, instrument = self.order, self.order.new.instrument
        return Fill(
            symbol=instrument.symbol,
            exchange_order_id=order.exchange_order_id,
            client_order_id=order.new.client_order_id,
            trade_id=self.trade_id,
            side=order.side,
            price=self.price,
            amount=self.amount / instrument.contract_size,
            fee=self.fee,
            fee_asset=instrument.settle if instrument.market_type is MarketType.FUTURES else instrument.quote,
            is_maker=is_maker,
            exchange_ms=self.at_ms,
            position_side=order.new.position_side,
        )


class Holding(Struct):
    """A position; `cost` is what it was opened for, with the sign of the amount."""

    amount: Decimal = ZERO
    cost: Decimal = ZERO

    def change(self, delta: Decimal, price: Decimal) -> Decimal:
        """Open or close; return the profit that was realised."""
        closed = cost = ZERO
        if self.amount * delta < 0:
            whole = abs(delta) >= abs(self.amount)
            closed = -self.amount if whole else delta
            cost = self.cost if whole else (self.cost * -closed / self.amount).quantize(SMALLEST)
        self.amount += delta
        self.cost += (delta - closed) * price - cost
        return -closed * price - cost


class Standing(Struct, frozen=True, kw_only=True):
    """A position that was held when a former life of the account ended: base currency, negative when short."""

    instrument: Instrument
    side: PositionSide
    amount: Decimal
    cost: Decimal  # what it was opened for, with the sign of the amount


class Ledger:
    """Wallets and positions of one account on one market."""

    def __init__(self, account: str, balances: Mapping[str, Decimal], fees: Fees, leverage: Decimal) -> None:
        self._account = account
        self._totals = dict(balances)
        self._fees = fees
        self._leverage = leverage
        self._holdings: dict[tuple[str, PositionSide], Holding] = {}
        self._instruments: dict[str, Instrument] = {}  # of the holdings, by symbol

    def restore(self, standing: Standing) -> None:
        symbol = standing.instrument.symbol
        self._instruments[symbol] = standing.instrument
        self._holdings[symbol, standing.side] = Holding(standing.amount, standing.cost)

    def fee(self, price: Decimal, amount: Decimal, *, is_maker: bool) -> Decimal:
        rate = self._fees.maker if is_maker else self._fees.taker
        return (rate * price * amount).quantize(SMALLEST, ROUND_CEILING)

    def total(self, asset: str) -> Decimal:
        return self._totals.get(asset, ZERO)

    def free(self, asset: str, working: Iterable[PaperOrder]) -> Decimal:
        """What is not held for orders that work and for positions."""
        held, left = ZERO, dict[tuple[str, PositionSide, Side], Decimal]()
        for order in working:
            closable = left.get(order.closes, self.closable(order))
            at, amount = self.needs(order, order.limit * order.remaining, order.remaining, closable)
            held += amount if at == asset else ZERO
            left[order.closes] = max(closable - order.remaining, ZERO)
        margins = (abs(each.cost) for (symbol, _), each in self._holdings.items() if self._settles(symbol, asset))
        return self.total(asset) - held - sum(margins, ZERO) / self._leverage

    def needs(self, order: PaperOrder, value: Decimal, amount: Decimal, closable: Decimal) -> tuple[str, Decimal]:
        """Asset and amount that trading so much for so much value would take, with the dearer of both fees.

        `closable`: how much of an open position is left for it to close.
        """
        instrument = order.new.instrument
        fee = max(self._fees.taker, self._fees.maker, ZERO) * value
        if order.only_reduces:
            return instrument.settle, ZERO
        if instrument.market_type is MarketType.FUTURES:
            opening = 1 - min(closable, amount) / amount if amount else ZERO
            return instrument.settle, value * opening / self._leverage + fee
        if order.side is Side.BUY:
            return instrument.quote, value + fee
        return instrument.base, amount

    def unclaimed(self, order: PaperOrder, working: Iterable[PaperOrder]) -> Decimal:
        """How much of a position the orders that work leave for this one to close."""
        claimed = sum((each.remaining for each in working if each.closes == order.closes), ZERO)
        return max(self.closable(order) - claimed, ZERO)

    def closable(self, order: PaperOrder) -> Decimal:
        """How much of an open position an order of its side can close."""
        holding = self._holdings.get((order.new.instrument.symbol, order.new.position_side), Holding())
        against = holding.amount < 0 if order.side is Side.BUY else holding.amount > 0
        return abs(holding.amount) if against else ZERO

    def book(self, done: Execution) -> list[Entry]:
        """Change wallets and positions by a fill."""
        instrument = done.order.new.instrument
        delta = done.amount if done.order.side is Side.BUY else -done.amount
        if instrument.market_type is MarketType.FUTURES:
            key = (instrument.symbol, done.order.new.position_side)
            self._instruments[instrument.symbol] = instrument
            profit = self._holdings.setdefault(key, Holding()).change(delta, done.price)
            changes = [(EntryKind.PROFIT, instrument.settle, profit), (EntryKind.FEE, instrument.settle, -done.fee)]
        else:
            changes = [
                (EntryKind.TRADE, instrument.base, delta),
                (EntryKind.TRADE, instrument.quote, -delta * done.price),
                (EntryKind.FEE, instrument.quote, -done.fee),
            ]
        return [self._enter(done, *change) for change in changes if change[2]]

    def balance(self, asset: str, working: Iterable[PaperOrder]) -> Balance:
        return Balance(asset=asset, free=self.free(asset, working), total=self.total(asset))

    def assets(self) -> list[str]:
        return list(self._totals)

    def positions(self, symbol: str | None = None) -> list[Position]:
        """As the exchange counts them; with a symbol those that were closed are told as zero."""
        return [
            Position(
                symbol=at,
                side=side,
                amount=each.amount / self._instruments[at].contract_size,
                entry_price=(each.cost / each.amount).quantize(SMALLEST) if each.amount else None,
                leverage=self._leverage,
                margin_mode=MarginMode.ISOLATED,
            )
            for (at, side), each in self._holdings.items()
            if at == symbol or (symbol is None and each.amount)
        ]

    def changed(self, instrument: Instrument, working: Iterable[PaperOrder], now_ms: int) -> list[Balances | Positions]:
        """What trading the instrument may have changed: its wallets, and its positions."""
        futures = instrument.market_type is MarketType.FUTURES
        assets = [instrument.settle] if futures else [instrument.base, instrument.quote]
        rows = [self.balance(asset, working) for asset in assets]
        told: list[Balances | Positions] = [Balances(rows=rows, whole=False, exchange_ms=now_ms)]
        if futures and (positions := self.positions(instrument.symbol)):
            told.append(Positions(rows=positions, whole=False, exchange_ms=now_ms))
        return told

    def _settles(self, symbol: str, asset: str) -> bool:
        return self._instruments[symbol].settle == asset

    def _enter(self, done: Execution, kind: EntryKind, asset: str, amount: Decimal) -> Entry:
        self._totals[asset] = self.total(asset) + amount
        return Entry(
            account=self._account,
            kind=kind,
            asset=asset,
            amount=amount,
            client_order_id=done.order.new.client_order_id,
            trade_id=done.trade_id,
            at_ms=done.at_ms,
        )
