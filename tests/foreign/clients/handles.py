"""The simulator's own handles, for the scripts of foreign clients."""

import json
import re
import urllib.request
from typing import Any
from urllib.parse import urlencode

Book = tuple[list[list[float]], list[list[float]]]
PLAIN = {"https": "http", "wss": "ws"}
ADDRESS = re.compile(r"(https|wss)://([^/:]+)(?::\d+)?")


class Handles:
    def __init__(self, url: str) -> None:
        """`url` of the simulator, as in http://127.0.0.1:8080."""
        self.url = url

    def here(self, address: str) -> str:
        """The address of a real exchange, or a template of one, on the simulator."""
        return ADDRESS.sub(lambda found: f"{PLAIN[found[1]]}://{self.host(found[2])}", address)

    def host(self, name: str) -> str:
        """What stands in the place of a real host's name; a template's is filled in later."""
        return name if name.startswith("{") else f"{self.url.removeprefix('http://')}/{name}"

    def freeze(self, exchange: str) -> None:
        """Let the markets of an exchange stand still; their channels still say what they have to."""
        self.post("fault", op="freeze", exchange=exchange)

    def thaw(self, exchange: str) -> None:
        self.post("fault", op="thaw", exchange=exchange)

    def fill(self, exchange: str, account: str, order_id: str, size: str) -> None:
        """Let somebody take so much of a resting order, and all that is ahead of it."""
        self.post("fill", exchange=exchange, account=account, order_id=order_id, size=size)

    def listeners(self, exchange: str, account: str) -> int:
        """Private sockets that are told of the account."""
        with urllib.request.urlopen(f"{self.url}/_sim/accounts?exchange={exchange}", timeout=5) as response:
            return next(int(row["listeners"]) for row in json.load(response) if row["name"] == account)

    def post(self, handle: str, **body: Any) -> None:
        with urllib.request.urlopen(f"{self.url}/_sim/{handle}", data=json.dumps(body).encode(), timeout=5):
            pass

    def book(self, exchange: str, market_type: str, symbol: str) -> Book:
        """The true book; asking for it makes the channels say what they still hold."""
        query = urlencode({"exchange": exchange, "market_type": market_type, "symbol": symbol})
        with urllib.request.urlopen(f"{self.url}/_sim/book?{query}", timeout=5) as response:
            answer: dict[str, Any] = json.load(response)
        return answer["bids"], answer["asks"]


def shows(book: Book, truth: Book, depth: int) -> bool:
    """Whether the best `depth` levels of a client's book are those of the true one."""
    return all(seen[:depth] == whole[:depth] for seen, whole in zip(book, truth, strict=True))
