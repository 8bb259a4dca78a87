"""REST requests to the exchanges: one limit and one fate per exchange for all who ask in this process."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from types import TracebackType
from typing import Self

import aiohttp
from msgspec.structs import replace
from yarl import URL

from apps.feeds.drivers.base import Driver, Request
from apps.feeds.errors import Refused, Retryable, UnknownExchange
from apps.feeds.market import Instrument, MarketType
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.budgets import general, host, of_exchange, rates
from apps.feeds.transport.gate import Gates, Meter

AT_ONCE = 4  # requests of one exchange on their way together
TIMEOUT_S = 20.0  # of one request with its whole body; market lists have megabytes


class _Lane:
    """The way to one exchange."""

    def __init__(self, driver: Driver, gates: Gates) -> None:
        self.driver = driver
        self.slots = asyncio.Semaphore(AT_ONCE)
        self.door = gates.door(of_exchange(driver.exchange_id))  # of all its hosts
        self.gates = {each: gates.at(general(each), rate, self.door) for each, rate in rates(driver).items()}


class Http:
    """Sends `Request` values. Belongs to the event loop that it is first used in."""

    def __init__(
        self,
        *,
        drivers: Mapping[str, Driver],
        addresses: Addresses,
        timeout_s: float = TIMEOUT_S,
        meter: Meter | None = None,
        gates: Gates | None = None,
    ) -> None:
        """Without a `meter` the limits are kept by this process alone; `gates` are shared with others of it."""
        shared = gates or Gates(meter)
        self._lanes = {name: _Lane(driver, shared) for name, driver in drivers.items()}
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

    async def fetch(self, driver_id: str, request: Request) -> bytes:
        """The answer's body, after waiting for its turn.

        Raises Retryable on rate limits, bans, server errors and timeouts, and Refused on any other refusal. While an
        exchange keeps us away, nothing is sent to it: every call raises Retryable with the time that is left.
        """
        lane = self._lanes.get(driver_id)
        if lane is None:
            raise UnknownExchange(driver_id)
        async with lane.slots, lane.gates[host(request)].turn(request.weight):
            return await self._send(lane, request)

    async def fetch_instruments(self, driver: Driver, market_type: MarketType) -> list[Instrument]:
        """The whole market list, all pages of it, each instrument with its volume where the exchange tells one."""
        instruments: list[Instrument] = []
        request: Request | None = driver.instruments_request(market_type)
        while request is not None:
            page = driver.parse_instruments(market_type, await self.fetch(driver.exchange_id, request))
            instruments += page.instruments
            request = page.next_request
        body = await self.fetch(driver.exchange_id, driver.volumes_request(market_type))
        volumes = driver.parse_volumes(market_type, body)
        return [_with_volume(instrument, volumes.get(instrument.symbol)) for instrument in instruments]

    async def _send(self, lane: _Lane, request: Request) -> bytes:
        try:
            async with self._open_session().request(
                request.method,
                URL(self._addresses.http(request.url), encoded=True),  # as the driver wrote it
                headers=request.headers,
                data=request.body or None,
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
                status, headers = answer.status, dict(answer.headers)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise Retryable(f"{host(request)}: {error!r}") from error
        away_s = lane.driver.retry_after(status, headers, body)
        if away_s is not None:
            await lane.door.shut(away_s)
            raise Retryable(f"{host(request)}: HTTP {status}, stay away for {away_s:g} s", after_s=away_s)
        if status >= 500:
            raise Retryable(f"{host(request)}: HTTP {status}")
        if status != 200:
            raise Refused(f"{host(request)}: HTTP {status}: {body[:200].decode(errors='replace')}", code=str(status))
        return body

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        return self._session


def _with_volume(instrument: Instrument, volume: float | None) -> Instrument:
    return instrument if volume is None else replace(instrument, volume_24h=Decimal(repr(volume)))
