"""Twenty accounts with keys at simulated exchanges, and what is done with them."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlencode

from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials
from apps.feeds.simulator.server import Simulator
from bench.system import System
from tests.secrecy.canaries import credentials
from tests.secrecy.ears import Answer, Person

ACCOUNTS = 20
MONEY = {"BTC": "100", "USDT": "1000000", "USDC": "1000000"}
LEAST_USDT = Decimal(15)
QUOTES = {"hyperliquid": "USDC"}
OVER = ("FILLED", "CANCELLED", "REJECTED", "EXPIRED", "NOT_PLACED")


class Keyed(NamedTuple):
    """An account with its key."""

    name: str
    exchange: str
    market: MarketType
    id: int
    keys: Credentials

    @property
    def pair(self) -> str:
        return f"BTC/{QUOTES.get(self.exchange, 'USDT')}"


class Desk:
    """`person` has them all; REST stores one half of the keys, the page's script the other."""

    def __init__(self, system: System, person: Person) -> None:
        self.system, self.person = system, person
        self.wallets = {
            name: {market: exchange.desk.rules_of("").wallets[market] for market in MarketType}
            for name, exchange in Simulator(seed=1).exchanges.items()
        }
        markets = [(exchange, market) for market in MarketType for exchange in registry.trader_ids()]
        self.accounts = [self._open(f"canary {number}", *markets[number % len(markets)]) for number in range(ACCOUNTS)]
        self.traded = [one for one in self.accounts if one.market is MarketType.SPOT]
        self.spare, *self.ahead = [one for one in self.accounts if one not in self.traded]  # on futures
        self._grids = {(one.exchange, one.market): self._grid(one) for one in self.accounts}
        self._sent = 0

    def _open(self, name: str, exchange: str, market: MarketType) -> Keyed:
        keys = credentials(exchange, name)
        self.known(exchange, name, keys, self.wallets[exchange][market])
        body = {"name": name, "exchange": exchange, "market_type": market, "mode": "testnet"}
        made = self.person.ask("POST", "/api/v1/accounts", body)
        assert made.status == 201, made
        return Keyed(name, exchange, market, made.json["id"], keys)

    def known(self, exchange: str, name: str, keys: Credentials, wallet: str, *more: str) -> None:
        """The exchange knows the key; `more` are permissions beyond reading and trading."""
        body: dict[str, Any] = {"exchange": exchange, "name": name, "key": keys.key, "secret": keys.secret}
        body |= {"passphrase": keys.passphrase, "balances": {wallet: MONEY}}
        self.system.simulator("accounts", body | {"permissions": ["read", "trade", *more]})

    def store_keys(self) -> None:
        for number, one in enumerate(self.accounts):
            send = self.person.ask if number % 2 else self.person.browse

            def kept(one: Keyed = one, send: Callable[..., Answer] = send) -> bool:
                answer = send("POST", f"/api/v1/accounts/{one.id}/key", key_body(one.keys))
                assert answer.status in (200, 503), (one, answer)  # 503: the accounts at work use its whole budget
                return answer.status == 200

            self.system.wait(f"the key of {one.name}", kept)

    def ready(self) -> bool:
        """Every account was looked at with its key."""
        rows = self.person.ask("GET", "/api/v1/accounts?mode=testnet&limit=100").json["results"]
        return len([row for row in rows if row["reconciled_at"]]) == ACCOUNTS

    def _grid(self, one: Keyed) -> dict[str, Decimal]:
        query = urlencode({"exchange": one.exchange, "market_type": one.market, "q": one.pair, "limit": 1000})
        rows = self.person.ask("GET", f"/api/v1/instruments?{query}").json["results"]
        row = next(row for row in rows if row["pair"] == one.pair)
        return {
            name: Decimal(row[name] or 0) for name in ("tick", "lot", "contract_size", "min_amount", "min_notional")
        }

    def order(self, one: Keyed) -> int:
        """Ask for a buy that rests; the id of the intent, which risk let through."""
        sent: list[dict[str, Any]] = []

        def taken() -> bool:
            sent.append(self.ask_for(one))
            return not sent[-1]["deny_reason"]

        self.system.wait(f"an order of {one.name}", taken)
        return int(sent[-1]["id"])

    def ask_for(self, one: Keyed) -> dict[str, Any]:
        """The intent as it is answered; `deny_reason` where risk refused it, or nothing is to be had."""
        self._sent += 1
        slug, grid = one.pair.replace("/", "-"), self._grids[one.exchange, one.market]
        book = self.person.ask("GET", f"/orderbook/{one.exchange}/{slug}?market_type={one.market}&depth=5").json
        if not book["bids"]:
            return {"deny_reason": "no book"}
        best = Decimal(str(book["bids"][0][0]))
        rough = Decimal(10) ** (best.adjusted() - 3)  # Hyperliquid takes prices of five digits
        price = (best * Decimal("0.99") // rough) * rough
        step = grid["lot"] * grid["contract_size"]
        fewest = grid["min_amount"] * grid["contract_size"]
        least = max(LEAST_USDT / price, fewest, grid["min_notional"] * Decimal("1.2") / price)
        body = {"key": f"canary {self._sent}", "account": one.id, "pair": one.pair, "side": "buy"}
        body |= {"amount": f"{-(-least // step) * step:f}", "price": f"{price:f}"}
        answer = self.person.ask("POST", "/api/v1/intents", body)
        assert answer.status in (200, 201), (one, body, answer)
        found: dict[str, Any] = answer.json
        return found

    def orders(self, ones: list[Keyed], *statuses: str) -> dict[int, dict[str, Any]]:
        """An order of each account, by its id, in one of the states; what ends otherwise is asked for again."""
        asked = {self.order(one): one for one in ones}
        found: dict[int, dict[str, Any]] = {}

        def all_are() -> bool:
            rows = self._listed("orders", asked)
            for row in rows:
                if row["status"] in statuses:
                    found[row["id"]] = row
                    del asked[row["intent"]]
            lost = [row["intent"] for row in rows if row["intent"] in asked and row["status"] in OVER]
            lost += [row["id"] for row in self._listed("intents", asked) if row["result"] in ("RISK_DENIED", "EXPIRED")]
            for number in lost:
                one = asked.pop(number)
                asked[self.order(one)] = one
            return not asked

        self.system.wait(f"orders: {statuses}", all_are)
        return found

    def _listed(self, path: str, intents: Mapping[int, Keyed]) -> list[dict[str, Any]]:
        """Rows of these intents."""
        rows = self.person.ask("GET", f"/api/v1/{path}?limit=1000").json["results"]
        return [row for row in rows if row["id" if path == "intents" else "intent"] in intents]

    def over(self, ids: Iterable[int]) -> bool:
        """Nothing of these orders can happen any more."""
        rows = self.person.ask("GET", "/api/v1/orders?limit=1000").json["results"]
        return {*ids} <= {row["id"] for row in rows if row["status"] in OVER}

    def trouble(self, one: Keyed, op: str, seconds: float = 0.0) -> None:
        body = {"exchange": one.exchange, "account": one.name, "op": op, "seconds": seconds}
        self.system.simulator("account_fault", body)


def key_body(keys: Credentials) -> dict[str, Any]:
    body = {"key": keys.key, "secret": keys.secret, "cannot_withdraw": True}
    return body | ({"passphrase": keys.passphrase} if keys.passphrase else {})
