"""Binance's private REST: which endpoints there are, what they weigh, who may ask, and what is answered."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.binance.account import Accounts
from apps.feeds.simulator.binance.auth import Caller, keyed, signed
from apps.feeds.simulator.binance.dead_man import DeadMan
from apps.feeds.simulator.binance.margin import Margin
from apps.feeds.simulator.binance.orders import Orders
from apps.feeds.simulator.binance.params import Params
from apps.feeds.simulator.binance.private import Private
from apps.feeds.simulator.binance.refusals import DESK, RefusalError, refusal
from apps.feeds.simulator.exchange import unix_s
from apps.feeds.simulator.limits import Sliding
from apps.feeds.simulator.trading.gateway import Kind
from apps.feeds.simulator.trading.tickets import Refused

if TYPE_CHECKING:
    from apps.feeds.simulator.binance.exchange import Binance

# (orders, seconds, as it is said) of one account
ORDER_LIMITS = {
    "spot": ((100, 10.0, "10 SECOND"), (200_000, 86_400.0, "1 DAY")),
    "futures": ((300, 10.0, "10 SECOND"), (1200, 60.0, "1 MINUTE")),
}
COUNT_HEADERS = {
    "10 SECOND": "X-MBX-ORDER-COUNT-10S",
    "1 MINUTE": "X-MBX-ORDER-COUNT-1M",
    "1 DAY": "X-MBX-ORDER-COUNT-1D",
}
PREFIXES = {"spot": ("api/", "sapi/"), "futures": ("fapi/",)}
ORDER = ("symbol", "side", "type", "timeInForce", "quantity", "price", "newClientOrderId", "newOrderRespType")
PLACED = (*ORDER, "selfTradePreventionMode", "stopPrice")
NAMED = ("symbol", "orderId", "origClientOrderId")
LISTED = ("symbol", "orderId", "startTime", "endTime", "limit")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`all_weight`: without a symbol. `free`: on spot a success costs no weight."""

    act: Callable[[Caller], Any]
    names: tuple[str, ...]
    weight: int = 1
    kind: Kind = "read"
    permission: str = "read"
    all_weight: int | None = None
    signed: bool = True
    free: bool = False


class Trading:
    def __init__(self, exchange: "Binance", private: Private) -> None:
        self._exchange = exchange
        self._desk = exchange.desk
        self._rest = exchange.public
        self._limits: dict[tuple[str, str], list[Sliding]] = {}
        orders, accounts, margin = Orders(self._desk, exchange.rng), Accounts(self._desk), Margin(self._desk)
        self._endpoints = {**spot_endpoints(orders, accounts), **futures_endpoints(orders, margin, private)}
        self._endpoints |= timer_endpoints(DeadMan(self._desk, orders))

    def serves(self, request: web.Request, market_type: str, path: str) -> bool:
        return path.startswith(PREFIXES[market_type]) and (request.method, path) in self._endpoints

    async def answer(self, request: web.Request, market_type: str, path: str) -> web.StreamResponse:
        endpoint = self._endpoints[request.method, path]
        try:
            self._rest.check_faults(market_type)
            caller = await self._caller(request, market_type, endpoint)
            self._rest.charge(market_type, _weight(endpoint, caller))
            counts = self._count(caller) if endpoint.kind == "place" else {}
        except RefusalError as error:
            return self._rest.refused(market_type, error)

        def do() -> web.Response:
            try:
                body = endpoint.act(caller)
            except RefusalError as error:
                return self._refused(endpoint, market_type, error)
            except Refused as refused:
                return self._refused(endpoint, market_type, translated(market_type, refused))
            return self._rest.reply(market_type, body, headers=counts)

        if not endpoint.signed:
            return do()
        return await self._exchange.gateway.act(caller.account, request, do, kind=endpoint.kind)

    def _refused(self, endpoint: Endpoint, market_type: str, error: RefusalError) -> web.Response:
        if endpoint.free:
            self._rest.charge(market_type, 1)  # only what succeeds is free
        return self._rest.refused(market_type, error)

    async def _caller(self, request: web.Request, market_type: str, endpoint: Endpoint) -> Caller:
        if not endpoint.signed:
            account, key = keyed(self._desk, request.headers.get("X-MBX-APIKEY", ""), endpoint.permission)
            return Caller(account, key, market_type, Params({}))
        caller = await signed(self._desk, request, market_type, endpoint.permission)
        caller.params.check_known(endpoint.names)
        return caller

    def _count(self, caller: Caller) -> dict[str, str]:
        """Count an order of the account against its limits; returns the headers that tell of them."""
        limits = ORDER_LIMITS[caller.market_type]
        windows = self._limits.setdefault(
            (caller.account.name, caller.market_type), [Sliding(most, seconds) for most, seconds, _ in limits]
        )
        headers = {}
        for window, (most, _, words) in zip(windows, limits, strict=True):
            if not window.add(unix_s()) and self._exchange.world.breach(self._exchange.name, f"orders {words}"):
                raise RefusalError(
                    -1015,
                    f"Too many new orders; current limit is {most} orders per {words}.",
                    status=429,
                    retry_after=max(1, round(window.reset_s(unix_s()))),
                )
            headers[COUNT_HEADERS[words]] = str(most - window.left)
        return headers


