"""Writes of one shard as one Lua call, which Redis refuses when it has seen a higher fence."""

from collections.abc import Sequence
from hashlib import sha1
from typing import Any

from msgspec import Struct
from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from apps.feeds.bus import codec
from apps.feeds.bus.conflate import Op, Slot

# KEYS: fence:{shard}, then one name per write. ARGV: fence, then ttl and payload per write (see conflate.Op).
# Answers 0, or the highest fence when ours is lower: then nothing was written.
FENCED_WRITE = """
local have = tonumber(redis.call('GET', KEYS[1]) or '0')
local mine = tonumber(ARGV[1])
if mine < have then return have end
if mine > have then redis.call('SET', KEYS[1], ARGV[1]) end
for i = 2, #KEYS do
    local ttl = tonumber(ARGV[2 * i - 2])
    local payload = ARGV[2 * i - 1]
    if ttl ~= 0 then redis.call('SET', KEYS[i], payload, 'EX', math.abs(ttl)) end
    if ttl >= 0 then redis.call('PUBLISH', KEYS[i], payload) end
end
return 0
"""
FENCED_WRITE_SHA = sha1(FENCED_WRITE.encode(), usedforsecurity=False).hexdigest()


class Batch(Struct):
    """Writes of one shard; `slots` are those whose state it carries, `since_ns` when each new state was due."""

    shard: str
    fence: int
    ops: list[Op]
    slots: list[Slot]
    since_ns: list[int]


async def write(redis: Redis, batches: Sequence[Batch]) -> list[Any]:
    """One answer per batch: 0, a higher fence, or the exception that Redis raised for it.

    A Redis that lost the script gets it, and the batches that missed it again. Raises RedisError and OSError.
    """
    answers = await _pipeline(redis, batches)
    missed = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
    if missed:
        await redis.script_load(FENCED_WRITE)
        again = await _pipeline(redis, [batches[index] for index in missed])
        for index, answer in zip(missed, again, strict=True):
            answers[index] = answer
    return answers


async def _pipeline(redis: Redis, batches: Sequence[Batch]) -> list[Any]:
    pipeline = redis.pipeline(transaction=False)
    for batch in batches:
        names = [op.name for op in batch.ops]
        arguments = [part for op in batch.ops for part in (op.ttl_s, op.payload)]
        pipeline.evalsha(
            FENCED_WRITE_SHA, len(names) + 1, codec.fence_name(batch.shard), *names, batch.fence, *arguments
        )
    return await pipeline.execute(raise_on_error=False)
