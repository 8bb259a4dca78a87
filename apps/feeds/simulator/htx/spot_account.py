"""HTX's account endpoints of spot: accounts, balances, fees, and what a key may do."""

from typing import Any

from apps.feeds.simulator.htx import spot_rows as rows
from apps.feeds.simulator.htx.auth import Caller
from apps.feeds.simulator.htx.refusals import SPOT_V2, RefusalError
from apps.feeds.simulator.trading.desk import Desk

PERMISSIONS = {"read": "readOnly", "trade": "trade", "withdraw": "withdraw"}
MADE_MS = 1_700_000_000_000


class SpotAccounts:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def accounts(self, caller: Caller) -> dict[str, Any]:
        number = rows.account_id(caller.account)
        kinds = {"point": number + 1, "spot": number}
        data = [{"id": id, "type": kind, "subtype": "", "state": "working"} for kind, id in kinds.items()]
        return {"status": "ok", "data": data}

    def balance(self, caller: Caller) -> dict[str, Any]:
        """Two rows for each coin."""
        if caller.id != str(rows.account_id(caller.account)):
            raise RefusalError("account-get-accounts-inexistent-error", "account for id is inexistent")
        data: list[dict[str, Any]] = []
        for asset, row in caller.account.wallets.get("spot", {}).items():
            for kind, value in (("trade", row.free), ("frozen", row.locked)):
                data.append(
                    {"currency": asset.lower(), "type": kind, "balance": rows.plain(value), "seq-num": str(len(data))}
                )
        told = {"id": int(caller.id), "type": "spot", "state": "working", "list": data}
        return {"status": "ok", "data": told, "ts": self._desk.now_ms()}

    def uid(self, caller: Caller) -> dict[str, Any]:
        return {"code": 200, "data": rows.user_id(caller.account)}

    def api_key(self, caller: Caller) -> dict[str, Any]:
        """What the keys of the account may do."""
        if caller.params.whole("uid") != rows.user_id(caller.account):
            raise SPOT_V2.illegal("uid")
        wanted = caller.params.optional("accessKey")
        data = [
            {
                "accessKey": key.key,
                "status": "normal",
                "note": "",
                "permission": ",".join(word for name, word in PERMISSIONS.items() if name in key.permissions),
                "ipAddresses": "",
                "validDays": -1,
                "createTime": MADE_MS,
                "updateTime": MADE_MS,
            }
            for key in caller.account.keys.values()
            if wanted in (None, key.key)
        ]
        return {"code": 200, "data": data}

    def fees(self, caller: Caller) -> dict[str, Any]:
        """Of up to ten symbols."""
        symbols, listed = caller.params.text("symbols").split(","), {row.symbol for row in self._desk.listed("spot")}
        if len(symbols) > 10 or not listed.issuperset(symbols):
            raise SPOT_V2.illegal("symbols")
        rates = caller.account.rate("spot")
        maker, taker = rows.plain(rates.maker), rows.plain(rates.taker)
        data = [
            {
                "symbol": symbol,
                "makerFeeRate": maker,
                "takerFeeRate": taker,
                "actualMakerRate": maker,
                "actualTakerRate": taker,
            }
            for symbol in symbols
        ]
        return {"code": 200, "data": data, "success": True}