def translated(market_type: str, refused: Refused) -> RefusalError:
    return refusal(DESK[market_type][refused.reason])


def _weight(endpoint: Endpoint, caller: Caller) -> int:
    if endpoint.free:
        return 0
    if endpoint.all_weight is not None and "symbol" not in caller.params:
        return endpoint.all_weight
    return endpoint.weight


def spot_endpoints(orders: Orders, accounts: Accounts) -> dict[tuple[str, str], Endpoint]:
    def placing(act: Callable[[Caller], Any], *names: str) -> Endpoint:
        return Endpoint(act, names, kind="place", permission="trade", free=True)

    def cancelling(act: Callable[[Caller], Any], *names: str) -> Endpoint:
        return Endpoint(act, names, kind="cancel", permission="trade", free=True)

    return {
        ("POST", "api/v3/order"): placing(orders.place_spot, *PLACED, "quoteOrderQty", "icebergQty", "trailingDelta"),
        ("DELETE", "api/v3/order"): cancelling(orders.cancel, *NAMED, "newClientOrderId", "cancelRestrictions"),
        ("DELETE", "api/v3/openOrders"): cancelling(orders.cancel_all_spot, "symbol"),
        ("GET", "api/v3/order"): Endpoint(orders.query, NAMED, 4),
        ("GET", "api/v3/openOrders"): Endpoint(orders.open_orders, ("symbol",), 6, all_weight=80),
        ("GET", "api/v3/allOrders"): Endpoint(orders.all_orders, LISTED, 20),
        ("GET", "api/v3/myTrades"): Endpoint(orders.trades, (*LISTED, "fromId"), 20),
        ("GET", "api/v3/account"): Endpoint(accounts.spot, ("omitZeroBalances",), 20),
        ("GET", "api/v3/account/commission"): Endpoint(accounts.spot_commission, ("symbol",), 20),
        ("GET", "sapi/v1/account/apiRestrictions"): Endpoint(accounts.restrictions, (), 1),
    }


def futures_endpoints(orders: Orders, margin: Margin, private: Private) -> dict[tuple[str, str], Endpoint]:
    def changing(act: Callable[[Caller], Any], *names: str, kind: Kind = "cancel") -> Endpoint:
        return Endpoint(act, names, kind=kind, permission="trade")

    def listen_key(act: Callable[[Caller], Any]) -> Endpoint:
        return Endpoint(act, (), signed=False)

    placed = (*PLACED, "positionSide", "reduceOnly", "closePosition", "workingType", "priceProtect", "goodTillDate")
    return {
        ("POST", "fapi/v1/order"): changing(orders.place_futures, *placed, kind="place"),
        ("DELETE", "fapi/v1/order"): changing(orders.cancel, *NAMED),
        ("DELETE", "fapi/v1/allOpenOrders"): changing(orders.cancel_all_futures, "symbol"),
        ("GET", "fapi/v1/order"): Endpoint(orders.query, NAMED),
        ("GET", "fapi/v1/openOrders"): Endpoint(orders.open_orders, ("symbol", "pair"), all_weight=40),
        ("GET", "fapi/v1/allOrders"): Endpoint(orders.all_orders, LISTED, 5),
        ("GET", "fapi/v1/userTrades"): Endpoint(orders.trades, (*LISTED, "fromId"), 5),
        ("GET", "fapi/v3/balance"): Endpoint(margin.balance, (), 5),
        ("GET", "fapi/v3/account"): Endpoint(margin.account, (), 5),
        ("GET", "fapi/v3/positionRisk"): Endpoint(margin.positions, ("symbol",), 5),
        ("GET", "fapi/v1/commissionRate"): Endpoint(margin.commission, ("symbol",), 20),
        ("GET", "fapi/v1/income"): Endpoint(
            margin.income, ("symbol", "incomeType", "startTime", "endTime", "page", "limit"), 30
        ),
        ("POST", "fapi/v1/leverage"): changing(margin.set_leverage, "symbol", "leverage"),
        ("POST", "fapi/v1/marginType"): changing(margin.set_margin_type, "symbol", "marginType"),
        ("GET", "fapi/v1/positionSide/dual"): Endpoint(margin.position_mode, (), 30),
        ("POST", "fapi/v1/positionSide/dual"): changing(margin.set_position_mode, "dualSidePosition"),
        ("GET", "fapi/v1/leverageBracket"): Endpoint(margin.brackets, ("symbol",)),
        ("GET", "fapi/v1/symbolConfig"): Endpoint(margin.symbol_config, ("symbol",), 5),
        ("POST", "fapi/v1/listenKey"): listen_key(private.make_key),
        ("PUT", "fapi/v1/listenKey"): listen_key(private.renew_key),
        ("DELETE", "fapi/v1/listenKey"): listen_key(private.end_key),
    }


def timer_endpoints(dead_man: DeadMan) -> dict[tuple[str, str], Endpoint]:
    named = ("symbol", "countdownTime")
    return {
        ("POST", "fapi/v1/countdownCancelAll"): Endpoint(dead_man.press, named, 10, kind="cancel", permission="trade")
    }
