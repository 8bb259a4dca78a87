"""What assets are worth in USDT, as live books tell. An asset without a rate is missing, and then risk denies."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from apps.feeds.market import BookKey, Instrument, MarketType
from apps.trading.execution.pretrade.market import Market

USDT = "USDT"
PAR = Decimal(1)

# taken at par where no book tells: each is backed by dollars and was within 1 % of them all of 2026
DOLLARS = frozenset({"USD", "USDC", "FDUSD", "TUSD", "USDP", "DAI", "PYUSD", "USD1", "USDE"})


def quotes(assets: Iterable[str], exchanges: Iterable[str], market: Market) -> dict[str, Decimal]:
    """Of what prices are told in: by a live spot book against USDT, on the first of `exchanges` that has one."""
    found: dict[str, Decimal] = {USDT: PAR}
    names = tuple(exchanges)
    for asset in set(assets) - {USDT}:
        mids = (market.mid(BookKey(name, MarketType.SPOT, f"{asset}/{USDT}")) for name in names)
        rate = next((mid for mid in mids if mid is not None), PAR if asset in DOLLARS else None)
        if rate is not None:
            found[asset] = rate
    return found


def bases(
    instruments: Iterable[Instrument], known: Mapping[str, Decimal], market: Market, mids: Mapping[BookKey, Decimal]
) -> dict[str, Decimal]:
    """Of what is held or bought: by the middle of its own book, the dearest where it is traded on several.

    `mids` are known already, `known` the rates of quote currencies.
    """
    found: dict[str, Decimal] = {}
    for key, instrument in {each.key: each for each in instruments}.items():
        quote = known.get(instrument.quote)
        mid = mids.get(key) or market.mid(key)
        if quote is not None and mid is not None:
            found[instrument.base] = max(mid * quote, found.get(instrument.base, Decimal(0)))
    return found
