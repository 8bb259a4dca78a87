"""Our requests beside those that ccxt would send for the same orders: same keys, clock and client order id."""

import json
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from apps.feeds.drivers.base import Request
from apps.feeds.market import Instrument, MarketType, Side
from apps.feeds.orders import Credentials, NewOrder, OrderRef, OrderType
from apps.feeds.tests.listings import instrument
from tests.foreign.running import run

Params = dict[str, Any]
KEYS = Credentials(key="a-key", secret="a-secret", passphrase="a-passphrase")
NOW_MS = 1_790_000_000_000
OURS = "ctt00000000a1abcde"
SPOT, SWAP = "BTC/USDT", "BTC/USDT:USDT"


@dataclass(frozen=True)
class Sent:
    """One request as the wire has it; `signed` is the query or body text that the signature is of."""

    method: str
    where: str  # host and path
    params: Params
    headers: dict[str, str]
    signed: str


@dataclass(frozen=True)
class Pair:
    """One thing to do: our request, and the call of ccxt that does the same.

    `differs`: parameter -> (ours, theirs, why), None where one has none. `elsewhere`: why the addresses differ.
    """

    ours: Request
    method: str
    args: tuple[Any, ...]
    differs: dict[str, tuple[Any, Any, str]] = field(default_factory=dict)
    elsewhere: str = ""
    options: dict[str, Any] = field(default_factory=dict)


def bitcoin(exchange: str, market: MarketType) -> Instrument:
    """As the market of ccxt below."""
    return instrument(exchange=exchange, market_type=market, tick=Decimal("0.1"), lot=Decimal("0.001"))


def ref(of: Instrument, ours: str | None = OURS, other: str | None = None) -> OrderRef:
    return OrderRef(instrument=of, client_order_id=ours, exchange_order_id=other)


def order(of: Instrument, **changes: Any) -> NewOrder:
    """To buy 0.01 at 30,000.5, but for what is named."""
    return NewOrder(
        **{
            "instrument": of,
            "client_order_id": OURS,
            "side": Side.BUY,
            "type": OrderType.LIMIT,
            "expires_ms": NOW_MS + 5_000,
            "amount": Decimal("0.01"),
            "price": Decimal("30000.5"),
        }
        | changes
    )


def sent(method: str, url: str, headers: dict[str, str], body: str | None) -> Sent:
    """Decoded: the parameters of the query, or of a body that is a form or JSON."""
    parts = urlsplit(url)
    text = body or parts.query
    is_json = text.startswith(("{", "["))
    params = json.loads(text) if is_json else dict(parse_qsl(text, keep_blank_values=True))
    return Sent(method=method, where=f"{parts.netloc}{parts.path}", params=params, headers=headers, signed=text)


def our(request: Request) -> Sent:
    return sent(request.method, request.url, request.headers, request.body)


async def theirs(
    exchange: str, pairs: list[Pair], *, options: dict[str, Any] | None = None, **market: Any
) -> list[Sent]:
    """What ccxt would send for each pair. `market` changes its two markets, as `swap={"id": ...}`."""
    config = {"apiKey": KEYS.key, "secret": KEYS.secret, "password": KEYS.passphrase, "options": options or {}}
    task = {
        "exchange": exchange,
        "config": config,
        "now_ms": NOW_MS,
        "markets": [_market("spot") | market.get("spot", {}), _market("swap") | market.get("swap", {})],
        "calls": [{"method": pair.method, "args": pair.args, "options": pair.options} for pair in pairs],
    }
    told = await run("ccxt_requests.py", task)
    return [sent(row["method"], row["url"], row["headers"], row["body"]) for row in told]


def _market(kind: str) -> dict[str, Any]:
    """A market as ccxt describes it after it has loaded an exchange's list."""
    swap = kind == "swap"
    return {
        "id": "BTCUSDT",
        "symbol": SWAP if swap else SPOT,
        "base": "BTC",
        "quote": "USDT",
        "settle": "USDT" if swap else None,
        "baseId": "BTC",
        "quoteId": "USDT",
        "settleId": "USDT" if swap else None,
        "type": kind,
        "spot": not swap,
        "margin": False,
        "swap": swap,
        "future": False,
        "option": False,
        "active": True,
        "contract": swap,
        "linear": True if swap else None,
        "inverse": False if swap else None,
        "contractSize": 1 if swap else None,
        "precision": {"amount": 0.001, "price": 0.1},
        "limits": {"amount": {}, "price": {}, "cost": {}, "leverage": {}},
        "info": {},
    }


def differences(pair: Pair, ours: Sent, other: Sent) -> Params:
    """What differs and is not noted, and what is noted but does not differ. A signature is looked at apart.

    Another address has parameters of its own: those are not compared.
    """
    found: Params = {}
    if ours.method != other.method or (ours.where == other.where) == bool(pair.elsewhere):
        found["address"] = (f"{ours.method} {ours.where}", f"{other.method} {other.where}")
    if not pair.elsewhere:
        named = sorted(ours.params.keys() | other.params.keys())
        both = {name: (ours.params.get(name), other.params.get(name)) for name in named}
        found |= {name: (here, there) for name, (here, there) in both.items() if here != there}
    noted = {name: (here, there) for name, (here, there, _) in pair.differs.items()}
    every = found.keys() | noted.keys()
    return {name: (found.get(name), noted.get(name)) for name in sorted(every) if found.get(name) != noted.get(name)}
