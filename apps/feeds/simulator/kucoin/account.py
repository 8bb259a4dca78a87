"""The account endpoints of classic accounts: money, fees, positions, leverage, modes; and what a key may do."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.kucoin import futures_rows, spot_rows
from apps.feeds.simulator.kucoin.auth import Caller
from apps.feeds.simulator.kucoin.futures_orders import MODES
from apps.feeds.simulator.kucoin.refusals import BAD_LEVERAGE, bad, refusal
from apps.feeds.simulator.kucoin.spot_orders import in_span, listed
from apps.feeds.simulator.kucoin.words import plain
from apps.feeds.simulator.trading.accounts import ZERO, Account, Position
from apps.feeds.simulator.trading.desk import Desk

GRANTS = {"read": ("General",), "trade": ("Spot", "Futures", "Margin", "Unified"), "withdraw": ("Transfer",)}
MOST_SYMBOLS = 10  # whose fees may be asked for at once
USUAL_COUNT, MOST_COUNT = 10, 100
OPEN_THINGS = ("330006", "Margin mode can not be switched with open orders or positions.")


class Money:
    """What both markets of a classic account have."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def server_time(self) -> int:
        return self._desk.now_ms()

    def key(self, caller: Caller) -> dict[str, Any]:
        """What the key may do."""
        grants = [grant for name in GRANTS if name in caller.key.permissions for grant in GRANTS[name]]
        return {
            "remark": caller.account.name,
            "apiKey": caller.key.key,
            "apiVersion": 3,
            "permission": ",".join(grants),
            "ipWhitelist": "",
            "createdAt": 1728443843000,
            "uid": 165111215,
            "isMaster": True,
        }

    def is_high_frequency(self, caller: Caller) -> bool:
        """All spot accounts are."""
        return True

    def crossed_symbols(self, caller: Caller) -> dict[str, Any]:
        """Nothing of spot is lent here, in no margin mode."""
        return {"timestamp": self._desk.now_ms(), "items": []}

    def isolated_symbols(self, caller: Caller) -> list[dict[str, Any]]:
        return []

    def accounts(self, caller: Caller) -> list[dict[str, Any]]:
        """Rows of the trade account; the main account is empty here."""
        wanted, kind = caller.params.optional("currency"), caller.params.optional("type")
        if kind not in (None, "trade"):
            return []
        wallet = caller.account.wallets.get(caller.account.rules.wallets["spot"], {})
        return [spot_rows.account_row(asset, held) for asset, held in wallet.items() if wanted in (None, asset)]

    def spot_fees(self, caller: Caller) -> list[dict[str, Any]]:
        symbols = caller.params.text("symbols").split(",")
        if len(symbols) > MOST_SYMBOLS:
            raise bad(f"symbols: at most {MOST_SYMBOLS}")
        return [self.fee_row(caller.account, "spot", symbol) for symbol in symbols]

    def futures_fees(self, caller: Caller) -> dict[str, Any]:
        return self.fee_row(caller.account, "futures", caller.params.text("symbol"))

    def fee_row(self, account: Account, market_type: str, symbol: str) -> dict[str, Any]:
        rates = account.rate(market_type)
        return {
            "symbol": listed(self._desk, market_type, symbol),
            "takerFeeRate": plain(rates.taker),
            "makerFeeRate": plain(rates.maker),
        }

    # futures

    def overview(self, caller: Caller) -> dict[str, Any]:
        asset = caller.params.optional("currency") or "XBT"
        return futures_rows.overview(caller.account, asset, unrealised(self._desk, caller.account, asset))

    def positions(self, caller: Caller) -> list[dict[str, Any]]:
        """The open ones."""
        asset, ms = caller.params.optional("currency"), self._desk.now_ms()
        return [
            futures_rows.position_row(position, self._desk.mark(position.listing), ms)
            for position in caller.account.positions.values()
            if position.size and asset in (None, position.listing.settle)
        ]

    def position(self, caller: Caller) -> dict[str, Any] | list[dict[str, Any]]:
        listing = self._desk.market("futures", caller.params.text("symbol")).listing
        position = caller.account.position(listing, "net")
        return futures_rows.position_row(position, self._desk.mark(listing), self._desk.now_ms())

    def funding(self, caller: Caller) -> dict[str, Any]:
        """Newest first; with `maxCount` rows at most."""
        params = caller.params
        listing = self._desk.market("futures", params.text("symbol")).listing
        count, setting = params.whole("maxCount") or USUAL_COUNT, caller.account.setting(listing.symbol)
        if count > MOST_COUNT:
            raise bad(f"maxCount should not greater than {MOST_COUNT}")
        found = [row for row in reversed(caller.account.funding) if row.listing is listing and in_span(params, row.ms)]
        size, mark = _held(caller.account, listing.symbol), self._desk.mark(listing)
        data = [futures_rows.funding_row(row, mark, size, setting.mode) for row in found[:count]]
        return {"dataList": data, "hasMore": len(found) > count}

    def leverage(self, caller: Caller) -> dict[str, Any]:
        """Of cross margin."""
        symbol = listed(self._desk, "futures", caller.params.text("symbol"))
        return {"symbol": symbol, "leverage": str(caller.account.setting(symbol).leverage)}

    def set_leverage(self, caller: Caller) -> bool:
        symbol, leverage = caller.params.text("symbol"), caller.params.whole("leverage")
        if leverage is None:
            raise refusal(BAD_LEVERAGE)
        self._desk.set_leverage(caller.account, symbol, leverage)
        return True

    def margin_mode(self, caller: Caller) -> dict[str, Any]:
        symbol = listed(self._desk, "futures", caller.params.text("symbol"))
        return {"symbol": symbol, "marginMode": futures_rows.MODES[caller.account.setting(symbol).mode]}

    def set_margin_mode(self, caller: Caller) -> dict[str, Any]:
        symbol = listed(self._desk, "futures", caller.params.text("symbol"))
        mode = caller.params.one_of("marginMode", MODES)
        if caller.account.setting(symbol).mode != mode and is_engaged(self._desk, caller.account, symbol):
            raise refusal(OPEN_THINGS)
        self._desk.set_leverage(caller.account, symbol, None, mode)
        return {"symbol": symbol, "marginMode": futures_rows.MODES[mode]}

    def position_mode(self, caller: Caller) -> dict[str, Any]:
        return {"positionMode": int(caller.account.hedge)}

    def set_position_mode(self, caller: Caller) -> dict[str, Any]:
        mode = caller.params.whole("positionMode")
        if mode not in (0, 1):
            raise bad("positionMode must be 0 or 1")
        busy = self._desk.open_orders(caller.account, "futures") or _any_held(caller.account)
        if busy and caller.account.hedge != bool(mode):
            raise refusal(("330011", "Position mode can not be switched with open orders or positions."))
        caller.account.hedge = bool(mode)
        return {"positionMode": mode}


def unrealised(desk: Desk, account: Account, asset: str) -> Decimal:
    """Of the positions that are settled in the asset."""
    held: list[Position] = [p for p in account.positions.values() if p.size and p.listing.settle == asset]
    return sum((position.unrealised(desk.mark(position.listing)) for position in held), ZERO)


def is_engaged(desk: Desk, account: Account, symbol: str) -> bool:
    """Whether there are open orders or positions of a future."""
    return bool(desk.open_orders(account, "futures", symbol)) or any(
        position.size for (name, _), position in account.positions.items() if name == symbol
    )


def _held(account: Account, symbol: str) -> int:
    return sum(position.size for (name, _), position in account.positions.items() if name == symbol)


def _any_held(account: Account) -> bool:
    return any(position.size for position in account.positions.values())
