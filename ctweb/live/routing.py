"""Sockets of the web process, by path; `ctweb.asgi` checks Origin and session before them."""

from django.conf import settings
from django.urls import path

from ctweb.build import build_id
from ctweb.live import sources
from ctweb.live.consumer import LiveConsumer
from ctweb.live.hub import Hub
from ctweb.live.watchman import Watchman

# No connection is opened here: the hub starts with the first socket and stops with the last.
_hub = Hub(
    redis_url=settings.REDIS_URL,
    catalogue=sources.catalogue,
    watchman=Watchman(enabled=sources.enabled, stores=sources.store_round_trips),
)

websocket_urlpatterns = [path("ws/live/", LiveConsumer.as_asgi(hub=_hub, build=build_id()))]
