"""What tests of traders ask of a request, the order that they ask for, and how they make an answer."""

import json
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from apps.feeds.drivers.base import Request
from apps.feeds.drivers.trading import Answer
from apps.feeds.market import Instrument, Side
from apps.feeds.orders import NewOrder, OrderType


def path(request: Request) -> str:
    return f"{request.method} {urlsplit(request.url).path}"


def query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.url).query, strict_parsing=True)) if "?" in request.url else {}


def target(request: Request) -> str:
    """As it leaves: a fragment stays at home."""
    parts = urlsplit(request.url)
    return parts.path + (f"?{parts.query}" if parts.query else "")


def body(request: Request) -> Any:
    return json.loads(request.body)


def answer(content: Any, status: int = 200, url: str = "", **headers: str) -> Answer:
    """Bytes are sent as they are."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Answer(status=status, body=body, headers=told, url=url)


def limit_order(instrument: Instrument, now_ms: int, /, **changes: Any) -> NewOrder:
    """To buy, good for two seconds."""
    whole: dict[str, Any] = {
        "instrument": instrument,
        "client_order_id": "ct0001",
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "expires_ms": now_ms + 2_000,
        "amount": Decimal("0.003"),
        "price": Decimal("30000.0"),
    }
    return NewOrder(**(whole | changes))
