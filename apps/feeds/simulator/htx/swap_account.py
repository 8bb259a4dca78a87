"""HTX's account endpoints of linear swaps: balances, positions, fees, funding, leverage, modes."""

from typing import Any

from apps.feeds.simulator.htx import swap_rows as rows
from apps.feeds.simulator.htx.auth import Caller
from apps.feeds.simulator.htx.refusals import CONTRACT_DESK, RefusalError
from apps.feeds.simulator.htx.spot_rows import plain
from apps.feeds.simulator.htx.swap_orders import MODES, SwapOrders, done
from apps.feeds.simulator.trading.accounts import ZERO
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Reason

POSITION_MODES = {"single_side": False, "dual_side": True}
INCOME, PAYMENT = "30", "31"  # types of bills: funding


class SwapAccounts:
    def __init__(self, desk: Desk, orders: SwapOrders) -> None:
        self._desk = desk
        self._orders = orders

    def balance(self, caller: Caller) -> dict[str, Any]:
        ms, account = self._desk.now_ms(), caller.account
        held = account.wallets.get("futures", {}).items()
        details = [
            {**row, "available_margin": row["available"]}
            for row in (rows.money(self._desk, account, asset, holding, ms) for asset, holding in held)
        ]
        whole = {
            "state": "normal",
            "equity": "0",
            "details": details,
            "initial_margin": "0",
            "maintenance_margin": "0",
            "maintenance_margin_rate": "0",
            "profit_unreal": "0",
            "available_margin": "0",
            "voucher_value": "0",
            "created_time": ms,
            "updated_time": ms,
        }
        return done(self._desk, whole)

    def positions(self, caller: Caller) -> dict[str, Any]:
        symbol = self._orders.symbol(caller)
        found = [
            rows.listed_position(self._desk, row)
            for row in caller.account.positions.values()
            if row.size and symbol in (None, row.listing.symbol)
        ]
        return done(self._desk, found)

    def bills(self, caller: Caller) -> dict[str, Any]:
        """Funding is all that is kept; newest first."""
        params, symbol = caller.params, self._orders.symbol(caller)
        kinds = (params.optional("type") or f"{INCOME},{PAYMENT}").split(",")
        first, last = params.whole("start_time", 0), params.whole("end_time", 2**62)
        found = []
        for row in reversed(caller.account.funding):
            kind = INCOME if row.amount > 0 else PAYMENT
            if kind not in kinds or not first <= row.ms <= last or symbol not in (None, row.listing.symbol):
                continue
            bill = {
                "id": str(row.number),
                "type": kind,
                "currency": row.asset,
                "amount": plain(row.amount),
                "contract_code": row.listing.symbol,
                "margin_mode": caller.account.setting(row.listing.symbol).mode,
                "created_time": str(row.ms),
            }
            found.append((row.number, bill))
        return done(self._desk, params.cut(found, "limit", 10, 100))

    def fees(self, caller: Caller) -> dict[str, Any]:
        """An endpoint of the older generation."""
        listing, rates = self._orders.listing(caller), caller.account.rate("futures")
        maker, taker = plain(rates.maker), plain(rates.taker)
        row = {
            "symbol": listing.base,
            "contract_code": listing.symbol,
            "open_maker_fee": maker,
            "open_taker_fee": taker,
            "close_maker_fee": maker,
            "close_taker_fee": taker,
            "fee_asset": listing.settle,
            "delivery_fee": plain(ZERO),
            "business_type": "swap",
        }
        return {"status": "ok", "data": [row], "ts": self._desk.now_ms()}

    def set_leverage(self, caller: Caller) -> dict[str, Any]:
        listing, mode = self._orders.listing(caller), caller.params.one_of("margin_mode", MODES)
        leverage = caller.params.whole("lever_rate")
        self._desk.set_leverage(caller.account, listing.symbol, leverage or 0, mode)
        return done(self._desk, {"contract_code": listing.symbol, "margin_mode": mode, "lever_rate": leverage})

    def set_position_mode(self, caller: Caller) -> dict[str, Any]:
        """Not while there are orders or positions."""
        hedge, account = caller.params.one_of("position_mode", POSITION_MODES), caller.account
        busy = any(order.listing.market_type == "futures" for order in account.open.values())
        if hedge != account.hedge and (busy or any(row.size for row in account.positions.values())):
            raise RefusalError(*CONTRACT_DESK[Reason.POSITION_SIDE])
        account.hedge = hedge
        return done(self._desk, {"position_mode": caller.params.text("position_mode")})

    def position_mode(self, caller: Caller) -> dict[str, Any]:
        return done(self._desk, {"position_mode": "dual_side" if caller.account.hedge else "single_side"})

    def asset_mode(self, caller: Caller) -> dict[str, Any]:
        """Each contract is held by the money that it settles in."""
        return done(self._desk, {"asset_mode": 0})
