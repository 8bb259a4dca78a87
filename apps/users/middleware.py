"""What holds for every request of somebody who signed in."""

from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, logout
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.decorators import sync_and_async_middleware

from apps.users.sessions import is_over, note_use

Answer = HttpResponse | Awaitable[HttpResponse]


@sync_and_async_middleware
def session_limits(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Answer]:
    """A session that is too old is over; any other is in use."""
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
    if SESSION_KEY not in request.session:
        return
    if is_over(request.session):
        logout(request)
    else:
        note_use(request.session)


def _private(response: HttpResponse) -> HttpResponse:
    if response.headers.get("Content-Type", "").startswith("application/json"):
        add_never_cache_headers(response)
    return response
