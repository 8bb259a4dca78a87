"""What we send to Hyperliquid, beside what ccxt would send.

ccxt also signs `approveBuilderFee` and `setReferrer` before its first action, and names a builder in every order from
then on. We never do: here its approval fails, as it does with an agent's key.
"""

import asyncio
import json
from decimal import Decimal
from typing import Any

import pytest
from coincurve import PublicKey

from apps.feeds.drivers import registry
from apps.feeds.drivers.hyperliquid import signing
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Credentials, MarginMode, NewOrder, OrderRef, OrderType, TimeInForce
from apps.feeds.tests.test_trading_hyperliquid import BTC, CLOID, HYPE, SECRET, USER
from tests.foreign.running import NEEDS_CLIENTS
from tests.foreign.sends import Pair, Sent, differences, sent, theirs

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]

SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
DEX = registry.trader("hyperliquid")
KEYS = Credentials(key=USER, secret=SECRET)
NOW = 1767323045678
D = Decimal
PERPETUAL, PAIR = "BTC/USDC:USDC", "HYPE/USDC"
MARKETS = [
    {"id": "0", "symbol": PERPETUAL, "baseId": "0", "precision": {"amount": 0.00001, "price": 0.1}},
    {"id": "10107", "symbol": PAIR, "baseId": "10107", "precision": {"amount": 0.01, "price": 0.000001}},
]
ID = {"clientOrderId": CLOID}
SIGNED = {
    "nonce": "ours is the time, ccxt's counts on from it with each action",
    "signature": "of the nonce",
    "vaultAddress": "no vault: we say so, ccxt leaves it out",
    "expiresAfter": "of an order ours; ccxt's actions live as long as their nonces, and it leaves out what is null",
}
DEX_ONLY = {"aggregateByTime": "we say what the default is"}


def place(instrument: Instrument, **changes: Any) -> Any:
    whole: dict[str, Any] = {
        "instrument": instrument,
        "client_order_id": CLOID,
        "side": Side.BUY,
        "type": OrderType.LIMIT,
        "expires_ms": NOW + 2000,
        "amount": D("0.00037") if instrument is BTC else D("1.5"),
        "price": D(31795) if instrument is BTC else D("34.895"),
    }
    return DEX.place(KEYS, NewOrder(**(whole | changes)), NOW)


def limit(symbol: str, side: str = "buy", kind: str = "limit") -> tuple[Any, ...]:
    return (symbol, kind, side, *((0.00037, 31795) if symbol == PERPETUAL else (1.5, 34.895)))


