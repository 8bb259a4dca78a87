"""What the private topics of classic accounts tell: orders, money and positions, none of it with a fee."""

from collections.abc import Iterator

from apps.feeds.simulator.kucoin.account import unrealised
from apps.feeds.simulator.kucoin.classic_streams import message
from apps.feeds.simulator.kucoin.futures_rows import position_row
from apps.feeds.simulator.kucoin.order_steps import Told, futures_order, spot_order, steps
from apps.feeds.simulator.kucoin.spot_rows import account_row
from apps.feeds.simulator.kucoin.streams import ns
from apps.feeds.simulator.kucoin.words import plain
from apps.feeds.simulator.trading.accounts import ZERO, Account, Execution, Position
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.events import AccountEvent, Event, OrderEvent

TOPICS = {
    "spot": {"/spotMarket/tradeOrdersV2", "/spotMarket/tradeOrders", "/spotMarket/advancedOrders", "/account/balance"},
    "futures": {
        "/contractMarket/tradeOrders",
        "/contractMarket/advancedOrders",
        "/contractAccount/wallet",
        "/contract/positionAll",
        "/contract/position",
        "/contract/marginMode",
    },
}
SPOT_ORDERS, SPOT_ORDERS_V2 = "/spotMarket/tradeOrders", "/spotMarket/tradeOrdersV2"
FUTURES_ORDERS = "/contractMarket/tradeOrders"
EVENTS = {"order": "trade.hold", "trade": "trade.setted", "transfer": "trade.transfer"}
MARK_FIELDS = (  # of a push that only tells of a mark price
    "markPrice",
    "markValue",
    "unrealisedPnl",
    "unrealisedPnlPcnt",
    "unrealisedRoePcnt",
    "delevPercentage",
    "currentTimestamp",
    "settleCurrency",
)


def is_private(market_type: str, topic: str) -> bool:
    return topic.partition(":")[0] in TOPICS[market_type]


class ClassicEvents:
    """Translates the events of one account for one socket."""

    def __init__(self, desk: Desk, account: Account, market_type: str, topics: set[str]) -> None:
        """`topics`: those of the socket, as they are at any time."""
        self._desk = desk
        self._account = account
        self._market_type = market_type
        self._topics = topics
        wallet = account.wallets.get(account.rules.wallets[market_type], {})
        self._before = {asset: (held.free, held.locked) for asset, held in wallet.items()}
        self._number = 354_689_988_084_000
        self._version = 1336

    def __call__(self, event: Event) -> list[Told]:
        if isinstance(event, OrderEvent):
            if event.order.listing.market_type != self._market_type:
                return []
            return [told for step in steps(event) for told in self._order(event, *step)]
        if event.market_type != self._market_type:
            return []
        return list(self._money(event))

    # orders

    def _order(self, event: OrderEvent, kind: str, status: str, execution: Execution | None) -> Iterator[Told]:
        if self._market_type == "futures":
            data = futures_order(event.order, kind, status, execution, event.ms)
            symbol = event.order.listing.symbol
            for topic, subject in (
                (FUTURES_ORDERS, "orderChange"),
                (f"{FUTURES_ORDERS}:{symbol}", "symbolOrderChange"),
            ):
                if topic in self._topics and kind != "received":
                    yield self._message(topic, subject, data)
            return
        for topic in (SPOT_ORDERS, SPOT_ORDERS_V2):
            if topic in self._topics and (kind != "received" or topic == SPOT_ORDERS_V2):
                data = spot_order(event.order, kind, status, execution, event.ms, old=topic == SPOT_ORDERS)
                yield self._message(topic, "orderChange", data)

    # money

    def _money(self, event: AccountEvent) -> Iterator[Told]:
        for asset in event.holdings:
            if self._market_type == "spot":
                yield from self._balance(event, asset)
            elif "/contractAccount/wallet" in self._topics:
                yield self._message("/contractAccount/wallet", "walletBalance.change", self._wallet(event, asset))
        if event.reason == "funding" and self._account.funding:
            yield from self._settlement(event)
        for position in event.positions:
            yield from self._position(position, event.ms)

    def _balance(self, event: AccountEvent, asset: str) -> Iterator[Told]:
        held = event.holdings[asset]
        free, locked = self._before.get(asset, (ZERO, ZERO))
        self._before[asset] = (held.free, held.locked)
        if "/account/balance" not in self._topics:
            return
        self._number += 1
        data = {
            "accountId": account_row(asset, held)["id"],
            "currency": asset,
            "total": plain(held.total),
            "available": plain(held.free),
            "hold": plain(held.locked),
            "availableChange": plain(held.free - free),
            "holdChange": plain(held.locked - locked),
            "relationContext": {},
            "relationEvent": EVENTS[event.reason],
            "relationEventId": str(self._number),
            "time": str(event.ms),
        }
        yield self._message("/account/balance", "account.balance", data) | {"id": str(self._number)}

    def _wallet(self, event: AccountEvent, asset: str) -> Told:
        held, margin = event.holdings[asset], event.margins.get(asset, ZERO)
        positions = [p for p in self._account.positions.values() if p.listing.settle == asset and p.size]
        crossed = sum((p.margin for p in positions if p.mode == "cross"), ZERO)
        profit = unrealised(self._desk, self._account, asset)
        self._version += 1
        orders = held.locked - margin
        is_cross = bool(crossed)
        return {
            "crossPosMargin": plain(margin if is_cross else ZERO),
            "isolatedOrderMargin": plain(ZERO if is_cross else orders),
            "holdBalance": "0",
            "equity": plain(held.total + profit),
            "version": str(self._version),
            "availableBalance": plain(held.free),
            "isolatedPosMargin": plain(ZERO if is_cross else margin),
            "maxWithdrawAmount": plain(held.free),
            "walletBalance": plain(held.total),
            "isolatedFundingFeeMargin": "0",
            "crossUnPnl": plain(profit if is_cross else ZERO),
            "totalCrossMargin": plain(held.free),
            "currency": asset,
            "isolatedUnPnl": plain(ZERO if is_cross else profit),
            "availableMargin": plain(held.free),
            "crossOrderMargin": plain(orders if is_cross else ZERO),
            "timestamp": str(event.ms),
        }

    # positions

    def _position(self, position: Position, ms: int) -> Iterator[Told]:
        """What has changed; then, with a few fields, that the mark price has moved."""
        row = position_row(position, self._desk.mark(position.listing), ms)
        for topic in self._position_topics(position.listing.symbol):
            yield self._message(topic, "position.change", row | {"changeReason": "positionChange", "riskLimitLevel": 2})
            if position.size:
                moved = {name: row[name] for name in MARK_FIELDS}
                yield self._message(topic, "position.change", moved | {"changeReason": "markPriceChange"})

    def _settlement(self, event: AccountEvent) -> Iterator[Told]:
        paid = self._account.funding[-1]
        position = self._account.position(paid.listing, "net")
        data = {
            "fundingTime": paid.ms,
            "qty": position.size,
            "markPrice": self._desk.mark(paid.listing),
            "fundingRate": paid.rate,
            "fundingFee": paid.amount,
            "ts": ns(event.ms),
            "settleCurrency": paid.asset,
        }
        for topic in self._position_topics(paid.listing.symbol):
            yield self._message(topic, "position.settlement", data)

    def _position_topics(self, symbol: str) -> list[str]:
        return [topic for topic in ("/contract/positionAll", f"/contract/position:{symbol}") if topic in self._topics]

    def _message(self, topic: str, subject: str, data: Told) -> Told:
        return message(topic, subject, data) | {"userId": "633559791e1cbc0001f319bc", "channelType": "private"}
