"""Private sockets against a small exchange on loopback: login, subscriptions, tokens, losses."""

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds.drivers.base import Closing, Frame, Heartbeat, Ping, Pong, Rate, Request, Welcome
from apps.feeds.drivers.trading import Answer, LoggedIn, LoginRefused, Subscribed, Token, TokenExpired, TradeLimits
from apps.feeds.errors import BadCredentials, MalformedFrame, RateLimited, Refused
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import AccountEvent, Credentials, OrderStatus, OrderUpdate
from apps.feeds.tests.scripted import ScriptedServer, hang_up, reply, scripted_server
from apps.feeds.tests.toy import FAST, PATIENCE_S, Peer, ToyDriver, ToyServer, Watched, toy_server
from apps.feeds.tests.waiting import end
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.gate import Gate
from apps.feeds.transport.link import Link, LinkState
from apps.feeds.transport.orders import OrderClient
from apps.feeds.transport.private import PrivateSocket

KEYS = Credentials(key="canary-key-1f9a", secret="canary-secret-77c2")
CHANNELS = ("orders", "fills")


def order(exchange_order_id: str) -> OrderUpdate:
    return OrderUpdate(
        symbol="A",
        exchange_order_id=exchange_order_id,
        client_order_id=None,
        status=OrderStatus.OPEN,
        side=Side.BUY,
        filled=Decimal(0),
    )