OURS, THEIRS = (
    OrderRef(instrument=BTC, client_order_id=CLOID),
    OrderRef(instrument=BTC, exchange_order_id="57118842019"),
)
SPOT_OURS = OrderRef(instrument=HYPE, client_order_id=CLOID)
ACTIONS = [
    Pair("limit", place(BTC), "create_order", limit(PERPETUAL), ID, SIGNED),
    Pair("sell", place(BTC, side=Side.SELL), "create_order", limit(PERPETUAL, "sell"), ID, SIGNED),
    Pair("IOC", place(BTC, tif=TimeInForce.IOC), "create_order", limit(PERPETUAL), ID | {"timeInForce": "IOC"}, SIGNED),
    Pair("post-only", place(BTC, tif=TimeInForce.POST_ONLY), "create_order", limit(PERPETUAL), ID | {"postOnly": True},
         SIGNED),
    Pair("reduce-only", place(BTC, side=Side.SELL, reduce_only=True), "create_order", limit(PERPETUAL, "sell"),
         ID | {"reduceOnly": True}, SIGNED),
    Pair("market", place(BTC, type=OrderType.MARKET), "create_order", limit(PERPETUAL, kind="market"),
         ID | {"slippage": "0"}, SIGNED),
    Pair("spot limit", place(HYPE), "create_order", limit(PAIR), ID, SIGNED),
    Pair("spot market", place(HYPE, side=Side.SELL, type=OrderType.MARKET), "create_order",
         limit(PAIR, "sell", "market"), ID | {"slippage": "0"}, SIGNED),
    Pair("cancel", DEX.cancel(KEYS, OURS, NOW), "cancel_order", ("", PERPETUAL), ID, SIGNED),
    Pair("cancel by their id", DEX.cancel(KEYS, THEIRS, NOW), "cancel_order", ("57118842019", PERPETUAL), {}, SIGNED),
    Pair("cancel on spot", DEX.cancel(KEYS, SPOT_OURS, NOW), "cancel_order", ("", PAIR), ID, SIGNED),
    Pair("leverage", DEX.set_leverage(KEYS, BTC, 3, MarginMode.ISOLATED, NOW)[0], "set_leverage", (3, PERPETUAL),
         {"marginMode": "isolated"}, SIGNED),
]  # fmt: skip
READS = [
    Pair("query", DEX.query(KEYS, OURS, NOW), "fetch_order", ("", PERPETUAL), ID),
    Pair("query by their id", DEX.query(KEYS, THEIRS, NOW), "fetch_order", ("57118842019", PERPETUAL)),
    Pair("open orders", DEX.open_orders(KEYS, FUTURES, BTC, NOW), "fetch_open_orders", (PERPETUAL,)),
    Pair("open orders of spot", DEX.open_orders(KEYS, SPOT, HYPE, NOW), "fetch_open_orders", (PAIR,)),
    Pair("executions", DEX.own_trades(KEYS, BTC, NOW - 5000, NOW), "fetch_my_trades", (PERPETUAL, NOW - 5000), {},
         DEX_ONLY),
    Pair("balances of spot", DEX.balances(KEYS, SPOT, NOW), "fetch_balance", (),
         {"type": "spot", "enableUnifiedMargin": False}),
    Pair("balances", DEX.balances(KEYS, FUTURES, NOW), "fetch_balance", (),
         {"type": "swap", "enableUnifiedMargin": False}),
    Pair("positions", DEX.positions(KEYS, NOW), "fetch_positions"),
    Pair("fees", DEX.fees(KEYS, BTC, NOW), "fetch_trading_fee", (PERPETUAL,)),
    Pair("funding", DEX.funding(KEYS, BTC, NOW - 5000, NOW), "fetch_funding_history", (PERPETUAL, NOW - 5000)),
]  # fmt: skip
PAIRS = ACTIONS + READS


@pytest.fixture(scope="module")
def others() -> list[Sent]:
    keys = {"walletAddress": USER, "privateKey": SECRET}
    return asyncio.run(theirs("hyperliquid", KEYS, NOW, MARKETS, PAIRS, keys=keys))


@pytest.mark.parametrize("number", range(len(PAIRS)), ids=[pair.name for pair in PAIRS])
def test_we_ask_for_what_ccxt_asks_for(others: list[Sent], number: int) -> None:
    pair, other = PAIRS[number], others[number]
    assert differences(pair, other) == set(pair.differs)
    assert sent(pair.ours).headers["content-type"] == other.headers["content-type"]


@pytest.mark.parametrize("number", range(len(ACTIONS)), ids=[pair.name for pair in ACTIONS])
def test_both_actions_are_signed_alike_and_by_the_same_wallet(others: list[Sent], number: int) -> None:
    ours, other = sent(ACTIONS[number].ours).params, others[number].params
    assert json.dumps(ours["action"]) == json.dumps(other["action"]), "what is signed depends on the order of keys"
    for request in (ours, other):
        assert signer(request) == signing.address(SECRET)


def signer(request: dict[str, Any]) -> str:
    """Who signed a request: recovered from the signature as the exchange recovers it."""
    hashed = signing.hash_input(request["action"], request["nonce"], request.get("expiresAfter"))
    digest = signing.digest(signing.keccak256(hashed), "a")
    told = request["signature"]
    r, s = (int(told[part], 16).to_bytes(32, "big") for part in ("r", "s"))
    public = PublicKey.from_signature_and_message(r + s + bytes([told["v"] - 27]), digest, hasher=None)
    return "0x" + signing.keccak256(public.format(compressed=False)[1:])[-20:].hex()
