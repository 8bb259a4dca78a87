"""What an account holds and was paid, as a sweep asks for it."""

from functools import partial

from apps.feeds.errors import UnknownSymbol
from apps.feeds.market import Instrument, MarketType
from apps.feeds.models import TradePair
from apps.feeds.orders import FundingPayment as Payment
from apps.trading.bookkeeping import comparing
from apps.trading.bookkeeping.holdings import take_funding
from apps.trading.collecting.interest import Interest, listed
from apps.trading.collecting.swept import Part, Swept, from_anywhere
from apps.trading.execution.gateway.ports import Port
from apps.trading.models import FundingPayment

FUNDING_MS = 3 * 86_400_000  # of a pair without payments so far


def funding(port: Port, wanted: Interest, swept: Swept) -> None:
    for symbol in from_anywhere(wanted.pairs):
        pair = wanted.pairs[symbol]
        told = swept.apart(Part.FUNDING, symbol, partial(_funding_of, port, wanted.instrument(symbol), pair))
        swept.payments += sum(take_funding(port.account_id, pair, payment) for payment in told or ())


def _funding_of(port: Port, instrument: Instrument, pair: TradePair) -> list[Payment]:
    last = FundingPayment.objects.filter(account_id=port.account_id, pair=pair).order_by("-exchange_ms").first()
    since_ms = port.now_ms() - FUNDING_MS if last is None else last.exchange_ms
    try:
        return port.funding(instrument, since_ms)
    except UnknownSymbol:  # delisted
        return []


def holdings(port: Port, swept: Swept) -> None:
    balances = swept.apart(Part.HOLDINGS, "balances", port.balances)
    if balances is not None:
        swept.wallets += comparing.take_balances(port.account_id, balances)
    if port.market_type is MarketType.FUTURES:
        told = swept.apart(Part.HOLDINGS, "positions", port.positions)
        if told is not None:
            swept.leveraged = {each.symbol for each in told.rows if each.leverage is not None}
            pairs = listed(port, {each.symbol for each in told.rows})
            swept.positions += comparing.take_positions(port.account_id, pairs, told)
