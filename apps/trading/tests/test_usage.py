"""What became of an account's money since midnight, in USDT, each part apart and at the prices of now."""

from datetime import timedelta
from decimal import Decimal

import pytest

from apps.feeds.market import BookKey, Side
from apps.feeds.orders import FundingPayment
from apps.trading import records
from apps.trading.bookkeeping import holdings, recording, usage
from apps.trading.execution.pretrade import guards
from apps.trading.models import Account, FillSource, Order, Position, RiskUsage, Wallet
from apps.trading.tests import rows, told

pytestmark = pytest.mark.django_db


class Prices:
    """The middle of each pair's book, on every exchange and market."""

    def __init__(self, **mids: int | None) -> None:
        self.mids = {"BTC/USDT": 60_000, **{name.replace("_", "/"): mid for name, mid in mids.items()}}

    def top(self, key: BookKey) -> None:
        return None

    def mid(self, key: BookKey) -> Decimal | None:
        mid = self.mids.get(key.pair)
        return None if mid is None else Decimal(mid)


@pytest.fixture(autouse=True)
def no_bus(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


@pytest.fixture
def account() -> Account:
    made = rows.account(market_type="futures")
    Wallet.objects.create(account=made, asset="USDT", total=10_000)
    return made


def ago(**since: int) -> int:
    """As exchanges tell time."""
    return records.milliseconds(guards.clock() - timedelta(**since))


def trade(account: Account, side: Side, amount: str, price: int, **changes) -> Order:
    order = told.sent(account, side=side, amount=Decimal(amount))
    named = {"side": side, "exchange_order_id": f"x{order.pk}", "fee": Decimal(1), "exchange_ms": ago()}
    names = {**named, **changes}
    fill = told.fill(order, f"t{order.pk}", amount, price, **names)
    recording.record_fill(account.pk, told.instrument(order), fill, FillSource.WS)
    return order


def pay(account: Account, exchange_ms: int, amount: int) -> None:
    payment = FundingPayment(
        symbol="BTCUSDT",
        payment_id=f"p{exchange_ms}",
        asset="USDT",
        amount=Decimal(amount),
        rate=None,
        exchange_ms=exchange_ms,
    )
    assert holdings.take_funding(account.pk, rows.pair(market_type="futures"), payment)


def figures(account: Account) -> tuple[Decimal, ...]:
    row = RiskUsage.objects.get(account=account)
    return row.realised, row.unrealised, row.fees, row.funding


def test_a_day_begins_with_what_there_was(account):
    trade(account, Side.BUY, "1", 59_000, exchange_ms=ago(days=1))
    assert usage.refresh(account.pk, Prices())
    row = RiskUsage.objects.get(account=account)
    assert (figures(account), row.equity) == ((0, 0, 0, 0), 11_000)


def test_what_came_after_midnight_is_of_the_day_though_nobody_has_looked_before(account):
    trade(account, Side.BUY, "1", 59_000, exchange_ms=ago(days=1))
    trade(account, Side.SELL, "0.5", 61_000)
    pay(account, ago(days=1), -3)
    pay(account, ago(), -5)
    assert usage.refresh(account.pk, Prices())
    # 0.5 at 2,000 more than paid; the other half is 500 above, where at this price the whole was 1,000 above
    assert figures(account) == (1_000, 500 - 1_000, 1, -5)
    assert RiskUsage.objects.get(account=account).equity == 10_500 - (1_000 - 500 - 1 - 5)


def test_what_comes_late_of_the_day_before_is_not_of_this_day(account):
    trade(account, Side.BUY, "1", 59_000, exchange_ms=ago(days=1))
    usage.refresh(account.pk, Prices())
    trade(account, Side.BUY, "0.5", 59_000, exchange_ms=ago(days=1, minutes=1))
    usage.refresh(account.pk, Prices(BTC_USDT=59_100))
    # 1.5 were held as the day began, at 60,000
    assert figures(account) == (0, -1_350, 0, 0)
    assert RiskUsage.objects.get(account=account).equity == 11_000


def test_a_payment_that_comes_late_of_the_day_before_is_not_of_this_day(account):
    trade(account, Side.BUY, "1", 59_000, exchange_ms=ago(days=1))
    usage.refresh(account.pk, Prices())
    pay(account, ago(days=1), -3)
    usage.refresh(account.pk, Prices())
    assert figures(account) == (0, 0, 0, 0)


def test_what_came_since_is_told_apart(account):
    trade(account, Side.BUY, "1", 59_000, exchange_ms=ago(days=1))
    usage.refresh(account.pk, Prices())
    trade(account, Side.SELL, "0.5", 61_000)
    trade(account, Side.SELL, "0.25", 57_000)
    assert usage.refresh(account.pk, Prices(BTC_USDT=62_000))
    # 0.5 at 2,000 more and 0.25 at 2,000 less than paid; a quarter is left, 3,000 above, where it was 1,000 of one
    assert figures(account) == (500, 750 - 1_000, 2, 0)


def test_a_loss_of_an_open_position_counts(account):
    usage.refresh(account.pk, Prices())
    trade(account, Side.BUY, "1", 60_000, fee=Decimal(0))
    assert usage.refresh(account.pk, Prices(BTC_USDT=59_880))
    assert figures(account) == (0, -120, 0, 0)


def test_fees_in_another_asset_are_valued(account):
    usage.refresh(account.pk, Prices())
    trade(account, Side.BUY, "1", 60_000, fee=Decimal("0.01"), fee_asset="BNB")
    assert usage.refresh(account.pk, Prices(BNB_USDT=700))
    assert figures(account) == (0, 0, 7, 0)


def test_fees_in_a_coin_that_nobody_prices_are_left_out(account):
    usage.refresh(account.pk, Prices())
    trade(account, Side.BUY, "1", 60_000, fee=Decimal("0.01"), fee_asset="BNB")
    trade(account, Side.SELL, "0.5", 59_000)
    assert usage.refresh(account.pk, Prices())
    assert figures(account) == (-500, 0, 1, 0)


def test_a_position_that_nobody_prices_lets_the_day_begin_and_counts_from_its_first_price_on(account):
    other = rows.pair("ETH/USDT", market_type="futures")
    trade(account, Side.BUY, "1", 59_000, exchange_ms=ago(days=1))
    Position.objects.create(account=account, pair=other, amount=10, cost=20_000)
    assert usage.refresh(account.pk, Prices(BTC_USDT=None, ETH_USDT=2_000))
    assert usage.refresh(account.pk, Prices(BTC_USDT=None, ETH_USDT=1_900))
    assert figures(account) == (0, -1_000, 0, 0)
    assert usage.refresh(account.pk, Prices(BTC_USDT=58_000, ETH_USDT=1_900))
    assert figures(account) == (0, -1_000, 0, 0)
    assert usage.refresh(account.pk, Prices(BTC_USDT=57_500, ETH_USDT=1_900))
    assert figures(account) == (0, -1_500, 0, 0)


def test_while_a_price_is_missing_the_last_figures_stay(account):
    usage.refresh(account.pk, Prices())
    trade(account, Side.BUY, "1", 60_000)
    usage.refresh(account.pk, Prices(BTC_USDT=59_000))
    before = figures(account)
    assert usage.refresh(account.pk, Prices(BTC_USDT=None)) is False
    assert figures(account) == before


def test_the_next_day_begins_anew(account):
    usage.refresh(account.pk, Prices())
    trade(account, Side.BUY, "1", 60_000, exchange_ms=ago(days=1))
    usage.refresh(account.pk, Prices(BTC_USDT=59_000))
    row = RiskUsage.objects.get(account=account)
    RiskUsage.objects.filter(account=account).update(day=row.day - timedelta(days=1))
    usage.refresh(account.pk, Prices(BTC_USDT=59_000))
    assert figures(account) == (0, 0, 0, 0)
    usage.refresh(account.pk, Prices(BTC_USDT=58_500))
    assert figures(account) == (0, -500, 0, 0)


def test_figures_that_stay_are_not_written_again(account):
    trade(account, Side.BUY, "1", 60_000)
    usage.refresh(account.pk, Prices())
    at = RiskUsage.objects.get(account=account).updated_at
    usage.refresh(account.pk, Prices())
    assert RiskUsage.objects.get(account=account).updated_at == at


def test_all_accounts_that_trade_are_looked_at(account):
    other = rows.account(market_type="futures")
    trade(account, Side.BUY, "1", 60_000)
    trade(other, Side.BUY, "1", 60_000)
    usage.refresh_all(Prices())
    assert RiskUsage.objects.filter(account__in=[account, other], day=None).count() == 0
