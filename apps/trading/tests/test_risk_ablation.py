"""Each control is needed: without it an order leaves that is denied with it, and by nothing else."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from apps.feeds.market import InstrumentStatus, Side
from apps.feeds.orders import OrderStatus
from apps.trading.risk import exposure, flow, gate, market
from apps.trading.risk.gate import CONTROLS, Check
from apps.trading.risk.view import DeadMan, Mismatch, Parent
from apps.trading.tests.risk import FUTURES, NOW, SPOT, TOP, held, intent, sent, verdict, view, working

LAST = NOW - 999
CASES = {
    flow.switch: (intent(), view(states={})),
    flow.build: (intent(), view(build_id="b0")),
    flow.alert: (intent(), view(alert_unacked_ms=0)),
    market.book: (intent(), view(top=replace(TOP, age_ms=9_000))),
    market.clock: (intent(), view(clock_error_ms=900)),
    market.symbol_rules: (intent(instrument=replace(SPOT, status=InstrumentStatus.SUSPENDED)), view()),
    market.collar: (intent(price="97"), view()),
    market.order_size: (intent(amount="1.1"), view()),
    market.depth: (intent(), view(top=replace(TOP, ask_depth=Decimal(1)))),
    exposure.open_orders: (intent(), view(working=tuple(working(intent_id=each) for each in range(5)))),
    exposure.leverage: (intent(instrument=FUTURES, leverage=4), view()),
    exposure.exposure: (intent(), view(holdings=(held("10"),))),
    exposure.balance: (intent(), view(free={})),
    flow.day_loss: (intent(), view(day_result_usdt=Decimal(-100))),
    flow.order_rate: (intent(), view(sent=tuple(sent(0, "0.4") for _ in range(5)))),
    flow.executions: (intent(), view(trade_sent_ms=(LAST,) * 10)),
    flow.duplicate: (intent(), view(sent=(sent(10),))),
    exposure.parent: (intent(), view(parent=Parent(amount=Decimal(1), committed=Decimal("0.6")))),
    exposure.self_trade: (intent(), view(working=(working(Side.SELL),))),
    flow.unknowns: (intent(), view(working=(working(status=OrderStatus.UNKNOWN),))),
    flow.rejects: (intent(), view(paused_until_ms=NOW + 1)),
    flow.mismatch: (intent(), view(mismatch=Mismatch(lots=Decimal(2), since_ms=0))),
    flow.unhedged: (intent(), view(unhedged_ms=(NOW,))),
    flow.dead_man: (intent(), view(dead_man=DeadMan(deadline_ms=None, fired=True))),
}


def test_every_control_has_its_case():
    assert [control.check for control in CONTROLS] == list(CASES)


@pytest.mark.parametrize("check", CASES, ids=lambda check: check.__name__)
def test_without_the_control_the_order_leaves(check: Check, monkeypatch: pytest.MonkeyPatch):
    wanted, seen = CASES[check]
    number = next(control.number for control in CONTROLS if control.check is check)
    assert verdict(wanted, seen).startswith(f"{number} ")
    monkeypatch.setattr(gate, "CONTROLS", tuple(control for control in CONTROLS if control.check is not check))
    assert verdict(wanted, seen) == "OK"
