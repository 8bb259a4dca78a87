"""Requests of accounts: each is sent once at most, within the limits of its account, and its fate is told exactly."""

import os
from collections.abc import Callable, Mapping
from enum import StrEnum
from types import SimpleNamespace, TracebackType
from typing import Self, TypeVar

import aiohttp
from yarl import URL

from apps.feeds.drivers.base import Driver, Request
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import Banned, MalformedFrame, OutcomeUnknown, RateLimited, Retryable, UnknownExchange
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.budgets import account_rates, general, host, of_account, of_exchange, rates, stricter
from apps.feeds.transport.gate import RESERVE, Door, Gate, Gates

TIMEOUT_S = 3.0  # of one request with its whole answer: longer than an order's own expiry
TURN_S = 0.5  # what waits longer for its turn is old: the caller shall look again

T = TypeVar("T")


class Purpose(StrEnum):
    """What a request is for, and so what its loss means."""

    READ = "read"  # may be asked again
    ORDER = "order"  # an order may be placed by it, or a setting changed
    CANCEL = "cancel"  # as ORDER, and it may use what is reserved


class _Lane:
    """The way to one exchange."""

    def __init__(self, driver: Driver, trader: Trader, gates: Gates) -> None:
        self.driver = driver
        self.door = gates.door(of_exchange(driver.exchange_id))
        self._gates = gates
        self._hosts = rates(driver)
        self._strictest = stricter(*self._hosts.values())
        self._budgets = account_rates(trader)

    def account_door(self, account: str) -> Door:
        return self._gates.door(of_account(self.driver.exchange_id, account, ""))

    def gate(self, account: str, request: Request) -> Gate:
        """Raise KeyError for a budget that the exchange's facts do not name."""
        if request.budget:
            name = of_account(self.driver.exchange_id, account, request.budget)
            return self._gates.at(name, self._budgets[request.budget], self.door)
        at = host(request)
        return self._gates.at(general(at), self._hosts.get(at, self._strictest), self.door)


class OrderClient:
    """Sends requests of accounts. Belongs to the event loop that it is first used in."""

    def __init__(
        self,
        *,
        drivers: Mapping[str, Driver],
        traders: Mapping[str, Trader],
        addresses: Addresses,
        timeout_s: float = TIMEOUT_S,
        gates: Gates | None = None,
    ) -> None:
        """`gates`: those of this process, so that public reads keep away with us, and what is reserved is free."""
        shared = gates or Gates(reserve=RESERVE)
        self._lanes = {name: _Lane(drivers[name], trader, shared) for name, trader in traders.items()}
        self._addresses = addresses
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def ask(
        self,
        exchange: str,
        account: str,
        request: Request,
        purpose: Purpose,
        parse: Callable[[Answer], T],
        *,
        turn_s: float = TURN_S,
        check: Callable[[], None] | None = None,
    ) -> T:
        """Send, and read the answer with a `parse_*` method of the trader; raises what that and `send` raise.

        An answer that cannot be read proves nothing of an order: OutcomeUnknown. One that tells the account to stay
        away keeps it away.
        """
        answer = await self.send(exchange, account, request, purpose, turn_s=turn_s, check=check)
        try:
            return parse(answer)
        except (RateLimited, Banned) as away:
            await self._lane(exchange).account_door(account).shut(away.after_s)
            raise
        except MalformedFrame as error:
            if purpose is Purpose.READ:
                raise
            raise OutcomeUnknown(f"{request}: an answer that cannot be read: {error}") from error

    async def send(
        self,
        exchange: str,
        account: str,
        request: Request,
        purpose: Purpose,
        *,
        turn_s: float = TURN_S,
        check: Callable[[], None] | None = None,
    ) -> Answer:
        """The answer, whatever its status. Nothing is sent a second time, and no redirect is followed.

        `check` is called when its turn has come, and again once there is a connection, right before the first byte
        leaves. It must not wait: what it raises comes out, and nothing was sent.

        Raises Retryable when nothing was sent: no turn within `turn_s` seconds, the exchange keeps us away, no
        connection. Where it may have been sent and no whole answer came: OutcomeUnknown, Retryable for a read.
        """
        lane = self._lane(exchange)
        gate, door, urgent = lane.gate(account, request), lane.account_door(account), purpose is Purpose.CANCEL
        async with gate.turn(request.weight, urgent=urgent, within_s=turn_s, door=door):
            if check is not None:
                check()
            answer = await self._send(request, purpose, check)
            away_s = lane.driver.retry_after(answer.status, answer.headers, answer.body)
            if away_s is not None:
                await lane.door.shut(away_s)
        return answer

    def _lane(self, exchange: str) -> _Lane:
        lane = self._lanes.get(exchange)
        if lane is None:
            raise UnknownExchange(exchange)
        return lane

    async def _send(self, request: Request, purpose: Purpose, check: Callable[[], None] | None) -> Answer:
        progress = SimpleNamespace(left=False, check=check)
        try:
            async with self._open_session().request(
                request.method,
                URL(self._addresses.http(request.url), encoded=True),  # as it was signed
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as answer:
                body = await answer.read()
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(status=answer.status, body=body, headers=headers, url=request.url)
        except (aiohttp.ClientError, TimeoutError) as error:
            # their texts may hold the whole URL, and with it key and signature
            if progress.left and purpose is not Purpose.READ:
                raise OutcomeUnknown(f"{request}: {_reason(error)} after it was sent") from None
            raise Retryable(f"{request}: {_reason(error)}") from None

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_leaves)  # called before the first byte is written
            self._session = aiohttp.ClientSession(
                timeout=self._timeout, trace_configs=[trace], cookie_jar=aiohttp.DummyCookieJar()
            )
            self._session._retry_connection = False  # aiohttp would send GET and DELETE again on a reset
        return self._session


async def _leaves(session: aiohttp.ClientSession, context: SimpleNamespace, parameters: object) -> None:
    progress = context.trace_request_ctx
    if progress.check is not None:  # a connection may have taken seconds
        progress.check()
    progress.left = True


def _reason(error: Exception) -> str:
    number = getattr(error, "errno", None)
    return type(error).__name__ if number is None else f"{type(error).__name__}: {os.strerror(number)}"
