"""The kept history by REST: updates and trades of one pair, how complete it is, and the ledger of gaps."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError
from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.feeds import selectors as feeds
from apps.feeds.market import BookKey, MarketType
from apps.feeds.views.books import listed_key
from apps.monitoring import history
from apps.monitoring.clickhouse import AwayError, UnsafeTableError
from apps.monitoring.models import FeedGap
from apps.monitoring.serializers import DaysSerializer, GapSerializer, TradesSerializer, UpdatesSerializer
from apps.users.rest.exceptions import Unavailable
from apps.users.rest.parameters import EARLIEST, choice, moment, refuse_unknown, whole_number, word

MOST_ROWS = 100_000
TIMES = ("ts_recv", "ts_exchange", "first_at", "last_at")
MARKETS = [market.value for market in MarketType]
TIME = "ISO 8601, milliseconds since 1970, or a time ago such as -2h"
PAIR = [
    OpenApiParameter("exchange", str, required=True),
    OpenApiParameter("market_type", str, enum=MARKETS, description="spot unless it is said"),
    OpenApiParameter("pair", str, required=True, description="BTC-USDT or BTC/USDT"),
    OpenApiParameter("since", str, required=True, description=TIME),
    OpenApiParameter("until", str, description=f"{TIME}; now unless it is said"),
]
LIMIT = OpenApiParameter("limit", int, description=f"1 to {MOST_ROWS}, 1000 unless it is said")
logger = structlog.get_logger(__name__)


class UpdatesView(APIView):
    """Every book event that was received in `[since, until)`, oldest first; `more` tells that the limit cut it."""

    @extend_schema(parameters=[*PAIR, LIMIT], responses=UpdatesSerializer)
    def get(self, request: Request) -> HttpResponse:
        return _rows(request, history.updates)


class TradesView(APIView):
    """Every trade that was received in `[since, until)`, oldest first."""

    @extend_schema(parameters=[*PAIR, LIMIT], responses=TradesSerializer)
    def get(self, request: Request) -> HttpResponse:
        return _rows(request, history.trades)


class CompletenessView(APIView):
    """Per day: what was received, the gaps that we know of, and what is missing without a reason."""

    @extend_schema(parameters=PAIR, responses=DaysSerializer)
    def get(self, request: Request) -> HttpResponse:
        refuse_unknown(request, [one.name for one in PAIR])
        key, since, until = _asked(request)
        days = _ask(lambda: history.completeness(key, since, until))
        return _json({"results": days})


class GapsView(generics.ListAPIView):
    """The ledger of gaps, latest first; `since` and `until` find those that touch the interval."""

    serializer_class = GapSerializer
    queryset = FeedGap.objects.none()  # for the schema; `get_queryset` has the rows

    @extend_schema(parameters=[OpenApiParameter(one.name, str) for one in PAIR])
    def get(self, request: Request) -> Any:
        return self.list(request)

    def get_queryset(self) -> QuerySet[FeedGap]:
        request, now = self.request, timezone.now()
        refuse_unknown(request, [*(one.name for one in PAIR), "limit", "offset"])
        since, until = _interval(request, now, default=EARLIEST)
        asked = {
            "exchange": choice(request, "exchange", feeds.exchanges()) or "",
            "market_type": choice(request, "market_type", MARKETS) or "",
            "pair": word(request, "pair", default="").replace("-", "/", 1),
        }
        rows = FeedGap.objects.filter(**{name: value for name, value in asked.items() if value})
        return rows.filter(Q(to_ts__isnull=True) | Q(to_ts__gte=since), from_ts__lt=until)


def _rows(request: Request, ask: Callable[[BookKey, datetime, datetime, int], list[dict[str, Any]]]) -> HttpResponse:
    refuse_unknown(request, [*(one.name for one in PAIR), "limit"])
    limit = whole_number(request, "limit", default=1000, least=1, most=MOST_ROWS)
    key, since, until = _asked(request)
    found = _ask(lambda: ask(key, since, until, limit + 1))
    return _json({"count": min(len(found), limit), "more": len(found) > limit, "results": found[:limit]})


def _asked(request: Request) -> tuple[BookKey, datetime, datetime]:
    since, until = _interval(request, timezone.now())
    market_type = word(request, "market_type", default=MarketType.SPOT)
    return listed_key(word(request, "exchange"), market_type, word(request, "pair")), since, until


def _interval(request: Request, now: datetime, default: datetime | None = None) -> tuple[datetime, datetime]:
    since = moment(request, "since", now=now, default=default)
    until = moment(request, "until", now=now, default=now)
    if since > until:
        raise ValidationError({"since": ["Must not be later than until."]})
    return since, until


def _ask(question: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    try:
        return [_utc(row) for row in question()]
    except (AwayError, UnsafeTableError, ClickHouseError) as error:
        logger.warning("history not answered", error=str(error))
        raise Unavailable("The history store does not answer in time: narrow the range, or try later.") from error


def _utc(row: dict[str, Any]) -> dict[str, Any]:
    """The row with times that say that they are UTC, as ClickHouse's client leaves it unsaid."""
    times = {name: row[name] for name in TIMES if row.get(name) is not None}
    return row | {name: at.replace(tzinfo=UTC) for name, at in times.items()}


def _json(answer: dict[str, Any]) -> HttpResponse:
    """Encoded in one go: an answer may have a hundred thousand rows."""
    return HttpResponse(msgspec.json.encode(answer), content_type="application/json")
