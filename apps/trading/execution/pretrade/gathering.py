"""What risk looks at, put together from rows, books and the clock of the exchange. What is not known stays unknown."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, auto

from apps.feeds.drivers import registry
from apps.feeds.market import Instrument, Side
from apps.feeds.orders import OrderStatus
from apps.trading.execution.pretrade import facts, guards, held, rates
from apps.trading.execution.pretrade.catalogue import Instruments
from apps.trading.execution.pretrade.facts import Facts, Row, Subject
from apps.trading.execution.pretrade.guards import Switches, Usage
from apps.trading.execution.pretrade.market import Market, Seen, mid_of
from apps.trading.models import AccountMode
from apps.trading.order_state import FINAL
from apps.trading.records import milliseconds
from apps.trading.risk import limits
from apps.trading.risk.view import DeadMan, Held, Outcome, Parent, RiskView, Scope, ScopeState, Sent, Top, Working

ZERO = Decimal(0)
NAMING = ("order", "partial", "untold", "intent", "sent", "position")  # rows that name a pair
IN_DOUBT = (OrderStatus.PENDING, OrderStatus.UNKNOWN)  # the exchange may not have set their money aside


class Halts(Enum):
    """What must be carried out whatever limits say, see `limits.of_halts`."""

    NOTHING = auto()
    STOPS = auto()  # a control that trips by itself
    CLOSES = auto()  # an order of a flatten


@dataclass(frozen=True, kw_only=True)
class Sender:
    """What only the process knows that would send. Without one it is asked whether an intent may be written.

    `lease`: that of the account, which must be open under it, see `gateway.opened`.
    """

    build_id: str
    clock_error_ms: int | None
    lease: str | None = None


def gather(
    subject: Subject,
    instrument: Instrument,
    *,
    amount: Decimal,
    seen: Seen,
    usage: Usage | None,
    shared: bool,
    sender: Sender | None,
    market: Market,
    instruments: Instruments,
    halts: Halts = Halts.NOTHING,
) -> RiskView:
    """In the transaction that has locked `usage`. `amount` is what the intent wants in all; `shared` as of
    `guards.switches`, and then an order of the lane that is still PENDING was left behind by somebody else.

    Raise ValueError where limits make no sense, unless it is about something that `halts`; NotOpen where the
    account is not open under the `sender`'s lease; one that is stays so until this transaction ends.
    """
    switches = guards.switches(subject, shared=shared) if usage is not None else Switches()
    now = usage.now if usage is not None else guards.clock()
    lease = None if sender is None else sender.lease
    found = facts.read(subject, now=now, resumed=switches.resumed, lease=lease)
    if lease is not None and not switches.is_open(found.of("lease"), now):
        raise guards.NotOpen(subject.account_id)
    listed = {subject.pair_id: instrument}
    named = {row.c for kind in NAMING for row in found.of(kind) if row.c is not None}
    listed |= instruments(named - listed.keys())
    working = tuple(_working(subject, found, listed, claims=shared))
    holdings = tuple(held.holdings(found, listed))
    top = seen.now()
    known = _rates(instrument, working, holdings, found, top, market)
    equity, result = _day(usage, now, found, known)
    account = next(iter(found.of("account")), None)
    return RiskView(
        now_ms=milliseconds(now),
        is_live=account is None or account.word not in (AccountMode.PAPER, AccountMode.TESTNET),
        live_allowed=switches.live_allowed,
        states=_states(switches, account),
        limits=_limits(found, halts, flatten=switches.flatten),
        top=top,
        clock_error_ms=0 if sender is None else sender.clock_error_ms,
        working=working,
        holdings=holdings,
        free=held.free(found, instrument.market_type),
        rates=known,
        leverage=_leverage(subject, found),
        leverage_is_due=sender is not None and not (account is not None and account.word == AccountMode.PAPER),
        equity_usdt=equity,
        day_result_usdt=result,
        sent=tuple(_sent(found, listed)),
        trade_sent_ms=_executions(found),
        trade_resumed_ms=0,  # what was sent before that is not counted at all
        exchange_load=ZERO,  # the gate of the transport keeps orders below their share, see RESERVE there
        parent=_parent(amount, subject, found),
        unknown_ms=tuple(_times(row.at1 for row in found.of("unknown"))),
        outcomes=_outcomes(found),
        paused_until_ms=max(_times(row.at2 for row in found.of("pause") if row.asset == subject.lane), default=0),
        pauses_ms=tuple(_times(row.at1 for row in found.of("pause"))),
        mismatch=held.mismatch(found, listed),
        unhedged_ms=tuple(_times(row.at1 for row in found.of("unhedged"))),
        build_id=switches.allowed_build if sender is None else sender.build_id,
        allowed_build=switches.allowed_build,
        alert_unacked_ms=min(_times(row.at1 for row in found.of("alert")), default=None),
        dead_man=_dead_man(account),
        flatten_confirmed=switches.flatten,
    )


def _states(switches: Switches, account: Row | None) -> Mapping[Scope, ScopeState]:
    """A closed account may do nothing, on an exchange that is switched off one only reduces."""
    if account is None or not account.b:
        return {}
    if account.c or switches.states.get(Scope.EXCHANGE) is not ScopeState.ACTIVE:
        return switches.states
    return {**switches.states, Scope.EXCHANGE: ScopeState.REDUCING}


def _limits(found: Facts, halts: Halts, *, flatten: bool) -> limits.Limits:
    rows = [(row.asset, row.n1) for row in found.of("limit") if row.n1 is not None]
    closing = halts is Halts.CLOSES and flatten  # as long as a person wants it
    return limits.of_halts(rows, closing=closing) if closing or halts is Halts.STOPS else limits.strictest(rows)


def _working(subject: Subject, found: Facts, listed: dict[int, Instrument], *, claims: bool) -> Iterator[Working]:
    told_at = {row.asset: row.at1 for row in found.of("wallet")}
    for row in found.of("order"):
        status = OrderStatus(row.other)
        if claims and status is OrderStatus.PENDING and (row.b, row.c) == (subject.account_id, subject.pair_id):
            status = OrderStatus.UNKNOWN
        wallet_at = told_at.get(row.asset)
        unseen = status in IN_DOUBT or wallet_at is None or (row.at1 is not None and row.at1 > wallet_at)
        yield _work(row, listed, status=status, held=(row.n4 or ZERO) if unseen else ZERO)
    for row in found.of("intent"):
        yield _work(row, listed, status=None, held=row.n4 or ZERO)


def _work(row: Row, listed: dict[int, Instrument], *, status: OrderStatus | None, held: Decimal) -> Working:
    return Working(
        intent_id=row.a or 0,
        account_id=row.b or 0,
        instrument=listed[row.c or 0],
        side=Side(row.word.lower()),
        rest=max((row.n1 or ZERO) - (row.n2 or ZERO), ZERO),
        status=status,
        created_ms=0 if row.at1 is None else milliseconds(row.at1),
        price=row.n3,
        held_asset=row.asset,
        held=held,
    )


def _rates(
    instrument: Instrument,
    working: Iterable[Working],
    holdings: Iterable[Held],
    found: Facts,
    top: Top | None,
    market: Market,
) -> dict[str, Decimal]:
    traded = [instrument, *(each.instrument for each in working), *(each.instrument for each in holdings)]
    assets = {asset for each in traded for asset in (each.quote, each.settle)}
    known = rates.quotes(assets, _exchanges(instrument), market)
    mid = mid_of(top)
    return rates.bases(traded, known, market, {} if mid is None else {instrument.key: mid}) | known


def _day(
    usage: Usage | None, now: datetime, found: Facts, known: dict[str, Decimal]
) -> tuple[Decimal | None, Decimal | None]:
    """Equity when the day began, and what became of it since; before the day's first trade it begins now."""
    if usage is None:
        return None, None
    if usage.day == now.astimezone(UTC).date():
        return usage.equity, usage.result
    worth = [(row.n2 or ZERO) * known[row.asset] for row in found.of("wallet") if row.asset in known]
    return (sum(worth, ZERO), ZERO) if worth else (usage.equity, ZERO)


