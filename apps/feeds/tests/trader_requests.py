"""What tests of traders ask of a request, and how they make an answer."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from apps.feeds.drivers.base import Request
from apps.feeds.drivers.trading import Answer


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
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body=json.dumps(content).encode(), headers=told, url=url)
