"""CoinEx API v2 as of 2026-11-20, the half that needs a key; (?) marks what is unsure."""

from collections.abc import Mapping

from apps.feeds.drivers.base import Rate
from apps.feeds.drivers.coinex.facts import FUTURES, SPOT
from apps.feeds.drivers.trading import Expiry, ExpiryCheck, TradeLimits
from apps.feeds.errors import (
    BadCredentials,
    ClockSkew,
    FeedError,
    InsufficientFunds,
    InvalidOrder,
    NotPermitted,
    OutcomeUnknown,
    RateLimited,
    Refused,
    Retryable,
    UnknownOrder,
    UnknownSymbol,
    WouldTake,
)
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import OrderStatus, OrderType, TimeInForce

BASE = "https://api.coinex.com"
MARKET = {SPOT: "spot", FUTURES: "futures"}  # in paths
MARKET_TYPE = {SPOT: "SPOT", FUTURES: "FUTURES"}  # in parameters

# X-COINEX-WINDOWTIME is how old a signature may be: the gateway looks at it, and says nothing of the matcher.
EXPIRY = Expiry(check=ExpiryCheck.GATEWAY, longest_ms=5000)

# Groups of paths, each with a budget of its own, for each account; the two markets share none.
PLACE, CANCEL, CANCEL_MORE, QUERY, HISTORY, ACCOUNT = "place", "cancel", "cancel-more", "query", "history", "account"
_RATES = {
    SPOT: {PLACE: 30, CANCEL: 60, CANCEL_MORE: 40, QUERY: 50, HISTORY: 10, ACCOUNT: 10},
    FUTURES: {PLACE: 20, CANCEL: 40, CANCEL_MORE: 20, QUERY: 50, HISTORY: 10, ACCOUNT: 10},
}


def budget(market_type: MarketType, group: str) -> str:
    return f"{MARKET[market_type]}-{group}"


LIMITS = {
    market: TradeLimits(
        budgets={budget(market, group): Rate(count, 1.0) for group, count in rates.items()},
        private_sockets=5,  # (?) undocumented
    )
    for market, rates in _RATES.items()
}
PAGE_ROWS = 100  # ten unless asked for

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
LIMIT_TYPES = {TimeInForce.GTC: "limit", TimeInForce.IOC: "ioc", TimeInForce.POST_ONLY: "maker_only"}
SELF_TRADE = "ct"  # what is left of the taker is cancelled
ORDER_TYPES = {
    "limit": OrderType.LIMIT,
    "ioc": OrderType.LIMIT,
    "fok": OrderType.LIMIT,
    "maker_only": OrderType.LIMIT,
    "market": OrderType.MARKET,
}
STATUS = {
    "open": OrderStatus.OPEN,
    "not_deal": OrderStatus.OPEN,
    "part_filled": OrderStatus.PARTIAL,
    "part_deal": OrderStatus.PARTIAL,
    "filled": OrderStatus.FILLED,
    "done": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "part_canceled": OrderStatus.CANCELLED,
    "cancel": OrderStatus.CANCELLED,
}

CHANNELS = {SPOT: ("order", "user_deals", "balance"), FUTURES: ("order", "user_deals", "balance", "position")}
LOGIN_ID, FIRST_CHANNEL_ID = 1, 2  # of our commands; the heartbeat's is 0

# The rest of what they document is `Refused`. 4003 and 227 come from the documents and from older answers.
ERRORS: Mapping[int, type[FeedError]] = {
    **dict.fromkeys((3008, 4001, 4002, 4003), OutcomeUnknown),
    **dict.fromkeys((4213, 4123), RateLimited),
    **dict.fromkeys((4010, 4017, 227), ClockSkew),
    **dict.fromkeys((4005, 4006, 4008, 4007), BadCredentials),  # 4007: our address
    **dict.fromkeys((4011, 4512, 4115, 4158), NotPermitted),
    4004: InvalidOrder,
    # Bad parameters or an unknown market: ours are checked before they are sent, so it is the market.
    3639: UnknownSymbol,
    **dict.fromkeys((4009, 4018), Refused),
    3109: InsufficientFunds,
    **dict.fromkeys((3127, 3606, *range(3612, 3620), *range(3632, 3636)), InvalidOrder),
    **dict.fromkeys((3620, 3621, 3627, 3628, 3629), Refused),  # too thin a book for a market order, or for all or none
    3622: WouldTake,
    3600: UnknownOrder,
    3610: Retryable,  # no cancels during an auction: it must be sent again
    **dict.fromkeys((3638, 4117, 4130, 4159, 3157), UnknownSymbol),  # not to be traded now
}
RETRY_S = 1.0
SETTLING, SETTLING_S = "not available during funding fee settlement", 5.0  # told in words only, for some seconds
