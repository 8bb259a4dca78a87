"""Requests of accounts: sent once, their fate told exactly, the exchange's limits and closing times kept."""

import asyncio
import time
import traceback
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds.drivers.base import Rate, Request
from apps.feeds.drivers.trading import Answer, TradeLimits
from apps.feeds.errors import FeedError, MalformedFrame, OutcomeUnknown, RateLimited, Retryable, UnknownExchange
from apps.feeds.market import MarketType
from apps.feeds.tests.scripted import ScriptedServer, garbage, half_a_reply, hang_up, reply, scripted_server, silence
from apps.feeds.tests.standing_clock import StandingClock
from apps.feeds.tests.toy import ToyDriver
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.gate import RESERVE, Gates
from apps.feeds.transport.http import Http
from apps.feeds.transport.orders import OrderClient, Purpose

SECRET = "canary4f1d0e7a"
PLACE = Request(
    method="POST",
    url=f"https://rest.toy.test/order?pair=A%2FB&signature={SECRET}",
    headers={"X-Key": SECRET, "Content-Type": "application/json"},
    body='{"size":"1.50"}',
    budget="orders",
)
CANCEL = replace(PLACE, method="DELETE", body="")
LOOK = Request(method="GET", url=f"https://rest.toy.test/order?id=5&signature={SECRET}")
ORDER, READ = Purpose.ORDER, Purpose.READ
TIMEOUT_S = 60.0  # of a request


class TooLate(Exception):
    """Of whoever sends."""


@dataclass
class ToyTrader:
    exchange_id: str = "toy"
    budgets: Mapping[str, Rate] = field(default_factory=lambda: {"orders": Rate(1000, 1.0)})

    def trade_limits(self, market_type: MarketType) -> TradeLimits:
        return TradeLimits(budgets=self.budgets, private_sockets=5)


class LimitedDriver(ToyDriver):
    """Says 429 and 418, with a Retry-After in seconds."""

    def retry_after(self, status: int, headers: Mapping[str, str], content: bytes) -> float | None:
        return float(headers["retry-after"]) if status in (429, 418) else None


@asynccontextmanager
async def clients(server: ScriptedServer, number: int = 1, **options: object) -> AsyncIterator[list[OrderClient]]:
    drivers = {"toy": LimitedDriver(), "other": LimitedDriver(exchange_id="other", rest="https://rest.other.test")}
    traders = {"toy": options.pop("trader", ToyTrader()), "other": ToyTrader(exchange_id="other")}
    async with AsyncExitStack() as stack:
        made = [
            OrderClient(drivers=drivers, traders=traders, addresses=Addresses(server.url), **options)
            for _ in range(number)
        ]
        yield [await stack.enter_async_context(each) for each in made]


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with scripted_server() as scripted:
        yield scripted


@pytest.fixture
async def client(server: ScriptedServer) -> AsyncIterator[OrderClient]:
    async with clients(server, timeout_s=TIMEOUT_S) as made:
        yield made[0]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandingClock]:
    made = StandingClock()
    monkeypatch.setattr(time, "monotonic", made)
    yield made
    made.run()


async def answered(server: ScriptedServer, clock: StandingClock, sending: Coroutine[Any, Any, Answer]) -> Answer:
    """What comes of a request; when it has arrived, and is not answered, its time runs out."""
    task = asyncio.create_task(sending)
    await server.until(lambda: server.asked)
    if server.otherwise is silence:
        clock.skip(TIMEOUT_S + 1)
    return await task


async def test_a_request_goes_out_exactly_as_it_was_signed(server: ScriptedServer, client: OrderClient):
    await client.send("toy", "a", PLACE, ORDER)
    [asked] = server.asked
    assert asked.line == f"POST /rest.toy.test/order?pair=A%2FB&signature={SECRET} HTTP/1.1"
    assert f"X-Key: {SECRET}" in asked.head.split("\r\n")
    assert asked.body == '{"size":"1.50"}'


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "503 Service Unavailable"])
async def test_the_answer_is_told_whatever_its_status(server: ScriptedServer, client: OrderClient, status: str):
    server.acts = [reply('{"code":-1}', status, X_Used_Weight="7")]
    answer = await client.send("toy", "a", PLACE, ORDER)
    assert (answer.status, answer.body, answer.url) == (int(status[:3]), b'{"code":-1}', PLACE.url)
    assert answer.headers["x-used-weight"] == "7"


