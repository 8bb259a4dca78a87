"""What is traded on a market of the simulator: instruments, amounts, and prices that do what they shall."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import TypeVar

from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Fill, OrderUpdate, Permissions, Position, in_base
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.server import Simulator
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.tests import trading_declared

T = TypeVar("T", OrderUpdate, Fill, Position)

PARTS = 4  # of which the usual order consists
PART_VALUE = Decimal(30)  # in quote
FAR = {Side.BUY: Decimal("0.98"), Side.SELL: Decimal("1.02")}
ROUNDS = {Side.BUY: ROUND_FLOOR, Side.SELL: ROUND_CEILING}


@dataclass
class Place:
    """One market of one exchange; it moves only by what accounts do."""

    exchange: str
    market: MarketType
    simulator: Simulator
    instruments: dict[str, Instrument]  # by symbol
    instrument: Instrument
    other: Instrument

    @property
    def desk(self) -> Desk:
        return self.simulator.exchanges[self.exchange].desk

    @property
    def listing(self) -> Listing:
        return self.desk.market(self.market, self.instrument.symbol).listing

    @property
    def lot(self) -> Decimal:
        """In base currency."""
        return self.instrument.lot * self.instrument.contract_size

    @property
    def part(self) -> Decimal:
        """A quarter of the usual order, in base currency; it could be ordered alone."""
        return self.part_of(self.instrument)

    def part_of(self, instrument: Instrument) -> Decimal:
        """The first price is as good as the last: it shall be the same amount throughout a test."""
        listing = self.desk.market(self.market, instrument.symbol).listing
        unit = instrument.lot * instrument.contract_size
        least = max(instrument.min_notional or 0, PART_VALUE) / (Decimal(str(listing.start_price)) * unit)
        lots = max(least * Decimal("1.1"), (instrument.min_amount or 0) / instrument.lot, Decimal(1))
        return lots.to_integral_value(ROUND_CEILING) * unit

    @property
    def amount(self) -> Decimal:
        return PARTS * self.part

    def best(self, side: Side, instrument: Instrument | None = None) -> Decimal:
        """The best price of those who wait to buy, or to sell."""
        market = self.desk.market(self.market, (instrument or self.instrument).symbol)
        mine = market.bids if side is Side.BUY else market.asks
        return abs(mine.keys[0]) * market.listing.price.step

    def at_best(self, side: Side) -> Decimal:
        """Coins that wait at the best price of a side."""
        market = self.desk.market(self.market, self.instrument.symbol)
        mine = market.bids if side is Side.BUY else market.asks
        return mine.sizes[mine.keys[0]] * market.listing.size.step * market.listing.contract

    def step_of(self, instrument: Instrument) -> Decimal:
        """From one price to the next: the tick, or more where prices have so many digits only."""
        return self.desk.market(self.market, instrument.symbol).listing.price.step

    def near(self, side: Side) -> Decimal:
        """A price at which an order rests and is the next to be filled, or nearly so."""
        step = self.step_of(self.instrument)
        better = self.best(side) + (step if side is Side.BUY else -step)
        crosses = better >= self.best(Side.SELL) if side is Side.BUY else better <= self.best(Side.BUY)
        return self.best(side) if crosses else better

    def far(self, side: Side) -> Decimal:
        step = self.step_of(self.instrument)
        return (self.best(side) * FAR[side] / step).to_integral_value(ROUNDS[side]) * step

    def worst(self, side: Side) -> Decimal | None:
        """The price that a market order names, where it has to."""
        names = self.exchange in trading_declared.NAMES_WORST
        return self.far(Side.SELL if side is Side.BUY else Side.BUY) if names else None

    def across(self, side: Side) -> Decimal:
        """The price at which an order of this side takes what the other side offers first."""
        return self.best(Side.SELL if side is Side.BUY else Side.BUY)

    def counted(self, amount: Decimal) -> str:
        """Coins as the exchange counts them."""
        return f"{amount / self.instrument.contract_size:f}"

    @property
    def quote(self) -> str:
        return self.instrument.quote

    @property
    def pays(self) -> str:
        """The asset that a buy is paid with."""
        return self.instrument.settle if self.market is MarketType.FUTURES else self.instrument.quote

    @property
    def buys_for_money(self) -> bool:
        """Whether a market buy has to name the money that it spends."""
        return f"{self.exchange}-{self.market}" in trading_declared.BUYS_FOR_MONEY

    @property
    def forgets(self) -> bool:
        """Whether orders that ended without a fill are unknown from then on."""
        return self.exchange in trading_declared.FORGETS

    def trades(self, told: Permissions) -> bool | None:
        """Whether a key may trade here."""
        return told.trade_spot if self.market is MarketType.SPOT else told.trade_futures

    @property
    def settle(self) -> str:
        return self.instrument.settle

    def asset(self, told: str) -> str:
        """Our name of an asset of the instrument, where the exchange has another."""
        return self.instrument.base if told == self.listing.base else told

    def in_base(self, event: T) -> T:
        return in_base(event, self.instruments[event.symbol])
