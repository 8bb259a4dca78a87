"""A sweep finds by REST whatever was missed, once, and touches nothing that is not ours."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec.structs import replace

from apps.feeds.client_ids import ClientIds
from apps.feeds.errors import UnknownOrder
from apps.feeds.market import MarketType, Side
from apps.feeds.models import TradePair
from apps.feeds.orders import Fill, LookUp, OrderRef, OrderStatus, OrderUpdate
from apps.trading.bookkeeping import recording
from apps.trading.collecting.sweep import in_turn, look_up, sweep
from apps.trading.collecting.swept import EVERYTHING, Part
from apps.trading.models import Account, FillSource, Order, Position, StrayFill, Wallet
from apps.trading.tests import listened_seat, remote_seat, rows
from apps.trading.tests.listened_seat import counted, foreign, halted, placed, read
from apps.trading.tests.remote_seat import Desk

pytestmark = pytest.mark.django_db
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(listened_seat.on)
SPOT, FUTURES = MarketType.SPOT, MarketType.FUTURES
# fills with and without our ids, contracts, an exchange that forgets, one whose coins have other names
EVERYWHERE = [
    ("binance", SPOT),
    ("bybit", FUTURES),
    ("coinex", SPOT),
    ("htx", SPOT),
    ("htx", FUTURES),
    ("hyperliquid", FUTURES),
    ("kucoin", FUTURES),
    ("mexc", SPOT),
    ("okx", FUTURES),
]


FEW = [("binance", SPOT), ("htx", FUTURES), ("hyperliquid", FUTURES), ("mexc", SPOT)]
in_a_few = pytest.mark.parametrize("on", FEW, indirect=True, ids="-".join)
everywhere = pytest.mark.parametrize("on", EVERYWHERE, indirect=True, ids="-".join)


def external() -> Order:
    return Order.objects.get(is_external=True)


@everywhere
def test_fills_that_nobody_pushed_are_found_exactly_and_once(on: Desk):
    row = placed(on)
    on.fill(row.exchange_order_id, on.part)
    on.fill(row.exchange_order_id, on.part)
    sweep(on.port)
    now = read(row)
    assert (now.status, now.filled) == (OrderStatus.PARTIAL, 2 * on.part)
    assert sum(fill.amount for fill in now.fills.all()) == 2 * on.part
    assert now.fills.count() == 2
    rows = counted()
    swept = [sweep(on.port, audit=audit) for audit in (False, True)]
    assert [each.changed for each in swept] == [0, 0]
    assert counted() == rows


@in_a_few
def test_an_order_that_was_filled_and_one_that_was_cancelled_meanwhile_end(on: Desk):
    full, gone = placed(on), placed(on, on.far(Side.BUY))
    on.fill(full.exchange_order_id, on.amount)
    on.port.cancel(on.ref(gone))
    sweep(on.port)
    assert (read(full).status, read(full).fills.count() > 0) == (OrderStatus.FILLED, True)
    if not on.forgets:
        assert read(gone).status == OrderStatus.CANCELLED


@in_a_few
def test_an_order_of_somebody_else_is_recorded_with_its_fills_and_left_alone(on: Desk):
    theirs = foreign(on)
    on.fill(theirs, on.part)
    sweep(on.port)
    row = external()
    assert (row.exchange_order_id, row.status, row.filled) == (theirs, OrderStatus.PARTIAL, on.part)
    assert (row.intent_id, row.client_order_id, row.fills.count()) == (None, None, 1)
    assert halted(on) == ""
    rows = counted()
    assert sweep(on.port).changed == 0
    assert counted() == rows
    assert theirs in {each.exchange_order_id for each in on.port.open_orders(on.instrument)}


def test_an_external_order_that_a_fill_told_of_gets_the_amount_that_the_sweep_is_told(on: Desk):
    theirs = foreign(on)
    on.fill(theirs, on.part)
    [fill] = on.port.own_trades(on.instrument, on.port.now_ms() - 60_000)
    recording.record_fill(on.account.pk, on.instrument, replace(fill, client_order_id="somebody"), FillSource.WS)
    Order.objects.filter(is_external=True).update(told=on.part)  # as an update without its amount does
    assert external().amount == on.part
    sweep(on.port)
    assert (external().amount, external().filled) == (on.amount, on.part)


def test_an_external_order_gets_the_price_that_it_was_amended_to(on: Desk):
    foreign(on)
    [update] = on.port.open_orders(None)
    former = replace(update, price=on.far(Side.BUY))
    recording.record_update(on.account.pk, on.instrument, former, FillSource.WS)
    sweep(on.port)
    assert external().price == update.price != former.price
    rows = counted()
    assert sweep(on.port).changed == 0
    assert counted() == rows


def test_an_external_order_that_ends_is_ended(on: Desk):
    theirs = foreign(on)
    sweep(on.port)
    on.fill(theirs, on.amount)
    sweep(on.port)
    assert (external().status, external().filled) == (OrderStatus.FILLED, on.amount)


@pytest.mark.parametrize("key", [remote_seat.IDS, ClientIds("0", b"not ours")], ids=["lost rows", "forged"])
def test_an_order_under_our_tag_that_is_not_in_our_books_halts_the_account(on: Desk, settings, key: ClientIds):
    settings.CT_ID_KEY = "a key of ids"
    foreign(on, key.make(on.port.id_form, account_id=on.account.pk, intent_id=4_000_000, attempt=0))
    sweep(on.port)
    assert halted(on)
    assert external().status == OrderStatus.OPEN


@in_a_few
def test_fills_that_came_before_anybody_knew_their_order_are_given_to_it(on: Desk):
    row = on.committed(on.intent(price=on.near(Side.BUY)))
    taken = on.port.place(on.new_order(row))
    on.fill(taken.exchange_order_id, on.part)
    for fill in on.port.own_trades(on.instrument, on.port.now_ms() - 60_000):
        nameless = replace(fill, client_order_id=None)
        recording.record_fill(on.account.pk, on.instrument, nameless, FillSource.WS)
    assert (StrayFill.objects.filter(order=None).count(), read(row).filled) == (1, 0)
    sweep(on.port)
    assert (read(row).status, read(row).filled) == (OrderStatus.PARTIAL, on.part)
    assert StrayFill.objects.get().order_id == row.pk


def stray(on: Desk, exchange_order_id: str) -> StrayFill:
    return StrayFill.objects.create(
        account_id=on.account.pk,
        symbol=on.instrument.symbol,
        trade_id=f"of {exchange_order_id}",
        side=Side.BUY,
        exchange_order_id=exchange_order_id,
        price=on.near(Side.BUY),
        amount=on.part / on.instrument.contract_size,
        fee_asset="USDT",
        exchange_ms=on.port.now_ms(),
        source=FillSource.WS,
    )


def test_fills_of_orders_that_the_exchange_has_forgotten_keep_no_other_from_its_order(on: Desk):
    for number in range(5):
        stray(on, str(990_000_000_000 + number))
    theirs = stray(on, foreign(on))
    for _ in range(200):  # each sweep asks for two of six
        assert sweep(on.port, {Part.TRADES}, most_looks=2).looks <= 2
        theirs.refresh_from_db()
        if theirs.order_id is not None:
            break
    assert theirs.order_id == external().pk


@pytest.mark.parametrize(
    ("most", "first", "taken"),
    [(2, 0, [0, 1]), (2, 3, [3, 4]), (3, 4, [4, 0, 1]), (5, 2, [0, 1, 2, 3, 4]), (9, 2, None)],
)
def test_what_there_is_too_much_of_has_its_turn_from_anywhere_on_and_around(
    most: int, first: int, taken: list[int] | None
):
    assert in_turn(range(5), most, lambda number: first) == (list(range(5)) if taken is None else taken)


def swept_ahead(on: Desk, by_ms: int = 60_000) -> int:
    """As if another sweep had just come so much further."""
    ahead_ms = on.port.now_ms() + by_ms
    Account.objects.filter(pk=on.account.pk).update(swept_ms=ahead_ms)
    return ahead_ms


@pytest.mark.parametrize("by_ms", [60_000, 3_600_000], ids=["another began later", "the clock was wrong"])
def test_a_fill_that_was_listed_late_is_found_by_a_sweep_that_begins_after_it(on: Desk, by_ms: int):
    row = placed(on)
    on.fill(row.exchange_order_id, on.part)
    swept_ahead(on, by_ms)
    assert sweep(on.port, {Part.TRADES}).fills == 1
    assert read(row).fills.count() == 1


def test_a_sweep_that_began_before_another_and_ends_after_it_leaves_the_cursor_where_it_is(on: Desk):
    ahead_ms = swept_ahead(on)
    sweep(on.port, {Part.TRADES})
    assert Account.objects.get(pk=on.account.pk).swept_ms == ahead_ms


@in_a_few
def test_wallets_and_positions_are_told(on: Desk):
    row = placed(on)
    on.fill(row.exchange_order_id, on.part)
    sweep(on.port)
    assert Wallet.objects.filter(account=on.account, total__gt=0).exists()
    if on.market is FUTURES:
        held = Position.objects.get(account=on.account)
        assert (held.told_amount, held.amount) == (on.part, on.part)


def test_the_cursor_moves_only_when_all_trades_are_recorded(on: Desk):
    placed(on)
    assert Account.objects.get(pk=on.account.pk).swept_ms is None
    sweep(on.port, {Part.ORDERS})
    assert Account.objects.get(pk=on.account.pk).swept_ms is None
    before_ms = on.port.now_ms()
    sweep(on.port, EVERYTHING)
    swept_ms = Account.objects.get(pk=on.account.pk).swept_ms
    assert before_ms - 1_000 <= swept_ms <= on.port.now_ms()


def test_what_the_rows_know_costs_no_transaction(on: Desk, django_assert_max_num_queries):
    for _ in range(5):
        placed(on)
    sweep(on.port)
    with django_assert_max_num_queries(10):
        sweep(on.port, {Part.ORDERS})


def test_an_order_that_is_told_as_filled_further_than_its_fills_is_explained(on: Desk, monkeypatch: pytest.MonkeyPatch):
    row = placed(on)
    on.fill(row.exchange_order_id, on.part)
    update = on.port.look_up(OrderRef(instrument=on.instrument, exchange_order_id=row.exchange_order_id))
    recording.record_update(on.account.pk, on.instrument, update, FillSource.WS)
    assert (read(row).filled, read(row).fills.count()) == (on.part, 0)
    monkeypatch.setattr(on.port, "own_trades", lambda instrument, since_ms: [])  # its trade is before that
    sweep(on.port, {Part.TRADES})
    assert (read(row).fills.count(), sum((fill.amount for fill in read(row).fills.all()), Decimal(0))) == (1, on.part)


def told_filled(on: Desk) -> Order:
    """Nobody knows of the trade that it is told of."""
    row = placed(on)
    on.fill(row.exchange_order_id, on.amount)
    update = on.port.look_up(OrderRef(instrument=on.instrument, exchange_order_id=row.exchange_order_id))
    recording.record_update(on.account.pk, on.instrument, update, FillSource.WS)
    return read(row)


def test_an_order_whose_trades_the_exchange_has_forgotten_keeps_nothing_else_from_being_told(
    on: Desk, monkeypatch: pytest.MonkeyPatch
):
    forgotten, known = told_filled(on), told_filled(on)
    asked = on.port.order_trades

    def trades(ref: OrderRef) -> list[Fill]:
        if ref.exchange_order_id == forgotten.exchange_order_id:
            raise UnknownOrder("forgotten")
        return asked(ref)

    monkeypatch.setattr(on.port, "order_trades", trades)
    monkeypatch.setattr(on.port, "own_trades", lambda instrument, since_ms: [])
    sweep(on.port)
    assert (forgotten.fills.count(), known.fills.count()) == (0, 1)
    assert Wallet.objects.filter(account=on.account, total__gt=0).exists()
    named = {"symbol": on.instrument.symbol, "client_order_id": None}
    lost = LookUp(exchange_order_id=forgotten.exchange_order_id or "", **named)
    assert look_up(on.port, lost, on.instrument) is False


@pytest.mark.parametrize("on", [("htx", SPOT), ("mexc", FUTURES)], indirect=True, ids="-".join)
def test_an_exchange_that_knows_no_such_order_tells_no_trades_of_it(on: Desk):
    lost = LookUp(symbol=on.instrument.symbol, exchange_order_id="990000000000", client_order_id=None)
    assert look_up(on.port, lost, on.instrument) is False


@everywhere
def test_an_external_order_that_was_cancelled_unseen_ends_though_the_exchange_has_forgotten_it(on: Desk):
    theirs = foreign(on)
    sweep(on.port)
    on.port.cancel(OrderRef(instrument=on.instrument, exchange_order_id=theirs))
    for later_s in (0, 5, 10):
        on.go_on(later_s)
        sweep(on.port, {Part.ORDERS})
    assert (external().status, external().filled, external().alarms) == (OrderStatus.CANCELLED, 0, "")
    assert halted(on) == ""


def test_an_external_order_that_is_open_after_all_is_not_taken_for_forgotten(on: Desk, monkeypatch: pytest.MonkeyPatch):
    def unknown(ref: OrderRef) -> OrderUpdate:
        raise UnknownOrder("it lags behind")

    foreign(on)
    sweep(on.port)
    listed = on.port.open_orders
    monkeypatch.setattr(on.port, "look_up", unknown)
    monkeypatch.setattr(on.port, "open_orders", lambda instrument: listed(instrument) if instrument else [])
    for later_s in (0, 5, 10, 15):
        on.go_on(later_s)
        sweep(on.port, {Part.ORDERS})
    assert (external().status, external().misses) == (OrderStatus.OPEN, 0)


def delisted(on: Desk) -> TradePair:
    """A pair that the account has traded, with an order that is not explained, a fill that waits and a position."""
    gone = TradePair.objects.get(exchange__code=on.exchange, market_type=on.market, symbol=on.instrument.symbol)
    base = on.instrument.base
    gone.pk, gone.base = None, "GONE"
    gone.pair, gone.symbol = gone.pair.replace(base, "GONE"), gone.symbol.upper().replace(base, "GONE")
    gone.save()
    trade = rows.trade(on.account, gone.pair)
    rows.order(
        rows.intent(trade), status="CANCELLED", ended_at=datetime.now(UTC), exchange_order_id="1", told=1, filled=1
    )
    Position.objects.create(account=on.account, pair=gone, amount=1)
    values = {"exchange_order_id": "2", "price": 1, "amount": 1, "side": Side.BUY, "source": FillSource.WS}
    StrayFill.objects.create(account=on.account, symbol=gone.symbol, trade_id="t", exchange_ms=1, **values)
    return gone


@everywhere
def test_a_pair_that_the_exchange_lists_no_longer_keeps_no_other_from_being_swept(on: Desk):
    delisted(on)
    row = placed(on)
    on.fill(row.exchange_order_id, on.part)
    sweep(on.port)
    assert (read(row).filled, read(row).fills.count()) == (on.part, 1)
    assert Wallet.objects.filter(account=on.account, total__gt=0).exists()
