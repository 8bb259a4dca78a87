"""What an account asks of itself: balances, positions, fees, funding, leverage, permissions and the time."""

from apps.feeds.drivers.base import Request
from apps.feeds.orders import Balance, Fees, FundingPayment, MarginMode, Permissions, Position
from apps.feeds.tests.trading_asker import Asker
from apps.feeds.transport.orders import Purpose


class Holder(Asker):
    """Amounts come back in base currency."""

    async def balances(self) -> dict[str, Balance]:
        trader, market = self.on.trader, self.on.market
        request = trader.balances(self.keys, market, self.now_ms())
        rows = await self.read(request, lambda answer: trader.parse_balances(market, answer))
        return {row.asset: row for row in rows}

    async def positions(self) -> list[Position]:
        trader = self.on.trader
        rows = await self.pages(
            lambda cursor: trader.positions(self.keys, self.now_ms(), cursor), trader.parse_positions
        )
        return [self.on.in_base(row) for row in rows]

    async def fees(self) -> Fees:
        trader, of = self.on.trader, self.on.instrument
        return await self.read(trader.fees(self.keys, of, self.now_ms()), lambda answer: trader.parse_fees(of, answer))

    async def funding(self, since_ms: int) -> list[FundingPayment]:
        trader, of = self.on.trader, self.on.instrument

        def request(cursor: str | None) -> Request:
            return trader.funding(self.keys, of, since_ms, self.now_ms(), cursor)

        return await self.pages(request, lambda answer: trader.parse_funding(of, answer))

    async def set_leverage(self, leverage: int, mode: MarginMode) -> None:
        trader = self.on.trader
        for request in trader.set_leverage(self.keys, self.on.instrument, leverage, mode, self.now_ms()):
            await self.ask(request, Purpose.ORDER, trader.parse_leverage_set)

    async def permissions(self) -> Permissions:
        trader = self.on.trader
        return await self.read(trader.permissions(self.keys, self.now_ms()), trader.parse_permissions)

    async def server_time(self) -> int:
        trader, market = self.on.trader, self.on.market
        return await self.read(trader.server_time(market), lambda answer: trader.parse_server_time(market, answer))
