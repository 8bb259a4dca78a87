"""What a halt that flattens closes, what it leaves, and why: told before it, by its report, and to those who close.

It closes what the account's position has become by fills that this system has kept. What was there before is nobody's
order here: like orders of others it is never touched, a person decides about it.
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from django.db.models import Q, QuerySet
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.market import MarketType
from apps.trading.bookkeeping.holdings import holding_of
from apps.trading.execution.pretrade.rates import DOLLARS, USDT
from apps.trading.halts import scopes
from apps.trading.models import Account, Position, Trade, Wallet
from apps.trading.risk.rounding import grain
from apps.trading.risk.view import Scope

ZERO = Decimal(0)
MONEY = {USDT, *DOLLARS}  # what is closed ends in it
CLOSED = "the account is closed"
BEFORE = "held before our first fill, or taken over by a person's word"
ELSEWHERE = "the exchange tells of it, our fills do not make it"


class Holding(Struct, frozen=True, kw_only=True):
    """`amount` is to be closed, zero when that is done; `left` stays where it is, and `why`. Base currency, signed.

    Of coins on spot that belong to no position `pair` is the asset alone.
    """

    account_id: int
    exchange: str
    market_type: str
    pair: str
    side: str
    amount: Decimal
    left: Decimal = ZERO
    why: str = ""


def positions(scope: str, scope_id: str) -> list[Position]:
    """What is to be closed: of accounts in use; of a TRADE the position of its account on its pair."""
    rows = _positions(scope, scope_id).filter(account__active=True).exclude(amount=0)
    return [row for row in rows if amount_of(row)]


def amount_of(row: Position) -> Decimal:
    """How much of it can be closed: on spot what fees have left in the wallet, in whole lots."""
    if row.pair.market_type != MarketType.SPOT:
        return row.amount
    instrument = feeds.instrument(row.pair)
    there = holding_of(row, instrument).net_amount()
    return max(ZERO, there // grain(instrument) * grain(instrument))


def holdings(scope: str, scope_id: str) -> list[Holding]:
    """All that is held under the scope."""
    told = [*map(_of_position, _positions(scope, scope_id)), *_coins(scope, scope_id)]
    return [each for each in told if each.amount or each.left]


def account_ids(scope: str, scope_id: str) -> set[int]:
    return set(_accounts(scope, scope_id).values_list("pk", flat=True))


def _positions(scope: str, scope_id: str) -> QuerySet[Position]:
    rows = Position.objects.filter(account__in=_accounts(scope, scope_id))
    if scope == Scope.TRADE:
        rows = rows.filter(pair__pair__in=_pairs(scope_id))
    return rows.select_related("account__exchange", "pair__exchange").order_by("account_id", "pair_id", "side")


def _accounts(scope: str, scope_id: str) -> QuerySet[Account]:
    return Account.objects.filter(scopes.accounts_under(scope, scope_id))


def _pairs(trade_id: str) -> list[str]:
    """None of a TRADE that was deleted."""
    return list(Trade.objects.filter(pk=trade_id).values_list("pair", flat=True))


def _of_position(row: Position) -> Holding:
    amount = amount_of(row)
    closes = amount if row.account.active else ZERO
    total = amount + row.opening
    if row.pair.market_type == MarketType.FUTURES and row.told_amount is not None:
        total = row.told_amount
    left = total - closes
    why = CLOSED if amount and not row.account.active else BEFORE if row.opening else ELSEWHERE
    return Holding(
        account_id=row.account_id,
        exchange=row.account.exchange.code,
        market_type=row.pair.market_type,
        pair=row.pair.pair,
        side=row.side,
        amount=closes,
        left=left,
        why=why if left else "",
    )


def _coins(scope: str, scope_id: str) -> Iterator[Holding]:
    """On spot what wallets hold beyond positions; money is what is left when all is closed."""
    rows = Wallet.objects.filter(account__in=_accounts(scope, scope_id), account__market_type=MarketType.SPOT)
    rows = rows.exclude(Q(asset__in=MONEY) | Q(total=0)).select_related("account__exchange")
    if scope == Scope.TRADE:
        rows = rows.filter(asset__in=[pair.partition("/")[0] for pair in _pairs(scope_id)])
    made: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for row in Position.objects.filter(account__in=rows.values("account")).select_related("pair__exchange"):
        made[row.account_id, row.pair.base] += amount_of(row)
    for wallet in rows.order_by("account_id", "asset"):
        left = wallet.total - made[wallet.account_id, wallet.asset]
        if left <= 0:  # a position may be short of its wallet: money was taken out
            continue
        yield Holding(
            account_id=wallet.account_id,
            exchange=wallet.account.exchange.code,
            market_type=MarketType.SPOT,
            pair=wallet.asset,
            side="net",
            amount=ZERO,
            left=left,
            why=BEFORE,
        )
