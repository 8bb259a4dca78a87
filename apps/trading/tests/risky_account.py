"""An account that orders at random through the gate, and reckons by itself what it stands to lose."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from msgspec.structs import replace

from apps.feeds.market import BookKey, Instrument, Side
from apps.feeds.orders import OrderStatus
from apps.trading.intent import OrderIntent
from apps.trading.risk.gate import ApprovedOrder, Denied, approve
from apps.trading.risk.limits import Limits
from apps.trading.risk.view import DenyReason, Held, Parent, RiskView, Sent, Working
from apps.trading.tests.risk import FUTURES, NOW, SPOT, intent, view

LIMITS = Limits(
    max_asset_usdt=Decimal(250), max_account_usdt=Decimal(350), max_open_pair=3, max_open_account=5, max_executions=600
)
RATES = {"USDT": Decimal(1), "A": Decimal(100), "B": Decimal(100)}
LEVERAGE = 2
KNOWN_THERE = (OrderStatus.OPEN, OrderStatus.PARTIAL)


@dataclass
class Placed:
    """`status` None: written, and waiting in its lane."""

    wanted: OrderIntent
    approved: ApprovedOrder
    status: OrderStatus | None = None
    filled: Decimal = Decimal(0)

    @property
    def rest(self) -> Decimal:
        return self.approved.amount - self.filled

    @property
    def needs(self) -> Decimal:
        return self.approved.reservation.amount * self.rest / self.approved.amount


class RiskyAccount:
    def __init__(self, chance: Iterator[int], template: Instrument) -> None:
        self.chance = chance
        self.now_ms = NOW
        other = replace(template, pair="B/USDT", symbol="B", base="B")
        self.instruments = (template, other)
        self.is_futures = template is FUTURES
        self.totals = {"USDT": Decimal(150 if self.is_futures else 350), "A": Decimal(2), "B": Decimal(2)}
        self.net = {template.key: Decimal(0), other.key: Decimal(0)}
        self.working: list[Placed] = []
        self.sent: list[Sent] = []
        self.unknown_ms: list[int] = []
        self.reasons: list[DenyReason] = []
        self.steps: list[Callable[[], None]] = [
            *[self.want] * 4,
            *[self.send] * 4,
            *[self.fill] * 2,
            self.wait,
            self.learn,
            self.lose,
            self.end,
        ]

    def step(self) -> None:
        self.steps[next(self.chance) % len(self.steps)]()
        self.judge()

    def want(self) -> None:
        """T0: an intent is written if risk lets it."""
        number = next(self.chance)
        offset, amount = next(self.chance) % 9 - 4, next(self.chance) % 11 + 1
        wanted = intent(
            (Side.BUY, Side.SELL)[number % 2],
            amount=str(Decimal(amount) / 10),
            price=None if number % 7 == 0 else str(100 + Decimal(offset) / 2),
            instrument=self.instruments[number // 2 % 2],
            reduce_only=number % 5 == 0,
            created_ms=self.now_ms,
            intent_id=None,
        )
        approved = self.ask(wanted)
        if approved is not None:
            written = replace(wanted, intent_id=1_000 + len(self.sent) * 100 + len(self.working) + number)
            self.working.append(Placed(written, approved))

    def send(self) -> None:
        """T1: the oldest intent is judged anew, and leaves or is over."""
        placed = next((each for each in self.working if each.status is None), None)
        if placed is None:
            return
        approved = self.ask(placed.wanted)
        if approved is None:
            self.working.remove(placed)
            return
        placed.approved, placed.status = approved, OrderStatus.PENDING
        key, side = placed.wanted.instrument.key, placed.wanted.side
        self.sent.append(Sent(at_ms=self.now_ms, key=key, side=side, amount=approved.amount, price=approved.price))

    def ask(self, wanted: OrderIntent) -> ApprovedOrder | None:
        result = approve(wanted, self.view())
        if isinstance(result, Denied):
            assert isinstance(result.reason, DenyReason)
            assert result.reason not in (DenyReason.FAILED, DenyReason.MISSING, DenyReason.NOT_A_NUMBER), result
            self.reasons.append(result.reason)
            return None
        assert result.amount * result.price <= LIMITS.max_order_usdt
        return result

    def fill(self) -> None:
        """Whatever we know of it, what has left may trade."""
        placed = self.pick(lambda each: each.status is not None)
        if placed is None:
            return
        lot = placed.wanted.instrument.lot * placed.wanted.instrument.contract_size
        part = min(placed.rest, lot * (next(self.chance) + 1))
        signed = part if placed.wanted.side is Side.BUY else -part
        placed.filled += part
        self.net[placed.wanted.instrument.key] += signed
        if not self.is_futures:
            self.totals[placed.wanted.instrument.base] += signed
            self.totals["USDT"] -= signed * placed.approved.price
        if not placed.rest:
            self.working.remove(placed)

    def wait(self) -> None:
        self.now_ms += next(self.chance) * 8

    def learn(self) -> None:
        placed = self.pick(lambda each: each.status in (OrderStatus.PENDING, OrderStatus.UNKNOWN))
        if placed is not None:
            placed.status = OrderStatus.PARTIAL if placed.filled else OrderStatus.OPEN

    def lose(self) -> None:
        placed = self.pick(lambda each: each.status is OrderStatus.PENDING)
        if placed is not None:
            placed.status = OrderStatus.UNKNOWN
            self.unknown_ms = [*self.unknown_ms[-1:], self.now_ms]  # a person looks before it is the third

    def end(self) -> None:
        placed = self.pick(lambda each: True)
        if placed is not None:
            self.working.remove(placed)

    def pick(self, fits: Callable[[Placed], bool]) -> Placed | None:
        fitting = [each for each in self.working if fits(each)]
        return fitting[next(self.chance) % len(fitting)] if fitting else None

    def view(self) -> RiskView:
        return view(
            now_ms=self.now_ms,
            limits=LIMITS,
            rates=RATES,
            leverage=LEVERAGE,
            holdings=tuple(Held(instrument=each, amount=self.net[each.key]) for each in self.instruments),
            working=tuple(
                Working(
                    intent_id=each.wanted.intent_id or 0,
                    account_id=7,
                    instrument=each.wanted.instrument,
                    side=each.wanted.side,
                    rest=each.rest,
                    status=each.status,
                    created_ms=each.wanted.created_ms,
                    price=each.wanted.price if each.status is None else each.approved.price,
                    held_asset=each.approved.reservation.asset,
                    held=Decimal(0) if each.status in KNOWN_THERE else each.needs,
                )
                for each in self.working
            ),
            free={asset: self.left(asset, lambda each: each.status in KNOWN_THERE) for asset in self.totals},
            sent=tuple(self.sent),
            trade_sent_ms=tuple(each.at_ms for each in self.sent),
            unknown_ms=tuple(self.unknown_ms),
            parent=Parent(amount=Decimal(100), committed=Decimal(0)),
        )

    def left(self, asset: str, counts: Callable[[Placed], bool]) -> Decimal:
        orders = (each.needs for each in self.working if each.approved.reservation.asset == asset and counts(each))
        margin = sum(map(abs, self.net.values())) * 98 / LEVERAGE if self.is_futures and asset == "USDT" else Decimal(0)
        return self.totals[asset] - sum(orders, Decimal(0)) - margin

    def judge(self) -> None:
        self.judge_counts()
        exposed = [self.at_worst(each.key) * 100 for each in self.instruments]
        assert max(exposed) <= LIMITS.max_asset_usdt
        assert sum(exposed) <= LIMITS.max_account_usdt
        for asset in self.totals:
            assert self.left(asset, lambda each: True) >= -Decimal("1e-9"), asset
        for one in self.working:
            for other in self.working:
                same = one.wanted.instrument == other.wanted.instrument
                if same and one.wanted.side is Side.BUY is not other.wanted.side:
                    assert one.approved.price < other.approved.price

    def judge_counts(self) -> None:
        keys = [each.wanted.instrument.key for each in self.working]
        assert len(keys) <= LIMITS.max_open_account
        assert all(keys.count(key) <= LIMITS.max_open_pair for key in keys)
        times = [each.at_ms for each in self.sent]
        limit = LIMITS.max_orders_s
        assert all(later - earlier >= 1_000 for earlier, later in zip(times, times[limit:], strict=False))

    def at_worst(self, key: BookKey) -> Decimal:
        """Everything on one side fills, nothing on the other."""
        mine = [each for each in self.working if each.wanted.instrument.key == key]
        buys = sum((each.rest for each in mine if each.wanted.side is Side.BUY), Decimal(0))
        sells = sum((each.rest for each in mine if each.wanted.side is Side.SELL), Decimal(0))
        return max(abs(self.net[key] + buys), abs(self.net[key] - sells))


MARKETS = {"spot": SPOT, "futures": FUTURES}
