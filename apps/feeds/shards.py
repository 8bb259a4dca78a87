"""The unit of ownership: which shard a book belongs to, and which daemon should hold which shard. Pure."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from math import log
from zlib import crc32

from apps.feeds.market import BookKey

BUCKETS = 16
LEASE_PREFIX = "shard:"


def shard_of(key: BookKey) -> str:
    """`exchange:market_type:bucket`; the same for every process and for ever, since fences are kept by it."""
    return f"{key.exchange}:{key.market_type}:{crc32(key.pair.encode()) % BUCKETS}"


def lease_of(shard: str) -> str:
    """The shard's resource name in the `lease` table."""
    return f"{LEASE_PREFIX}{shard}"


def assign(shards: Iterable[str], capacities: Mapping[str, int]) -> dict[str, str]:
    """Shard -> daemon by rendezvous hashing weighted by capacity.

    A daemon that comes or goes moves only the shards that it gains or had. Without any capacity nobody holds anything.
    """
    able = {daemon: capacity for daemon, capacity in capacities.items() if capacity > 0}
    if not able:
        return {}
    return {shard: max(able, key=lambda daemon: (_score(shard, daemon, able[daemon]), daemon)) for shard in shards}


def _score(shard: str, daemon: str, capacity: int) -> float:
    digest = blake2b(f"{daemon}\0{shard}".encode(), digest_size=8).digest()
    uniform = (int.from_bytes(digest) + 1) / (2**64 + 2)  # strictly between 0 and 1
    return -capacity / log(uniform)
