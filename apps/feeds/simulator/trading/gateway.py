"""Where an account's requests pass, and where all that can go wrong with one happens: dialects need no code for it."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Literal

from aiohttp import web

from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.desk import Desk

Kind = Literal["place", "cancel", "read"]
FaultAnswer = Callable[[web.Request, str, float], web.Response]
EARLY_S = 0.05  # pushes that are ahead of an answer are so far ahead, unless said otherwise
HANG_S = 60.0
GONE_POLL_S = 0.05
HELD_POLL_S = 0.02
TURNED_AWAY = ("rate_limit", "ban", "reject", "error_not_placed")  # nothing is carried out


class Gateway:
    def __init__(self, desk: Desk, fault_answer: FaultAnswer) -> None:
        self._desk = desk
        self._faults = desk.faults
        self._fault_answer = fault_answer

    async def act(
        self, account: Account, request: web.Request, do: Callable[[], web.Response], *, kind: Kind
    ) -> web.StreamResponse:
        """Carry out a request whose signature is right, once, and answer it; pushes follow the answer."""
        for op in TURNED_AWAY:
            fault = self._faults.find(op, account.name, None if op in ("rate_limit", "ban") else kind)
            if fault is not None:
                if op in ("reject", "error_not_placed"):
                    self._faults.take(op, account.name, kind)
                return self._fault_answer(request, op, max(1.0, fault.left_s(asyncio.get_running_loop().time())))
        late = self._faults.take("late_accept", account.name, kind)
        if late is not None:
            await asyncio.sleep(late.seconds)
        await self._wait_at_door(account, kind)
        account.outbox.hold()
        try:
            before = len(self._desk.accepted)
            response = do()
            self._desk.keep()
            done = kind != "place" or len(self._desk.accepted) > before
            return await self._answer(account, request, response, kind if done else None)
        finally:
            account.outbox.release()

    async def _wait_at_door(self, account: Account, kind: Kind) -> None:
        held = self._faults.find("held", account.name, kind)
        if held is None or not held.count:
            return
        held.count -= 1
        while self._faults.find("held", account.name, kind) is held:  # noqa: ASYNC110 (its time may end it)
            await asyncio.sleep(HELD_POLL_S)

    async def _answer(
        self, account: Account, request: web.Request, response: web.Response, kind: Kind | None
    ) -> web.StreamResponse:
        """`kind` None: nothing came of the request, so that no fault befalls it."""
        if kind is not None:
            if self._faults.take("error_placed", account.name, kind) is not None:
                return self._fault_answer(request, "error_placed", 1.0)
            if self._faults.take("accept_reset", account.name, kind) is not None:
                return _reset(request, response)
            if (hang := self._faults.take("accept_hang", account.name, kind)) is not None:
                account.outbox.flush()
                await _hang(request, hang.seconds or HANG_S)
                return _reset(request, response)
            if (early := self._faults.take("early_fill", account.name, kind)) is not None:
                account.outbox.flush()
                await asyncio.sleep(early.seconds or EARLY_S)
                return response
        await response.prepare(request)
        await response.write_eof()
        return response


def _reset(request: web.Request, response: web.Response) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return response


async def _hang(request: web.Request, seconds: float) -> None:
    """Say nothing until the client has gone, or the time is over."""
    transport = request.transport
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while transport is not None and not transport.is_closing():  # noqa: ASYNC110 (nobody tells of its end)
                await asyncio.sleep(GONE_POLL_S)
