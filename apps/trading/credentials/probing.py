"""What a new key may do, asked at its exchange before the key is kept."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from apps.feeds.drivers.base import Request
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import Refused, UnknownOrder
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials, OrderRef, OrderUpdate, Permissions
from apps.feeds.transport.orders import OrderClient, Purpose

CLOCK_MS = 1_000  # further away from the exchange's time than that is worth a warning
TURN_S = 10.0  # others at work may use the whole of a small budget for seconds; a person waits, and not for ever

T = TypeVar("T")


class Check(StrEnum):
    """A line of the form; in this order."""

    SIGNATURE = "signature"  # the exchange knows the key and its secret
    READ = "read"
    TRADE = "trade"  # on the market of the account
    WITHDRAW = "withdraw"  # must be impossible
    IP = "ip"  # good, not required: bound to addresses
    CLOCK = "clock"
    ORDERS = "orders"  # sees those of the account that are at work: else each of them would be proven gone


class Outcome(StrEnum):
    PASSED = "passed"
    WARNING = "warning"  # not as it should be, or the exchange does not tell
    FAILED = "failed"  # the key is not kept


class Finding(Struct, frozen=True):
    check: Check
    outcome: Outcome
    text: str = ""


class Probe(Struct, frozen=True, kw_only=True):
    """`keys` name the account where requests have to; `permissions` is None where the exchange refused to tell them."""

    keys: Credentials
    permissions: Permissions | None
    clock_offset_ms: int  # the exchange's time is ahead of ours by so much
    findings: tuple[Finding, ...]

    @property
    def failed(self) -> tuple[Finding, ...]:
        return tuple(one for one in self.findings if one.outcome is Outcome.FAILED)

    @property
    def may_withdraw(self) -> bool | None:
        """None: the exchange does not tell, so that a person has to know."""
        return None if self.permissions is None else self.permissions.withdraw


async def probe(
    client: OrderClient,
    trader: Trader,
    *,
    account: str,
    market_type: MarketType,
    keys: Credentials,
    now_ms: Callable[[], int],
    order: OrderRef | None = None,
) -> Probe:
    """Ask for the time, the account's name and the key's permissions; nothing is changed at the exchange.

    `account` is whose budget of requests it takes; `order` is one of its orders, which the key has to see. A refusal is
    a finding; raises Retryable or MalformedFrame when nothing was found out.
    """

    async def ask(request: Request, parse: Callable[[Answer], T]) -> T:
        return await client.ask(trader.exchange_id, account, request, Purpose.READ, parse, turn_s=TURN_S)

    before = now_ms()
    told = await ask(trader.server_time(market_type), lambda answer: trader.parse_server_time(market_type, answer))
    offset = told - (before + now_ms()) // 2
    try:
        requests = trader.account_requests(keys, now_ms() + offset)
        if requests:
            keys = replace(keys, account=trader.parse_account([await ask(request, whole) for request in requests]))
        permissions = await ask(trader.permissions(keys, now_ms() + offset), trader.parse_permissions)
        sees = True if order is None else await _sees(ask, trader, keys, order, lambda: now_ms() + offset)
    except Refused as refused:
        finding = Finding(Check.SIGNATURE, Outcome.FAILED, f"{type(refused).__name__}: {refused}")
        return Probe(keys=keys, permissions=None, clock_offset_ms=offset, findings=(finding, _clock(offset)))
    findings = (*judged(permissions, market_type), _clock(offset))
    if order is not None:
        findings += (_must(Check.ORDERS, sees, "the key does not see the account's orders: is it another account's?"),)
    return Probe(keys=keys, permissions=permissions, clock_offset_ms=offset, findings=findings)


async def _sees(
    ask: Callable[[Request, Callable[[Answer], OrderUpdate]], Awaitable[OrderUpdate]],
    trader: Trader,
    keys: Credentials,
    order: OrderRef,
    now_ms: Callable[[], int],
) -> bool:
    """Whether the exchange knows the order on the account of the key, at work or over."""
    for question in (trader.query, trader.query_finished):
        request = question(keys, order, now_ms())
        if request is None:
            continue
        try:
            await ask(request, lambda answer: trader.parse_order(order, answer))
        except UnknownOrder:
            continue
        return True
    return False


def whole(answer: Answer) -> Answer:
    """For answers that are read together."""
    return answer


def judged(permissions: Permissions, market_type: MarketType) -> tuple[Finding, ...]:
    """What permissions that were told mean for an account on `market_type`."""
    trade = permissions.trade_spot if market_type is MarketType.SPOT else permissions.trade_futures
    return (
        Finding(Check.SIGNATURE, Outcome.PASSED),
        _must(Check.READ, permissions.read, "the key may not read the account"),
        _must(Check.TRADE, trade, f"the key may not trade {market_type}"),
        _must(
            Check.WITHDRAW,
            None if permissions.withdraw is None else not permissions.withdraw,
            "the key may withdraw: make one that may not",
        ),
        Finding(Check.IP, Outcome.PASSED)
        if permissions.ip_bound
        else Finding(Check.IP, Outcome.WARNING, "the key is not bound to addresses, or the exchange does not tell"),
    )


def _must(check: Check, right: bool | None, text: str) -> Finding:
    if right is None:
        return Finding(check, Outcome.WARNING, "the exchange does not tell")
    return Finding(check, Outcome.PASSED) if right else Finding(check, Outcome.FAILED, text)


def _clock(offset_ms: int) -> Finding:
    if abs(offset_ms) <= CLOCK_MS:
        return Finding(Check.CLOCK, Outcome.PASSED)
    return Finding(Check.CLOCK, Outcome.WARNING, f"the clocks are {abs(offset_ms)} ms apart")