@pytest.mark.parametrize("act", [hang_up, half_a_reply, garbage, silence])
@pytest.mark.parametrize("request_", [PLACE, CANCEL], ids=["place", "cancel"])
async def test_an_order_without_a_whole_answer_has_an_unknown_outcome_and_is_not_sent_again(
    server: ScriptedServer, client: OrderClient, clock: StandingClock, request_: Request, act
):
    server.otherwise = act
    with pytest.raises(OutcomeUnknown, match="after it was sent"):
        await answered(server, clock, client.send("toy", "a", request_, ORDER))
    assert len(server.asked) == 1


async def test_what_is_too_late_once_there_is_a_connection_does_not_leave(server: ScriptedServer, client: OrderClient):
    looks: list[int] = []

    def check() -> None:
        looks.append(server.connections)
        if len(looks) > 1:  # to connect has taken so long
            raise TooLate

    with pytest.raises(TooLate):
        await client.send("toy", "a", PLACE, ORDER, check=check)
    await client.send("toy", "a", LOOK, READ)
    assert [asked.line.partition(" ")[0] for asked in server.asked] == ["GET"]
    assert len(looks) == 2


@pytest.mark.parametrize("act", [hang_up, half_a_reply, garbage, silence])
async def test_a_read_without_a_whole_answer_may_be_asked_again_by_the_caller_alone(
    server: ScriptedServer, client: OrderClient, clock: StandingClock, act
):
    server.otherwise = act
    with pytest.raises(Retryable):
        await answered(server, clock, client.send("toy", "a", LOOK, READ))
    assert len(server.asked) == 1


@pytest.mark.parametrize("request_", [PLACE, CANCEL, LOOK], ids=["place", "cancel", "read"])
async def test_a_request_on_a_kept_connection_that_is_reset_is_not_sent_again(
    server: ScriptedServer, client: OrderClient, request_: Request
):
    server.acts = [reply(), hang_up]
    await client.send("toy", "a", LOOK, READ)
    with pytest.raises(Retryable if request_ is LOOK else OutcomeUnknown):
        await client.send("toy", "a", request_, READ if request_ is LOOK else ORDER)
    assert (len(server.asked), server.connections) == (2, 1)


async def test_an_order_that_found_no_connection_was_not_sent():
    async with scripted_server() as server:
        gone = server
    async with clients(gone) as [client]:
        with pytest.raises(Retryable, match="ClientConnectorError: Connection refused"):
            await client.send("toy", "a", PLACE, ORDER)


async def test_redirects_are_not_followed(server: ScriptedServer, client: OrderClient):
    server.acts = [reply("", "307 Temporary Redirect", Location="/elsewhere")]
    assert (await client.send("toy", "a", PLACE, ORDER)).status == 307
    assert len(server.asked) == 1


async def test_cookies_of_one_account_do_not_go_along_with_another_s_requests(
    server: ScriptedServer, client: OrderClient
):
    server.acts = [reply(Set_Cookie="session=a")]
    await client.send("toy", "a", PLACE, ORDER)
    await client.send("toy", "b", PLACE, ORDER)
    assert "cookie" not in server.asked[1].head.lower()


async def test_an_exchange_that_is_not_traded_on_is_unknown(client: OrderClient):
    with pytest.raises(UnknownExchange):
        await client.send("nowhere", "a", PLACE, ORDER)


# what is read from answers


async def test_an_answer_is_read_by_the_trader_s_method(server: ScriptedServer, client: OrderClient):
    server.acts = [reply("4611")]
    assert await client.ask("toy", "a", PLACE, ORDER, lambda answer: int(answer.body)) == 4611


def unreadable(answer: Answer) -> None:
    raise MalformedFrame("not an answer")


async def test_an_answer_that_cannot_be_read_proves_nothing_of_an_order(client: OrderClient):
    with pytest.raises(OutcomeUnknown, match="cannot be read: not an answer"):
        await client.ask("toy", "a", PLACE, ORDER, unreadable)
    with pytest.raises(MalformedFrame):
        await client.ask("toy", "a", LOOK, READ, unreadable)


