"""What KuCoin's refusals mean, by code, and by text where that says little. (?) marks what is unsure."""

import re

from apps.feeds.errors import (
    BadCredentials,
    ClockSkew,
    DuplicateOrder,
    FeedError,
    InsufficientFunds,
    InvalidOrder,
    NotPermitted,
    OrderIsFinal,
    OutcomeUnknown,
    RateLimited,
    Refused,
    UnknownOrder,
    UnknownSymbol,
)

BY_TEXT = frozenset(("400100", "300000"))  # codes whose text alone says what is wrong
TEXTS: tuple[tuple[re.Pattern[str], type[FeedError]], ...] = (
    (re.compile(r"duplicat", re.I), DuplicateOrder),
    (re.compile(r"insufficient|available\.amount|balance", re.I), InsufficientFunds),
    (re.compile(r"trading.?pair|symbol|contract", re.I), UnknownSymbol),
    (re.compile(r"not[ _.]?exist", re.I), UnknownOrder),
    (re.compile(r"increment|minimum|size|price|range|funds|quantity", re.I), InvalidOrder),
)

ERRORS: dict[str, type[FeedError]] = {
    "429000": RateLimited,
    "200002": RateLimited,
    "400001": BadCredentials,
    "400003": BadCredentials,
    "400004": BadCredentials,
    "400005": BadCredentials,
    "400006": BadCredentials,  # our address
    "400002": ClockSkew,
    "126041": ClockSkew,  # (?) of an order's clientTimestamp
    "400007": NotPermitted,
    "411100": NotPermitted,  # frozen
    "101030": NotPermitted,
    "112010": NotPermitted,  # the other generation's account
    "330005": NotPermitted,  # another margin mode is set
    "330012": NotPermitted,  # another position mode is set
    "400200": NotPermitted,
    "400100": Refused,
    "300000": Refused,
    "415000": Refused,
    "200004": InsufficientFunds,
    "230003": InsufficientFunds,
    "300003": InsufficientFunds,
    "210021": InsufficientFunds,
    "126013": InsufficientFunds,
    "330008": InsufficientFunds,  # the most that margin and leverage allow
    "400600": UnknownSymbol,
    "900001": UnknownSymbol,
    "400500": UnknownSymbol,  # not for residents of our country
    "126004": UnknownSymbol,
    "126006": UnknownSymbol,
    "126007": UnknownSymbol,
    "126009": UnknownSymbol,
    "600100": InvalidOrder,
    "600101": InvalidOrder,
    "400330": InvalidOrder,
    "400370": InvalidOrder,
    "400760": InvalidOrder,
    "300009": InvalidOrder,  # nothing to close
    "300011": InvalidOrder,
    "300012": InvalidOrder,
    "126003": InvalidOrder,
    "126022": InvalidOrder,
    "126029": InvalidOrder,
    "126030": InvalidOrder,
    "126033": DuplicateOrder,
    "126044": DuplicateOrder,
    "100001": UnknownOrder,
    "126043": UnknownOrder,
    "100004": OrderIsFinal,
    "500000": OutcomeUnknown,
}
