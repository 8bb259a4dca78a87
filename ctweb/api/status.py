"""How the system is, for machines and for whoever has no login: counts, no names of accounts or people."""

import time
from collections import Counter
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.feeds.market import BookState
from apps.feeds.serializers import DaemonSerializer, daemon_summary
from apps.feeds.views import live
from ctweb.api import stores
from ctweb.api.remembered import Remembered
from ctweb.build import build_id
from ctweb.loaded import loaded

_STORE = inline_serializer("Store", {"ok": serializers.BooleanField(), "ms": serializers.FloatField(allow_null=True)})


class StatusSerializer(serializers.Serializer):
    books = serializers.DictField(child=serializers.IntegerField(), help_text="live, syncing, stale, down")
    daemons = DaemonSerializer(many=True)
    stores = serializers.DictField(child=_STORE, help_text="database, redis, clickhouse")
    source = serializers.CharField()  # type: ignore[assignment]  # a name in JSON, not the field's attribute
    version = serializers.CharField()


class StatusView(APIView):
    """Books by state, daemons, stores. A watched book that no daemon holds is down."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses=StatusSerializer)
    def get(self, request: Request) -> Response:
        return Response({**_remembered(), "stores": stores.check()})


class LiveView(APIView):
    """This process serves."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses={200: None})
    def get(self, request: Request) -> Response:
        return Response({"ok": True})


class ReadyView(APIView):
    """This process can do its work: 503 while a store that it cannot do without is away."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(responses={200: None, 503: None})
    def get(self, request: Request) -> Response:
        found = stores.check()
        ready = found["database"]["ok"] and found["redis"]["ok"]
        code = status.HTTP_200_OK if ready else status.HTTP_503_SERVICE_UNAVAILABLE
        return Response({"ok": ready, "stores": found}, status=code)


def _status() -> dict[str, Any]:
    answers = stores.check()
    daemons = (live.statuses() if answers["redis"]["ok"] else None) or []
    now_ms = time.time_ns() // 1_000_000
    return {
        "books": _books(daemons, ask_database=answers["database"]["ok"]),
        "daemons": [daemon_summary(one, now_ms=now_ms, lost=live.is_lost(one, now_ms)) for one in daemons],
        "source": settings.SOURCE,
        "version": build_id(),
    }


_remembered = Remembered("status", _status)


def _books(daemons: list[dict[str, Any]], *, ask_database: bool) -> dict[str, int]:
    held = live.books(daemons)
    counts = Counter(str(one["state"]).lower() for one in held.values())
    if ask_database:
        with suppress(DatabaseError):  # it went away meanwhile: the stores say so with the next look
            counts["down"] += len({str(key) for key in loaded().subscriptions} - held.keys())
    return {state.lower(): counts[state.lower()] for state in BookState}
