"""What an action does at the order desk, and what is answered: each order or cancel for itself."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.hyperliquid import rows
from apps.feeds.simulator.hyperliquid.actions import (
    Cancel,
    CancelByCloid,
    Noop,
    OrderWire,
    Place,
    ScheduleCancel,
    UpdateLeverage,
)
from apps.feeds.simulator.hyperliquid.dead_man import DeadMan
from apps.feeds.simulator.hyperliquid.listings import DIGITS, MAIN, PERP_DECIMALS, SPOT_DECIMALS, decimals, index_of
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Account, Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Ended, Force, Reason, Refused, Ticket

Status = dict[str, Any] | str
TIFS: dict[str, Force] = {"Gtc": "gtc", "Ioc": "ioc", "Alo": "post"}
SPOT_ASSETS, BUILDER_ASSETS = 10_000, 110_000  # the first numbers of their kind
FARTHEST = Decimal("0.8")  # share of the reference price that a price may be away from it
GONE = "Order was never placed, already canceled, or filled."
MISSED = "Order could not immediately match against any resting orders."
NO_BUILDER = "Builder fee has not been approved."
TEXTS = {
    Reason.MARKET_CLOSED: "Trading is halted.",
    Reason.OFF_TICK: "Price must be divisible by tick size.",
    Reason.OFF_LOT: "Order has invalid size.",
    Reason.REDUCE_ONLY: "Reduce only order would increase position.",
    Reason.DUPLICATE_ID: "Order with this cloid is already open.",
    Reason.LEVERAGE: "Invalid leverage value",
}
LEAST = {"futures": "Order must have minimum value of $10.", "spot": "Order must have minimum value of 10 USDC."}


class OrderError(Exception):
    """What is wrong with one order, or with the whole action."""


class Orders:
    def __init__(self, desk: Desk, dead_man: DeadMan) -> None:
        self._desk = desk
        self._dead_man = dead_man
        self._assets = numbered(desk)
        self._acts: dict[type, Callable[[Account, Any, int | None], Any]] = {
            Place: self._place_all,
            Cancel: self._cancel_all,
            CancelByCloid: self._cancel_all,
            UpdateLeverage: self._set_leverage,
            ScheduleCancel: self._schedule,
            Noop: lambda account, action, expires_ms: {"type": "default"},
        }

    def act(self, account: Account, action: Any, expires_ms: int | None) -> dict[str, Any]:
        """The response of an action that is signed as it should be. Raises OrderError when all of it is refused."""
        return self._acts[type(action)](account, action, expires_ms)

    def _schedule(self, account: Account, action: ScheduleCancel, expires_ms: int | None) -> dict[str, Any]:
        wrong = self._dead_man.schedule(account, action)
        if wrong is not None:
            raise OrderError(wrong)
        return {"type": "default"}

    def _place_all(self, account: Account, action: Place, expires_ms: int | None) -> dict[str, Any]:
        if action.builder is not None:
            raise OrderError(NO_BUILDER)
        if action.grouping != "na":
            raise OrderError("Grouped orders are not offered.")
        statuses = [self._placed(account, wire, expires_ms) for wire in action.orders]
        return {"type": "order", "data": {"statuses": statuses}}

    def _placed(self, account: Account, wire: OrderWire, expires_ms: int | None) -> Status:
        try:
            return self._status(wire, self._desk.place(account, self._ticket(wire, expires_ms)))
        except OrderError as error:
            return {"error": str(error)}
        except Refused as refused:
            return {"error": self._text(wire, refused.reason)}

    def _ticket(self, wire: OrderWire, expires_ms: int | None) -> Ticket:
        listing = self._listing(wire.a)
        if wire.t.limit.tif not in TIFS:
            raise OrderError("Invalid TIF")
        price, size = Decimal(wire.p), Decimal(wire.s)
        if not size:
            raise OrderError("Order has zero size.")
        if size % listing.size.step:
            raise OrderError("Order has invalid size.")
        _check_price(listing, price)
        mark = self._desk.mark(self._desk.market(listing.market_type, listing.symbol).listing)
        if abs(price - mark) > FARTHEST * mark:
            raise OrderError("Order price cannot be more than 80% away from the reference price")
        return Ticket(
            market_type=listing.market_type,
            symbol=listing.symbol,
            side="buy" if wire.b else "sell",
            kind="limit",
            size=size,
            price=price,
            force=TIFS[wire.t.limit.tif],
            client_id=wire.c or "",
            reduce_only=wire.r,
            self_trade="maker",
            expires_ms=expires_ms,
        )

    def _text(self, wire: OrderWire, reason: Reason) -> str:
        listing = self._listing(wire.a)
        market_type = listing.market_type
        if reason == Reason.INSUFFICIENT_FUNDS:
            lacks = "margin to place order." if market_type == "futures" else "spot balance"
            return f"Insufficient {lacks} asset={wire.a}"
        return LEAST[market_type] if reason == Reason.TOO_SMALL else TEXTS[reason]

    def _status(self, wire: OrderWire, order: Order) -> Status:
        named = {"oid": int(order.id), **({"cloid": order.client_id} if order.client_id else {})}
        if order.is_open:
            return {"resting": named}
        if order.filled:
            total = rows.size(order.listing, order.filled)
            return {"filled": {"totalSz": total, "avgPx": rows.number(order.average), **named}}
        return {"error": self._took(wire, order) if order.ended == Ended.POST_ONLY else MISSED}

    def _took(self, wire: OrderWire, order: Order) -> str:
        """A maker's order met somebody."""
        market = self._desk.market(order.listing.market_type, order.listing.symbol)
        best = "@".join(rows.price(order.listing, abs(side.keys[0])) for side in (market.bids, market.asks))
        return f"Post only order would have immediately matched, bbo was {best}. asset={wire.a}"

    def _cancel_all(self, account: Account, action: Cancel | CancelByCloid, expires_ms: int | None) -> dict[str, Any]:
        named: list[tuple[int, str | None, str | None]]
        if isinstance(action, Cancel):
            named = [(row.a, str(row.o), None) for row in action.cancels]
        else:
            named = [(row.asset, None, row.cloid) for row in action.cancels]
        statuses = [self._cancelled(account, *names) for names in named]
        return {"type": "cancel", "data": {"statuses": statuses}}

    def _cancelled(self, account: Account, asset: int, id: str | None, cloid: str | None) -> Status:
        try:
            listing = self._listing(asset)
            kind, symbol = listing.market_type, listing.symbol
            order = self._desk.find(account, kind, symbol=symbol, id=id, client_id=cloid, to_cancel=True)
            self._desk.cancel(account, order)
        except OrderError as error:
            return {"error": str(error)}
        except Refused:
            return {"error": GONE}
        return "success"

    def _set_leverage(self, account: Account, action: UpdateLeverage, expires_ms: int | None) -> dict[str, Any]:
        listing = self._listing(action.asset)
        try:
            mode = "cross" if action.isCross else "isolated"
            self._desk.set_leverage(account, listing.symbol, action.leverage, mode)  # type: ignore[arg-type]
        except Refused as refused:
            raise OrderError(TEXTS.get(refused.reason, "Leverage is for perpetuals")) from None
        return {"type": "default"}

    def _listing(self, asset: int) -> Listing:
        if asset not in self._assets:
            raise OrderError(f"Asset {asset} does not exist.")
        return self._assets[asset]


def numbered(desk: Desk) -> dict[int, Listing]:
    """Every market by the number that orders name it with: what is delisted keeps its own."""
    perpetuals = desk.listed("futures")
    main = [row for row in perpetuals if row.category == MAIN]
    built = [row for row in perpetuals if row.category != MAIN]
    return {
        **dict(enumerate(main)),
        **dict(enumerate(built, BUILDER_ASSETS)),
        **{SPOT_ASSETS + index_of(row): row for row in desk.listed("spot")},
    }


def _check_price(listing: Listing, price: Decimal) -> None:
    """Five significant digits, no more after the point than the size leaves; whole numbers are always good."""
    if price == price.to_integral_value():
        return
    most = (PERP_DECIMALS if listing.market_type == "futures" else SPOT_DECIMALS) - decimals(listing)
    shape = price.normalize().as_tuple()
    if len(shape.digits) > DIGITS or -int(shape.exponent) > most:
        raise OrderError(TEXTS[Reason.OFF_TICK])
