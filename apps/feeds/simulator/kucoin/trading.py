"""KuCoin's signed REST: who asks, whether the pool of requests holds it, and what is answered."""

from typing import TYPE_CHECKING

from aiohttp import web

from apps.feeds.simulator.exchange import json_answer
from apps.feeds.simulator.kucoin import endpoints
from apps.feeds.simulator.kucoin.account import Money
from apps.feeds.simulator.kucoin.auth import UNIFIED, Caller, signed
from apps.feeds.simulator.kucoin.dead_man import DeadMan
from apps.feeds.simulator.kucoin.endpoints import ID, Endpoint, Endpoints
from apps.feeds.simulator.kucoin.futures_orders import FuturesOrders
from apps.feeds.simulator.kucoin.private import Bullets
from apps.feeds.simulator.kucoin.refusals import (
    FUTURES,
    NOT_CLASSIC,
    NOT_UNIFIED,
    SERVER_ERROR,
    SPOT,
    TOO_MUCH,
    RefusalError,
    refusal,
    translated,
)
from apps.feeds.simulator.kucoin.rest import Rest
from apps.feeds.simulator.kucoin.spot_orders import SpotOrders
from apps.feeds.simulator.kucoin.unified_account import UnifiedMoney
from apps.feeds.simulator.kucoin.unified_orders import UnifiedOrders
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.trading.tickets import Reason, Refused

if TYPE_CHECKING:
    from apps.feeds.simulator.kucoin.exchange import Kucoin

# weight and seconds, of one account
POOLS = {"spot": (4000, 30.0), "futures": (2000, 30.0), "management": (2000, 30.0), "unified": (200, 3.0)}


class Trading:
    def __init__(self, exchange: "Kucoin", bullets: Bullets, public: Rest) -> None:
        self._exchange = exchange
        self._public = public
        self._desk = exchange.desk
        self._pools: dict[tuple[str, str], Sliding] = {}
        money = Money(self._desk)
        unified = endpoints.unified(UnifiedOrders(self._desk), UnifiedMoney(self._desk, money), money)
        bullet = Endpoint(bullets.classic, 10, "management", kind_of=None)
        self._endpoints: dict[str, Endpoints] = {
            "spot": endpoints.spot(SpotOrders(self._desk), DeadMan(self._desk), money)
            | unified
            | {
                ("POST", "api/v1/bullet-private"): bullet,
                ("POST", "api/v2/bullet-private"): Endpoint(bullets.unified, 10, "management", kind_of=None),
            },
            "futures": endpoints.futures(FuturesOrders(self._desk), money)
            | {("POST", "api/v1/bullet-private"): bullet},
        }

    def serves(self, method: str, market_type: str, path: str) -> bool:
        return self._find(method, market_type, path) is not None

    async def answer(self, request: web.Request, market_type: str, path: str) -> web.StreamResponse:
        found = self._find(request.method, market_type, path)
        if found is None:
            return json_answer({"code": "404", "msg": "Not Found"}, status=404)
        endpoint, tail = found
        headers: dict[str, str] = {}
        if (scripted := self._public.scripted(market_type, headers)) is not None:
            return scripted
        try:
            caller = await signed(
                self._desk, request, path, market_type=market_type, tail=tail, permission=endpoint.permission
            )
            pool, allowed = self._charge(caller, endpoint)
            headers = pool_headers(pool, self._exchange.now())
            if not allowed and self._exchange.world.breach(self._exchange.name, f"requests {endpoint.pool}"):
                raise refusal(TOO_MUCH, 429)
            self._check_kind(caller, endpoint)
            if endpoint.check is not None:
                endpoint.check(caller)
        except RefusalError as error:
            return json_answer(error.body, status=error.status, headers=headers)

        def do() -> web.Response:
            try:
                return json_answer({"code": "200000", "data": endpoint.act(caller)}, headers=headers)
            except RefusalError as error:
                return json_answer(error.body, status=error.status, headers=headers)
            except Refused as refused:
                told = translated(market_of(caller), caller.unified, refused.reason, caller.account.hedge)
                return json_answer(told.body, status=told.status, headers=headers)

        return await self._exchange.gateway.act(caller.account, request, do, kind=endpoint.kind)

    def _find(self, method: str, market_type: str, path: str) -> tuple[Endpoint, str] | None:
        """What answers, and the id that the path ends with."""
        known = self._endpoints.get(market_type, {})
        if (endpoint := known.get((method, path))) is not None:
            return endpoint, ""
        parent, _, tail = path.rpartition("/")
        endpoint = known.get((method, f"{parent}/{ID}"))
        return None if endpoint is None else (endpoint, tail)

    def _charge(self, caller: Caller, endpoint: Endpoint) -> tuple[Sliding, bool]:
        """Count a request of the account; returns its pool, and whether that held it."""
        key = (caller.account.name, endpoint.pool)
        pool = self._pools.setdefault(key, Sliding(*POOLS[endpoint.pool]))
        return pool, pool.add(self._exchange.now(), endpoint.weight)

    def _check_kind(self, caller: Caller, endpoint: Endpoint) -> None:
        if endpoint.kind_of in (None, caller.account.kind):
            return
        raise refusal(NOT_UNIFIED if endpoint.kind_of == UNIFIED else NOT_CLASSIC)


def market_of(caller: Caller) -> str:
    """A unified call names its market in itself."""
    if not caller.unified:
        return caller.market_type
    return "spot" if caller.params.optional("tradeType") == "SPOT" else "futures"


def pool_headers(pool: Sliding, now: float) -> dict[str, str]:
    return {
        "gw-ratelimit-limit": str(pool.limit),
        "gw-ratelimit-remaining": str(pool.left),
        "gw-ratelimit-reset": str(max(0, int(pool.reset_s(now) * 1000))),
    }


def fault_answer(request: web.Request, op: str, seconds: float) -> web.Response:
    """KuCoin's own answers to what is scripted. A ban is told as the limit is."""
    if op in ("error_placed", "error_not_placed"):
        return json_answer(refusal(SERVER_ERROR).body, status=503)
    if op == "reject":
        table = FUTURES if "api-futures" in request.path else SPOT
        return json_answer(refusal(table[Reason.INSUFFICIENT_FUNDS]).body)
    left = {"gw-ratelimit-remaining": "0", "gw-ratelimit-reset": str(max(1, int(seconds * 1000)))}
    return json_answer(refusal(TOO_MUCH).body, status=429, headers=left)
