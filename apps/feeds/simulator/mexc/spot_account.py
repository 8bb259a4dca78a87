"""MEXC's spot account: balances, fees, symbols, and the listen keys of its private channels."""

import random
import string
from dataclasses import dataclass
from typing import Any

from apps.feeds.simulator.mexc import spot_rows as rows
from apps.feeds.simulator.mexc.auth import Caller
from apps.feeds.simulator.mexc.listings import NO_API
from apps.feeds.simulator.mexc.refusals import refusal
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.desk import Desk

KEY_LENGTH, MOST_KEYS = 64, 60  # keys of one account
TOO_MANY_KEYS = (730705, "at most 60 listen keys")
NO_LISTEN_KEY = (730706, "the listen key does not exist")


class SpotAccounts:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def account(self, caller: Caller) -> dict[str, Any]:
        may, held = caller.key.permissions, caller.account.wallets.get("spot", {})
        return {
            "canTrade": "trade" in may,
            "canWithdraw": "withdraw" in may,
            "canDeposit": True,
            "updateTime": None,
            "accountType": "SPOT",
            "balances": [rows.balance(asset, row) for asset, row in held.items() if row.total],
            "permissions": ["SPOT"],
        }

    def trade_fee(self, caller: Caller) -> dict[str, Any]:
        self._desk.market("spot", caller.params.text("symbol"))
        rates = caller.account.rate("spot")
        data = {"makerCommission": rates.maker, "takerCommission": rates.taker}
        return {"data": data, "code": 0, "msg": "success", "timestamp": self._desk.now_ms()}

    def coins(self, caller: Caller) -> list[dict[str, Any]]:
        """No way to move them out is offered."""
        listed = self._desk.listed("spot")
        names = dict.fromkeys(name for row in listed for name in (row.base, row.quote))
        return [{"coin": name, "name": name, "networkList": []} for name in names]

    def symbols(self, caller: Caller) -> dict[str, Any]:
        """What the key may trade."""
        listed = [row.symbol for row in self._desk.listed("spot") if row.live and row.base != NO_API]
        return {"code": 200, "data": listed, "msg": None}


@dataclass(slots=True)
class ListenKey:
    text: str
    account: Account
    until: float  # of the exchange's steady clock


class ListenKeys:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._keys: dict[str, ListenKey] = {}

    def make(self, account: Account, now: float, life_s: float) -> dict[str, Any]:
        if len(self._of(account, now)) >= MOST_KEYS:
            raise refusal("spot", TOO_MANY_KEYS)
        text = "".join(self._rng.choices(string.ascii_lowercase + string.digits, k=KEY_LENGTH))
        self._keys[text] = ListenKey(text, account, now + life_s)
        return {"listenKey": text}

    def renew(self, caller: Caller, now: float, life_s: float) -> dict[str, Any]:
        key = self._own(caller, now)
        key.until = now + life_s
        return {"listenKey": key.text}

    def end(self, caller: Caller, now: float) -> dict[str, Any]:
        key = self._own(caller, now)
        key.until = 0.0
        return {"listenKey": key.text}

    def all(self, account: Account, now: float) -> dict[str, Any]:
        return {"listenKey": [key.text for key in self._of(account, now)]}

    def find(self, text: str, now: float) -> ListenKey | None:
        """None where there is no such key any more."""
        key = self._keys.get(text)
        return key if key is not None and key.until > now else None

    def _of(self, account: Account, now: float) -> list[ListenKey]:
        return [key for key in self._keys.values() if key.account is account and key.until > now]

    def _own(self, caller: Caller, now: float) -> ListenKey:
        key = self.find(caller.params.text("listenKey"), now)
        if key is None or key.account is not caller.account:
            raise refusal("spot", NO_LISTEN_KEY)
        return key
