"""An account at a simulated exchange with its orders in the books, as a collector and its sweeps find it."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from msgspec.structs import replace

from apps.feeds.client_ids import ClientIds
from apps.feeds.drivers import registry
from apps.feeds.drivers.trading import Answer
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderStatus
from apps.feeds.transport import loop
from apps.feeds.transport.orders import Purpose
from apps.trading import recording
from apps.trading.models import Order, OrderEvent, OrderFill, Position, RiskState, StrayFill, TradeHistory, Wallet
from apps.trading.tests.remote_seat import ANSWER_S, Desk, Exchanges

KEPT = (Order, OrderEvent, OrderFill, TradeHistory, StrayFill, Wallet, Position)
SOMEBODY = ClientIds("7", b"somebody else")


def seat(exchanges: Exchanges, exchange: str, market: MarketType, folder: Path) -> Iterator[Desk]:
    """Where requests must name the account, it was asked for."""
    desk = Desk(exchanges, exchange, market, folder)
    trader = registry.trader(exchange)
    answers = [
        loop.run(desk.client.ask(exchange, desk.name, request, Purpose.READ, _whole), ANSWER_S)
        for request in trader.account_requests(desk.keys, desk.port.now_ms())
    ]
    if answers:
        desk.keys = replace(desk.keys, account=trader.parse_account(answers))
        desk.port = desk.port_by(desk.client)
    yield desk
    desk.close()


def _whole(answer: Answer) -> Answer:
    return answer


def placed(on: Desk, price: Decimal | None = None) -> Order:
    """An order of ours that rests; without a price it is the next to be filled."""
    at = on.near(Side.BUY) if price is None else price
    row = on.committed(on.intent(price=at))
    recording.record_placed(row.pk, on.port.place(on.new_order(row)))
    return read(row)


def foreign(on: Desk, client_order_id: str | None = None) -> str:
    """Somebody else's order on our account; the exchange's id of it."""
    row = on.committed()
    named = client_order_id or SOMEBODY.make(on.port.id_form, account_id=1, intent_id=row.pk, attempt=0)
    Order.objects.filter(pk=row.pk).update(status=OrderStatus.CANCELLED)
    new = on.new_order(row, client_order_id=named, price=on.near(Side.BUY))
    return on.port.place(new).exchange_order_id


def read(row: Order) -> Order:
    return Order.objects.select_related("pair__exchange").get(pk=row.pk)


def counted() -> list[int]:
    """Rows of each table."""
    return [model.objects.count() for model in KEPT]


def halted(on: Desk) -> str:
    """Why the account is halted; empty if it is not."""
    row = RiskState.objects.get(scope="account", scope_id=str(on.account.pk))
    return row.reason if row.state == "HALTED" else ""