@dataclass
class ToyTrader:
    """Frames are JSON objects with one of the keys that `parse_private` knows."""

    exchange_id: str = "toy"
    greeted: bool = False
    logs_in: bool = True
    channels: tuple[str, ...] = CHANNELS
    renew_every_s: float | None = None
    tokens: bool = False
    beat: Heartbeat = field(
        default_factory=lambda: Heartbeat(send='{"op":"ping"}', every_s=PATIENCE_S, answer_s=PATIENCE_S)
    )

    def trade_limits(self, market_type: MarketType) -> TradeLimits:
        return TradeLimits(budgets={"tokens": Rate(100, 1.0)}, private_sockets=5, greeted=self.greeted)

    def token_request(self, keys: Credentials, market_type: MarketType, now_ms: int) -> Request | None:
        return self._token("POST") if self.tokens else None

    def renew_request(self, keys: Credentials, market_type: MarketType, token: Token, now_ms: int) -> Request | None:
        return self._token("PUT")

    @staticmethod
    def _token(method: str) -> Request:
        return Request(method=method, url="https://rest.toy.test/token", budget="tokens")

    def parse_token(self, market_type: MarketType, answer: Answer) -> Token:
        if answer.status == 401:
            raise BadCredentials("no such key", code="401")
        if answer.status == 429:
            raise RateLimited("too many", after_s=float(answer.headers["retry-after"]))
        if answer.status == 404:
            raise Refused("no such token", code="404")
        return Token(value=answer.body.decode(), renew_every_s=self.renew_every_s)

    def private_endpoint(self, keys: Credentials, market_type: MarketType, token: Token | None) -> str:
        return f"wss://private.toy.test/ws?token={token.value if token else 'none'}"

    def private_heartbeat(self, market_type: MarketType) -> Heartbeat:
        return self.beat

    def login(self, keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
        return [json.dumps({"op": "login", "key": keys.key, "signature": keys.secret, "at": now_ms})] * self.logs_in

    def private_channels(self, market_type: MarketType) -> tuple[str, ...]:
        return self.channels

    def subscribe_private(self, keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
        return [json.dumps({"op": "subscribe", "channel": channel}) for channel in self.channels]

    def parse_private(self, keys: Credentials, market_type: MarketType, frame: Frame, received_ns: int) -> list[Any]:
        [[kind, value]] = json.loads(frame).items()
        if kind == "orders":
            return [order(each) for each in value]
        if kind not in EVENTS:
            raise MalformedFrame(f"unknown: {kind}")
        return [EVENTS[kind](value)]


EVENTS = {
    "welcome": lambda value: Welcome(),
    "login": lambda value: LoggedIn() if value == "ok" else LoginRefused(code=value, text="bad signature"),
    "subscribed": lambda value: Subscribed(channel=value),
    "not_subscribed": lambda value: Subscribed(channel=value, ok=False, code="60018", text="no such channel"),
    "expired": lambda value: TokenExpired(),
    "ping": lambda value: Ping(json.dumps({"op": "pong"})),
    "pong": lambda value: Pong(),
    "closing": lambda value: Closing(value),
}


async def obey(peer: Peer, command: dict[str, Any]) -> None:
    if command["op"] == "login":
        await peer.send(login="ok")
    elif command["op"] == "subscribe":
        await peer.send(subscribed=command["channel"])
    elif command["op"] == "ping":
        await peer.send(pong=1)


@dataclass
class Notes(Watched):
    """A sink that remembers everything; `story` has the names of all calls in order."""

    told: list[AccountEvent] = field(default_factory=list)
    losses: list[tuple[str, float]] = field(default_factory=list)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def ready(self, link: Link) -> None:
        self._tell("ready")

    def lost(self, link: Link, reason: str, retry_in_s: float) -> None:
        self.losses.append((reason, retry_in_s))
        self._tell("lost")

    def refused(self, link: Link, code: str, text: str) -> None:
        self.refusals.append((code, text))
        self._tell("refused")

    def events(self, link: Link, events: list[AccountEvent], received_ns: int) -> None:
        self.told += events
        self._tell(*(event.exchange_order_id for event in events))

    def malformed(self, link: Link, frame: Frame, error: MalformedFrame, received_ns: int) -> None:
        self._tell("malformed")

    def _tell(self, *names: str) -> None:
        self.story += names
        self.note()


@dataclass
class Stage:
    """A private socket at work between its exchange and its sink."""

    server: ToyServer
    rest: ScriptedServer
    notes: Notes
    trader: ToyTrader
    socket: PrivateSocket
    task: asyncio.Task[None]

    @property
    def peer(self) -> Peer:
        return self.server.peers[-1]

    async def ready(self, times: int = 1) -> None:
        await self.notes.until(lambda: self.notes.story.count("ready") >= times)

    async def lost(self, times: int = 1) -> str:
        await self.notes.until(lambda: len(self.notes.losses) >= times)
        return self.notes.losses[times - 1][0]


def _told(headers: Mapping[str, str]) -> float:
    """`Retry-After`, whatever its spelling."""
    return next(float(value) for name, value in headers.items() if name.lower() == "retry-after")


@contextlib.asynccontextmanager
async def stage(trader: ToyTrader | None = None, **options: Any) -> AsyncIterator[Stage]:
    trader, notes = trader or ToyTrader(), Notes()
    async with toy_server() as server, scripted_server() as rest:
        server.answer = options.pop("answer", obey)
        server.full = options.pop("full", None)
        rest.otherwise = reply("canary-token-9d31")
        rest.acts = options.pop("acts", [])
        driver = ToyDriver()
        driver.retry_after = lambda status, headers, content: _told(headers) if status == 429 else None
        drivers, traders = {"toy": driver}, {"toy": trader}
        async with OrderClient(
            drivers=drivers, traders=traders, addresses=Addresses(rest.url), timeout_s=PATIENCE_S
        ) as client:
            socket = PrivateSocket(
                account="1", keys=KEYS, market_type=MarketType.SPOT, driver=driver, trader=trader, client=client,
                sink=notes, addresses=Addresses(server.url), gate=Gate(Rate(1000, 1.0)), clock=lambda: 7,
                exchange_ms=lambda: 1_790_000_000_000, rng=random.Random(1), timing=options.pop("timing", FAST),
            )  # fmt: skip
            task = asyncio.create_task(socket.run())
            try:
                yield Stage(server, rest, notes, trader, socket, task)
            finally:
                await end(task)


async def test_it_logs_in_subscribes_and_is_ready_when_all_channels_run():
    async with stage() as on:
        await on.ready()
        login, *subscriptions = on.peer.commands
        assert login == {"op": "login", "key": KEYS.key, "signature": KEYS.secret, "at": 1_790_000_000_000}
        assert [each["channel"] for each in subscriptions] == list(CHANNELS)
        assert on.socket.link.state is LinkState.OPEN
        await on.peer.send(orders=["1", "2"])
        await on.peer.send(orders=["3"])
        await on.notes.until(lambda: len(on.notes.told) == 3)
        assert on.notes.story == ["ready", "1", "2", "3"]


async def test_events_that_come_before_all_channels_run_are_told():
    async def one_channel(peer: Peer, command: dict[str, Any]) -> None:
        if command.get("channel") != "fills":
            await obey(peer, command)

    async with stage(answer=one_channel) as on:
        await on.server.until(lambda: on.server.peers and len(on.peer.commands) == 3)
        await on.peer.send(orders=["1"])
        await on.peer.send(subscribed="fills")
        await on.ready()
        assert on.notes.story == ["1", "ready"]


async def test_where_the_exchange_greets_nothing_is_sent_before():
    async with stage(ToyTrader(greeted=True)) as on:
        await on.server.until(lambda: on.server.peers)
        await on.peer.send(orders=["1"])
        await on.notes.until(lambda: on.notes.told)
        assert on.peer.commands == []
        await on.peer.send(welcome=1)
        await on.ready()


async def test_where_the_address_is_the_login_and_there_are_no_channels_it_is_ready_at_once():
    async with stage(ToyTrader(logs_in=False, channels=(), tokens=True)) as on:
        await on.ready()
        assert on.peer.socket.request.path == "/private.toy.test/ws?token=canary-token-9d31"
        assert on.peer.commands == []


async def test_a_refused_login_ends_it_for_good():
    async def refuse(peer: Peer, command: dict[str, Any]) -> None:
        await peer.send(login="60009")

    async with stage(answer=refuse) as on:
        await asyncio.wait_for(on.task, PATIENCE_S)
        assert on.notes.refusals == [("60009", "login: 60009: bad signature")]
        assert on.notes.story == ["refused"]
        assert len(on.server.peers) == 1
        assert on.socket.link.state is LinkState.CLOSED


async def test_a_key_that_gets_no_token_ends_it_for_good():
    async with stage(ToyTrader(tokens=True), acts=[reply("", "401 Unauthorized")]) as on:
        await asyncio.wait_for(on.task, PATIENCE_S)
        assert on.notes.refusals == [("401", "no such key")]
        assert on.server.peers == []


@pytest.mark.parametrize("way", ["reset", "close"])
async def test_a_lost_socket_is_told_and_then_opened_logged_in_and_subscribed_again(way: str):
    async with stage() as on:
        for time in (1, 2):
            await on.ready(time)
            await (on.peer.hang_up() if way == "reset" else on.peer.socket.close(1012))
            reason = await on.lost(time)
            assert reason.startswith("closed by the network" if way == "reset" else "closed by the exchange: 1012")
        await on.ready(3)
        assert on.notes.story == ["ready", "lost", "ready", "lost", "ready"]
        assert [len(peer.commands) for peer in on.server.peers] == [3, 3, 3]
        assert on.socket.link.reconnects == 2


async def test_who_is_told_to_stop_in_the_moment_of_a_loss_stops():
    class Stopped(ToyTrader):
        def parse_private(self, keys: Credentials, market_type: MarketType, *rest: Any) -> list[Any]:
            events = super().parse_private(keys, market_type, *rest)
            if any(isinstance(event, Closing) for event in events):
                on.task.cancel()
            return events

    async with stage(Stopped()) as on:
        await on.ready()
        await on.peer.send(closing="maintenance")
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(on.task, PATIENCE_S)
        assert on.notes.story == ["ready"]
        assert on.socket.link.state is LinkState.CLOSED


async def nothing(peer: Peer, command: dict[str, Any]) -> None:
    """No answer."""


@pytest.mark.parametrize(
    ("trader", "answer", "reason"),
    [
        (ToyTrader(greeted=True), obey, "no greeting within 0.3 s"),
        (ToyTrader(), nothing, "no answer to the login within 0.3 s"),
        (ToyTrader(logs_in=False), nothing, "no answer to a subscription within 0.3 s"),
    ],
)
async def test_a_socket_that_does_not_get_on_is_given_up(trader: ToyTrader, answer, reason: str):
    async with stage(trader, answer=answer, timing=replace(FAST, open_s=0.3, ack_s=0.3)) as on:
        await on.notes.until(lambda: reason in [told for told, _ in on.notes.losses])
        await on.server.until(lambda: len(on.server.peers) >= 2)
        assert "ready" not in on.notes.story


async def test_a_refused_channel_is_told_with_the_exchange_s_words():
    async def refuse(peer: Peer, command: dict[str, Any]) -> None:
        await (peer.send(not_subscribed="fills") if command.get("channel") == "fills" else obey(peer, command))

    async with stage(answer=refuse) as on:
        assert await on.lost() == "fills refused: 60018: no such channel"


async def test_the_server_s_pings_are_answered():
    async with stage() as on:
        await on.ready()
        await on.peer.send(ping=1)
        await on.server.until(lambda: {"op": "pong"} in on.peer.commands)


async def test_a_socket_that_answers_no_heartbeat_is_lost():
    async def deaf(peer: Peer, command: dict[str, Any]) -> None:
        if command["op"] != "ping":
            await obey(peer, command)

    beat = Heartbeat(send='{"op":"ping"}', every_s=0.05, answer_s=0.1)
    async with stage(ToyTrader(beat=beat), answer=deaf) as on:
        assert await on.lost() == "no frame within 0.1 s of a ping"


async def test_heartbeats_that_are_answered_keep_it():
    beat = Heartbeat(send='{"op":"ping"}', every_s=0.02, answer_s=5.0)
    async with stage(ToyTrader(beat=beat), timing=replace(FAST, quiet_s=0.02)) as on:
        await on.ready()
        beat_once = {"op": "ping"}
        await on.server.until(lambda: on.peer.commands.count(beat_once) >= 1)
        assert on.notes.story == ["ready"]


async def test_where_the_exchange_wants_protocol_pings_those_keep_it():
    beat = Heartbeat(send=None, every_s=0.02, answer_s=5.0)
    async with stage(ToyTrader(beat=beat), timing=replace(FAST, quiet_s=0.02)) as on:
        await on.ready()
        async with asyncio.timeout(20):
            while not on.peer.pings:  # noqa: ASYNC110 (nobody tells of a ping)
                await asyncio.sleep(0.005)
        assert on.notes.story == ["ready"]


# tokens


async def test_a_token_is_renewed_as_often_as_the_exchange_wants():
    async with stage(ToyTrader(tokens=True, renew_every_s=0.05)) as on:
        await on.ready()
        await on.rest.until(lambda: len(on.rest.asked) >= 4)
        assert [asked.line.split(" ")[0] for asked in on.rest.asked][:4] == ["POST", "PUT", "PUT", "PUT"]
        assert on.notes.story == ["ready"]


async def test_a_renewal_that_fails_is_tried_again_while_the_socket_goes_on():
    acts = [reply("first"), hang_up, hang_up]
    async with stage(ToyTrader(tokens=True, renew_every_s=0.05), acts=acts) as on:
        await on.rest.until(lambda: len(on.rest.asked) >= 4)
        await on.ready()
        assert on.notes.story == ["ready"]


@pytest.mark.parametrize("way", ["renewal refused", "told on the socket"])
async def test_a_token_that_is_no_longer_valid_means_another_socket_with_a_new_one(way: str):
    refused = way == "renewal refused"
    acts = [reply("first"), *([reply("", "404 Not Found")] if refused else []), reply("second")]
    async with stage(ToyTrader(tokens=True, renew_every_s=0.1 if refused else None), acts=acts) as on:
        if not refused:
            await on.ready()
            await on.peer.send(expired=1)
        assert await on.lost() == ("the token was not renewed: no such token" if refused else "the token has expired")
        await on.ready(2)
        paths = [peer.socket.request.path.partition("=")[2] for peer in on.server.peers]
        assert paths[:2] == ["first", "second"]


async def test_no_token_to_be_had_is_a_lost_socket():
    acts = [reply("", "404 Not Found")]
    async with stage(ToyTrader(tokens=True), acts=acts) as on:
        assert await on.lost() == "no token for a socket: no such token"
        await on.ready()


async def test_while_the_exchange_keeps_us_away_no_token_is_asked_for():
    acts = [reply("", "429 Too Many Requests", Retry_After="0.4")]
    async with stage(ToyTrader(tokens=True), acts=acts) as on:
        assert await on.lost() == "too many"
        await on.ready()
        assert on.rest.asked[1].at - on.rest.asked[0].at >= 0.4


# delays


async def test_an_exchange_that_turns_sockets_away_is_left_alone_for_as_long_as_it_says():
    async with stage(full=HTTPStatus.TOO_MANY_REQUESTS) as on:
        assert await on.lost() == "cannot connect: HTTP 429"
        on.server.full = None
        await on.ready()
        assert on.peer.opened - on.server.turned_away[-1] >= 0.4


async def test_each_failed_attempt_is_told_and_the_delays_grow_to_their_ceiling():
    async with stage(full=HTTPStatus.SERVICE_UNAVAILABLE) as on:
        await on.lost(6)
        assert all(delay <= FAST.backoff_most_s for _, delay in on.notes.losses)
        assert {reason for reason, _ in on.notes.losses} == {"cannot connect: HTTP 503"}


async def test_an_exchange_that_will_close_the_socket_gets_another_one():
    async with stage() as on:
        await on.ready()
        await on.peer.send(closing="upgrade")
        assert await on.lost() == "the exchange will close it: upgrade"
        await on.ready(2)


# bad frames, our own faults, the end


async def test_a_malformed_frame_is_told_and_the_socket_goes_on():
    async with stage() as on:
        await on.ready()
        await on.peer.send(nonsense=1)
        await on.peer.send(orders=["1"])
        await on.notes.until(lambda: on.notes.told)
        assert on.notes.story == ["ready", "malformed", "1"]


async def test_too_many_malformed_frames_end_the_socket():
    async with stage(timing=replace(FAST, malformed_frames=3)) as on:
        await on.ready()
        for _ in range(3):
            await on.peer.send(nonsense=1)
        assert await on.lost() == "3 malformed frames within 10 s"
        await on.ready(2)


async def test_a_fault_of_ours_is_logged_and_the_socket_opened_again(caplog: pytest.LogCaptureFixture):
    async with stage() as on:
        await on.ready()
        await on.peer.raw("not JSON")
        assert await on.lost() == "internal error: JSONDecodeError"
        await on.ready(2)
    assert "private session of toy:spot:private 1:1 failed" in caplog.text


async def test_when_it_is_stopped_its_socket_is_closed():
    async with stage() as on:
        await on.ready()
        on.task.cancel()
        await on.server.until(lambda: not on.peer.open)
        assert on.notes.story == ["ready"]


async def test_neither_key_nor_signature_nor_token_is_ever_logged(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    async with stage(ToyTrader(tokens=True)) as on:
        await on.ready()
        await on.peer.hang_up()
        await on.ready(2)
        told = [record for record in caplog.records if record.name.startswith(("apps", "websockets.client", "aiohttp"))]
        texts = [record.getMessage() + str(record.exc_text) for record in told] + [repr(on.notes.losses)]
        assert not [text for text in texts if "canary" in text]
