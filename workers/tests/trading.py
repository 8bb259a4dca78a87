"""A whole daemon that trades in the test's loop, and orders as a person writes them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from django.db import connections

from apps.feeds.market import BookKey, Side
from apps.feeds.models import Exchange, TradePair
from apps.feeds.orders import OrderType
from apps.feeds.tasks import read_market
from apps.feeds.tests.waiting import MOMENT_S, until
from apps.trading.execution.entry.intake import record_intent
from apps.trading.execution.pretrade.market import Market
from apps.trading.models import Account, Order, OrderIntent, RiskLimit, TradingSwitch
from apps.trading.tests.stage import WIDE
from workers.lifecycle import Lifecycle
from workers.options import Options, TradeOptions
from workers.trader.accounts import Step
from workers.trader.daemon import Alone, Both
from workers.trader.trader import Trader

T = TypeVar("T")
KEY = BookKey.parse("binance:spot:BTC/USDT")
PATIENCE_S = 60.0
MOST = 100_000  # far beyond any of the money that is there


async def aside(call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
    """In a thread, which gives its connection back."""

    def called() -> T:
        try:
            return call(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(called)


async def eventually(read: Callable[[], T], holds: Callable[[T], object]) -> T:
    """Read rows until they are as they should be."""
    for _ in range(round(PATIENCE_S / MOMENT_S / 10)):
        found = await aside(read)
        if holds(found):
            return found
        await asyncio.sleep(MOMENT_S * 10)
    raise TimeoutError(f"still {found!r}")


@contextlib.asynccontextmanager
async def trading(options: Options, folder: Path, **changes: Any) -> AsyncIterator[Both | Alone]:
    """Stopped in order on the way out; an unclean stop fails the test."""
    values: dict[str, Any] = {"halt_file": folder / "HALT", "cancels_on_stop": True, "stop_s": 20.0}
    chosen = TradeOptions(**{**values, **changes})
    daemon = Alone(options, chosen) if options.role == "trader" else Both(options, chosen, register=lambda batch: None)
    life = Lifecycle(daemon.parts(), on_stopping=daemon.stopping, settle_s=60.0)
    serving = asyncio.create_task(life.serve())
    try:
        yield daemon
    finally:
        life.stopping.set()
        async with asyncio.timeout(90):
            assert await serving == 0
        await asyncio.to_thread(_ended, daemon.trader)


def _ended(trader: Trader) -> None:
    """No thread of it touches the database any more."""
    trader.reconciling.shutdown(wait=True)
    for claims in (True, False):
        assert trader.threads.join(claims=claims, timeout_s=PATIENCE_S) == []


def _default(key: BookKey) -> Account:
    return Account.objects.get(exchange__code=key.exchange, market_type=key.market_type, is_default=True)


def prepare(build: str = "test", key: BookKey = KEY) -> int:
    """One exchange, its list, its default paper account, wide limits, the build that may trade; the account's id."""
    Exchange.objects.exclude(code=key.exchange).update(enabled=False)
    account = _default(key)
    Account.objects.exclude(pk=account.pk).update(active=False)
    read_market(key.exchange, key.market_type)
    TradingSwitch.objects.update_or_create(pk=1, defaults={"allowed_build": build})
    RiskLimit.objects.bulk_create(
        RiskLimit(scope="global", scope_id="", name=name, value=value) for name, value in WIDE.items()
    )
    return account.pk


async def ready(trader: Trader, account_id: int) -> None:
    await until(lambda: trader.accounts.steps.get(account_id) is Step.READY, PATIENCE_S)


def want(
    account_id: int,
    key: str,
    side: Side,
    amount: Decimal,
    price: Decimal | None,
    market: Market,
    book: BookKey = KEY,
) -> OrderIntent:
    """An intent as a person writes it, at the market without a price; risk lets it pass."""
    named = {"exchange__code": book.exchange, "market_type": book.market_type, "pair": book.pair}
    recorded = record_intent(
        key=key,
        account=Account.objects.get(pk=account_id),
        pair=TradePair.objects.select_related("exchange").get(**named),
        side=side,
        type=OrderType.MARKET if price is None else OrderType.LIMIT,
        amount=amount,
        price=price,
        user=None,
        market=market,
        max_age_ms=600_000,
    )
    assert recorded.intent.deny_reason == "", (recorded.intent.deny_reason, recorded.intent.deny_text)
    return recorded.intent


class Desk:
    """A person at one account, who sees the books of `market`."""

    def __init__(self, account_id: int, market: Market, key: BookKey = KEY) -> None:
        self.account_id, self.market, self.key = account_id, market, key
        self._count = 0

    async def want(self, side: Side, amount: str, price: Decimal | None = None) -> int:
        """The id of the intent that is written."""
        self._count += 1
        key = f"wish {self.account_id} {self._count}"
        return (await aside(want, self.account_id, key, side, Decimal(amount), price, self.market, self.key)).pk

    async def seen(self) -> Decimal:
        """The middle of the book, once it is there."""
        await until(lambda: self.market.mid(self.key) is not None, PATIENCE_S)
        mid = self.market.mid(self.key)
        return Decimal(1) if mid is None else mid

    async def order_of(self, intent_id: int, *statuses: str) -> Order:
        """The intent's order once it is in one of these states."""

        def read() -> Order | None:
            return Order.objects.filter(intent_id=intent_id).first()

        found = await eventually(read, lambda row: row is not None and row.status in statuses)
        assert found is not None
        return found


def below(mid: Decimal, tick: Decimal = Decimal("0.1")) -> Decimal:
    """A price at which a buy rests for long, within the collar."""
    return (mid * Decimal("0.985") / tick).to_integral_value() * tick
