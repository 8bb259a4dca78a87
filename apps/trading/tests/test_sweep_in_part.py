"""What of an account cannot be read stops nothing else of it, and a sweep that lacks something is not called whole."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now

from apps.feeds.errors import FeedError, InvalidOrder, MalformedFrame, Retryable
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import OrderStatus
from apps.trading.collecting import reconciling, swept
from apps.trading.collecting.reconciling import reconcile
from apps.trading.collecting.sweep import sweep
from apps.trading.collecting.swept import EVERYTHING, Part
from apps.trading.models import Account, Position, RiskState, Wallet
from apps.trading.tests import listened_seat, remote_seat, rows
from apps.trading.tests.listened_seat import listening, placed, read, until
from apps.trading.tests.remote_seat import Desk

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)
exchanges = pytest.fixture(remote_seat.exchanges, scope="module")
on = pytest.fixture(listened_seat.on)
on_futures = pytest.mark.parametrize("on", [("okx", MarketType.FUTURES)], indirect=True, ids="-".join)


def traded_elsewhere(on: Desk) -> None:
    """The account was busy on its other pair as well."""
    intent = rows.intent(rows.trade(on.account, on.other.pair))
    rows.order(intent, status="CANCELLED", ended_at=datetime.now(UTC), exchange_order_id="1")


def unread(ask: Callable[..., Any], *symbols: str) -> Callable[..., Any]:
    """The same question, which gets no answer that can be read about these symbols; without any, about none."""

    def asked(*args: Any) -> Any:
        about = args[0].symbol if args and isinstance(args[0], Instrument) else ""
        if not symbols or about in symbols:
            raise MalformedFrame("not what is documented")
        return ask(*args)

    return asked


def switch(on: Desk) -> str:
    return RiskState.objects.get(scope="account", scope_id=str(on.account.pk)).state


def cursor(on: Desk) -> int | None:
    return Account.objects.get(pk=on.account.pk).swept_ms


def test_one_pair_whose_trades_cannot_be_read_stops_no_other_and_is_looked_at_again(on: Desk, monkeypatch):
    traded_elsewhere(on)
    row = placed(on)
    on.fill(row.exchange_order_id, on.part)
    with monkeypatch.context() as patched:
        patched.setattr(on.port, "own_trades", unread(on.port.own_trades, on.other.symbol))
        found = sweep(on.port)
    assert [(each.part, each.what) for each in found.unread] == [(Part.TRADES, on.other.symbol)]
    assert read(row).fills.count() == 1
    assert Wallet.objects.filter(account=on.account, total__gt=0).exists()
    assert cursor(on) is None
    assert sweep(on.port).unread == []
    assert cursor(on) is not None


@on_futures
@pytest.mark.parametrize(
    ("question", "part"),
    [
        ("open_orders", Part.ORDERS),
        ("own_trades", Part.TRADES),
        ("funding", Part.FUNDING),
        ("balances", Part.HOLDINGS),
        ("positions", Part.HOLDINGS),
    ],
)
def test_a_kind_that_cannot_be_read_stops_no_other(on: Desk, question: str, part: Part, monkeypatch):
    row = placed(on)
    on.fill(row.exchange_order_id, on.part)
    monkeypatch.setattr(on.port, question, unread(getattr(on.port, question)))
    found = sweep(on.port)
    assert found.unread_parts == {part}
    assert Wallet.objects.filter(account=on.account, total__gt=0).exists() is (question != "balances")
    assert Position.objects.filter(told_amount=on.part).exists() is (question != "positions")
    assert read(row).filled == on.part


def test_orders_of_a_pair_whose_list_cannot_be_read_are_not_taken_for_gone(on: Desk, monkeypatch):
    traded_elsewhere(on)
    row = placed(on)
    listed = on.port.open_orders

    def of_one(instrument: Instrument | None) -> Any:
        if instrument is None:
            raise InvalidOrder("name a symbol")
        return unread(listed, on.instrument.symbol)(instrument)

    monkeypatch.setattr(on.port, "open_orders", of_one)
    found = sweep(on.port, {Part.ORDERS})
    assert ([each.what for each in found.unread], found.looks) == ([on.instrument.symbol], 0)
    assert read(row).status == OrderStatus.OPEN


def test_an_exchange_that_answers_nothing_is_not_asked_for_every_pair(on: Desk, monkeypatch):
    asked: list[str] = []

    def silent(name: str) -> Callable[..., Any]:
        def ask(*_: Any) -> Any:
            asked.append(name)
            raise Retryable("no answer", after_s=7.0)

        return ask

    for name in ("open_orders", "own_trades", "balances"):
        monkeypatch.setattr(on.port, name, silent(name))
    traded_elsewhere(on)
    placed(on)
    found = sweep(on.port)
    assert asked == ["open_orders", "own_trades", "own_trades"]
    assert found.unread_parts == {Part.ORDERS, Part.TRADES, Part.HOLDINGS}
    assert (len(found.unread), swept.after_s(found.unread)) == (4, 7.0)
    with pytest.raises(Retryable, match="no answer"):
        found.raise_unread(unless_some=True)


def test_what_is_held_is_compared_while_trades_cannot_be_read_and_nothing_is_called_whole(
    on: Desk, tmp_path: Path, monkeypatch
):
    placed(on)
    reconcile(on.account.pk, on.executor())
    Wallet.objects.filter(account=on.account, asset=on.instrument.base).update(expected=Decimal(1))
    known = Wallet.objects.filter(account=on.account, mismatch_since__isnull=False)
    with monkeypatch.context() as patched:
        patched.setattr(on.port, "own_trades", unread(on.port.own_trades))
        with listening(on, tmp_path, whole=False, holdings_s=0.05, differing_s=0.05) as collector:
            until(known.exists)
            known.update(mismatch_since=Now() - timedelta(seconds=31))
            until(lambda: switch(on) == "REDUCING")
            until(lambda: collector.counts["sweeps in part"] > 2)
            assert (collector.is_ready, collector.is_whole) == (True, False)
            patched.undo()
            until(lambda: collector.is_whole)


def test_a_pair_that_cannot_be_read_keeps_no_order_from_being_swept_on_time(on: Desk, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(on.port, "own_trades", unread(on.port.own_trades))
    placed(on)
    with listening(on, tmp_path, whole=False, orders_s=0.05, again_s=60.0, longest_s=60.0) as collector:
        until(lambda: collector.counts["sweeps"] > 3)
        assert collector.counts["sweeps in part"] == 1
        assert not collector.is_whole


def test_an_account_is_not_open_while_something_of_it_is_unread_and_stands_by_what_differs_for_long(
    on: Desk, monkeypatch
):
    monkeypatch.setattr(reconciling, "PAUSE_S", 0.0)
    placed(on)
    reconcile(on.account.pk, on.executor())
    at = Account.objects.get(pk=on.account.pk).reconciled_at
    Wallet.objects.filter(account=on.account, asset=on.instrument.base).update(expected=Decimal(1))
    monkeypatch.setattr(on.port, "own_trades", unread(on.port.own_trades))
    with pytest.raises(FeedError):
        reconcile(on.account.pk, on.executor())
    assert (switch(on), Account.objects.get(pk=on.account.pk).reconciled_at) == ("ACTIVE", at)
    Wallet.objects.filter(mismatch_since__isnull=False).update(mismatch_since=Now() - timedelta(seconds=61))
    with pytest.raises(FeedError):
        reconcile(on.account.pk, on.executor())
    assert switch(on) == "HALTED"


def test_what_was_never_read_whole_is_not_taken_for_what_is_there(on: Desk, monkeypatch):
    placed(on)
    with monkeypatch.context() as patched:
        patched.setattr(on.port, "own_trades", unread(on.port.own_trades))
        with pytest.raises(FeedError):
            reconcile(on.account.pk, on.executor())
    assert not Wallet.objects.filter(account=on.account).exclude(expected=None).exclude(expected=0).exists()
    assert switch(on) == "ACTIVE"
    assert reconcile(on.account.pk, on.executor()).is_clean
    assert sweep(on.port, EVERYTHING).unread == []
