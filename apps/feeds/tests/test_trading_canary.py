"""Nothing that is logged, shown or raised tells a key, its secret or its passphrase, whole or in part."""

import json
import logging
import traceback
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Frame, Request
from apps.feeds.drivers.trader import Trader
from apps.feeds.drivers.trading import Answer, LoginRefused, Subscribed, Token
from apps.feeds.errors import FeedError
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Credentials, MarginMode, NewOrder
from apps.feeds.tests import canaries
from apps.feeds.tests import good_account_frames as good
from apps.feeds.tests.scripted import garbage, half_a_reply, hang_up, reply, scripted_server, silence
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.orders import OrderClient, Purpose

NOW_MS = good.EXPIRES_MS - 2_000
EVERY = [(exchange, market) for exchange in registry.trader_ids() for market in MarketType]
TOKEN = Token(value="a-token", url="wss://private.toy.test/ws")


@pytest.fixture(params=registry.trader_ids())
def exchange(request: pytest.FixtureRequest) -> str:
    return request.param


def keys_of(exchange: str) -> Credentials:
    return canaries.credentials(exchange, good.owner(exchange).account)


def clean(keys: Credentials, *texts: str) -> None:
    for text in texts:
        assert canaries.found(text, keys) == []


def order(instrument: Instrument, trader: Trader) -> NewOrder:
    ids = {"text": good.CLIENT_ORDER_ID, "integer": "4611686018427", "hex": "0x" + "1" * 32}
    new = good.limit_order(instrument, client_order_id=ids[trader.id_form(instrument.market_type).value])
    return replace(new, price=Decimal(30_000))


def requests(exchange: str, keys: Credentials) -> Iterator[Request]:
    """Everything that can be asked, both markets."""
    trader = registry.trader(exchange)
    yield from trader.account_requests(keys, NOW_MS)
    yield trader.permissions(keys, NOW_MS)
    yield trader.positions(keys, NOW_MS)
    for market, instrument in good.instruments(exchange).items():
        new = order(instrument, trader)
        ref = good.ref(instrument, client_order_id=new.client_order_id)
        made: list[Request | None] = [
            trader.place(keys, new, NOW_MS),
            trader.cancel(keys, ref, NOW_MS),
            trader.cancel_all(keys, instrument, NOW_MS),
            trader.query(keys, ref, NOW_MS),
            trader.query_finished(keys, ref, NOW_MS),
            trader.open_orders(keys, market, instrument, NOW_MS),
            trader.own_trades(keys, instrument, NOW_MS - 60_000, NOW_MS),
            trader.order_trades(keys, ref, NOW_MS),
            trader.balances(keys, market, NOW_MS),
            trader.fees(keys, instrument, NOW_MS),
            trader.server_time(market),
            trader.token_request(keys, market, NOW_MS),
            trader.renew_request(keys, market, TOKEN, NOW_MS),
        ]
        if market is MarketType.FUTURES:
            made += trader.set_leverage(keys, instrument, 3, MarginMode.ISOLATED, NOW_MS)
            made.append(trader.funding(keys, instrument, NOW_MS - 60_000, NOW_MS))
        yield from (request for request in made if request is not None)


def test_the_scan_finds_what_it_looks_for(exchange: str):
    keys = keys_of(exchange)
    for secret in (keys.secret, keys.secret[4:13], keys.secret[::-1], keys.secret.encode().hex()):
        assert canaries.found(f"...{secret}...", keys)
    assert canaries.found(json.dumps([request.headers for request in requests(exchange, keys)]), keys) or any(
        canaries.found(request.url + request.body, keys) for request in requests(exchange, keys)
    ), "requests do carry the key"


def test_neither_keys_nor_requests_nor_answers_nor_tokens_show_them(exchange: str):
    keys = keys_of(exchange)
    for request in requests(exchange, keys):
        body = (request.url + request.body + json.dumps(request.headers)).encode()
        answer = Answer(status=400, body=body, headers=request.headers, url=request.url)
        clean(keys, repr(request), str(request), f"{request}", repr(answer), str([answer]))
    clean(keys, repr(keys), str(keys), f"{keys}", repr([keys]), repr(replace(TOKEN, value=keys.secret, url=keys.key)))


