"""Binance's account endpoints of spot: balances, fees, and what a key may do."""

from typing import Any

from apps.feeds.simulator.binance.auth import Caller
from apps.feeds.simulator.binance.rows import money
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.desk import Desk


class Accounts:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def spot(self, caller: Caller) -> dict[str, Any]:
        rates = caller.account.rate("spot")
        held = caller.account.wallets.get("spot", {})
        whole = not caller.params.flag("omitZeroBalances")
        return {
            "makerCommission": int(rates.maker * 10_000),
            "takerCommission": int(rates.taker * 10_000),
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": self._rates(caller),
            "canTrade": "trade" in caller.key.permissions,
            "canWithdraw": "withdraw" in caller.key.permissions,
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": self._desk.now_ms(),
            "accountType": "SPOT",
            "balances": [
                {"asset": asset, "free": money(row.free), "locked": money(row.locked)}
                for asset, row in held.items()
                if whole or row.total
            ],
            "permissions": ["SPOT"],
            "uid": 354937868,
        }

    def spot_commission(self, caller: Caller) -> dict[str, Any]:
        none = {"maker": "0.00000000", "taker": "0.00000000", "buyer": "0.00000000", "seller": "0.00000000"}
        return {
            "symbol": self._listing(caller).symbol,
            "standardCommission": self._rates(caller),
            "specialCommission": none,
            "taxCommission": none,
            "discount": {
                "enabledForAccount": False,
                "enabledForSymbol": False,
                "discountAsset": "BNB",
                "discount": "0.75000000",
            },
        }

    def restrictions(self, caller: Caller) -> dict[str, Any]:
        """What the key may do."""
        may = caller.key.permissions
        return {
            "ipRestrict": False,
            "createTime": 1_700_000_000_000,
            "enableReading": "read" in may,
            "enableWithdrawals": "withdraw" in may,
            "enableInternalTransfer": False,
            "enableMargin": False,
            "enableFutures": "trade" in may,
            "permitsUniversalTransfer": False,
            "enableVanillaOptions": False,
            "enableFixApiTrade": False,
            "enableFixReadOnly": False,
            "enableSpotAndMarginTrading": "trade" in may,
            "enablePortfolioMarginTrading": False,
        }

    def _rates(self, caller: Caller) -> dict[str, str]:
        rates = caller.account.rate("spot")
        return {
            "maker": money(rates.maker),
            "taker": money(rates.taker),
            "buyer": "0.00000000",
            "seller": "0.00000000",
        }

    def _listing(self, caller: Caller) -> Listing:
        return self._desk.market(caller.market_type, caller.params.text("symbol")).listing
