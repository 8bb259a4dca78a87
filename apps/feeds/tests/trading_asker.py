"""Who asks an exchange for one account: keys, a client, a clock; and every secret of it is looked after."""

import contextlib
import logging
import time
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from apps.feeds.drivers.base import Request
from apps.feeds.drivers.trading import Answer, Page
from apps.feeds.errors import FeedError
from apps.feeds.orders import Credentials
from apps.feeds.transport.orders import OrderClient, Purpose

if TYPE_CHECKING:
    from apps.feeds.tests.trading_stand import Stand

T = TypeVar("T")
TURN_S = 30.0
MOST_PAGES = 50


class Asker:
    """Asks for one account. Every error is kept, to be searched for secrets."""

    def __init__(self, on: "Stand", name: str, keys: Credentials, client: OrderClient) -> None:
        self.on = on
        self.name = name
        self.keys = keys
        self.secrets = {keys.key, keys.secret, keys.passphrase} - {""}
        self.client = client
        self.ahead_ms = 0  # our idea of how far the exchange's clock is ahead of ours
        self.errors: list[BaseException] = []
        self._last_ms = 0

    def change_keys(self, **changes: str) -> None:
        """Use other keys from now on; they are as secret as the first."""
        self.keys = replace(self.keys, **changes)
        self.secrets |= set(changes.values())

    def now_ms(self) -> int:
        """The exchange's time, never the same twice: some count signatures by it."""
        self._last_ms = max(time.time_ns() // 1_000_000, self._last_ms + 1)
        return self._last_ms + self.ahead_ms

    @contextlib.asynccontextmanager
    async def hasty(self, timeout_s: float) -> AsyncIterator[None]:
        """Wait no longer for an answer."""
        patient = self.client
        async with self.on.client(timeout_s) as self.client:
            yield
        self.client = patient

    async def ask(self, request: Request, purpose: Purpose, parse: Callable[[Answer], T]) -> T:
        try:
            return await self.client.ask(self.on.exchange, self.name, request, purpose, parse, turn_s=TURN_S)
        except FeedError as error:
            self.errors.append(error)
            raise

    async def read(self, request: Request, parse: Callable[[Answer], T]) -> T:
        return await self.ask(request, Purpose.READ, parse)

    async def pages(self, request: Callable[[str | None], Request], parse: Callable[[Answer], Page[T]]) -> list[T]:
        rows: list[T] = []
        cursor: str | None = None
        for _ in range(MOST_PAGES):
            page = await self.read(request(cursor), parse)
            rows += page.rows
            if (cursor := page.cursor) is None:
                return rows
        raise AssertionError("pages without end")

    @contextlib.contextmanager
    def discreet(self) -> Iterator[None]:
        """Nothing that is secret shows in an error, a log line or a repr of the account's things."""
        lines = Lines()
        root = logging.getLogger()
        level = root.level
        root.addHandler(lines)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.setLevel(level)
            root.removeHandler(lines)
        shown = [repr(self.keys), repr(self.client), *lines.texts]
        shown += ["".join(traceback.format_exception(error)) + repr(error) for error in self.errors]
        assert [text for text in shown for secret in self.secrets if secret in text] == []


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith("apps.feeds.simulator"):
            self.texts.append(record.getMessage() + (self.format(record) if record.exc_info else ""))