def test_what_cannot_be_asked_is_refused_without_them(exchange: str):
    trader, keys = registry.trader(exchange), keys_of(exchange)
    for instrument in good.instruments(exchange).values():
        good_one = order(instrument, trader)
        for bad in (
            replace(good_one, amount=good_one.amount / 7),
            replace(good_one, price=good_one.price / 7),
            replace(good_one, expires_ms=NOW_MS),
            replace(good_one, side=Side.UNKNOWN),
            replace(good_one, amount=-good_one.amount),
        ):
            with pytest.raises(FeedError) as refusal:
                trader.place(keys, bad, NOW_MS)
            clean(keys, *told(refusal.value))


def told(error: BaseException) -> list[str]:
    """Everything that a log could say of an error."""
    return [repr(error), str(error), "".join(traceback.format_exception(error))]


def with_words(node: Any, words: str) -> Any:
    """JSON whose texts of more than one word say this as well: exchanges repeat what they refuse."""
    if isinstance(node, dict):
        return {name: with_words(value, words) for name, value in node.items()}
    if isinstance(node, list):
        return [with_words(value, words) for value in node]
    return f"{node} {words}" if isinstance(node, str) and " " in node else node


def test_refusals_that_repeat_them_are_told_without_them(exchange: str):
    trader, keys = registry.trader(exchange), keys_of(exchange)
    words = f"for apiKey={keys.key}, origin string {keys.secret}"
    for each in good.answers(exchange):
        try:
            body = json.dumps(with_words(json.loads(each.body), words))
        except ValueError:
            continue
        answer = good.answer(each, body)
        try:
            getattr(trader, each.parse)(*each.args, [answer] if each.parse == "parse_account" else answer)
        except FeedError as refusal:
            clean(keys, *told(refusal))


@pytest.mark.parametrize(("exchange", "market"), EVERY)
def test_private_refusals_that_repeat_them_are_told_without_them(exchange: str, market: MarketType):
    trader, keys = registry.trader(exchange), keys_of(exchange)
    for frame in good.private_frames(exchange, market):
        for event in _events(trader, good.owner(exchange), market, frame, f"{keys.key} {keys.secret}"):
            clean(keys, repr(event))


def _events(trader: Trader, keys: Credentials, market: MarketType, frame: Frame, words: str) -> list[Any]:
    """Refusals alone: what an exchange tells of orders and balances names no key."""
    try:
        said = json.dumps(with_words(json.loads(frame), words))
        events = trader.parse_private(keys, market, said, 1)
    except (ValueError, FeedError):
        return []
    return [event for event in events if isinstance(event, LoginRefused | Subscribed)]


@pytest.mark.parametrize(
    "act", [hang_up, half_a_reply, garbage, silence, reply("", "429 Slow", Retry_After="9"), reply("<html>", "502 Bad")]
)
async def test_no_failure_of_the_network_logs_or_tells_them(exchange: str, act, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    trader, keys = registry.trader(exchange), keys_of(exchange)
    places = [
        (order(instrument, trader), trader.place(keys, order(instrument, trader), NOW_MS))
        for instrument in good.instruments(exchange).values()
    ]
    async with scripted_server() as server:
        server.otherwise = act
        client = OrderClient(
            drivers={exchange: registry.driver(exchange)},
            traders={exchange: trader},
            addresses=Addresses(server.url),
            timeout_s=0.2,
        )
        async with client:
            for new, request in places:
                with pytest.raises(FeedError) as failure:
                    await client.ask(
                        exchange, "a", request, Purpose.ORDER, lambda answer, new=new: trader.parse_placed(new, answer)
                    )
                clean(keys, *told(failure.value))
        assert server.asked
    clean(keys, caplog.text, *(repr(vars(record)) for record in caplog.records))
