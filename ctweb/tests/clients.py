"""Clients of the web process for tests of the API."""

from typing import Any

from django.core.cache import cache
from django.test import Client

from apps.users.roles import ROLES
from apps.users.tests.people import person

NOWHERE = {"REDIS_URL": "redis://127.0.0.1:1/0", "CLICKHOUSE_URL": "http://127.0.0.1:1/ct"}


def stores_away(settings: Any) -> None:
    """Redis and ClickHouse refuse connections, nothing is remembered, and no client looks for static files anew."""
    cache.clear()
    for name, url in NOWHERE.items():
        setattr(settings, name, url)
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "servestatic" not in name]


def client_of(role: str | None) -> Client:
    """Somebody signed in with `role`; None: nobody. A name that is no role is a user without one."""
    client = Client(raise_request_exception=True)
    if role is not None:
        client.force_login(person(role if role in ROLES else None))
    return client
