"""The account at MEXC: balances, positions, fees, funding, leverage, the clock, what a key may do."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated
from urllib.parse import urlencode

from msgspec import Meta, Struct

from apps.feeds.drivers import money, wire
from apps.feeds.drivers.base import Request
from apps.feeds.drivers.mexc import answers, futures_values, signing
from apps.feeds.drivers.mexc import trading_facts as facts
from apps.feeds.drivers.mexc.facts import FUTURES, REST, SPOT
from apps.feeds.drivers.trading import Answer, Page
from apps.feeds.errors import InvalidOrder, UnknownSymbol
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import (
    Balance,
    Credentials,
    Fees,
    FundingPayment,
    MarginMode,
    Permissions,
    Position,
)


class Asset(money.Exact):
    asset: wire.Name
    free: Decimal
    locked: Decimal


class Account(Struct, rename="camel"):
    can_trade: bool
    can_withdraw: bool
    balances: Annotated[list[Asset], Meta(max_length=answers.MAX_ROWS)]


class SpotRates(money.Exact, rename="camel"):
    symbol: wire.Name
    maker_commission: Decimal
    taker_commission: Decimal


class SpotListings(Struct):
    symbols: Annotated[list[SpotRates], Meta(max_length=answers.MAX_ROWS)]


class FuturesRates(money.Exact, rename="camel"):
    symbol: wire.Name
    maker_fee_rate: Decimal
    taker_fee_rate: Decimal


class Settled(money.Exact, rename="camel"):
    id: answers.Named
    symbol: wire.Name
    funding: Decimal
    rate: Decimal
    settle_time: wire.Millis


class FundingPage(Struct, rename="camel"):
    result_list: Annotated[list[Settled], Meta(max_length=answers.MAX_ROWS)]
    current_page: wire.Id
    total_page: wire.Id


class SpotTime(Struct, rename="camel"):
    server_time: wire.Millis


Assets = Annotated[list[futures_values.Asset], Meta(max_length=answers.MAX_ROWS)]
Positions = Annotated[list[futures_values.Held], Meta(max_length=answers.MAX_ROWS)]
Listings = Annotated[list[FuturesRates], Meta(max_length=answers.MAX_ROWS)]

_account = wire.decoder(Account)
_assets = wire.decoder(answers.Wrapped[Assets])
_positions = wire.decoder(answers.Wrapped[Positions])
_spot_listings = wire.decoder(SpotListings)
_futures_listings = wire.decoder(answers.Wrapped[Listings | FuturesRates])  # one by itself where one was asked for
_funding = wire.decoder(answers.Wrapped[FundingPage])
_spot_time = wire.decoder(SpotTime)
_futures_time = wire.decoder(answers.Wrapped[wire.Millis])


def balances(keys: Credentials, market_type: MarketType, now_ms: int) -> Request:
    if market_type is FUTURES:
        return signing.futures_get(keys, "account/assets", {}, now_ms)
    return signing.spot(keys, "GET", "account", {}, now_ms, weight=facts.ACCOUNT_WEIGHT)


def parse_balances(market_type: MarketType, answer: Answer) -> list[Balance]:
    if market_type is FUTURES:
        return [futures_values.balance(row) for row in answers.futures(_assets, answer)]
    rows = answers.spot(_account, answer).balances
    return [Balance(asset=row.asset, free=row.free, total=row.free + row.locked) for row in rows]


def positions(keys: Credentials, now_ms: int, cursor: str | None = None) -> Request:
    return signing.futures_get(keys, "position/open_positions", {}, now_ms)


def parse_positions(answer: Answer) -> Page[Position]:
    return Page(rows=[futures_values.position(row) for row in answers.futures(_positions, answer)])


def fees(keys: Credentials, instrument: Instrument, now_ms: int) -> Request:
    """The listed ones: what holding the exchange's token takes off is not in them."""
    path = "exchangeInfo" if instrument.market_type is SPOT else "detail"
    query = urlencode({"symbol": instrument.symbol})
    return Request(method="GET", url=f"{REST[instrument.market_type]}/{path}?{query}")


def parse_fees(instrument: Instrument, answer: Answer) -> Fees:
    if instrument.market_type is SPOT:
        for row in answers.spot(_spot_listings, answer).symbols:
            if row.symbol == instrument.symbol:
                return Fees(maker=row.maker_commission, taker=row.taker_commission)
    else:
        told = answers.futures(_futures_listings, answer)
        for contract in told if isinstance(told, list) else [told]:
            if contract.symbol == instrument.symbol:
                return Fees(maker=contract.maker_fee_rate, taker=contract.taker_fee_rate)
    raise UnknownSymbol(f"{instrument.symbol} is not listed")


def funding(
    keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
) -> Request:
    """From the newest on, of all times."""
    if instrument.market_type is SPOT:
        raise InvalidOrder("spot pays no funding")
    params: dict[str, str | int] = {
        "symbol": instrument.symbol,
        "page_num": cursor or "1",
        "page_size": facts.PAGE,
    }
    return signing.futures_get(keys, "position/funding_records", params, now_ms)


def parse_funding(instrument: Instrument, answer: Answer) -> Page[FundingPayment]:
    page = answers.futures(_funding, answer)
    cursor = str(page.current_page + 1) if page.current_page < page.total_page else None
    return Page(rows=[_payment(row, instrument.settle) for row in page.result_list], cursor=cursor)


def _payment(row: Settled, asset: str) -> FundingPayment:
    return FundingPayment(
        payment_id=str(row.id),
        symbol=row.symbol,
        asset=asset,
        amount=row.funding,
        exchange_ms=row.settle_time,
        rate=row.rate,
    )


def set_leverage(
    keys: Credentials, instrument: Instrument, leverage: int, mode: MarginMode, now_ms: int
) -> Sequence[Request]:
    """Of the long side, then of the short side."""
    if instrument.market_type is SPOT:
        raise InvalidOrder("spot has no leverage")
    content = {"symbol": instrument.symbol, "leverage": leverage, "openType": facts.OPEN_TYPES[mode]}
    return [
        signing.futures_post(
            keys, "position/change_leverage", content | {"positionType": side}, now_ms, budget=facts.LEVERAGE
        )
        for side in facts.POSITION_SIDES
    ]


def parse_leverage_set(answer: Answer) -> None:
    answers.accepted(answer, order=True)


def server_time(market_type: MarketType) -> Request:
    return Request(method="GET", url=f"{REST[market_type]}/{'time' if market_type is SPOT else 'ping'}")


def parse_server_time(market_type: MarketType, answer: Answer) -> int:
    if market_type is SPOT:
        return answers.spot(_spot_time, answer).server_time
    return answers.futures(_futures_time, answer)


def permissions(keys: Credentials, now_ms: int) -> Request:
    """Of the account: the exchange does not tell what the key itself may do."""
    return balances(keys, SPOT, now_ms)


def parse_permissions(answer: Answer) -> Permissions:
    told = answers.spot(_account, answer)
    return Permissions(read=True, trade_spot=told.can_trade, trade_futures=None, withdraw=told.can_withdraw)
