"""OKX's private REST: which endpoints there are, how often, who may ask, and what is answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.exchange import json_answer
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.okx.account import Accounts
from apps.feeds.simulator.okx.auth import Caller, signed
from apps.feeds.simulator.okx.dead_man import DeadMan
from apps.feeds.simulator.okx.orders import Orders
from apps.feeds.simulator.okx.refusals import (
    DESK,
    TIMED_OUT,
    TOO_MANY,
    TOO_MANY_ORDERS,
    UNAVAILABLE,
    RefusalError,
    refusal,
)
from apps.feeds.simulator.trading.gateway import Kind
from apps.feeds.simulator.trading.tickets import Reason, Refused

if TYPE_CHECKING:
    from apps.feeds.simulator.okx.exchange import Okx

PREFIX = "api/v5/"
WINDOW_S = 2.0
ORDERS = 1000  # new ones of an account in the window, over all endpoints


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`most`: requests in two seconds of an account, and of one instrument where that is in the request; orders where
    it takes many."""

    act: Callable[[Caller], Any]
    most: int
    kind: Kind = "read"
    permission: str = "read"


class Trading:
    def __init__(self, exchange: "Okx") -> None:
        self._exchange = exchange
        self._world = exchange.world
        self._endpoints = endpoints(Orders(exchange.desk), DeadMan(exchange.desk), Accounts(exchange.desk))
        self._windows: dict[tuple[str, str, str], Sliding] = {}

    def serves(self, request: web.Request, path: str) -> bool:
        return (request.method, path.removeprefix(PREFIX)) in self._endpoints

    async def answer(self, request: web.Request, path: str) -> web.StreamResponse:
        name = path.removeprefix(PREFIX)
        endpoint = self._endpoints[request.method, name]
        try:
            self._check_faults()
            caller = await signed(self._exchange.desk, request, path, endpoint.permission)
            self._count(caller, endpoint, name)
        except RefusalError as error:
            return refused(error)

        def do() -> web.Response:
            try:
                body = endpoint.act(caller)
            except RefusalError as error:
                return refused(error)
            except Refused as reason:
                return refused(refusal(DESK[reason.reason]))
            return json_answer({"code": "0", "data": body, "msg": ""} if isinstance(body, list) else body)

        return await self._exchange.gateway.act(caller.account, request, do, kind=endpoint.kind)

    def _check_faults(self) -> None:
        """Raises what is scripted for all requests."""
        faults, name = self._world.faults, self._exchange.name
        if faults.find("ban", name, None) is not None:
            raise refusal(TOO_MANY, status=429)
        if faults.find("rest_error", name, None) is not None:
            raise refusal(UNAVAILABLE, status=503)

    def _count(self, caller: Caller, endpoint: Endpoint, name: str) -> None:
        """Count a request against the limits of the account; raises when it is one too many."""
        many = isinstance(caller.body, list)
        weight = len(caller.body) if many else 1
        instrument = str(caller.body.get("instId", "")) if isinstance(caller.body, dict) else ""
        self._add(caller, name, instrument, endpoint.most, weight, TOO_MANY)
        if endpoint.kind == "place":
            self._add(caller, "orders", "", ORDERS, weight, TOO_MANY_ORDERS)

    def _add(self, caller: Caller, name: str, instrument: str, most: int, weight: int, error: tuple[str, str]) -> None:
        key = (caller.account.name, name, instrument)
        window = self._windows.setdefault(key, Sliding(most, WINDOW_S))
        if not window.add(self._exchange.now(), weight) and self._world.breach(self._exchange.name, f"requests {name}"):
            raise refusal(error, status=429)


def refused(error: RefusalError) -> web.Response:
    return json_answer({"code": error.code, "data": [], "msg": str(error)}, status=error.status)


def fault_answer(op: str) -> web.Response:
    if op == "reject":
        code, text = DESK[Reason.INSUFFICIENT_FUNDS]
        row = {"clOrdId": "", "ordId": "", "sCode": code, "sMsg": text, "tag": ""}
        return json_answer({"code": "1", "data": [row], "msg": "All operations failed"})
    errors = {
        "error_placed": refusal(TIMED_OUT, status=503),
        "error_not_placed": refusal(UNAVAILABLE, status=503),
        "rate_limit": refusal(TOO_MANY, status=429),
        "ban": refusal(TOO_MANY, status=429),
    }
    return refused(errors[op])


def endpoints(orders: Orders, dead_man: DeadMan, accounts: Accounts) -> dict[tuple[str, str], Endpoint]:
    def changing(act: Callable[[Caller], Any], most: int, kind: Kind = "cancel") -> Endpoint:
        return Endpoint(act, most, kind, "trade")

    return {
        ("POST", "trade/order"): changing(orders.place, 60, "place"),
        ("POST", "trade/batch-orders"): changing(orders.place_many, 300, "place"),
        ("POST", "trade/cancel-order"): changing(orders.cancel, 60),
        ("POST", "trade/cancel-batch-orders"): changing(orders.cancel_many, 300),
        ("POST", "trade/cancel-all-after"): changing(dead_man.press, 2),
        ("GET", "trade/order"): Endpoint(orders.query, 60),
        ("GET", "trade/orders-pending"): Endpoint(orders.pending, 60),
        ("GET", "trade/orders-history"): Endpoint(orders.history, 40),
        ("GET", "trade/fills"): Endpoint(orders.fills, 60),
        ("GET", "trade/fills-history"): Endpoint(orders.old_fills, 10),
        ("GET", "account/balance"): Endpoint(accounts.balance, 10),
        ("GET", "account/positions"): Endpoint(accounts.positions, 10),
        ("GET", "account/config"): Endpoint(accounts.config, 5),
        ("GET", "account/trade-fee"): Endpoint(accounts.fees, 5),
        ("GET", "account/bills"): Endpoint(accounts.bills, 10),
        ("GET", "account/leverage-info"): Endpoint(accounts.leverage, 20),
        ("POST", "account/set-leverage"): changing(accounts.set_leverage, 20),
        ("POST", "account/set-position-mode"): changing(accounts.set_position_mode, 5),
        ("GET", "asset/currencies"): Endpoint(accounts.currencies, 12),
    }
