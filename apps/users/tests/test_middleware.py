"""The middleware of the ASGI server, where each request is a coroutine."""

import pytest
from django.http import JsonResponse
from django.test import AsyncClient
from django.urls import path

from apps.users.tests.people import person


async def answer(request):
    user = await request.auser()
    return JsonResponse({"name": user.get_username()})


urlpatterns = [path("", answer)]


@pytest.fixture
def ann(settings):
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "servestatic" not in name]
    return person("viewer", "ann")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
async def test_a_session_is_limited_and_json_is_private_under_asgi(ann):
    client = AsyncClient()
    await client.aforce_login(ann)
    found = await client.get("/")
    assert found.json() == {"name": "ann"}
    assert "no-store" in found.headers["Cache-Control"]
    session = await client.asession()
    assert await session.aget("began")


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
async def test_a_session_that_began_half_a_day_ago_is_over_under_asgi(ann):
    client = AsyncClient()
    await client.aforce_login(ann)
    session = await client.asession()
    await session.aset("began", 0)
    await session.asave()
    assert (await client.get("/")).json() == {"name": ""}
