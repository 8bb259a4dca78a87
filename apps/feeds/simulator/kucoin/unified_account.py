"""The account endpoints of unified accounts, and the one that tells which kind of account asks."""

from typing import Any

from apps.feeds.simulator.kucoin import unified_rows as rows
from apps.feeds.simulator.kucoin.account import OPEN_THINGS, Money, is_engaged, unrealised
from apps.feeds.simulator.kucoin.auth import Caller
from apps.feeds.simulator.kucoin.futures_orders import MODES
from apps.feeds.simulator.kucoin.futures_rows import MODES as WORDS
from apps.feeds.simulator.kucoin.refusals import BAD_LEVERAGE, refusal
from apps.feeds.simulator.kucoin.spot_orders import in_span, listed
from apps.feeds.simulator.kucoin.streams import TRADE_TYPES
from apps.feeds.simulator.kucoin.unified_orders import MARKETS, MOST_ROWS
from apps.feeds.simulator.trading.desk import Desk


class UnifiedMoney:
    def __init__(self, desk: Desk, money: Money) -> None:
        self._desk = desk
        self._money = money

    def mode(self, caller: Caller) -> dict[str, Any]:
        """Of every key, whatever its account is."""
        mode = "UNIFIED" if caller.unified else "CLASSIC"
        return {"selfAccountMode": mode, "unifiedSubAccount": [], "classicSubAccount": []}

    def balance(self, caller: Caller) -> dict[str, Any]:
        account = caller.account
        wallet = account.wallets.get(account.rules.wallets["spot"], {})
        told = [rows.money_row(asset, held, unrealised(self._desk, account, asset)) for asset, held in wallet.items()]
        return {"accountType": "UNIFIED", "ts": self._desk.now_ms(), "accounts": [{"currencies": told}]}

    def fees(self, caller: Caller) -> dict[str, Any]:
        market_type = caller.params.one_of("tradeType", MARKETS)
        symbols = caller.params.text("symbol").split(",")
        told = [self._money.fee_row(caller.account, market_type, symbol) for symbol in symbols]
        return {"tradeType": TRADE_TYPES[market_type], "list": told}

    def positions(self, caller: Caller) -> list[dict[str, Any]]:
        """The open ones."""
        symbol = caller.params.optional("symbol")
        return [
            rows.position_row(position, self._desk.mark(position.listing))
            for (name, _), position in caller.account.positions.items()
            if position.size and symbol in (None, name)
        ]

    def funding(self, caller: Caller) -> dict[str, Any]:
        """Newest first, before the row `lastId`."""
        params, account = caller.params, caller.account
        symbol = params.optional("symbol")
        _, size = params.page("pageNumber", MOST_ROWS)
        last = params.whole("lastId") or 2**63
        found = [
            row
            for row in reversed(account.funding)
            if symbol in (None, row.listing.symbol) and row.number < last and in_span(params, row.ms)
        ][:size]
        told = []
        for row in found:
            position = account.position(row.listing, "net")
            told.append(rows.funding_row(row, self._desk.mark(row.listing), position.size, WORDS[position.mode]))
        return {"lastId": found[-1].number if found else 0, "items": told}

    def leverage(self, caller: Caller) -> dict[str, Any]:
        symbol = listed(self._desk, "futures", caller.params.text("symbol"))
        return {"symbol": symbol, "leverage": str(caller.account.setting(symbol).leverage)}

    def set_leverage(self, caller: Caller) -> dict[str, Any]:
        symbol, leverage = caller.params.text("symbol"), caller.params.whole("leverage")
        if leverage is None:
            raise refusal(BAD_LEVERAGE)
        self._desk.set_leverage(caller.account, symbol, leverage)
        return {"symbol": symbol, "leverage": str(leverage)}

    def margin_mode(self, caller: Caller) -> dict[str, Any]:
        symbol = listed(self._desk, "futures", caller.params.text("symbol"))
        return {"symbol": symbol, "marginMode": WORDS[caller.account.setting(symbol).mode]}

    def set_margin_mode(self, caller: Caller) -> dict[str, Any]:
        symbol = listed(self._desk, "futures", caller.params.text("symbol"))
        mode = caller.params.one_of("marginMode", MODES)
        if caller.account.setting(symbol).mode != mode and is_engaged(self._desk, caller.account, symbol):
            raise refusal(OPEN_THINGS)
        self._desk.set_leverage(caller.account, symbol, None, mode)
        return {"symbol": symbol, "marginMode": WORDS[mode]}
