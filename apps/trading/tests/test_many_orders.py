"""What an account has done in the past costs nothing: statements of the order path find their rows by an index."""

from collections.abc import Callable

import pytest
from django.db import connection

from apps.feeds import selectors as feeds
from apps.trading.bookkeeping import recording
from apps.trading.collecting import interest, reconciling
from apps.trading.collecting.sweep import _explain
from apps.trading.collecting.swept import Swept
from apps.trading.execution.cancels import cancelling
from apps.trading.execution.controls import breaking, dead_men, flattening
from apps.trading.execution.entry.claiming import claim
from apps.trading.execution.executors import lanes, monitor
from apps.trading.execution.resolution import due, overdue
from apps.trading.halts.report import report
from apps.trading.models import Account, Order, OrderIntent, Position, RiskState, Trade
from apps.trading.records import milliseconds
from apps.trading.risk.view import Scope
from apps.trading.tests import rows, stage
from apps.users.models import User

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),  # to analyze tables ends a transaction
    pytest.mark.mariadb,
    pytest.mark.usefixtures("long_leases"),
]
PAST = 20_000  # orders that are over, one every ten seconds until an hour ago
MOST = 1_000  # rows that something may read
OTHERS, OPEN, FEW = 80, 2_100, 300
NOW = "NOW(6) - INTERVAL 3600 SECOND - INTERVAL ({last} - seq) * 10 SECOND"


def copies(table: str, key: str, pk: int, changes: dict[str, str], before: int = 0, count: int = PAST) -> str:
    """Rows like that one, `before` of which there are already."""
    with connection.cursor() as cursor:
        cursor.execute(f"SHOW COLUMNS FROM {table}")
        names = [name for name, *_ in cursor.fetchall() if name.lower() != key]
    lower = {name.lower(): text for name, text in changes.items()}
    cells = ", ".join(lower.get(name.lower(), f"{table}.{name}") for name in names)
    last = pk + before + count
    numbers = f"seq_{pk + before + 1}_to_{last}"
    text = f"INSERT INTO {table} ({key}, {', '.join(names)}) SELECT seq, {cells} FROM {table}, {numbers}"
    return f"{text} WHERE {table}.{key} = {pk}".format(last=last)


def past_of(order: Order) -> None:
    ended = {"created_at": NOW, "state": "'DONE'", "result": "'FILLED'", "done_at": NOW}
    intents = {**ended, "intent_key": "CONCAT('k', seq)"}
    orders = {
        "created_at": NOW,
        "ended_at": NOW,
        "updated_at": NOW,
        "status": "'FILLED'",
        "client_order_id": "CONCAT('past', seq)",
        "external_order_id": "CONCAT('old', seq)",
        "intent_id": f"seq + {(order.intent_id or 0) - order.pk}",
        "told": "AMOUNT",
        "filled": "AMOUNT",
        "next_check_at": "NULL",
    }
    with connection.cursor() as cursor:
        cursor.execute(copies("order_intent", "id", order.intent_id or 0, intents))
        cursor.execute(copies("ORDERS", "id", order.pk, orders))
        cursor.execute("ANALYZE TABLE ORDERS, order_intent")
        cursor.fetchall()


def open_of_others(order: Order) -> None:
    """As many open orders as a large desk has, on accounts each of which has another owner."""
    account = order.account
    assert account is not None
    users = [User.objects.create(username=f"owner {number}") for number in range(OTHERS)]
    where = {"exchange": account.exchange, "market_type": account.market_type, "mode": account.mode}
    Account.objects.bulk_create([Account(name=user.username, owner=user, **where) for user in users])
    first = min(Account.objects.exclude(pk=account.pk).filter(**where).values_list("pk", flat=True))
    whose = f"{first} + MOD(seq, {OTHERS})"
    intents = {"account_id": whose, "lane": "CONCAT('l', seq)", "intent_key": "CONCAT('k', seq)", "state": "'WORKING'"}
    orders = {
        "account_id": whose,
        "status": "'OPEN'",
        "client_order_id": "CONCAT('theirs', seq)",
        "external_order_id": "CONCAT('open', seq)",
        "intent_id": f"seq + {(order.intent_id or 0) - order.pk}",
        "next_check_at": "NULL",
    }
    trade = Trade.objects.get(pk=order.trade_id)
    trade.pk, trade.account_id = None, first
    trade.save()
    their = {"trade_id": str(trade.pk)}
    with connection.cursor() as cursor:
        cursor.execute(copies("order_intent", "id", order.intent_id or 0, intents | their, PAST, OPEN))
        cursor.execute(copies("ORDERS", "id", order.pk, orders | their, PAST, OPEN))
        cursor.execute("ANALYZE TABLE ORDERS, order_intent, account")
        cursor.fetchall()


