"""Live books and daemons by REST, read from what is published and from nowhere else."""

import time
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from redis.exceptions import RedisError
from rest_framework import status
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.feeds import selectors
from apps.feeds.market import BookKey, BookState, MarketType
from apps.feeds.serializers import BookSerializer, BookStatusSerializer, DaemonSerializer, daemon_summary
from apps.feeds.views import live
from apps.users.rest.exceptions import Unavailable
from apps.users.rest.parameters import refuse_unknown, whole_number, word

MARKET = OpenApiParameter("market_type", str, enum=[market.value for market in MarketType])
DEPTH = OpenApiParameter("depth", int, description="Levels a side, 0 to 1000; 0: all that is published")
FIELDS = ("exchange", "market_type", "pair", "state", "reason", "seq", "exchange_ms", "received_ns", "bids", "asks")


class BookView(APIView):
    """One live book. Without a published one the answer is 503 with state DOWN and empty sides, never an old book."""

    @extend_schema(parameters=[MARKET, DEPTH], responses={200: BookSerializer, 503: BookSerializer})
    def get(self, request: Request, exchange: str, pair: str, market_type: str | None = None) -> Response:
        refuse_unknown(request, ("depth",) if market_type else ("depth", "market_type"))
        depth = whole_number(request, "depth", default=20, least=0, most=1000)
        key = listed_key(exchange, market_type or word(request, "market_type", default="spot"), pair)
        try:
            found, reason = live.book(key, depth), "nobody publishes this book"
        except RedisError:
            found, reason = None, "redis does not answer"
        if found is None:
            return Response(_down(key, reason), status=status.HTTP_503_SERVICE_UNAVAILABLE)
        return Response({name: found.get(name) for name in FIELDS})


class BooksView(APIView):
    """The state of every book that a daemon holds."""

    @extend_schema(responses=BookStatusSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ())
        return Response(BookStatusSerializer(_complete(_books()), many=True).data)


class DaemonsView(APIView):
    """The daemons that spoke within the last ten seconds."""

    @extend_schema(responses=DaemonSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_unknown(request, ())
        now_ms = time.time_ns() // 1_000_000
        return Response([daemon_summary(one, now_ms=now_ms, lost=live.is_lost(one, now_ms)) for one in _statuses()])


def listed_key(exchange: str, market_type: str, pair: str) -> BookKey:
    """The key of a listed instrument; raises 400 or 404 with the name of what is wrong."""
    if market_type not in set(MarketType):
        raise ValidationError({"market_type": ["Must be spot or futures."]})
    if exchange not in selectors.exchanges():
        raise NotFound({"exchange": [f"Unknown exchange {exchange[:50]!r}."]})
    key = BookKey(exchange, MarketType(market_type), pair.upper() if "/" in pair else pair.upper().replace("-", "/", 1))
    if not selectors.listed(keys=[key]):
        raise NotFound({"pair": [f"{pair[:50]!r} is not in the catalogue of {exchange} {market_type}."]})
    return key


def _down(key: BookKey, reason: str) -> dict[str, Any]:
    empty: dict[str, Any] = {"seq": None, "exchange_ms": None, "received_ns": None, "bids": [], "asks": []}
    return {**key._asdict(), "state": BookState.DOWN, "reason": reason, **empty}


def _statuses() -> list[dict[str, Any]]:
    found = live.statuses()
    if found is None:
        raise Unavailable("redis does not answer")
    return found


def _books() -> list[dict[str, Any]]:
    return [one for _, one in sorted(live.books(_statuses()).items())]


def _complete(books: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**dict.fromkeys(BookStatusSerializer().fields), **one} for one in books]