async def test_an_account_that_is_told_to_stay_away_does_and_others_go_on(server: ScriptedServer, client: OrderClient):
    def limited(answer: Answer) -> None:
        raise RateLimited("too many orders", after_s=60.0)

    with pytest.raises(RateLimited):
        await client.ask("toy", "a", PLACE, ORDER, limited)
    for request in (PLACE, CANCEL, LOOK):
        with pytest.raises(Retryable) as away:
            await client.send("toy", "a", request, READ)
        assert 50 < away.value.after_s <= 60
    await client.send("toy", "b", PLACE, ORDER)
    assert len(server.asked) == 2


# limits and closing times


@pytest.mark.parametrize("status", ["429 Too Many Requests", "418 I'm a teapot"])
async def test_while_the_exchange_keeps_us_away_no_account_sends_it_anything(
    server: ScriptedServer, client: OrderClient, status: str
):
    server.acts = [reply("", status, Retry_After="60")]
    assert (await client.send("toy", "a", PLACE, ORDER)).status == int(status[:3])
    for account in ("a", "b"):
        for request, purpose in ((PLACE, ORDER), (CANCEL, Purpose.CANCEL), (LOOK, READ)):
            with pytest.raises(Retryable) as away:
                await client.send("toy", account, request, purpose)
            assert 50 < away.value.after_s <= 60
    assert len(server.asked) == 1
    await client.send("other", "a", replace(PLACE, url="https://rest.other.test/order"), ORDER)


async def test_after_the_time_is_over_the_exchange_is_asked_again(
    server: ScriptedServer, client: OrderClient, clock: StandingClock
):
    server.acts = [reply("", "429 Too Many Requests", Retry_After="60")]
    await client.send("toy", "a", PLACE, ORDER)
    for seconds in (0.0, 59.9):
        clock.skip(seconds)
        with pytest.raises(Retryable):
            await client.send("toy", "a", PLACE, ORDER)
    clock.skip(0.2)
    assert (await client.send("toy", "a", PLACE, ORDER)).status == 200
    assert len(server.asked) == 2


async def test_a_ban_of_an_account_s_request_keeps_public_reads_away_too(server: ScriptedServer):
    gates = Gates(reserve=RESERVE)
    drivers = {"toy": LimitedDriver()}
    server.acts = [reply("", "418 I'm a teapot", Retry_After="60")]
    async with (
        clients(server, gates=gates) as [client],
        Http(drivers=drivers, addresses=Addresses(server.url), gates=gates) as http,
    ):
        await client.send("toy", "a", PLACE, ORDER)
        with pytest.raises(Retryable):
            await http.fetch("toy", Request(method="GET", url="https://rest.toy.test/book"))
    assert len(server.asked) == 1


async def test_a_ban_seen_on_another_loop_keeps_away_here_too_where_no_process_shares_limits(server: ScriptedServer):
    gates = Gates(reserve=RESERVE)
    server.acts = [reply("", "418 I'm a teapot", Retry_After="60")]
    async with clients(server, gates=gates.of_another_loop(None)) as [there], clients(server, gates=gates) as [here]:
        await there.send("toy", "a", PLACE, ORDER)
        with pytest.raises(Retryable):
            await here.send("toy", "a", CANCEL, Purpose.CANCEL)
    assert len(server.asked) == 1


TEN_A_MINUTE = ToyTrader(budgets={"orders": Rate(10, 60.0)})


async def test_a_fifth_of_each_budget_is_kept_for_cancels(server: ScriptedServer):
    async with clients(server, trader=TEN_A_MINUTE) as [client]:
        for _ in range(8):
            await client.send("toy", "a", PLACE, ORDER, turn_s=0.0)
        with pytest.raises(Retryable, match="no room") as full:
            await client.send("toy", "a", PLACE, ORDER, turn_s=0.05)
        assert 50 < full.value.after_s <= 66
        for _ in range(2):
            await client.send("toy", "a", CANCEL, Purpose.CANCEL, turn_s=0.0)
        with pytest.raises(Retryable, match="no room"):
            await client.send("toy", "a", CANCEL, Purpose.CANCEL, turn_s=0.05)
    assert len(server.asked) == 10


