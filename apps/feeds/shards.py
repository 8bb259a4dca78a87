"""The unit of ownership: which shard a book belongs to, and which daemons come first for it. Pure."""

from collections.abc import Mapping
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


def ranking(shard: str, weights: Mapping[str, int]) -> list[str]:
    """The daemons by who should rather hold the shard: rendezvous hashing by weight, all of which are above 0.

    A daemon that comes or goes leaves the others' order as it is.
    """
    return sorted(weights, key=lambda daemon: (_score(shard, daemon, weights[daemon]), daemon), reverse=True)


def _score(shard: str, daemon: str, weight: int) -> float:
    digest = blake2b(f"{daemon}\0{shard}".encode(), digest_size=8).digest()
    uniform = (int.from_bytes(digest) + 1) / (2**64 + 2)  # strictly between 0 and 1
    return -weight / log(uniform)
