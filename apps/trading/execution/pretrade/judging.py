"""Whether an intent may be what it wants to be: all that is known is gathered, and risk says yes or why not."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from apps.feeds.market import Instrument
from apps.trading import records
from apps.trading.execution.pretrade import guards
from apps.trading.execution.pretrade.catalogue import Instruments
from apps.trading.execution.pretrade.facts import Subject
from apps.trading.execution.pretrade.gathering import Halts, Sender, gather
from apps.trading.execution.pretrade.guards import Usage
from apps.trading.execution.pretrade.market import Market, Seen
from apps.trading.intent import Purpose
from apps.trading.models import OrderIntent
from apps.trading.risk import gate
from apps.trading.risk.gate import ApprovedOrder, Denied
from apps.trading.risk.rounding import EXACT, money_up
from apps.trading.risk.view import DenyReason

NONSENSE = (ArithmeticError, LookupError, TypeError, ValueError)  # rows that cannot be reckoned with


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What is not in rows. Without a `sender` it is asked whether an intent may be written down."""

    instrument: Instrument
    seen: Seen
    market: Market
    instruments: Instruments
    sender: Sender | None = None


def judge(row: OrderIntent, usage: Usage | None, around: Surroundings) -> ApprovedOrder | Denied:
    """In the transaction that has locked `usage`. Sets what the row reserves. Raises the database's errors only: rows
    that make no sense deny.
    """
    instrument = around.instrument
    subject = Subject(
        account_id=row.account_id,
        pair_id=row.pair_id,
        trade_id=row.trade_id,
        exchange=instrument.exchange,
        lane=row.lane,
        intent_id=row.pk,
        whole_id=row.parent_id or (row.pk if row.attempt else None),
    )
    try:
        view = gather(
            subject,
            instrument,
            amount=row.amount,
            seen=around.seen,
            usage=usage,
            shared=around.sender is not None,
            sender=around.sender,
            market=around.market,
            instruments=around.instruments,
            halts=Halts.CLOSES if row.purpose == Purpose.FLATTEN else Halts.NOTHING,
        )
        verdict = gate.approve(records.intent_of(row, instrument), view)
        if isinstance(verdict, ApprovedOrder):
            _reserve(row, verdict, view.rates[instrument.quote])
    except NONSENSE as error:
        return Denied(reason=DenyReason.FAILED, control=0, text=f"{type(error).__name__}: {error}")
    return verdict


def now_of(usage: Usage | None) -> datetime:
    """By the database's clock."""
    return guards.clock() if usage is None else usage.now


def _reserve(row: OrderIntent, approved: ApprovedOrder, rate: Decimal) -> None:
    """`rate`: of the quote currency in USDT."""
    row.reserved_asset, row.reserved_amount = approved.reservation.asset, approved.reservation.amount
    row.reserved_notional = money_up(EXACT.multiply(EXACT.multiply(approved.amount, approved.price), rate))
