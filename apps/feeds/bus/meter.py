"""The exchanges' limits as all our processes share them: what each sends is counted in Redis, by the clock of Redis.

All processes of one system count as one address. Some may have addresses of their own, but which ones share one is
known to no process; a budget that is too small costs seconds at a start, one that is too large a ban.
"""

import asyncio
import contextlib
import math
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import structlog
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from apps.feeds.bus.redis import ANSWER_TIMEOUT_S, connect
from apps.feeds.drivers.base import Rate
from apps.waits import patience

log = structlog.get_logger(__name__)

WAIT_S = 0.1  # no request waits longer for Redis: then the process' own limits hold, until Redis answers again
AGAIN_S = 0.5  # it is asked for that, while no request waits
LOST_MS = 30_000  # what was sent and never reported back counts as arrived
SOON_MS = 50  # a second look, while that what is on its way fills the window

# Members of the sorted set are `weight:ticket`, their scores the time (ms) until which they surely were on their way.
ENTER = f"""
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local doors, shut = {{0}}, false
for i = 2, #KEYS do
    doors[i] = math.max(0, redis.call('PTTL', KEYS[i]))
    shut = shut or doors[i] > 0
end
if shut then return doors end
local count, per_ms, weight = ARGV[2] - ARGV[5], tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - per_ms)
local rows = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
local excess = math.min(weight, count) - count
for i = 1, #rows, 2 do excess = excess + tonumber(string.match(rows[i], '^%d+')) end
if excess > 0 then
    for i = 1, #rows, 2 do
        excess = excess - tonumber(string.match(rows[i], '^%d+'))
        if tonumber(rows[i + 1]) > now then break end
        if excess <= 0 then return {{math.max(1, rows[i + 1] + per_ms - now)}} end
    end
    return {{{SOON_MS}}}
end
redis.call('ZADD', KEYS[1], now + {LOST_MS}, ARGV[4] .. ':' .. ARGV[1])
redis.call('PEXPIRE', KEYS[1], per_ms + {LOST_MS})
return {{0}}
"""
# A longer time to stay away is not cut short by a shorter one.
SHUT = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], 1, 'PX', ARGV[1]) end
"""
LEAVE = """
local clock = redis.call('TIME')
return redis.call('ZADD', KEYS[1], 'XX', clock[1] * 1000 + math.floor(clock[2] / 1000), ARGV[1])
"""


class Meter:
    """See `transport.gate.Meter`. Belongs to the event loop that it is first used in.

    Of an outage those requests are late that are under way when it begins; all others pass Redis by.
    """

    def __init__(self, redis_url: str, *, wait_s: float = WAIT_S) -> None:
        self._wait_s = wait_s
        self._redis = connect(redis_url, timeout_s=None)
        self._enter = self._redis.register_script(ENTER)
        self._leave = self._redis.register_script(LEAVE)
        self._shut = self._redis.register_script(SHUT)
        self._entered: dict[str, str] = {}  # ticket -> its member
        self._arrived: list[tuple[str, str]] = []  # gate and member of what Redis could not be told of
        self._coming_back: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        if self._coming_back is not None:
            self._coming_back.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._coming_back
        await self._redis.aclose()

    @property
    def is_away(self) -> bool:
        """Whether Redis did not answer, and has not done so since."""
        return self._coming_back is not None and not self._coming_back.done()

    async def enter(
        self, gate: str, doors: Sequence[str], *, ticket: str, rate: Rate, weight: int, spare: int
    ) -> tuple[float, list[float]]:
        if self.is_away:
            return 0.0, []
        weight, per_ms = min(weight, rate.count), math.ceil(rate.per_s * 1_000)
        keys = [_gate(gate), *map(_door, doors)]
        self._entered[ticket] = f"{weight}:{ticket}"  # also where the answer is lost: it may be counted all the same
        told = await self._ask(self._enter, keys, [ticket, rate.count, per_ms, weight, spare])
        wait_ms, *shut_ms = told or [0]
        if wait_ms > 0 or shut_ms:
            del self._entered[ticket]
        return wait_ms / 1_000, [each / 1_000 for each in shut_ms]

    async def leave(self, gate: str, ticket: str) -> None:
        member = self._entered.pop(ticket, None)
        if member is not None and await self._ask(self._leave, [_gate(gate)], [member]) is None:
            self._arrived.append((_gate(gate), member))  # else it takes its room until it counts as lost

    async def shut(self, door: str, for_s: float) -> None:
        await self._ask(self._shut, [_door(door)], [math.ceil(for_s * 1_000)])

    async def _ask(self, script: AsyncScript, keys: list[str], args: list[Any]) -> Any:
        """None: Redis is away."""
        if self.is_away:
            return None
        try:
            async with patience(self._wait_s):
                return await script(keys=keys, args=args)
        except (RedisError, OSError) as error:  # a timeout is an OSError
            self._away(error)
            return None

    def _away(self, error: Exception) -> None:
        if not self.is_away:  # several may have waited
            log.warning("limits are not shared", error=str(error) or type(error).__name__)
            self._coming_back = asyncio.create_task(self._come_back(), name="meter waits for Redis")

    async def _come_back(self) -> None:
        """At once where only this process was slow."""
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with patience(ANSWER_TIMEOUT_S):
                    await self._redis.execute_command("PING")
                while self._arrived:
                    gate, member = self._arrived[-1]
                    async with patience(ANSWER_TIMEOUT_S):
                        await self._leave(keys=[gate], args=[member])
                    self._arrived.pop()
                return
            await asyncio.sleep(AGAIN_S)


def _gate(name: str) -> str:
    return f"meter:{name}"


def _door(name: str) -> str:
    return f"meter:{name}:shut"
