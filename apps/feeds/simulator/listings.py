"""What an exchange lists, and the coins that all of them know.

A market counts prices in ticks and sizes in lots, both whole numbers: only `Scale` turns them into the exchange's text.
"""

import math
from dataclasses import dataclass
from decimal import Decimal

# Where each coin's price walk starts, in USD. The order is the order of activity: the first are traded most.
COINS: dict[str, float] = {
    "BTC": 84000.0,
    "ETH": 3900.0,
    "SOL": 210.0,
    "XRP": 1.95,
    "BNB": 690.0,
    "DOGE": 0.352,
    "ADA": 0.91,
    "TRX": 0.284,
    "AVAX": 38.2,
    "LINK": 21.4,
    "TON": 5.61,
    "SUI": 3.88,
    "SHIB": 0.00002217,
    "DOT": 7.92,
    "LTC": 112.0,
    "BCH": 487.0,
    "HBAR": 0.271,
    "UNI": 13.2,
    "NEAR": 6.13,
    "APT": 10.4,
    "PEPE": 0.00001834,
    "ICP": 11.7,
    "ETC": 29.3,
    "AAVE": 288.0,
    "RENDER": 7.61,
    "FIL": 5.72,
    "ARB": 0.877,
    "VET": 0.0471,
    "ATOM": 7.83,
    "FET": 1.42,
    "OP": 2.12,
    "ALGO": 0.361,
    "INJ": 24.6,
    "STX": 1.93,
    "IMX": 1.51,
    "GRT": 0.232,
    "THETA": 2.21,
    "RUNE": 5.33,
    "BONK": 0.00003121,
    "FLOKI": 0.0001894,
    "SEI": 0.482,
    "TIA": 5.14,
    "JUP": 0.913,
    "LDO": 1.83,
    "PYTH": 0.388,
    "MKR": 1740.0,
    "WIF": 2.04,
    "ENA": 0.924,
    "ONDO": 1.44,
    "KAS": 0.132,
    "XLM": 0.412,
    "FLOW": 0.774,
    "SAND": 0.603,
    "MANA": 0.512,
    "AXS": 6.41,
    "GALA": 0.0391,
    "CHZ": 0.0883,
    "EGLD": 36.1,
    "XTZ": 1.31,
    "EOS": 0.823,
    "IOTA": 0.331,
    "NEO": 14.8,
    "KAVA": 0.512,
    "ZEC": 57.3,
    "DASH": 38.9,
    "COMP": 83.4,
    "SNX": 2.24,
    "CRV": 0.883,
    "YFI": 8430.0,
    "SUSHI": 1.52,
    "1INCH": 0.411,
    "BAT": 0.241,
    "ZRX": 0.532,
    "ENJ": 0.221,
    "ANKR": 0.0344,
    "CELO": 0.713,
    "ROSE": 0.0841,
    "ZIL": 0.0233,
    "ICX": 0.161,
    "ONT": 0.262,
    "QTUM": 3.33,
    "WAVES": 1.72,
    "KSM": 31.2,
    "SKL": 0.0621,
    "STORJ": 0.512,
    "COTI": 0.131,
    "MASK": 3.02,
    "API3": 1.83,
    "BLUR": 0.283,
    "CFX": 0.171,
    "ID": 0.442,
    "MAGIC": 0.503,
    "HOOK": 0.413,
    "JTO": 3.11,
    "STRK": 0.521,
    "DYM": 2.03,
}
# What one unit of a quote currency is worth in USD.
QUOTES: dict[str, float] = {"USDT": 1.0, "USDC": 1.0002, "USD": 1.0, "EUR": 1.09, "BTC": 84000.0}


class Scale:
    """Turns whole numbers of a step (a tick, a lot) into decimal text."""

    __slots__ = ("_base", "_trim", "_unit", "_width", "step")

    def __init__(self, step: Decimal, places: int | None = None) -> None:
        """`places` fixes the digits after the point; None writes as few as the number needs."""
        exponent = step.normalize().as_tuple().exponent
        self.step = step
        self._width = places if places is not None else max(0, -int(exponent))
        self._unit = int(step.scaleb(self._width))
        self._base = 10**self._width
        self._trim = places is None

    def count(self, text: str) -> int:
        """Steps in a number that is a whole multiple of the step."""
        return int(Decimal(text) / self.step)

    def text(self, count: int) -> str:
        if count < 0:
            return f"-{self.text(-count)}"
        whole, part = divmod(count * self._unit, self._base)
        if not self._width:
            return str(whole)
        text = f"{whole}.{part:0{self._width}d}"
        return text.rstrip("0").rstrip(".") if self._trim else text


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """One row of an exchange's market list."""

    exchange: str
    market_type: str  # "spot" or "futures"
    category: str  # the exchange's own division: "spot", "linear", "SWAP", ...
    symbol: str
    base: str
    quote: str
    settle: str
    coin: str  # whose price walk it follows: PEPE for 1000PEPE
    start_price: float  # in quote
    price: Scale
    size: Scale
    contract: Decimal  # what one unit of size stands for: base coins, quote money where `inverse`; 1 for coins
    inverse: bool
    status: str  # the exchange's own word
    live: bool  # has a book
    activity: float  # 1.0 for the busiest, towards 0 for a thin one

    @property
    def lot_value(self) -> float:
        """Money in quote that one lot stands for at the first price."""
        value = float(self.size.step * self.contract)
        return value if self.inverse else value * self.start_price


def magnitude(price: float) -> int:
    """Position of the first digit: 4 for 84000, -1 for 0.352."""
    return math.floor(math.log10(price))


def tick_for(price: float, finest: int = 10) -> Decimal:
    """A usual tick: five to six digits of the price; never finer than 10^-finest."""
    digits = 5 if price >= 1000 else 4
    return Decimal(1).scaleb(max(magnitude(price) - digits, -finest))


def lot_for(price: float) -> Decimal:
    """A usual lot: worth about 0.1 to 1 of the quote, a whole coin for cheap ones."""
    return Decimal(1).scaleb(min(0, -magnitude(price) - 1))


def price_in(coin: str, quote: str) -> float:
    return COINS[coin] / QUOTES[quote]


def activity_of(coin: str) -> float:
    """How often the coin's books change beside the busiest: from 1.0 down to 0.05."""
    rank = list(COINS).index(coin)
    return max(0.05, 1.0 - rank / len(COINS))
