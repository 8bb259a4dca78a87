"""An account that has a row in every table of trading, for tests of who sees and who touches what."""

from decimal import Decimal
from typing import Any

from django.db.models import Model
from django.utils import timezone

from apps.trading.models import (
    Account,
    AccountKey,
    Arbitrage,
    FundingPayment,
    LanePause,
    Order,
    OrderEvent,
    OrderFill,
    OrderIntent,
    PaperEntry,
    Position,
    RiskLimit,
    RiskState,
    RiskUsage,
    StrayFill,
    Trade,
    TradeHistory,
    TradeType,
    TradingSwitch,
    Wallet,
)
from apps.trading.tests import rows
from apps.users.models import User

ODD = Decimal("0.0000777")  # an amount that stands nowhere else
MARK = "marked-7f3a"  # in every text of it


def make(user: User, *, owner: User | None, number: int = 7001) -> dict[type[Model], Model]:
    """Model -> its row; what is numbered by us has `number`. Rows of the deployment are those that are there."""
    account = rows.account(owner=owner, name=MARK, id=number, mode="testnet")
    trade = rows.trade(account, id=number)
    intent = rows.intent(trade, id=number, intent_key=MARK, amount=ODD, state="WORKING")
    order = rows.order(
        intent, id=number, status="OPEN", client_order_id=MARK, amount=ODD, request_expires_at=timezone.now()
    )
    fill = rows.fill(order, id=number, amount=ODD, trade_id=MARK)
    RiskUsage.objects.filter(pk=number).update(day=timezone.now().date(), realised=-ODD)
    return {
        Account: account,
        Trade: trade,
        OrderIntent: intent,
        Order: order,
        OrderFill: fill,
        RiskUsage: RiskUsage.objects.get(pk=number),
        RiskState: RiskState.objects.get(scope="account", scope_id=str(number)),
        TradeType: TradeType.objects.first() or TradeType.objects.create(name="manual"),
        TradingSwitch: TradingSwitch.objects.get_or_create(pk=1)[0],
        AccountKey: AccountKey.objects.create(account=account, user=user, key_id="k", sealed=b"sealed", hint="7f3a"),
        **_of_money(account, order, fill),
        **_of_risk(account, trade),
    }


def _of_money(account: Account, order: Order, fill: OrderFill) -> dict[type[Model], Any]:
    text = {"account": account, "side": "buy", "amount": ODD, "price": 1}
    return {
        Wallet: Wallet.objects.create(account=account, asset="MARKED7F3A", total=ODD, free=ODD),
        Position: Position.objects.create(account=account, pair=order.pair, amount=ODD, entry_price=1),
        FundingPayment: FundingPayment.objects.create(
            account=account, pair=order.pair, payment_id=MARK, asset="USDT", amount=ODD, exchange_ms=1
        ),
        PaperEntry: PaperEntry.objects.create(account=account, kind="deposit", asset="USDT", amount=ODD, exchange_ms=1),
        OrderEvent: OrderEvent.objects.create(order=order, seq=77, kind="sent", to_status="PENDING"),
        StrayFill: StrayFill.objects.create(
            **text, symbol=MARK, exchange_order_id=MARK, trade_id=MARK, exchange_ms=1, source="ws"
        ),
        TradeHistory: TradeHistory.objects.create(exchange="binance", account=account, fill=fill, order=MARK),
    }


def _of_risk(account: Account, trade: Trade) -> dict[type[Model], Any]:
    return {
        Arbitrage: Arbitrage.objects.create(trade=trade, status="PENDING", kind="inter_exchange"),
        LanePause: LanePause.objects.create(
            lane=f"{account.pk}:1", account=account, until=timezone.now(), reason=f"{MARK} refuses"
        ),
        RiskLimit: RiskLimit.objects.create(
            id=account.pk, scope="account", scope_id=str(account.pk), name="max_order_usdt", value=ODD, reason=MARK
        ),
    }
