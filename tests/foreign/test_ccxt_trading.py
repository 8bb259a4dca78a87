"""ccxt, unchanged but for its addresses, trades on the simulator: it places, is filled, cancels and reads back.

Where it says less or otherwise than the exchange does, that is noted here and not bent in the simulator.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from apps.feeds.simulator.bybit.streams import trade_id as bybit_trade_id
from apps.feeds.simulator.hyperliquid.streams import trade_id as hyperliquid_trade_id
from apps.feeds.simulator.kucoin.words import trade_id as kucoin_trade_id
from apps.feeds.simulator.mexc.spot_rows import trade_id as spot_trade_id
from apps.feeds.simulator.server import Simulator
from apps.feeds.simulator.trading.accounts import Execution, Order
from apps.feeds.tests.plain_accounts import open_account
from apps.feeds.tests.plain_client import order
from apps.feeds.tests.plain_hyperliquid import AGENT, USER
from tests.foreign.running import NEEDS_CLIENTS, run

pytestmark = [pytest.mark.foreign, NEEDS_CLIENTS]
MONEY = {"BTC": "10", "USDT": "1000000", "USDC": "1000000"}


@dataclass(frozen=True)
class Traded:
    """A market as ccxt names it. `amount` as the exchange counts; `params` of orders; `balance` names the wallet.

    The rest is what ccxt makes of it: `gone` of a cancelled order that was filled in part, `watched_maker` of a maker's
    trade on the socket, `fee_signs` of a fee that is paid, watched and fetched (None: no fee), where they are not those
    of the judge.
    """

    unified: str
    amount: float
    params: dict[str, Any] = field(default_factory=dict)
    balance: dict[str, Any] = field(default_factory=dict)
    wallet: str = "spot"
    gone: str = "canceled"
    watched_maker: str | None = "maker"
    tells_client_id: bool = True
    client_id: str = ""  # where it has to be of a form of its own
    fee_signs: tuple[int | None, int] | None = None
    watched_fee_asset: str = ""  # where it is not the one that was taken


@dataclass(frozen=True)
class Judge:
    exchange: str
    markets: tuple[Traded, ...]
    options: dict[str, Any] = field(default_factory=dict)
    credentials: dict[str, str] = field(default_factory=lambda: {"apiKey": "key-of-anna", "secret": "secret-of-anna"})
    watched_fee: int | None = 1  # the sign of a fee that is paid, as ccxt tells it of a watched trade; None: no fee
    trade_id: Callable[[Execution], str] = lambda row: str(row.number)
    kind: str = ""  # of the account
    money: dict[str, str] = field(default_factory=lambda: MONEY)
    quote: str = "USDT"
    prices_market: bool = False  # whether a market order needs a price to say how far it may go


def mexc_trade_id(row: Execution) -> str:
    return spot_trade_id(row) if row.order.listing.market_type == "spot" else str(row.number)


JUDGES = [
    Judge(
        "binance",
        (
            Traded("BTC/USDT", 0.01, balance={"type": "spot"}),
            Traded("BTC/USDT:USDT", 0.01, balance={"type": "swap"}, wallet="futures"),
        ),
        {"fetchMarkets": {"types": ["spot", "linear"]}, "fetchCurrencies": False, "fetchMargins": False},
    ),
    # Of the status that spot has for what was filled in part and then cancelled, ccxt says closed. An order by its id
    # it asks for only if told that the exchange knows the last 500 alone.
    Judge(
        "bybit",
        (Traded("BTC/USDT", 0.01, wallet="UNIFIED", gone="closed"), Traded("BTC/USDT:USDT", 0.01, wallet="UNIFIED")),
        {"fetchMarkets": {"types": ["spot", "linear"]}, "fetchOrder": {"acknowledged": True}},
        trade_id=lambda row: bybit_trade_id(row.order.listing, row.number),
    ),
    # Of a watched trade ccxt hands on the exchange's own sign, where what is charged is negative; of a fetched one it
    # turns it round.
    Judge(
        "okx",
        (Traded("BTC/USDT", 0.01, wallet="trading"), Traded("BTC/USDT:USDT", 1, wallet="trading")),
        {"fetchMarkets": {"types": ["spot", "swap"]}},
        {"apiKey": "key-of-anna", "secret": "secret-of-anna", "password": "words-of-anna"},
        watched_fee=-1,
    ),
    # On spot's socket ccxt takes "cancelled after a part was filled" for closed, and every trade for a taker's. Of
    # contracts it does not read the client's id, which is called externalOid.
    Judge(
        "mexc",
        (
            Traded("BTC/USDT", 0.01, balance={"type": "spot"}, gone="closed", watched_maker="taker"),
            Traded("BTC/USDT:USDT", 100, balance={"type": "swap"}, wallet="futures", tells_client_id=False),
        ),
        trade_id=mexc_trade_id,
    ),
    # Classic pushes name no fee, and of unified ones ccxt listens to those that name none. It still asks for the
    # wallet "trade_hf", which has been merged into "trade", unless told not to. Of unified orders it takes "cancelled
    # after a part was filled" for closed.
    Judge(
        "kucoin",
        (
            Traded("BTC/USDT", 0.01, balance={"type": "spot", "hf": False}),
            Traded("BTC/USDT:USDT", 10, balance={"type": "swap"}, wallet="futures"),
        ),
        {},
        {"apiKey": "key-of-anna", "secret": "secret-of-anna", "password": "words-of-anna"},
        watched_fee=None,
        trade_id=lambda row: str(kucoin_trade_id(row)),
    ),
    Judge(
        "kucoin",
        (
            Traded("BTC/USDT", 0.01, wallet="unified", gone="closed"),
            Traded("BTC/USDT:USDT", 10, wallet="unified", gone="closed"),
        ),
        {},
        {"apiKey": "key-of-anna", "secret": "secret-of-anna", "password": "words-of-anna"},
        watched_fee=None,
        trade_id=lambda row: str(kucoin_trade_id(row)),
        kind="unified",
    ),
    # Contracts want whole numbers for client ids. Their pushed trades name no fee, and of those that are fetched ccxt
    # turns the sign round, which v5 writes as positive when paid.
    Judge(
        "htx",
        (
            Traded("BTC/USDT", 0.01, balance={"type": "spot"}),
            Traded(
                "BTC/USDT:USDT",
                10,
                balance={"type": "swap"},
                wallet="futures",
                client_id="1234567890123",  # ccxt lets longer ones pass through a float
                fee_signs=(None, -1),
            ),
        ),
        {"fetchMarkets": {"types": {"spot": True, "linear": True, "inverse": False}}},
    ),
    # Keys are an address and a private key, here that of an agent: it may not approve the builder's fee that ccxt asks
    # for, so that no order carries one. It takes the fee of every watched trade for USDC, and does not say who made it.
    Judge(
        "hyperliquid",
        (
            Traded(
                "BTC/USDC",
                0.01,
                balance={"type": "spot"},
                watched_maker=None,
                client_id=f"0x{1:032x}",
                watched_fee_asset="USDC",
            ),
            Traded(
                "BTC/USDC:USDC",
                0.01,
                balance={"type": "swap"},
                wallet="futures",
                watched_maker=None,
                client_id=f"0x{2:032x}",
            ),
        ),
        credentials={"walletAddress": USER, "privateKey": AGENT},
        trade_id=lambda row: str(hyperliquid_trade_id(row.number)),
        money={"UBTC": "10", "USDC": "1000000"},
        quote="USDC",
        prices_market=True,
    ),
]


@pytest.mark.parametrize("judge", JUDGES, ids=lambda judge: f"{judge.kind} {judge.exchange}".strip())
async def test_ccxt_trades_from_order_to_balance(simulator: Simulator, judge: Judge) -> None:
    desk = simulator.exchanges[judge.exchange].desk
    await prepare(simulator, judge)
    report = await run(
        "ccxt_trade.py",
        {
            "url": simulator.url,
            "exchange": judge.exchange,
            "client": judge.exchange,
            "options": judge.options,
            "credentials": judge.credentials,
            "account": "anna",
            "markets": [
                {
                    "unified": traded.unified,
                    "client_id": client_id_of(traded, number),
                    "amount": traded.amount,
                    "params": traded.params,
                    "balance": traded.balance,
                    "gone": traded.gone,
                    "prices_market": judge.prices_market,
                }
                for number, traded in enumerate(judge.markets)
            ],
        },
    )
    orders = iter([row.order for row in desk.accepted])
    for number, traded in enumerate(judge.markets):
        told = report[traded.unified]
        assert_told(told, judge, traded, next(orders), client_id_of(traded, number))
        assert next(orders).status == "filled"
        if "positions" in told:
            assert [next(orders).status for _ in range(2)] == ["filled", "filled"]
            assert [row for row in told["positions"] if row["contracts"]] == []  # some tell those of no size too
            (short,) = told["short"]
            assert (short["side"], short["contracts"]) == ("short", told["part"])
    assert list(orders) == []
    balances = {traded.wallet: report[traded.unified]["balance"] for traded in judge.markets}  # the last of each
    for wallet, balance in balances.items():
        total = desk.accounts["anna"].wallets[wallet][judge.quote].total
        assert balance[judge.quote] == pytest.approx(float(total), rel=1e-12)
    assert simulator.world.breaches.report() == {}


def client_id_of(traded: Traded, number: int) -> str:
    return traded.client_id or f"ct1a0000000{number:02d}abcde"


async def prepare(simulator: Simulator, judge: Judge) -> None:
    """An account with money, on markets that stand still."""
    key, secret, *passphrase = judge.credentials.values()
    await order(simulator, "freeze", exchange=judge.exchange)
    await open_account(
        simulator,
        judge.exchange,
        key=key,
        secret=secret,
        passphrase="".join(passphrase),
        kind=judge.kind,
        balances=dict.fromkeys(
            simulator.exchanges[judge.exchange].desk.rules_of(judge.kind).wallets.values(), judge.money
        ),
    )


def assert_told(told: dict[str, Any], judge: Judge, traded: Traded, order: Order, client_id: str) -> None:
    """What ccxt was told of the first order of a market, is what became of it."""
    part = told["part"]
    assert told["placed"]["id"] == order.id
    for row in (told["new"], told["partial"], told["fetched"], told["gone"], told["open"][0]):
        assert (row["id"], row["side"]) == (order.id, "buy")
        assert row["clientOrderId"] == (client_id if traded.tells_client_id else None)
        assert (row["symbol"], row["price"], row["amount"]) == (traded.unified, told["price"], traded.amount)
    states = [(told[name]["status"], told[name]["filled"] or 0.0) for name in ("new", "partial", "fetched", "gone")]
    assert states == [("open", 0.0), ("open", part), ("open", part), (traded.gone, part)]
    assert len(told["open"]) == 1
    assert told["left"] == []
    execution = order.executions[0]
    watched_sign, fetched_sign = traded.fee_signs or (judge.watched_fee, 1)
    asset = execution.fee_asset
    watched = (told["execution"], watched_sign, traded.watched_fee_asset or asset, traded.watched_maker)
    for row, sign, fee_asset, maker in (watched, (told["trades"][0], fetched_sign, asset, "maker")):
        assert (row["id"], row["order"], row["amount"]) == (judge.trade_id(execution), order.id, part)
        if sign is None:
            assert row["fee"]["cost"] is None
        else:
            fee = {name: row["fee"][name] for name in ("cost", "currency")}
            assert fee == {"cost": sign * float(execution.fee), "currency": fee_asset}
        assert row["takerOrMaker"] == maker
