"""What operators tell one daemon: resync a book, drain."""

from collections.abc import Callable

import structlog
from msgspec import DecodeError

from apps.feeds.bus import codec
from apps.feeds.bus.redis import Subscriber
from apps.feeds.market import BookKey

log = structlog.get_logger(__name__)


class Commands:
    """Listens on `command:{daemon}`; what cannot be understood is logged and changes nothing."""

    def __init__(
        self, *, redis_url: str, daemon: str, resync: Callable[[BookKey, str], bool], drain: Callable[[], None]
    ) -> None:
        self._subscriber = Subscriber(redis_url, channels=[codec.command_name(daemon)])
        self._resync = resync
        self._drain = drain

    async def run(self) -> None:
        async for _, payload in self._subscriber:
            self.obey(payload)

    async def aclose(self) -> None:
        await self._subscriber.aclose()

    def obey(self, payload: bytes) -> None:
        try:
            command = codec.decode_command(payload)
            if command.op == "resync":
                key = BookKey.parse(command.key or "")
                log.info("resync asked for", book=str(key), done=self._resync(key, "resync asked for by an operator"))
            elif command.op == "drain":
                self._drain()
            else:
                log.warning("unknown command", op=command.op)
        except (DecodeError, ValueError) as error:
            log.warning("command not understood", error=str(error))
