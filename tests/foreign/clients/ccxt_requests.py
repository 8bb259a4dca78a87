"""What ccxt would send for orders and accounts: it is asked, and stopped before anything leaves. Prints it as JSON.

Argument: {"exchange", "config", "now_ms", "markets": [ccxt's own market structures], "calls": [{"method", "args"}]},
where a call may bring `options` of its own. Printed: for each call its request {"method", "url", "headers", "body"}.
The clock stands at `now_ms`. Nothing else of ccxt is changed.
"""

import json
import sys
from typing import Any

import ccxt


class Stopped(Exception):
    """The request is known: nothing is sent."""


def request_of(client: Any, call: dict[str, Any]) -> dict[str, Any]:
    caught: list[dict[str, Any]] = []

    def fetch(url: str, method: str = "GET", headers: Any = None, body: Any = None) -> None:
        caught.append({"method": method, "url": url, "headers": dict(headers or {}), "body": body})
        raise Stopped

    client.fetch = fetch
    client.options = client.deep_extend(client.options, call.get("options", {}))
    try:
        getattr(client, call["method"])(*call["args"])
    except Stopped:
        return caught[0]
    raise RuntimeError(f"{call['method']} sent nothing")


def main() -> None:
    task = json.loads(sys.argv[1])
    client = getattr(ccxt, task["exchange"])(task["config"])
    client.set_markets(task["markets"])
    client.milliseconds = lambda: task["now_ms"]
    json.dump([request_of(client, call) for call in task["calls"]], sys.stdout)


if __name__ == "__main__":
    main()