def read_by(call: Callable[[], object]) -> int:
    """Rows that the database had to read for it."""
    with connection.cursor() as cursor:
        cursor.execute("FLUSH STATUS")
        call()
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(number) for _, number in cursor.fetchall())


def test_what_reads_orders_reads_few_rows_however_many_are_over():
    trade = stage.trade()
    account, order = trade.account, rows.order(rows.intent(trade))
    assert account is not None
    Order.objects.filter(pk=order.pk).update(request_expires_at=order.created_at)
    past_of(order)
    Order.objects.filter(pk=order.pk).update(status="OPEN", exchange_order_id="x1", next_check_at=order.created_at)
    position = Position.objects.create(account=account, pair=order.pair, amount=1)
    RiskState.objects.filter(scope="global").update(state="HALTED", mode="flatten")
    halt = RiskState.objects.get(scope="global")
    port = stage.Exchange(account.pk)
    executor = stage.executor(port)
    terms = type("Terms", (), {"by_instrument": True, "timer_ms": 60_000})
    account.dead_man_ms = 5
    now_ms = milliseconds(order.created_at)
    Account.objects.filter(pk=account.pk).update(swept_ms=now_ms)
    wanted = interest.read(account.pk, now_ms)

    def found() -> lanes.HeldLane:
        held = lanes.find(stage.lane(trade), executor)
        assert held is not None
        return held

    calls: dict[str, Callable[[], object]] = {
        "T0": lambda: stage.want(trade),
        "T1": lambda: claim(found(), executor=executor, port=port),
        "T2": lambda: recording.record_cancel(order.pk, cancelling.CancelState.REQUESTED),
        "lanes": lambda: lanes.due(20),
        "old intents": lanes.expire_old,
        "accounts to cancel": cancelling.accounts_due,
        "cancels": lambda: cancelling._due(account.pk),
        "accounts to look at": due.accounts_due,
        "looks": lambda: due.rows_due(account.pk, 20),
        "overdue": overdue.watch_old,
        "places": breaking.places,
        "breakers": lambda: [breaking.check(place, executor.market) for place in breaking.places()],
        "flattening": lambda: (flattening._is_quiet(position), flattening._tries(halt, position).count()),
        "timers": lambda: (dead_men._entries(account.pk), dead_men._deadlines(account, dead_men.Kept(), terms)),
        "sweep": lambda: interest.read(account.pk, now_ms),
        "unexplained": lambda: _explain(port, wanted, Swept(), 50),
        "report of a halt": lambda: report(scope=Scope.GLOBAL),
        "reconciling": lambda: (reconciling._report(account.pk, Swept(), []), reconciling._last_order(account.pk)),
        "lanes for the page": monitor.lanes,
        "instrument": lambda: feeds.instrument(order.pair),
    }
    read = {name: read_by(call) for name, call in calls.items()}
    assert OrderIntent.objects.count() > PAST
    assert {name: number for name, number in read.items() if number > MOST} == {}


def test_what_decides_about_an_order_reads_few_rows_however_many_others_have_open():
    trade = stage.trade()
    account, order = trade.account, rows.order(rows.intent(trade))
    assert account is not None
    account.owner = User.objects.create(username="mine")
    account.save()
    past_of(order)
    open_of_others(order)
    Order.objects.filter(pk=order.pk).update(status="OPEN", exchange_order_id="x1")
    port = stage.Exchange(account.pk)
    executor = stage.executor(port)

    def claimed() -> object:
        held = lanes.find(stage.lane(trade), executor)
        assert held is not None
        return claim(held, executor=executor, port=port)

    assert read_by(lambda: stage.want(trade)) <= FEW
    assert read_by(claimed) <= FEW
