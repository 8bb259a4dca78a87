"""The private events of one account on one market: a socket is kept open, logged in and subscribed."""

import asyncio
import random
from collections.abc import Callable
from typing import Protocol

from apps.feeds.drivers.base import Driver, Frame
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Token
from apps.feeds.errors import (
    BadCredentials,
    ConnectionLost,
    FeedError,
    MalformedFrame,
    NotPermitted,
    OutcomeUnknown,
    Refused,
    Retryable,
)
from apps.feeds.market import MarketType
from apps.feeds.orders import AccountEvent, Credentials
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.backoff import Backoff
from apps.feeds.transport.dial import TurnedAwayError, dial
from apps.feeds.transport.gate import Gate
from apps.feeds.transport.link import Link, LinkState
from apps.feeds.transport.orders import OrderClient, Purpose
from apps.feeds.transport.private_session import PrivateSession
from apps.feeds.transport.timing import Timing

TURN_S = 30.0  # a token may wait for its turn


class PrivateSink(Protocol):
    """Called from the read loop, so no call may block."""

    def ready(self, link: Link) -> None:
        """All channels run. What happened before is not told: sweep by REST now."""
        ...

    def lost(self, link: Link, reason: str, retry_in_s: float) -> None:
        """Events may be missing until `ready`; said again for each failed attempt to reconnect."""
        ...

    def refused(self, link: Link, code: str, text: str) -> None:
        """The key is not accepted: nothing more comes, a person must look."""
        ...

    def events(self, link: Link, events: list[AccountEvent], received_ns: int) -> None:
        """Of one frame, in wire order; some may come before `ready`."""
        ...

    def malformed(self, link: Link, frame: Frame, error: MalformedFrame, received_ns: int) -> None: ...


class PrivateSocket:
    """Brings what an exchange pushes of one account; a lost socket is told first, then opened again after a delay."""

    def __init__(
        self,
        *,
        account: str,
        keys: Credentials,
        market_type: MarketType,
        driver: Driver,
        trader: Trader,
        client: OrderClient,
        sink: PrivateSink,
        addresses: Addresses,
        gate: Gate,
        clock: Callable[[], int],
        exchange_ms: Callable[[], int],
        rng: random.Random,
        timing: Timing | None = None,
    ) -> None:
        """`gate` limits new sockets of the exchange; `clock` gives our nanoseconds, `exchange_ms` its milliseconds."""
        self.link = Link(exchange=trader.exchange_id, market_type=market_type, category=f"private {account}", number=1)
        self._account = account
        self._keys = keys
        self._driver = driver
        self._trader = trader
        self._client = client
        self._sink = sink
        self._addresses = addresses
        self._gate = gate
        self._clock = clock
        self._exchange_ms = exchange_ms
        self._timing = timing or Timing()
        self._backoff = Backoff(first_s=self._timing.backoff_first_s, most_s=self._timing.backoff_most_s, rng=rng)
        self._token: Token | None = None

    async def run(self) -> None:
        """Until cancelled, or until the exchange refuses the key."""
        try:
            while True:
                delay_s = await self._serve()
                await asyncio.sleep(delay_s)
                self.link.state = LinkState.CONNECTING
        except (BadCredentials, NotPermitted) as refused:
            self._sink.refused(self.link, refused.code, str(refused))
        finally:
            self.link.state = LinkState.CLOSED

    async def _serve(self) -> float:
        """Open a socket and serve it until it is lost; seconds to wait before the next."""
        try:
            await (await self._open()).run()
        except ConnectionLost as error:
            reason, wait_s = str(error), 0.0
        except Retryable as error:
            reason, wait_s = str(error), error.after_s
        except (BadCredentials, NotPermitted):
            raise
        except (Refused, OutcomeUnknown, MalformedFrame) as error:
            reason, wait_s = f"no token for a socket: {error}", 0.0
        delay_s = max(self._backoff.next(), self._gate.shut_s, wait_s)
        self.link.state = LinkState.BACKOFF
        self._sink.lost(self.link, reason, delay_s)
        return delay_s

    async def _open(self) -> PrivateSession:
        self._token = await self._new_token()
        url = self._addresses.ws(self._trader.private_endpoint(self._keys, self.link.market_type, self._token))
        try:
            async with self._gate.turn():
                socket = await dial(url, self._timing, private=True)
        except TurnedAwayError as error:
            await self._gate.shut(self._driver.retry_after(error.status, error.headers, error.body) or 0.0)
            raise
        self.link.reconnects += bool(self.link.opened_ns)
        self.link.opened_ns = self._clock()
        self.link.state = LinkState.OPEN
        return PrivateSession(
            socket,
            link=self.link,
            trader=self._trader,
            keys=self._keys,
            owner=self,
            timing=self._timing,
            clock=self._clock,
            exchange_ms=self._exchange_ms,
            renew=self._renew,
        )

    async def _new_token(self) -> Token | None:
        market_type = self.link.market_type
        request = self._trader.token_request(self._keys, market_type, self._exchange_ms())
        if request is None:
            return None
        return await self._client.ask(
            self._trader.exchange_id,
            self._account,
            request,
            Purpose.READ,  # a token that nobody heard of harms nobody
            lambda answer: self._trader.parse_token(market_type, answer),
            turn_s=TURN_S,
        )

    async def _renew(self) -> None:
        """Keep the token alive until cancelled; raises ConnectionLost when the exchange will not have it any more."""
        token, market_type = self._token, self.link.market_type
        delay_s = None if token is None else token.renew_every_s
        while token is not None and delay_s is not None:
            await asyncio.sleep(delay_s)
            request = self._trader.renew_request(self._keys, market_type, token, self._exchange_ms())
            if request is None:
                return
            try:
                renewed = await self._client.ask(
                    self._trader.exchange_id,
                    self._account,
                    request,
                    Purpose.READ,
                    lambda answer: self._trader.parse_token(market_type, answer),
                    turn_s=TURN_S,
                )
                delay_s = renewed.renew_every_s or token.renew_every_s
            except (Retryable, MalformedFrame) as error:
                delay_s = getattr(error, "after_s", self._timing.check_s)
            except FeedError as error:
                raise ConnectionLost(f"the token was not renewed: {error}") from error

    # What sessions report

    def deliver(self, events: list[AccountEvent], received_ns: int) -> None:
        self._sink.events(self.link, events, received_ns)

    def whole(self) -> None:
        self._backoff.reset()
        self._sink.ready(self.link)

    def malformed(self, frame: Frame, error: MalformedFrame, received_ns: int) -> None:
        self._sink.malformed(self.link, frame, error, received_ns)