async def test_loops_of_one_process_have_their_limits_and_what_is_kept_for_cancels_in_common(server: ScriptedServer):
    gates = Gates(reserve=RESERVE)
    async with (
        clients(server, trader=TEN_A_MINUTE, gates=gates) as [here],
        clients(server, trader=TEN_A_MINUTE, gates=gates.of_another_loop(None)) as [there],
    ):
        for client in (here, there) * 4:
            await client.send("toy", "a", PLACE, ORDER, turn_s=0.0)
        with pytest.raises(Retryable, match="no room"):
            await there.send("toy", "a", PLACE, ORDER, turn_s=0.05)
        for client in (here, there):
            await client.send("toy", "a", CANCEL, Purpose.CANCEL, turn_s=0.0)
        with pytest.raises(Retryable, match="no room"):
            await there.send("toy", "a", CANCEL, Purpose.CANCEL, turn_s=0.05)
    assert len(server.asked) == 10


async def test_a_cancel_does_not_wait_behind_orders_that_wait(server: ScriptedServer):
    async with clients(server, trader=TEN_A_MINUTE) as [client]:
        for _ in range(8):
            await client.send("toy", "a", PLACE, ORDER)
        waiting = [asyncio.create_task(client.send("toy", "a", PLACE, ORDER, turn_s=120.0)) for _ in range(3)]
        await asyncio.sleep(0)
        async with asyncio.timeout(30):
            await client.send("toy", "a", CANCEL, Purpose.CANCEL, turn_s=0.0)
        assert server.asked[-1].line.startswith("DELETE")
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_each_account_has_budgets_of_its_own(server: ScriptedServer):
    async with clients(server, trader=TEN_A_MINUTE) as [client]:
        for account in ("a", "b"):
            for _ in range(8):
                await client.send("toy", account, PLACE, ORDER, turn_s=0.0)
    assert len(server.asked) == 16


async def test_an_order_that_waits_too_long_for_its_turn_is_not_sent(server: ScriptedServer):
    async with clients(server, trader=ToyTrader(budgets={"orders": Rate(1, 60.0)})) as [client]:
        await client.send("toy", "a", PLACE, ORDER)
        tries = [client.send("toy", "a", PLACE, ORDER, turn_s=0.05) for _ in range(3)]
        results = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(result) for result in results] == [Retryable] * 3
    assert len(server.asked) == 1


async def test_an_order_that_waits_behind_others_for_too_long_is_not_sent(server: ScriptedServer):
    async with clients(server, trader=ToyTrader(budgets={"orders": Rate(1, 60.0)})) as [client]:
        await client.send("toy", "a", PLACE, ORDER)
        patient = asyncio.create_task(client.send("toy", "a", PLACE, ORDER, turn_s=120.0))
        await asyncio.sleep(0)
        with pytest.raises(Retryable, match="others wait"):
            await client.send("toy", "a", PLACE, ORDER, turn_s=0.05)
        patient.cancel()
        await asyncio.gather(patient, return_exceptions=True)
    assert len(server.asked) == 1


async def test_what_is_named_in_both_markets_is_one_budget_at_the_stricter_rate(server: ScriptedServer):
    class TwoRates(ToyTrader):
        def trade_limits(self, market_type: MarketType) -> TradeLimits:
            rate = Rate(10, 60.0) if market_type is MarketType.SPOT else Rate(5, 60.0)
            return TradeLimits(budgets={"orders": rate}, private_sockets=5)

    async with clients(server, trader=TwoRates()) as [client]:
        for _ in range(4):
            await client.send("toy", "a", PLACE, ORDER, turn_s=0.0)
        with pytest.raises(Retryable):
            await client.send("toy", "a", PLACE, ORDER, turn_s=0.0)


# secrets


@pytest.mark.parametrize("act", [hang_up, half_a_reply, garbage, silence, reply("", "429 Slow", Retry_After="9")])
@pytest.mark.parametrize("purpose", [ORDER, READ])
async def test_no_error_tells_the_key_the_signature_or_the_query(server: ScriptedServer, act, purpose: Purpose):
    server.otherwise = act
    async with clients(server, timeout_s=0.4) as [client]:
        for _ in range(2):
            try:
                await client.ask("toy", "a", PLACE, purpose, unreadable)
            except FeedError as error:
                told = "".join(traceback.format_exception(error)) + repr(error)
                assert SECRET not in told
                assert "pair=" not in told
