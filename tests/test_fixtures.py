"""The servers that tests ask for by name."""

from urllib.request import urlopen

import pytest
import redis
from aiohttp import ClientSession

from apps.feeds.simulator.server import Simulator


@pytest.mark.parametrize("turn", [1, 2])
def test_redis_is_empty_for_each_test(redis_url: str, turn: int):
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("left", turn)


def test_clickhouse_answers(clickhouse_server: str):
    with urlopen(f"{clickhouse_server}/?query=SELECT%201") as answer:
        assert answer.read() == b"1\n"


async def test_the_simulator_answers(simulator: Simulator):
    async with ClientSession() as http, http.get(f"{simulator.url}/_sim/health") as answer:
        assert answer.status == 200
