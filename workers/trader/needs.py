"""Which books trading needs in this daemon: of the TRADE rows of its accounts, and of what they have open."""

from collections.abc import Collection
from itertools import chain

from django.db.models import Q
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.drivers import registry
from apps.feeds.market import BookKey, MarketType
from apps.feeds.models import TradePair
from apps.feeds.subscriptions import Offers, Subscription, Task, wanted
from apps.trading import runnable, trades
from apps.trading.halts import closing
from apps.trading.models import HaltMode, IntentState, OrderIntent, Position, RiskState
from apps.trading.risk.view import ScopeState

SOURCE = "trading"


class Needs(Struct, frozen=True, kw_only=True):
    subscriptions: dict[BookKey, Subscription]
    of_account: dict[int, set[BookKey]]


def read(accounts: Collection[int], default_depth: int) -> Needs:
    """In the database's thread. TRADE rows that were written with plain SQL get their switches as well."""
    running = runnable.trades().running
    trades.adopt(trade_ids=[each.trade_id for each in running])
    of_account: dict[int, set[BookKey]] = {account: set() for account in accounts}
    for each in running:
        if each.account_id in of_account:
            of_account[each.account_id].add(each.key)
    for account, key in _open(accounts):
        of_account[account].add(key)
    return Needs(subscriptions=_subscriptions(of_account, default_depth), of_account=of_account)


def _open(accounts: Collection[int]) -> list[tuple[int, BookKey]]:
    """Where accounts wait for something, or hold it: their rows may be switched off meanwhile. On spot only what a halt
    closes, which somebody must price."""
    waiting = OrderIntent.objects.filter(account__in=accounts).exclude(state=IntentState.DONE).order_by()
    halts = RiskState.objects.filter(state=ScopeState.HALTED, mode=HaltMode.FLATTEN).values_list("scope", "scope_id")
    closed = set(chain.from_iterable(closing.account_ids(*halt) for halt in halts))
    priced = Q(pair__market_type=MarketType.FUTURES) | Q(account__in=closed)
    held = Position.objects.filter(priced, account__in=accounts).exclude(amount=0)
    named = set(chain(waiting.values_list("account", "pair"), held.order_by().values_list("account", "pair")))
    pairs = {
        row.pk: row.key for row in TradePair.objects.select_related("exchange").filter(pk__in={p for _, p in named})
    }
    return [(account, pairs[pair]) for account, pair in named]


def _subscriptions(of_account: dict[int, set[BookKey]], default_depth: int) -> dict[BookKey, Subscription]:
    keys = sorted({key for found in of_account.values() for key in found})
    tasks = [
        Task(source=SOURCE, row_id=0, exchange=key.exchange, market_type=key.market_type, pair=key.pair) for key in keys
    ]
    catalogue = feeds.catalogue(pairs={key.pair for key in keys})
    offers = Offers(registry.offered_depths(), registry.ALIASES)
    return wanted(tasks, catalogue, feeds.exchanges(), offers=offers, default_depth=default_depth).subscriptions
