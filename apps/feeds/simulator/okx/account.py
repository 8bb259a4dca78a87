"""OKX's account endpoints: balances, positions, fees, bills, leverage, modes, and what a key may do."""

from decimal import Decimal
from typing import Any

from apps.feeds.simulator.okx import params, rows
from apps.feeds.simulator.okx.auth import Caller
from apps.feeds.simulator.okx.refusals import BUSY_MODE, NO_INSTRUMENT, bad, refusal
from apps.feeds.simulator.okx.rows import number
from apps.feeds.simulator.trading.accounts import Account, Funding, Holding
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.tickets import Mode, Refused

WALLET = "trading"  # one for both markets
UID = "464737184507959869"
DOLLARS = ("USDT", "USDC", "USD")
MODES: dict[str, Mode] = {"cross": "cross", "isolated": "isolated"}
POSITION_MODES = {"net_mode": False, "long_short_mode": True}
FUNDING = "8"  # the type of a bill
PERMISSIONS = {"read": "read_only", "trade": "trade", "withdraw": "withdraw"}


class Accounts:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def balance(self, caller: Caller) -> list[dict[str, Any]]:
        """Without what there is nothing of."""
        held = {asset: row for asset, row in caller.account.wallets.get(WALLET, {}).items() if row.total}
        wanted = _names(caller, "ccy")
        return [self.summary(caller.account, {a: row for a, row in held.items() if a in wanted or not wanted})]

    def summary(self, account: Account, held: dict[str, Holding]) -> dict[str, Any]:
        """The whole account, with the assets that are given; also what the channel `account` says."""
        every = account.wallets.get(WALLET, {})
        worth = sum((self._dollars(asset) * row.total for asset, row in every.items()), Decimal(0))
        unused = ("adjEq", "availEq", "borrowFroz", "imr", "mgnRatio", "mmr", "notionalUsd", "ordFroz", "upl")
        return {
            **dict.fromkeys(unused, ""),
            **dict.fromkeys([f"notionalUsdFor{kind}" for kind in ("Borrow", "Futures", "Option", "Swap")], ""),
            "isoEq": "0",
            "totalEq": number(worth),
            "uTime": str(self._desk.now_ms()),
            "details": [self._detail(account, asset, row) for asset, row in held.items()],
        }

    def positions(self, caller: Caller) -> list[dict[str, Any]]:
        kind, wanted = caller.query.get("instType"), _names(caller, "instId")
        return [
            rows.position(self._desk, caller.account, row)
            for row in caller.account.positions.values()
            if row.size and kind in (None, row.listing.category) and (not wanted or row.listing.symbol in wanted)
        ]

    def config(self, caller: Caller) -> list[dict[str, Any]]:
        """`acctLv` 2: spot and futures; `perm` is what the key may do."""
        may = [words for name, words in PERMISSIONS.items() if name in caller.key.permissions]
        return [
            {
                "uid": UID,
                "mainUid": UID,
                "acctLv": "2",
                "acctStpMode": "cancel_maker",
                "posMode": "long_short_mode" if caller.account.hedge else "net_mode",
                "autoLoan": False,
                "greeksType": "PA",
                "level": "Lv1",
                "levelTmp": "",
                "ctIsoMode": "automatic",
                "mgnIsoMode": "automatic",
                "spotOffsetType": "",
                "roleType": "0",
                "traderInsts": [],
                "opAuth": "0",
                "kycLv": "3",
                "label": caller.account.name,
                "ip": "",
                "perm": ",".join(may),
                "type": "0",
                "enableSpotBorrow": False,
            }
        ]

    def fees(self, caller: Caller) -> list[dict[str, Any]]:
        """Negative is what is charged. Contracts settled in dollars have fields of their own."""
        kind = _kind(caller)
        spot = kind == "SPOT"
        rates = caller.account.rate("spot" if spot else "futures")
        maker, taker = number(-rates.maker), number(-rates.taker)
        return [
            {
                "category": "1",
                "delivery": "",
                "exercise": "",
                "instType": kind,
                "level": "Lv1",
                "ruleType": "normal",
                "maker": maker,
                "taker": taker,
                "makerU": "" if spot else maker,
                "takerU": "" if spot else taker,
                "makerUSDC": "" if spot else maker,
                "takerUSDC": "" if spot else taker,
                "fiat": [],
                "feeGroup": [{"groupId": "1", "maker": maker, "taker": taker}],
                "ts": str(self._desk.now_ms()),
            }
        ]

    def bills(self, caller: Caller) -> list[dict[str, Any]]:
        """Newest first; funding is all that is kept here."""
        query = caller.query
        first, last = params.span(caller)
        if query.get("type", FUNDING) != FUNDING or query.get("instType", "SWAP") != "SWAP":
            return []
        wanted = query.get("instId")
        found = [
            row for row in caller.account.funding if first <= row.ms <= last and wanted in (None, row.listing.symbol)
        ]
        return [_bill(row) for row in params.page(caller, found, lambda row: row.number)]

    def leverage(self, caller: Caller) -> list[dict[str, Any]]:
        mode = _mode(caller.query.get("mgnMode"))
        return [
            {"ccy": "", "instId": name, "mgnMode": mode, "posSide": side, "lever": self._lever(caller, name)}
            for name in sorted(_names(caller, "instId"))
            for side in (("long", "short") if caller.account.hedge else ("net",))
        ]

    def set_leverage(self, caller: Caller) -> list[dict[str, Any]]:
        body = caller.body if isinstance(caller.body, dict) else {}
        symbol, lever, mode = body.get("instId"), body.get("lever"), _mode(body.get("mgnMode"))
        if not isinstance(symbol, str):
            raise bad("instId")
        if not isinstance(lever, str) or not lever.isdecimal():
            raise bad("lever")
        if body.get("posSide") not in (("long", "short", None) if caller.account.hedge else ("net", "", None)):
            raise bad("posSide")
        self._desk.set_leverage(caller.account, symbol, int(lever), mode)
        return [{"instId": symbol, "lever": lever, "mgnMode": mode, "posSide": body.get("posSide") or "net"}]

    def set_position_mode(self, caller: Caller) -> list[dict[str, Any]]:
        body = caller.body if isinstance(caller.body, dict) else {}
        wanted = body.get("posMode")
        if not isinstance(wanted, str) or wanted not in POSITION_MODES:
            raise bad("posMode")
        account = caller.account
        busy = any(order.listing.market_type == "futures" for order in account.open.values())
        if POSITION_MODES[wanted] != account.hedge:
            if busy or any(row.size for row in account.positions.values()):
                raise refusal(BUSY_MODE)
            account.hedge = POSITION_MODES[wanted]
        return [{"posMode": wanted}]

    def currencies(self, caller: Caller) -> list[dict[str, Any]]:
        """One chain for each coin that is traded."""
        listed = [*self._desk.listed("spot"), *self._desk.listed("futures")]
        coins = sorted({coin for row in listed for coin in (row.base, row.quote)})
        return [
            {"ccy": coin, "name": coin, "chain": f"{coin}-Main", "canDep": True, "canWd": True, "canInternal": True}
            for coin in coins
        ]

    def _detail(self, account: Account, asset: str, row: Holding) -> dict[str, Any]:
        held = [p for p in account.positions.values() if p.size and p.listing.settle == asset]
        profit = sum((p.unrealised(self._desk.mark(p.listing)) for p in held), Decimal(0))
        margin = account.margin(asset)
        price, equity = self._dollars(asset), row.total + profit
        return {
            **dict.fromkeys(rows.UNUSED_HELD, ""),
            **dict.fromkeys(("fixedBal", "isoEq", "isoUpl", "rewardBal", "smtSyncEq", "spotIsoBal", "stgyEq"), "0"),
            "ccy": asset,
            "availBal": number(row.free),
            "availEq": number(row.free),
            "cashBal": number(row.total),
            "coinUsdPrice": number(price),
            "collateralEnabled": False,
            "disEq": number(equity * price),
            "eq": number(equity),
            "eqUsd": number(equity * price),
            "frozenBal": number(row.locked),
            "ordFrozen": number(row.locked - margin),
            "imr": number(margin),
            "mmr": "0",
            "mgnRatio": "",
            "notionalLever": "0",
            "twap": "0",
            "uTime": str(self._desk.now_ms()),
            "upl": number(profit),
        }

    def _dollars(self, asset: str) -> Decimal:
        """What one coin is worth; 0 where no market tells."""
        if asset in DOLLARS:
            return Decimal(1)
        try:
            return self._desk.mark(self._desk.market("spot", f"{asset}-USDT").listing)
        except Refused:
            return Decimal(0)

    def _lever(self, caller: Caller, symbol: str) -> str:
        if symbol not in {row.symbol for row in self._desk.listed("futures")}:
            raise refusal(NO_INSTRUMENT)
        return str(caller.account.setting(symbol).leverage)


def _bill(row: Funding) -> dict[str, Any]:
    unused = ("bal", "clOrdId", "execType", "fee", "from", "interest", "notes", "ordId", "posBal", "posBalChg", "px")
    return {
        **dict.fromkeys((*unused, "tag", "to", "tradeId"), ""),
        "billId": str(row.number),
        "balChg": number(row.amount),
        "pnl": number(row.amount),
        "sz": "",
        "ccy": row.asset,
        "instId": row.listing.symbol,
        "instType": row.listing.category,
        "mgnMode": "cross",
        "type": FUNDING,
        "subType": "174" if row.amount > 0 else "173",
        "ts": str(row.ms),
    }


def _names(caller: Caller, name: str) -> set[str]:
    return set(filter(None, caller.query.get(name, "").split(",")))


def _mode(text: Any) -> Mode:
    if not isinstance(text, str) or text not in MODES:
        raise bad("mgnMode")
    return MODES[text]


def _kind(caller: Caller) -> str:
    kind = caller.query.get("instType", "")
    if kind not in ("SPOT", "SWAP", "FUTURES"):
        raise bad("instType")
    return kind
