"""Bybit's account endpoints: the unified wallet, positions, fees, leverage, modes, and what a key may do."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from apps.feeds.simulator.bybit import rows
from apps.feeds.simulator.bybit.auth import Caller
from apps.feeds.simulator.bybit.refusals import BUSY_MODE, FORBIDDEN, SAME_LEVERAGE, SAME_MODE, bad, refusal
from apps.feeds.simulator.bybit.rows import number
from apps.feeds.simulator.listings import Listing
from apps.feeds.simulator.trading.accounts import Account, Holding, Position
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Mode, PositionSide, Reason, Refused

WALLET = "UNIFIED"  # one for both markets
DOLLARS = ("USDT", "USDC", "USD")
MODES = {0: False, 3: True}  # of positions: one way, or both
MARGIN_MODES: dict[str, Mode] = {"REGULAR_MARGIN": "cross", "ISOLATED_MARGIN": "isolated"}
SIDES: dict[bool, tuple[PositionSide, ...]] = {False: ("net",), True: ("long", "short")}
TOTALS = (
    *("accountIMRate", "accountMMRate", "accountIMRateByMp", "accountMMRateByMp", "totalInitialMargin"),
    *("totalInitialMarginByMp", "totalMaintenanceMargin", "totalMaintenanceMarginByMp", "accountLTV"),
)


class Accounts:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def wallet(self, caller: Caller) -> dict[str, Any]:
        """Coins without a balance are left out."""
        if caller.params.text("accountType") != WALLET:
            raise bad("accountType")
        wanted = set((caller.params.optional("coin") or "").split(",")) - {""}
        held = caller.account.wallets.get(WALLET, {})
        coins = [coin for coin, row in held.items() if (row.total or coin in wanted) and coin in (wanted or held)]
        return {"list": [self.summary(caller.account, coins)]}

    def summary(self, account: Account, coins: Iterable[str]) -> dict[str, Any]:
        """The whole account, with the coins that are asked for; also what the topic `wallet` says."""
        held = account.wallets.get(WALLET, {})
        whole = {coin: self._coin(account, coin, row) for coin, row in held.items()}
        free = sum((self._dollars(coin) * row.free for coin, row in held.items()), Decimal(0))
        worth = sum((Decimal(row["usdValue"]) for row in whole.values()), Decimal(0))
        cash = sum((self._dollars(coin) * row.total for coin, row in held.items()), Decimal(0))
        return {
            **dict.fromkeys(TOTALS, "0"),
            "totalEquity": number(worth),
            "totalWalletBalance": number(cash),
            "totalMarginBalance": number(worth),
            "totalAvailableBalance": number(free),
            "totalPerpUPL": number(worth - cash),
            "accountType": WALLET,
            "coin": [whole[coin] for coin in coins],
        }

    def positions(self, caller: Caller) -> dict[str, Any]:
        """With a symbol those of no size too."""
        params, account = caller.params, caller.account
        category, market_type = params.category()
        if market_type == "spot":
            raise bad("category")
        symbol, settle = params.optional("symbol"), params.optional("settleCoin")
        if symbol is None and settle is None and category == "linear":
            raise bad("symbol or settleCoin")
        if symbol is not None:
            found = [account.position(self._listing(caller), side) for side in SIDES[account.hedge]]
        else:
            found = [row for row in account.positions.values() if row.size and row.listing.settle == settle]
        page, cursor = params.page([row for row in found if row.listing.category == category], 20, 200)
        listed = [rows.position(self._desk, row, entry="avgPrice") for row in page]
        return {"list": listed, "nextPageCursor": cursor, "category": category}

    def fees(self, caller: Caller) -> dict[str, Any]:
        category, market_type = caller.params.category()
        rates, symbol = caller.account.rate(market_type), caller.params.optional("symbol")
        listed = [
            {
                "symbol": row.symbol,
                "baseCoin": "",
                "takerFeeRate": number(rates.taker),
                "makerFeeRate": number(rates.maker),
            }
            for row in self._desk.listed(market_type)
            if row.category == category and symbol in (None, row.symbol)
        ]
        if not listed:
            raise bad("symbol")
        return {"category": category, "list": listed}

    def set_leverage(self, caller: Caller) -> dict[str, Any]:
        listing, account = self._listing(caller), caller.account
        buy, sell = caller.params.number("buyLeverage"), caller.params.number("sellLeverage")
        if buy != sell or buy % 1:
            raise bad("buyLeverage")
        if account.setting(listing.symbol).leverage == buy:
            raise refusal(SAME_LEVERAGE)
        self._desk.set_leverage(account, listing.symbol, int(buy))
        return {}

    def switch_mode(self, caller: Caller) -> dict[str, Any]:
        """Here for all symbols at once."""
        wanted, account = caller.params.one_of("mode", MODES), caller.account
        if "symbol" not in caller.params and "coin" not in caller.params:
            raise bad("symbol or coin")
        if wanted == account.hedge:
            raise refusal(SAME_MODE)
        busy = any(order.listing.market_type == "futures" for order in account.open.values())
        if busy or any(row.size for row in account.positions.values()):
            raise refusal(BUSY_MODE)
        account.hedge = wanted
        return {}

    def set_margin_mode(self, caller: Caller) -> dict[str, Any]:
        """Of the whole account."""
        mode = caller.params.one_of("setMarginMode", MARGIN_MODES)
        for listing in self._desk.listed("futures"):
            self._desk.set_leverage(caller.account, listing.symbol, None, mode)
        return {"reasons": []}

    def switch_isolated(self, caller: Caller) -> dict[str, Any]:
        raise refusal(FORBIDDEN)

    def info(self, caller: Caller) -> dict[str, Any]:
        """`unifiedMarginStatus` 5: unified, of the second kind."""
        isolated = any(row.mode == "isolated" for row in caller.account.settings.values())
        return {
            "marginMode": "ISOLATED_MARGIN" if isolated else "REGULAR_MARGIN",
            "updatedTime": str(self._desk.now_ms()),
            "unifiedMarginStatus": 5,
            "dcpStatus": "OFF",
            "timeWindow": 0,
            "smpGroup": 0,
            "isMasterTrader": False,
            "spotHedgingStatus": "OFF",
        }

    def key(self, caller: Caller) -> dict[str, Any]:
        """What the key may do."""
        trades, withdraws = "trade" in caller.key.permissions, "withdraw" in caller.key.permissions
        none = ("Options", "CopyTrading", "BlockTrade", "Exchange", "NFT", "Affiliate", "Earn")
        return {
            "id": "13770661",
            "note": caller.account.name,
            "apiKey": caller.key.key,
            "readOnly": 0 if trades or withdraws else 1,
            "secret": "",
            "permissions": {
                "ContractTrade": ["Order", "Position"] if trades else [],
                "Spot": ["SpotTrade"] if trades else [],
                "Derivatives": ["DerivativesTrade"] if trades else [],
                "Wallet": ["Withdraw"] if withdraws else [],
                **{name: [] for name in none},
            },
            "ips": ["*"],
            "type": 1,
            "deadlineDay": 90,
            "expiredAt": "2027-02-18T00:00:00Z",
            "createdAt": "2026-11-20T00:00:00Z",
            "unified": 0,
            "uta": 1,
            "userID": 24617703,
            "inviterID": 0,
            "vipLevel": "No VIP",
            "mktMakerLevel": "0",
            "affiliateID": 0,
            "rsaPublicKey": "",
            "isMaster": True,
            "parentUid": "0",
            "kycLevel": "LEVEL_1",
            "kycRegion": "",
        }

    def coins(self, caller: Caller) -> dict[str, Any]:
        """One chain for each coin that is traded."""
        listed = [*self._desk.listed("spot"), *self._desk.listed("futures")]
        chain = {"chain": "MAIN", "chainType": "Main", "chainDeposit": "1", "chainWithdraw": "1", "minAccuracy": "8"}
        names = sorted({coin for row in listed for coin in (row.base, row.quote)})
        return {"rows": [{"name": name, "coin": name, "remainAmount": "0", "chains": [chain]} for name in names]}

    def _coin(self, account: Account, coin: str, row: Holding) -> dict[str, Any]:
        held: list[Position] = [p for p in account.positions.values() if p.size and p.listing.settle == coin]
        profit = sum((p.unrealised(self._desk.mark(p.listing)) for p in held), Decimal(0))
        margin = account.margin(coin)
        ordered = sum((o.locked for o in account.open.values() if o.listing.settle == coin), Decimal(0))
        equity = row.total + profit
        return {
            "coin": coin,
            "equity": number(equity),
            "usdValue": number(equity * self._dollars(coin)),
            "walletBalance": number(row.total),
            "locked": number(row.locked - margin - ordered),
            "totalOrderIM": number(ordered),
            "totalPositionIM": number(margin),
            "totalPositionMM": "0",
            "unrealisedPnl": number(profit),
            "cumRealisedPnl": number(sum((p.realised for p in held), Decimal(0))),
            "availableToWithdraw": "",
            "availableToBorrow": "",
            "borrowAmount": "0",
            "accruedInterest": "0",
            "bonus": "0",
            "collateralSwitch": True,
            "marginCollateral": True,
            "spotHedgingQty": "0",
            "spotBorrow": "0",
        }

    def _dollars(self, coin: str) -> Decimal:
        """What one coin is worth; 0 where no market tells."""
        if coin in DOLLARS:
            return Decimal(1)
        try:
            return self._desk.mark(self._desk.market("spot", f"{coin}USDT").listing)
        except Refused:
            return Decimal(0)

    def _listing(self, caller: Caller) -> Listing:
        category, market_type = caller.params.category()
        if market_type == "spot":
            raise bad("category")
        listing = self._desk.market(market_type, caller.params.text("symbol")).listing
        if listing.category != category:
            raise Refused(Reason.UNKNOWN_SYMBOL)
        return listing
