"""Recordings of CoinEx: depth channels that begin with a whole book."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.coinex.streams import LIMITS
from apps.feeds.simulator.recorded import Frame, Library, Recording

FILES = {"spot": "synthetic_spot_*_incremental.jsonl", "futures": "synthetic_futures_*_incremental.jsonl"}
SIDES = ("bids", "asks")
Levels = dict[Decimal, list[str]]  # levels as written, by price


class CoinexLibrary(Library):
    def recordings(self) -> Iterable[Recording]:
        for market_type, pattern in FILES.items():
            for _, lines in self.lines(pattern):
                pushes = [line for line in lines if line.get("method") == "depth.update"]
                symbol = pushes[0]["data"]["market"]
                limit = _limit(pushes)
                first, *frames = _frames(pushes, limit)
                yield Recording(market_type, symbol, f"depth:{limit}:0:false:{symbol}", first, frames)


def _limit(pushes: list[dict[str, Any]]) -> int:
    """No push names it: the smallest that holds the longest side of all whole books."""
    depths = [push["data"]["depth"] for push in pushes if push["data"]["is_full"]]
    longest = max(len(depth[side]) for depth in depths for side in SIDES)
    return next(limit for limit in LIMITS if limit >= longest)


def _frames(pushes: list[dict[str, Any]], limit: int) -> Iterable[Frame]:
    """Each push with all that it changes, the levels it does not name included: those cut off, or replaced."""
    books: dict[str, Levels] = {side: {} for side in SIDES}
    for count, push in enumerate(pushes):
        rows = {}
        for side in SIDES:
            before = books[side]
            books[side] = after = _after(before, push["data"], side, limit)
            gone = [[level[0], "0"] for price, level in before.items() if price not in after]
            rows[side] = [level for price, level in after.items() if before.get(price) != level] + gone
        yield Frame(count, rows["bids"], rows["asks"], push)


def _after(before: Levels, data: dict[str, Any], side: str, limit: int) -> Levels:
    levels = {} if data["is_full"] else dict(before)
    for price, amount in data["depth"].get(side, ()):
        levels.pop(Decimal(price), None)
        if Decimal(amount):
            levels[Decimal(price)] = [price, amount]
    best = sorted(levels, reverse=side == "bids")[:limit]
    return {price: levels[price] for price in best}
