"""KuCoin's signed calls: which there are, for which accounts, what they weigh and what a key must be allowed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from apps.feeds.simulator.kucoin.account import Money
from apps.feeds.simulator.kucoin.auth import Caller
from apps.feeds.simulator.kucoin.dead_man import DeadMan
from apps.feeds.simulator.kucoin.futures_orders import FuturesOrders
from apps.feeds.simulator.kucoin.spot_orders import SpotOrders
from apps.feeds.simulator.kucoin.unified_account import UnifiedMoney
from apps.feeds.simulator.kucoin.unified_orders import UnifiedOrders
from apps.feeds.simulator.trading.gateway import Kind

Pool = Literal["spot", "futures", "management", "unified"]
ID = "*"  # the last part of a path, where that is an id
VERSIONS = ("v1", "v2")  # of the unified calls: the same but for where some of them lie


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`kind_of` account: "" classic, "unified", None both. `check`: what is looked at before the matching."""

    act: Callable[[Caller], Any]
    weight: int
    pool: Pool
    kind: Kind = "read"
    kind_of: str | None = ""
    check: Callable[[Caller], None] | None = None

    @property
    def permission(self) -> str:
        return "read" if self.kind == "read" else "trade"


Endpoints = dict[tuple[str, str], Endpoint]  # by method and path


def spot(orders: SpotOrders, dead_man: DeadMan, money: Money) -> Endpoints:
    def placing(act: Callable[[Caller], Any], kind: Kind = "place") -> Endpoint:
        return Endpoint(act, 1, "spot", kind, check=orders.check_time)

    def cancelling(act: Callable[[Caller], Any], weight: int = 1) -> Endpoint:
        return Endpoint(act, weight, "spot", "cancel")

    hf = "api/v1/hf/orders"
    return {
        ("POST", hf): placing(orders.place),
        ("POST", f"{hf}/sync"): placing(orders.place_sync),
        ("POST", f"{hf}/test"): placing(orders.test, "cancel"),
        ("DELETE", f"{hf}/{ID}"): cancelling(orders.cancel),
        ("DELETE", f"{hf}/sync/{ID}"): cancelling(orders.cancel_sync),
        ("DELETE", f"{hf}/client-order/{ID}"): cancelling(orders.cancel_mine),
        ("DELETE", f"{hf}/sync/client-order/{ID}"): cancelling(orders.cancel_mine_sync),
        ("DELETE", hf): cancelling(orders.cancel_all_of, 2),
        ("DELETE", f"{hf}/cancelAll"): cancelling(orders.cancel_everything, 30),
        ("POST", f"{hf}/dead-cancel-all"): cancelling(dead_man.press, 2),
        ("GET", f"{hf}/dead-cancel-all/query"): Endpoint(dead_man.query, 2, "spot"),
        ("GET", f"{hf}/{ID}"): Endpoint(orders.query, 2, "spot"),
        ("GET", f"{hf}/client-order/{ID}"): Endpoint(orders.query_mine, 2, "spot"),
        ("GET", f"{hf}/active"): Endpoint(orders.open_orders, 2, "spot"),
        ("GET", f"{hf}/active/symbols"): Endpoint(orders.symbols_with_orders, 2, "spot"),
        ("GET", f"{hf}/done"): Endpoint(orders.finished, 2, "spot"),
        ("GET", "api/v1/hf/fills"): Endpoint(orders.fills, 2, "spot"),
        ("GET", "api/v1/accounts"): Endpoint(money.accounts, 5, "management"),
        ("GET", "api/v1/hf/accounts/opened"): Endpoint(money.is_high_frequency, 30, "management"),
        ("GET", "api/v3/margin/symbols"): Endpoint(money.crossed_symbols, 3, "spot"),
        ("GET", "api/v1/isolated/symbols"): Endpoint(money.isolated_symbols, 3, "spot"),
        ("GET", "api/v1/trade-fees"): Endpoint(money.spot_fees, 3, "spot"),
        ("GET", "api/v1/user/api-key"): Endpoint(money.key, 20, "management", kind_of=None),
    }


