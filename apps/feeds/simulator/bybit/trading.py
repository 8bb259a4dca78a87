"""Bybit's private REST: which endpoints there are, how often, who may ask, and what is answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.bybit import funding
from apps.feeds.simulator.bybit.account import Accounts
from apps.feeds.simulator.bybit.auth import Caller, signed
from apps.feeds.simulator.bybit.orders import Orders
from apps.feeds.simulator.bybit.params import MARKET_TYPES
from apps.feeds.simulator.bybit.refusals import DESK, SERVER_ERROR, TOO_MANY, RefusalError, envelope, refusal
from apps.feeds.simulator.exchange import json_answer
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.gateway import Kind
from apps.feeds.simulator.trading.tickets import Reason, Refused

if TYPE_CHECKING:
    from apps.feeds.simulator.bybit.exchange import Bybit

WINDOW_S = 1.0
READS = 50
CHANGES = {"spot": 20, "futures": 10}  # of each kind: place, cancel, cancel all
MARKET_TYPE = web.RequestKey("market_type", str)  # of the request that is at hand


@dataclass(frozen=True, slots=True)
class Endpoint:
    act: Callable[[Caller], dict[str, Any]]
    kind: Kind = "read"
    permission: str = "read"
    most: int | None = READS  # in a second of one account; None: as its market has it


class Trading:
    def __init__(self, exchange: "Bybit") -> None:
        self._exchange = exchange
        self._world = exchange.world
        self._endpoints = endpoints(exchange.desk)
        self._windows: dict[tuple[str, str, str], Sliding] = {}

    def serves(self, request: web.Request, path: str) -> bool:
        return (request.method, path) in self._endpoints

    async def answer(self, request: web.Request, path: str) -> web.StreamResponse:
        endpoint, exchange = self._endpoints[request.method, path], self._exchange
        faults, name = self._world.faults, exchange.name
        if exchange.public.forbidden() or faults.find("ban", name, None) is not None:
            return forbidden()
        if faults.find("rest_error", name, None) is not None:
            return unavailable()
        try:
            caller = await signed(exchange.desk, request, endpoint.permission)
            market_type = MARKET_TYPES.get(caller.params.optional("category") or "", "futures")
            limits = self._count(caller, endpoint, path, market_type)
        except RefusalError as error:
            return refused(error)
        request[MARKET_TYPE] = market_type

        def do() -> web.Response:
            try:
                return json_answer(envelope(0, "OK", endpoint.act(caller)), headers=limits)
            except RefusalError as error:
                return refused(error, limits)
            except Refused as reason:
                return refused(refusal(DESK[market_type][reason.reason]), limits)

        return await exchange.gateway.act(caller.account, request, do, kind=endpoint.kind)

    def _count(self, caller: Caller, endpoint: Endpoint, path: str, market_type: str) -> dict[str, str]:
        """Count a request against the limits of the account; returns the headers that tell of them."""
        most = CHANGES[market_type] if endpoint.most is None else endpoint.most
        key = (caller.account.name, path, market_type if endpoint.most is None else "")
        window, now = self._windows.setdefault(key, Sliding(most, WINDOW_S)), self._exchange.now()
        within = window.add(now)
        reset_ms = self._exchange.desk.now_ms() + round(window.reset_s(now) * 1000)
        headers = limit_headers(most, window.left, reset_ms)
        if not within and self._world.breach(self._exchange.name, f"requests {path}"):
            raise RefusalError(*TOO_MANY, headers=headers)
        return headers


def limit_headers(most: int, left: int, reset_ms: int) -> dict[str, str]:
    told = {"Limit": most, "Limit-Status": left, "Limit-Reset-Timestamp": reset_ms}
    return {f"X-Bapi-{name}": str(value) for name, value in told.items()}


def refused(error: RefusalError, headers: dict[str, str] | None = None) -> web.Response:
    return json_answer(envelope(error.code, str(error), {}), headers=error.headers or headers)


def forbidden() -> web.Response:
    return web.Response(status=403, text="access too frequent")


def unavailable() -> web.Response:
    return web.Response(status=503, text="Service Unavailable")


def fault_answer(desk: Desk, request: web.Request, op: str, seconds: float) -> web.Response:
    """5xx says nothing of what became of an order, whatever the body says."""
    if op == "reject":
        return refused(refusal(DESK[request.get(MARKET_TYPE, "futures")][Reason.INSUFFICIENT_FUNDS]))
    if op == "rate_limit":
        return refused(RefusalError(*TOO_MANY, headers=limit_headers(10, 0, desk.now_ms() + round(seconds * 1000))))
    if op == "ban":
        return forbidden()
    return json_answer(envelope(*SERVER_ERROR, {}), status=503) if op == "error_placed" else unavailable()


def endpoints(desk: Desk) -> dict[tuple[str, str], Endpoint]:
    orders, accounts = Orders(desk), Accounts(desk)

    def changing(act: Callable[[Caller], dict[str, Any]], kind: Kind = "cancel") -> Endpoint:
        return Endpoint(act, kind, "trade", None)

    return {
        ("POST", "v5/order/create"): changing(orders.place, "place"),
        ("POST", "v5/order/cancel"): changing(orders.cancel),
        ("POST", "v5/order/cancel-all"): changing(orders.cancel_all),
        ("GET", "v5/order/realtime"): Endpoint(orders.realtime),
        ("GET", "v5/order/history"): Endpoint(orders.history),
        ("GET", "v5/execution/list"): Endpoint(orders.executions),
        ("GET", "v5/position/list"): Endpoint(accounts.positions),
        ("GET", "v5/account/wallet-balance"): Endpoint(accounts.wallet),
        ("GET", "v5/account/fee-rate"): Endpoint(accounts.fees, most=10),
        ("GET", "v5/account/info"): Endpoint(accounts.info),
        ("GET", "v5/account/transaction-log"): Endpoint(lambda caller: funding.log(desk, caller), most=30),
        ("GET", "v5/user/query-api"): Endpoint(accounts.key, most=10),
        ("GET", "v5/asset/coin/query-info"): Endpoint(accounts.coins, most=5),
        ("POST", "v5/position/set-leverage"): changing(accounts.set_leverage),
        ("POST", "v5/position/switch-mode"): changing(accounts.switch_mode),
        ("POST", "v5/position/switch-isolated"): changing(accounts.switch_isolated),
        ("POST", "v5/account/set-margin-mode"): changing(accounts.set_margin_mode),
    }
