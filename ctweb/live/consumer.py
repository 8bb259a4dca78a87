"""`/ws/live/`: one browser tab. Thin: it parses, asks the hub for feeds and lets the session decide what to send."""

import asyncio
import time
from collections.abc import Awaitable
from typing import Any

import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError
from msgspec.json import encode

from apps.feeds.market import Instrument
from apps.trading.execution.runtime import failing
from ctweb.live import protocol, sources, who
from ctweb.live.feeds import BookFeed
from ctweb.live.hub import Hub
from ctweb.live.protocol import Close, ProtocolError
from ctweb.live.session import Session
from ctweb.live.subs import AccountSubscription, BookSubscription, FleetSubscription, Subscription, TapeSubscription
from ctweb.live.units import decimals, lot_decimals, plain

log = structlog.get_logger(__name__)

_RECHECK_USER_S = 30.0
_DEFAULT_LIMIT_MS = 5000
_FAILED = 1011


class LiveConsumer(AsyncWebsocketConsumer):
    def __init__(self, *args: Any, hub: Hub, build: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hub = hub
        self.build = build
        self.session = Session(time.monotonic())
        self.rate = protocol.Rate(protocol.MAX_OPS_PER_S)
        self.greeted = False
        self.hung_up = False
        self.sender: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        """Accept first: a browser sees the close code only of a socket that was open."""
        await self.accept()
        refusal = await who.refusal(self.scope)
        if refusal is not None:
            await self.close(refusal)
            return
        await self.hub.join()
        self.sender = asyncio.create_task(self._send_frames(), name="live sender")

    async def disconnect(self, code: int) -> None:
        if self.sender is None:
            return
        self.sender.cancel()
        await asyncio.gather(self.sender, return_exceptions=True)
        self.session.close()
        self.hub.release()
        await self.hub.leave()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.sender is None or self.hung_up:
            return  # what was on its way is not read
        if not self.rate.allows(time.monotonic()):
            await self._hang_up(Close.TOO_MANY)
            return
        try:
            if text_data is None:
                raise ProtocolError("binary frame")
            await self._do(protocol.parse(text_data))
        except ProtocolError as error:
            log.info("live socket closed", error=str(error))
            await self._hang_up(Close.BAD_MESSAGE)

    async def _hang_up(self, code: int) -> None:
        """Close, once: both the reader and the sender may find a reason."""
        if not self.hung_up:
            self.hung_up = True
            await self._tell(self.close(code))

    async def _do(self, op: protocol.Op) -> None:
        if isinstance(op, protocol.Hello):
            await self._welcome(op)
            return
        if not self.greeted:
            raise ProtocolError("hello must come first")
        match op:
            case protocol.Ack():
                self.session.ack(op.n, time.monotonic())
            case protocol.Sub():
                await self._answer({"op": "sub", "id": op.id, **await self._subscribe(op)})
            case protocol.Unsub():
                self.session.remove(op.id)
                self.hub.release()
            case protocol.Ping():
                await self._answer({"op": "pong"})
            case protocol.Pause():
                self.session.paused = True
            case protocol.Resume():
                self.session.resume()

    async def _welcome(self, hello: protocol.Hello) -> None:
        if hello.v != protocol.VERSION or self.greeted:
            raise ProtocolError(f"hello of version {hello.v}")
        self.greeted = True
        welcome = {
            "op": "welcome",
            "v": protocol.VERSION,
            "build": self.build,
            "now": time.time_ns() // 1_000_000,
            "user": self.scope["user"].get_username(),
            "max_books": protocol.MAX_BOOKS,
            "tick_ms": protocol.TICK_MS,
        }
        await self._answer(welcome)

    async def _subscribe(self, sub: protocol.Sub) -> dict[str, Any]:
        """The answer to a `sub`; a refusal names its code and says why."""
        if sub.id in self.session.subscriptions:
            return {"ok": False, "code": "id_in_use", "why": f"id {sub.id} is subscribed already"}
        full = self.session.room_for(book=sub.topic in ("book", "best"))
        if full is not None:
            return {"ok": False, "code": "too_many", "why": full}
        if sub.topic == "daemons":
            self.session.add(FleetSubscription(sub.id, self.hub.fleet, daemons=True))
            return {"ok": True}
        if sub.topic == "fleet":
            self.session.add(FleetSubscription(sub.id, self.hub.fleet, key=sub.key))
            return {"ok": True}
        if sub.topic == "account":
            return await self._subscribe_account(sub)
        if sub.topic not in ("book", "best", "trades"):
            return {"ok": False, "code": "unknown_topic", "why": f"no topic {sub.topic!r}"}
        instrument = await self.hub.instrument(sub.key)
        if instrument is None:
            return {"ok": False, "code": "unknown_key", "why": "not in the catalogue"}
        subscription = self._of_instrument(sub, instrument)
        self.session.add(subscription)
        return {"ok": True, **_units(instrument), "limit_ms": _limit_ms(subscription)}

    async def _subscribe_account(self, sub: protocol.Sub) -> dict[str, Any]:
        """Other people's accounts are not there."""
        seen = await sources.account_ids(self.scope["user"].pk)
        account_id = next((one for one in seen if str(one) == sub.key), None)
        if account_id is None:
            return {"ok": False, "code": "unknown_key", "why": "no such account"}
        self.session.add(AccountSubscription(sub.id, self.hub.account(account_id), account_id=account_id))
        return {"ok": True}

    async def _drop_hidden(self) -> None:
        """Rights change while a page is open: what may no longer be seen is no longer sent."""
        watched = [one for one in self.session.subscriptions.values() if isinstance(one, AccountSubscription)]
        if not watched:
            return
        seen = await sources.account_ids(self.scope["user"].pk)
        for one in watched:
            if one.account_id not in seen:
                self.session.remove(one.id)
        self.hub.release()

    def _of_instrument(self, sub: protocol.Sub, instrument: Instrument) -> Subscription:
        if sub.topic == "trades":
            return TapeSubscription(sub.id, self.hub.tape(instrument))
        depth = 1 if sub.topic == "best" else sub.depth
        return BookSubscription(sub.id, self.hub.book(instrument, depth), depth=depth, hz=sub.hz)

    async def _send_frames(self) -> None:
        """One frame per tick while something is due; ends when the socket must be closed."""
        try:
            await self._hang_up(await self._serve())
        except Exception:
            self.hub.failures["socket"] += 1
            log.exception("live socket failed", failures=failing.count("live sockets"))
            await self._hang_up(_FAILED)

    async def _serve(self) -> Close:
        """Send until there is a reason to close."""
        opened_s = checked_s = time.monotonic()
        while True:
            await self.hub.ticked()
            now_s = time.monotonic()
            reason = self.session.verdict(now_s)
            if not self.greeted and now_s - opened_s > protocol.HELLO_WITHIN_S:
                reason = Close.BAD_MESSAGE
            if now_s - checked_s > _RECHECK_USER_S:
                checked_s = now_s
                reason = reason or await self._refusal()
            if reason is None and self.greeted:
                reason = await self._send_frame(now_s)
            if reason is not None:
                return reason

    async def _refusal(self) -> Close | None:
        """Why this person may no longer be here; a database that is away sends nobody off, and is asked again."""
        try:
            await self._drop_hidden()
            return await who.refusal(self.scope, in_use=not self.session.paused)
        except DatabaseError as error:
            log.warning("nobody knows who sits behind a live socket", error=str(error))
            return None

    async def _send_frame(self, now_s: float) -> Close | None:
        """Send what is due; a socket whose buffer stays full is too slow."""
        frame = None if self.hung_up else self.session.frame(time.time_ns(), now_s)
        if frame is None:
            return None
        try:
            async with asyncio.timeout(protocol.SLOW_AFTER_S):
                await self._tell(self.send(text_data=frame.decode()))
        except TimeoutError:
            return Close.SLOW
        return None

    async def _answer(self, message: dict[str, Any]) -> None:
        await self._tell(self.send(text_data=encode(message).decode()))

    async def _tell(self, sending: Awaitable[None]) -> None:
        """A tab that was closed meanwhile takes nothing any more: `disconnect` comes next, and must find us alive."""
        try:
            await sending
        except TimeoutError:
            raise
        except (OSError, RuntimeError) as error:  # it is gone; it has said goodbye, for which the server has no class
            log.debug("live socket is gone", error=type(error).__name__)
            self.hung_up = True


def _units(instrument: Instrument) -> dict[str, Any]:
    return {
        "tick": plain(instrument.tick),
        "lot": plain(instrument.lot),
        "decimals": [decimals(instrument.tick), lot_decimals(instrument)],
    }


def _limit_ms(subscription: Subscription) -> int:
    feed = subscription.feed
    if isinstance(feed, BookFeed) and feed.value is not None:
        return feed.value.limit_ms
    return _DEFAULT_LIMIT_MS