def futures(orders: FuturesOrders, money: Money) -> Endpoints:
    def changing(act: Callable[[Caller], Any], weight: int, kind: Kind = "cancel") -> Endpoint:
        return Endpoint(act, weight, "futures", kind)

    def reading(act: Callable[[Caller], Any], weight: int) -> Endpoint:
        return Endpoint(act, weight, "futures")

    return {
        ("POST", "api/v1/orders"): changing(orders.place, 2, "place"),
        ("POST", "api/v1/orders/test"): changing(orders.test, 2),
        ("DELETE", f"api/v1/orders/{ID}"): changing(orders.cancel, 1),
        ("DELETE", f"api/v1/orders/client-order/{ID}"): changing(orders.cancel_mine, 1),
        ("DELETE", "api/v3/orders"): changing(orders.cancel_all, 10),
        ("DELETE", "api/v1/orders"): changing(orders.cancel_all, 200),
        ("GET", f"api/v1/orders/{ID}"): reading(orders.query, 5),
        ("GET", "api/v1/orders/byClientOid"): reading(orders.query_mine, 5),
        ("GET", "api/v1/orders"): reading(orders.orders, 2),
        ("GET", "api/v1/recentDoneOrders"): reading(orders.recently_done, 5),
        ("GET", "api/v1/fills"): reading(orders.fills, 5),
        ("GET", "api/v1/recentFills"): reading(orders.recent_fills, 3),
        ("GET", "api/v1/account-overview"): reading(money.overview, 5),
        ("GET", "api/v1/positions"): reading(money.positions, 2),
        ("GET", "api/v1/position"): reading(money.position, 2),
        ("GET", "api/v1/trade-fees"): reading(money.futures_fees, 3),
        ("GET", "api/v1/funding-history"): reading(money.funding, 5),
        ("GET", "api/v2/getCrossUserLeverage"): reading(money.leverage, 2),
        ("POST", "api/v2/changeCrossUserLeverage"): changing(money.set_leverage, 2),
        ("GET", "api/v2/position/getMarginMode"): reading(money.margin_mode, 2),
        ("POST", "api/v2/position/changeMarginMode"): changing(money.set_margin_mode, 2),
        ("GET", "api/v2/position/getPositionMode"): reading(money.position_mode, 2),
        ("POST", "api/v2/position/switchPositionMode"): changing(money.set_position_mode, 2),
    }


def unified(orders: UnifiedOrders, assets: UnifiedMoney, money: Money) -> Endpoints:
    def changing(act: Callable[[Caller], Any], weight: int, kind: Kind = "cancel") -> Endpoint:
        return Endpoint(act, weight, "unified", kind, "unified")

    def reading(act: Callable[[Caller], Any], weight: int) -> Endpoint:
        return Endpoint(act, weight, "unified", kind_of="unified")

    own = {
        ("POST", "unified/order/place"): changing(orders.place, 1, "place"),
        ("POST", "unified/order/cancel"): changing(orders.cancel, 1),
        ("POST", "unified/order/cancel-all"): changing(orders.cancel_all, 20),
        ("GET", "unified/order/detail"): reading(orders.query, 4),
        ("GET", "unified/order/open-list"): reading(orders.open_orders, 4),
        ("GET", "unified/order/history"): reading(orders.history, 4),
        ("GET", "unified/order/execution"): reading(orders.fills, 4),
        ("GET", "unified/account/balance"): reading(assets.balance, 5),
        ("GET", "unified/account/leverage"): reading(assets.leverage, 10),
        ("POST", "unified/account/modify-leverage"): changing(assets.set_leverage, 20),
        ("GET", "unified/position/open-list"): reading(assets.positions, 3),
        ("GET", "unified/position/margin-mode"): reading(assets.margin_mode, 3),
        ("POST", "unified/position/margin-mode"): changing(assets.set_margin_mode, 3),
        ("GET", "position/funding-history"): reading(assets.funding, 15),
        ("GET", "user/fee-rate"): reading(assets.fees, 3),
        ("GET", "user/api-key"): Endpoint(money.key, 3, "unified", kind_of=None),
        ("GET", "account/mode"): Endpoint(assets.mode, 30, "unified", kind_of=None),
    }
    return {
        (method, f"api/ua/{version}/{path}"): endpoint
        for version in VERSIONS
        for (method, path), endpoint in own.items()
    }
