"""What an executor stands on in tests: rows that let an order through, a book that stands still, an exchange that does
as it is told. Tests change one thing at a time.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any

from apps.feeds.client_ids import ClientIds
from apps.feeds.drivers.trading import Expiry, ExpiryCheck, IdForm, Placed
from apps.feeds.errors import InvalidOrder
from apps.feeds.market import BookKey, BookState, Instrument, MarketType, Side
from apps.feeds.orders import MarginMode, NewOrder, OrderStatus, OrderType
from apps.trading.execution.entry.intake import Recorded, record_intent
from apps.trading.execution.executors.executor import Executor, new_holder
from apps.trading.execution.executors.lanes import lane_of
from apps.trading.execution.gateway.ports import CannotWork, check_outside_transaction
from apps.trading.execution.pretrade.catalogue import Catalogue
from apps.trading.execution.pretrade.market import mid_of
from apps.trading.models import Account, RiskLimit, RiskState, Trade, TradingSwitch, Wallet
from apps.trading.risk.view import Top
from apps.trading.tests import rows

BUILD = "b1"
IDS = ClientIds("0", b"of the tests")
MID = Decimal(60_000)
RICH = Decimal(1_000_000)
LONG_MS = 60_000
NUMBERS = count(1)


class StillMarket:
    """Every book has its middle at MID."""

    def __init__(self, **changes: Any) -> None:
        self.changes = changes
        self.asked = 0

    def top(self, key: BookKey) -> Top | None:
        self.asked += 1
        values: dict[str, Any] = {
            "state": BookState.LIVE,
            "age_ms": 10,
            "owner_is_current": True,
            "bid": MID - 1,
            "ask": MID + 1,
            "bid_depth": Decimal(1_000),
            "ask_depth": Decimal(1_000),
        }
        return Top(**{**values, **self.changes})

    def mid(self, key: BookKey) -> Decimal | None:
        return mid_of(self.top(key))


class Exchange:
    """A port to an exchange that takes every order, unless `answer` says or raises something else."""

    exchange = "binance"
    market_type = MarketType.SPOT
    id_form = IdForm.TEXT
    dead_man_terms = None

    def __init__(self, account_id: int, answer: Callable[[NewOrder], Placed] | None = None, **changes: Any) -> None:
        self.account_id = account_id
        self.answer = answer or taken
        self.expiry = Expiry(check=ExpiryCheck.MATCHER, longest_ms=60_000)
        self.error_ms: int | None = 5
        self.accepted: list[NewOrder] = []
        self.leverages: list[tuple[int, MarginMode]] = []
        self.refuses_leverage = False
        self.loses_leverage: BaseException | None = None  # once it is set
        for name, value in changes.items():
            setattr(self, name, value)

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def clock_error_ms(self) -> int | None:
        return self.error_ms

    def place(self, order: NewOrder, *, check: Callable[[], None] | None = None) -> Placed:
        check_outside_transaction()
        if check is not None:
            check()
        self.accepted.append(order)
        return self.answer(order)

    def set_leverage(self, instrument: Instrument, leverage: int, mode: MarginMode) -> None:
        check_outside_transaction()
        if self.refuses_leverage:
            raise InvalidOrder("not while orders are open")
        self.leverages.append((leverage, mode))
        if self.loses_leverage is not None:
            raise self.loses_leverage


class Doors:
    """Ports of the accounts that were given, and of no others."""

    def __init__(self, *ports: Exchange) -> None:
        self.ports = {port.account_id: port for port in ports}

    def of(self, account_id: int) -> Any:
        if account_id not in self.ports:
            raise CannotWork(f"account {account_id} is elsewhere")
        return self.ports[account_id]


def taken(order: NewOrder) -> Placed:
    return Placed(exchange_order_id=f"x{next(NUMBERS)}", client_order_id=order.client_order_id, status=OrderStatus.OPEN)


def executor(*ports: Exchange, **changes: Any) -> Executor:
    """Its requests may be under way for long: a test that is held up loses nothing. Nobody looks after its accounts."""
    door = Doors(*ports)
    made = Executor(holder=new_holder(), build_id=BUILD, ports=door, market=StillMarket(), ids=IDS, expiry_ms=LONG_MS)
    return replace(made, **{"gated": False, **changes})


def lasting_catalogue() -> Catalogue:
    """What it has read it never forgets: for tests that count queries."""
    return Catalogue(monotonic=lambda: 0.0)


def trade(account: Account | None = None, name: str = "BTC/USDT", **values: Any) -> Trade:
    """A TRADE row that may trade, on an account with money."""
    of = account or rich_account()
    rows.pair(name, of.exchange.code, of.market_type)
    return rows.trade(of, name, **values)


def rich_account(**values: Any) -> Account:
    made = rows.account(**{"mode": "testnet", **values})
    for asset in ("BTC", "ETH", "USDT"):
        Wallet.objects.create(account=made, asset=asset, free=RICH, total=RICH, expected=RICH)
    open_doors(made.exchange.code)
    return made


def open_doors(exchange: str) -> None:
    """The switches above an account, and limits as wide as they go."""
    TradingSwitch.objects.update_or_create(pk=1, defaults={"allowed_build": BUILD})
    for scope, scope_id in (("global", ""), ("exchange", exchange)):
        RiskState.objects.get_or_create(scope=scope, scope_id=scope_id, defaults={"state": "ACTIVE"})
    for name, value in WIDE.items():
        RiskLimit.objects.get_or_create(scope="global", scope_id="", name=name, defaults={"value": value})


WIDE = {
    "max_open_pair": 100,
    "max_open_account": 200,
    "max_orders_s": 50,
    "max_executions": 600,
    "max_account_usdt": 500_000,
    "max_asset_usdt": 100_000,
}


def want(of: Trade, market: Any = None, **values: Any) -> Recorded:
    """A limit order to buy 0.001 BTC at the middle: 60 USDT. Each is another one."""
    number = next(NUMBERS)
    wish: dict[str, Any] = {
        "key": f"wish {number}",
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "amount": Decimal("0.001"),
        "price": MID - number % 1_000,
        "max_age_ms": 600_000,
        "user": None,
        **values,
    }
    pair = rows.pair(of.pair, of.exchange, of.market_type or "spot")
    assert of.account is not None
    return record_intent(account=of.account, pair=pair, trade=of, market=market or StillMarket(), **wish)


def pair_of(of: Trade) -> int:
    return int(rows.pair(of.pair, of.exchange, of.market_type or "spot").pk)


def lane(of: Trade) -> str:
    return lane_of(of.account_id or 0, pair_of(of))
