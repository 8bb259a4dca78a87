"""All requests that calls of ccxt would send: what it asks for on the way is answered by what is made up here.

Argument: {"exchange", "keys": {"apiKey", ...}, "now_ms", "options", "markets": [{"id", "symbol", ...}], "answers":
{part of a URL: answer}, "calls": [[method, arguments, parameters]]}. Prints for each call the requests it made,
[{"method", "url", "headers", "body"}]. Nothing is sent, the clock stands at `now_ms`.
"""

import contextlib
import json
import sys
from typing import Any

import ccxt


class Enough(Exception):
    """Raised in the place of sending a request that has no answer here."""


def market(client: Any, told: dict[str, Any]) -> Any:
    """A market of ccxt's own shape from the little that a request depends on."""
    base, _, rest = told["symbol"].partition("/")
    quote, _, settle = rest.partition(":")
    kind = {"spot": not settle, "swap": bool(settle), "contract": bool(settle), "type": "swap" if settle else "spot"}
    linear = {"linear": True, "inverse": False, "settle": settle, "settleId": settle} if settle else {}
    ids = {"base": base, "quote": quote, "baseId": base, "quoteId": quote, "margin": False, "active": True}
    return client.safe_market_structure(kind | linear | ids | told)


def requests(client: Any, answers: dict[str, Any], name: str, arguments: list[Any], params: dict[str, Any]) -> Any:
    sent: list[dict[str, Any]] = []

    def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        sent.append({"method": method, "url": url, "headers": headers or {}, "body": body or ""})
        for part, answer in answers.items():
            if part in url:
                return answer
        raise Enough

    client.fetch = fetch
    with contextlib.suppress(Enough):
        getattr(client, name)(*arguments, params=params)
    return sent


def main(task: dict[str, Any]) -> None:
    client = getattr(ccxt, task["exchange"])(task["keys"] | {"enableRateLimit": False})
    client.options.update(task.get("options", {}))
    client.milliseconds = lambda: task["now_ms"]
    client.set_markets([market(client, told) for told in task["markets"]])
    print(json.dumps([requests(client, task.get("answers", {}), *call) for call in task["calls"]]))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