def _sent(found: Facts, listed: dict[int, Instrument]) -> Iterator[Sent]:
    for row in found.of("sent"):
        if row.at1 is not None and row.n1 is not None and row.n3 is not None:
            key = listed[row.c or 0].key
            yield Sent(at_ms=milliseconds(row.at1), key=key, side=Side(row.word.lower()), amount=row.n1, price=row.n3)


def _executions(found: Facts) -> tuple[int, ...]:
    """As many as there were, each as old as the oldest."""
    return tuple(at for row in found.of("executions") for at in _times([row.at1]) * (row.a or 0))


def _outcomes(found: Facts) -> tuple[Outcome, ...]:
    """Of requests that have ended, oldest first."""
    rows = sorted((row for row in found.of("outcome") if row.other not in IN_DOUBT), key=lambda row: row.a or 0)
    ended = [(row.at2 or row.at1, row.other == OrderStatus.REJECTED) for row in rows]
    return tuple(Outcome(at_ms=milliseconds(at), rejected=rejected) for at, rejected in ended if at is not None)


def _parent(amount: Decimal, subject: Subject, found: Facts) -> Parent | None:
    if subject.whole_id is None:
        return Parent(amount=amount, committed=ZERO)
    wholes = [row.n1 for row in found.of("whole") if row.n1 is not None]
    committed = ZERO
    for row in found.of("attempt"):
        filled, asked = row.n2 or ZERO, row.n1 or ZERO
        committed += filled if row.other in FINAL else max(filled, asked)
    committed += sum((row.n1 or ZERO for row in found.of("part") if row.a != subject.intent_id), ZERO)
    return Parent(amount=wholes[0], committed=committed) if wholes else None


def _leverage(subject: Subject, found: Facts) -> int | None:
    told = [row.n3 for row in found.of("position") if row.c == subject.pair_id and row.n3 is not None]
    return int(max(told)) if told else None


def _dead_man(account: Row | None) -> DeadMan | None:
    if account is None or (account.a is None and account.at1 is None):
        return None
    return DeadMan(deadline_ms=account.a, fired=account.at1 is not None)


def _exchanges(instrument: Instrument) -> list[str]:
    """Where the price of a currency is looked for: at home first."""
    return [instrument.exchange, *(each for each in registry.exchange_ids() if each != instrument.exchange)]


def _times(times: Iterable[datetime | None]) -> list[int]:
    return [milliseconds(at) for at in times if at is not None]
