"""The handles of trading under `/_sim/`: accounts, what was accepted, anonymous takers, faults, funding."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from aiohttp import web
from msgspec import Meta

from apps.feeds.simulator.exchange import Exchange, json_answer
from apps.feeds.simulator.trading.accounts import Account, Key, Order
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.faults import KINDS, OPS
from apps.feeds.simulator.trading.floor import Accepted
from apps.feeds.simulator.trading.tickets import Refused

T = TypeVar("T", bound="Body")
WORDS = ("key", "secret", "passphrase")


class Body(msgspec.Struct, forbid_unknown_fields=True):
    exchange: str


class NewAccount(Body):
    """Body of `POST /_sim/accounts`. Without `key` the exchange makes one, and answers with it this one time.

    `balances`: wallet -> asset -> amount as text; `money`: asset -> amount in every wallet; `kind`: one of the
    exchange's.
    """

    name: str
    key: str = ""
    secret: str = ""
    passphrase: str = ""
    permissions: tuple[Literal["read", "trade", "withdraw"], ...] = ("read", "trade")
    ip_allowed: bool = True
    hedge: bool = False
    kind: str = ""
    balances: dict[str, dict[str, str]] = {}
    money: dict[str, str] = {}


class Fault(Body):
    """Body of `POST /_sim/account_fault`, see `apps.feeds.simulator.trading.faults`."""

    op: str
    account: str | None = None
    kind: str = "place"
    seconds: float = 0.0
    count: Annotated[int, Meta(ge=0)] = 1


class Take(Body):
    """Body of `POST /_sim/trade`: an anonymous taker; `size` as the exchange counts, `price` the worst it takes."""

    market_type: str
    symbol: str
    side: Literal["buy", "sell"]
    size: str
    price: str | None = None


class Fill(Body):
    """Body of `POST /_sim/fill`: an anonymous taker takes what is ahead of an order, and `size` of the order."""

    account: str
    order_id: str
    size: str


class Funding(Body):
    """Body of `POST /_sim/funding`."""

    symbol: str
    rate: str


class TradingControl:
    def __init__(self, exchanges: Mapping[str, Exchange]) -> None:
        self._exchanges = exchanges

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/_sim/orders", self.orders),
            web.get("/_sim/accounts", self.accounts),
            web.post("/_sim/accounts", self.open_account),
            web.post("/_sim/account_fault", self.fault),
            web.post("/_sim/trade", self.trade),
            web.post("/_sim/fill", self.fill),
            web.post("/_sim/funding", self.funding),
        ]

    async def orders(self, request: web.Request) -> web.Response:
        """The accept log, oldest first; `exchange` and `account` narrow it."""
        account = request.query.get("account")
        return json_answer(
            [
                accepted_row(exchange, accepted)
                for exchange, desk in self._desks(request)
                for accepted in desk.accepted
                if account in (None, accepted.account)
            ]
        )

    async def accounts(self, request: web.Request) -> web.Response:
        """Wallets, positions and numbers of orders; no keys."""
        return json_answer(
            [
                account_row(exchange, desk, account)
                for exchange, desk in self._desks(request)
                for account in desk.accounts.values()
            ]
        )

    async def open_account(self, request: web.Request) -> web.Response:
        def act(desk: Desk, body: NewAccount) -> dict[str, Any]:
            wallets = set(desk.rules_of(body.kind).wallets.values())
            told = {} if body.key else dict(zip(WORDS, desk.rules.new_key(desk.master), strict=True))
            words = told or {name: getattr(body, name) for name in WORDS}
            key = Key(**words, permissions=frozenset(body.permissions), ip_allowed=body.ip_allowed)
            balances = dict.fromkeys(wallets, body.money) if body.money else {}
            balances |= body.balances
            money = {w: {a: Decimal(text) for a, text in assets.items()} for w, assets in balances.items()}
            if unknown := set(money) - wallets:
                raise ValueError(f"{body.exchange}: no wallets {sorted(unknown)}")
            account = desk.open_account(body.name, [key], hedge=body.hedge, kind=body.kind, made=bool(told))
            for wallet, assets in money.items():
                for asset, amount in assets.items():
                    desk.credit(account, wallet, asset, amount)
            return {"name": account.name, **told}

        return await self._act(request, NewAccount, act)

    async def fault(self, request: web.Request) -> web.Response:
        def act(desk: Desk, body: Fault) -> dict[str, Any]:
            if body.op not in OPS or body.kind not in KINDS:
                raise ValueError(f"unknown op {body.op} or kind {body.kind}")
            name = None if body.op == "clock_drift" else body.account
            named = [desk.accounts[name]] if name is not None else list(desk.accounts.values())
            desk.faults.begin(body.op, name, kind=body.kind, seconds=body.seconds, count=body.count)
            if body.op == "drop_private":
                for account in named:
                    account.outbox.drop()
            return {"accounts": len(named)}

        return await self._act(request, Fault, act)

    async def trade(self, request: web.Request) -> web.Response:
        def act(desk: Desk, body: Take) -> dict[str, Any]:
            listing = desk.market(body.market_type, body.symbol).listing
            limit = None if body.price is None else Decimal(body.price)
            traded = desk.trade(listing, body.side, listing.size.count(body.size), limit)
            return {"traded": listing.size.text(traded)}

        return await self._act(request, Take, act)

    async def fill(self, request: web.Request) -> web.Response:
        def act(desk: Desk, body: Fill) -> dict[str, Any]:
            order = desk.accounts[body.account].orders[body.order_id]
            desk.fill(order, order.listing.size.count(body.size))
            return order_row(order)

        return await self._act(request, Fill, act)

    async def funding(self, request: web.Request) -> web.Response:
        def act(desk: Desk, body: Funding) -> dict[str, Any]:
            listing = desk.market("futures", body.symbol).listing
            return {"positions": desk.pay_funding(listing, Decimal(body.rate))}

        return await self._act(request, Funding, act)

    def _desks(self, request: web.Request) -> list[tuple[str, Desk]]:
        wanted = request.query.get("exchange")
        return [(name, exchange.desk) for name, exchange in self._exchanges.items() if wanted in (None, name)]

    async def _act(self, request: web.Request, kind: type[T], act: Any) -> web.Response:
        """400 with the reason for what makes no sense."""
        try:
            body = msgspec.json.decode(await request.read(), type=kind)
            desk = self._exchanges[body.exchange].desk
            answer = act(desk, body)
            desk.keep()
            return json_answer(answer)
        except InvalidOperation:
            return json_answer({"error": "not a number"}, status=400)
        except (msgspec.DecodeError, ValueError, KeyError, Refused) as error:
            return json_answer({"error": f"{type(error).__name__}: {error}"}, status=400)


def order_row(order: Order) -> dict[str, Any]:
    listing = order.listing
    return {
        "order_id": order.id,
        "client_id": order.client_id,
        "market_type": listing.market_type,
        "symbol": listing.symbol,
        "side": order.side,
        "type": order.ticket.kind,
        "price": listing.price.text(order.price) if order.price else None,
        "size": listing.size.text(order.size),
        "filled": listing.size.text(order.filled),
        "status": order.status,
        "ended": order.ended,
        "expires_ms": order.ticket.expires_ms,
    }


def accepted_row(exchange: str, accepted: Accepted) -> dict[str, Any]:
    return {"exchange": exchange, "account": accepted.account, "ms": accepted.ms, **order_row(accepted.order)}


def account_row(exchange: str, desk: Desk, account: Account) -> dict[str, Any]:
    return {
        "exchange": exchange,
        "name": account.name,
        "hedge": account.hedge,
        "kind": account.kind,
        "listeners": account.outbox.listeners,
        "wallets": {
            wallet: {a: {k: str(v) for k, v in asdict(holding).items()} for a, holding in assets.items()}
            for wallet, assets in account.wallets.items()
        },
        "positions": [
            {
                "symbol": position.listing.symbol,
                "side": position.side,
                "size": str(position.size * position.listing.size.step),
                "entry": str(position.entry),
            }
            for position in account.positions.values()
            if position.size
        ],
        "open": len(account.open),
        "orders": len(account.orders),
        "executions": [
            {
                "trade_id": row.number,
                "order_id": row.order.id,
                "market_type": row.order.listing.market_type,
                "symbol": row.order.listing.symbol,
                "price": row.order.listing.price.text(row.price),
                "size": row.order.listing.size.text(row.size),
                "fee": str(row.fee),
                "fee_asset": row.fee_asset,
                "maker": row.is_maker,
            }
            for row in account.executions
        ],
    }
