"""What holds for every request of somebody who signed in."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import sync_and_async_middleware

WHOLE_S = 12 * 3600
NOTED_EVERY_S = 5 * 60  # an active session is written this often, not with every request

Answer = HttpResponse | Awaitable[HttpResponse]


@sync_and_async_middleware
def session_limits(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Answer]:
    """A session ends after SESSION_COOKIE_AGE without a request, and after half a day whatever happens."""
    if iscoroutinefunction(get_response):

        async def limited_async(request: HttpRequest) -> HttpResponse:
            if settings.SESSION_COOKIE_NAME in request.COOKIES:
                await sync_to_async(_limit)(request)
            return await get_response(request)

        return limited_async

    def limited(request: HttpRequest) -> HttpResponse:
        if settings.SESSION_COOKIE_NAME in request.COOKIES:
            _limit(request)
        return get_response(request)

    return limited


@sync_and_async_middleware
def private_json(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Answer]:
    """Answers of the API are kept by nobody on the way."""
    if iscoroutinefunction(get_response):

        async def private_async(request: HttpRequest) -> HttpResponse:
            return _private(await get_response(request))

        return private_async

    def private(request: HttpRequest) -> HttpResponse:
        return _private(get_response(request))

    return private


def _limit(request: HttpRequest) -> None:
    session = request.session
    if SESSION_KEY not in session:
        return
    now = int(time.time())
    if now - session.get("began", now) > WHOLE_S:
        logout(request)
    elif now - session.get("noted", 0) > NOTED_EVERY_S:
        session["began"], session["noted"] = session.get("began", now), now  # saved, and the cookie lives on


def _private(response: HttpResponse) -> HttpResponse:
    if response.headers.get("Content-Type", "").startswith("application/json"):
        add_never_cache_headers(response)
    return response
