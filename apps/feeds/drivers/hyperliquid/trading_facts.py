"""Hyperliquid's trading side as of 2026-11-20: actions signed by a wallet, reads keyed by an address, one socket.

Spot and perpetuals share everything; agents' wallets sign for the account whose address is asked for.
"""

from apps.feeds.drivers.trading import DeadManTerms, Expiry, ExpiryCheck, TradeLimits
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
    RequestExpired,
    UnknownOrder,
    WouldTake,
)
from apps.feeds.market import MarketType, Side
from apps.feeds.orders import MarginMode, OrderStatus, TimeInForce

EXCHANGE = "https://api.hyperliquid.xyz/exchange"
MAINNET, TESTNET = "a", "b"  # `source` of the agent that signs
CHAIN_ID = 1337

# `expiresAfter` is part of what is signed, and the chain rejects the action after it; no bound is told, the nonce's
# own is a day. "unknownOid" after some blocks (2 s) means that there was no order.
EXPIRY = Expiry(check=ExpiryCheck.MATCHER, longest_ms=86_400_000, tail_s=2.0)
# An address may send 10,000 actions and one more for each USDC traded: no rate, its refusal says when it is used up.
LIMITS = TradeLimits(budgets={}, private_sockets=2)  # one a market; 10 sockets an address of the internet
EXHAUSTED_S = 10.0  # one action in so long, once the budget is used up

# One timer for both markets of an address, which strikes ten times a day at most. Addresses that have traded for less
# than 1,000,000 USDC are refused one.
DEAD_MAN = DeadManTerms(timer_ms=60_000, refresh_ms=15_000)
DEAD_MAN_SHORTEST_MS = 5_000

# Reads weigh 20 unless named; those of lists one more for each 20 rows told, of which 200 are allowed for.
WEIGHT = {"orderStatus": 2, "clearinghouseState": 2, "spotClearinghouseState": 2, "exchangeStatus": 2, "userRole": 60}
LIST_WEIGHT, WEIGHT_ELSE, ACTION_WEIGHT = 30, 20, 1
LISTS = frozenset(("userFillsByTime", "userFunding"))
FILLS_PAGE, FUNDING_PAGE = 2000, 500
LAST_TRADES_MS = 600_000

SIGNIFICANT = 5  # digits of a price; whole numbers may have more
TIF = {TimeInForce.GTC: "Gtc", TimeInForce.IOC: "Ioc", TimeInForce.POST_ONLY: "Alo"}
SIDES = {"B": Side.BUY, "A": Side.SELL}
MARGIN_MODES = {"cross": MarginMode.CROSS, "isolated": MarginMode.ISOLATED}

OPEN = "open"
ORDER_STATUS = {
    OPEN: OrderStatus.OPEN,
    "triggered": OrderStatus.OPEN,
    "filled": OrderStatus.FILLED,
    "canceled": OrderStatus.CANCELLED,
    "scheduledCancel": OrderStatus.CANCELLED,
    "internalCancel": OrderStatus.CANCELLED,
    "rejected": OrderStatus.REJECTED,
}
# Some thirty reasons, and new ones come: `iocCancelRejected` is both, and rejected.
STATUS_ENDINGS = (
    ("Rejected", OrderStatus.REJECTED),
    ("Canceled", OrderStatus.CANCELLED),
    ("Cancel", OrderStatus.CANCELLED),
)

ORDERS, FILLS, EVENTS = "orderUpdates", "userFills", "user"
PERPETUAL_STATE, SPOT_STATE = "clearinghouseState", "spotState"
CHANNELS = {
    MarketType.SPOT: (ORDERS, FILLS, SPOT_STATE),
    MarketType.FUTURES: (ORDERS, FILLS, PERPETUAL_STATE),
}

AGENT = "agent"  # a wallet that may sign orders, and nothing that takes money away
MASTERS = frozenset(("user", "vault", "subAccount"))
MISSING = "missing"

# By a part of their text: the exchange has no codes. What is not here says nothing certain.
ERRORS: dict[str, type[FeedError]] = {
    "User or API Wallet": BadCredentials,  # names whom a wrong signature was recovered to
    "Must deposit before performing actions": BadCredentials,
    "Unable to recover signer": BadCredentials,
    "Invalid nonce: duplicate nonce": OutcomeUnknown,  # an action of that nonce was taken: which, its orders tell
    "Invalid nonce": ClockSkew,
    "expiresAfter": RequestExpired,  # whatever is said of it: the action was not carried out
    "Insufficient margin to place order": InsufficientFunds,
    "Insufficient spot balance": InsufficientFunds,
    "Order must have minimum value of": InvalidOrder,
    "Price must be divisible by tick size": InvalidOrder,
    "Order has invalid size": InvalidOrder,
    "Order has zero size": InvalidOrder,
    "Order has invalid price": InvalidOrder,
    "Order price cannot be more than": InvalidOrder,
    "Reduce only order would increase position": InvalidOrder,
    "Order would increase open interest while open interest is capped": Refused,
    "Order would cause position to exceed margin tier limit": Refused,
    "Invalid leverage value": Refused,
    "Post only order would have immediately matched": WouldTake,
    "Order could not immediately match against any resting orders": Refused,
    "No liquidity available for market order": Refused,
    "Order was never placed, already canceled, or filled": UnknownOrder,
    "Cannot set scheduled cancel time until enough volume traded": NotPermitted,
    "Too many cumulative requests sent": RateLimited,
    "Failed to deserialize the JSON body into the target type": Refused,
}
