"""What people read where programs read a stable word: limits, refusals of risk, and how far an account is."""

from collections.abc import Mapping
from types import MappingProxyType

from django.utils.translation import gettext_noop as _

# limit -> what it is, its unit
LIMITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "max_order_usdt": (_("one order"), "USDT"),
        "max_depth_share": (_("one order, of 20 levels of the book"), "%"),
        "collar_share": (_("price away from the mid"), "%"),
        "slip_share": (_("at the market, away from the best price"), "%"),
        "max_leg_book_age_ms": (_("age of the book, arbitrage"), "ms"),
        "max_book_age_ms": (_("age of the book"), "ms"),
        "max_clock_error_ms": (_("doubt about the exchange's clock"), "ms"),
        "max_open_pair": (_("open orders of a pair"), ""),
        "max_open_account": (_("open orders of an account"), ""),
        "max_asset_usdt": (_("exposure to one asset"), "USDT"),
        "max_account_usdt": (_("exposure of an account"), "USDT"),
        "max_leverage": (_("leverage"), "×"),
        "max_day_loss_share": (_("loss of a day, of the equity"), "%"),
        "max_day_loss_usdt": (_("loss of a day"), "USDT"),
        "max_orders_s": (_("orders of an account"), "/s"),
        "max_cancels_s": (_("cancels of an account"), "/s"),
        "max_executions": (_("executions of a strategy"), "/min"),
        "max_unknown": (_("orders in doubt within 5 min"), ""),
    }
)

# why risk refused -> in words
DENIALS: Mapping[str, str] = MappingProxyType(
    {
        "NOT_A_NUMBER": _("a number of it is none"),
        "MISSING": _("a price, a rate or a row that is needed is not there"),
        "FAILED": _("a control failed, so nothing passes"),
        "NOT_REDUCING": _("it would not make a position smaller"),
        "LIVE_OFF": _("live money is off"),
        "HALTED": _("trading is halted"),
        "ONLY_REDUCING": _("only what makes positions smaller passes now"),
        "NOT_CONFIRMED": _("what it should close was released meanwhile"),
        "ORDER_TOO_LARGE": _("the order is worth more than one may be"),
        "TOO_LARGE_FOR_DEPTH": _("it would take too much of the book"),
        "OUTSIDE_COLLAR": _("its price is too far from the market"),
        "NO_BOOK": _("nobody serves a book of the pair"),
        "BOOK_NOT_LIVE": _("the book is not LIVE"),
        "BOOK_TOO_OLD": _("the book is too old"),
        "CLOCK_UNSURE": _("the exchange's time is not known well enough"),
        "TOO_MANY_OF_PAIR": _("too many orders of the pair are open"),
        "TOO_MANY_OF_ACCOUNT": _("too many orders of the account are open"),
        "ASSET_EXPOSURE": _("too much of the asset would be held"),
        "ACCOUNT_EXPOSURE": _("the account would hold too much"),
        "LEVERAGE": _("more leverage than is allowed"),
        "NOT_ISOLATED": _("margin is not isolated"),
        "BALANCE": _("there is not enough money"),
        "DAY_LOSS": _("the loss of the day is used up"),
        "ORDER_RATE": _("too many orders in a second"),
        "EXCHANGE_RATE": _("the exchange's own limit is nearly used up"),
        "REPEATED_EXECUTION": _("the strategy executes too often"),
        "DUPLICATE": _("the same order was just placed"),
        "EXCEEDS_PARENT": _("more than the order that it belongs to"),
        "SELF_TRADE": _("it would trade with an own order"),
        "LANE_UNKNOWN": _("an order of the pair is in doubt"),
        "UNKNOWN_BREAKER": _("too many orders of the account are in doubt"),
        "LANE_PAUSED": _("the pair rests after refusals"),
        "REJECT_BREAKER": _("the exchange refused too often"),
        "MISMATCH": _("what we know and what the exchange tells differ"),
        "UNHEDGED": _("a leg stood open for too long"),
        "BUILD": _("this build may not send"),
        "ALERT_UNACKED": _("an alert waits for a person"),
        "DEAD_MAN": _("the exchange's timer fired"),
        "NOT_TRADING": _("the pair is not traded now"),
        "TOO_SMALL": _("less than the exchange takes"),
    }
)

# where a fill was learnt of
FILL_SOURCES: Mapping[str, str] = MappingProxyType(
    {
        "ws": _("told by the socket"),
        "rest": _("asked by REST"),
        "paper": _("matched here"),
        "inferred": _("inferred"),
        "sql": _("by SQL"),
    }
)

# what an exchange told of a key
PERMISSIONS: Mapping[str, str] = MappingProxyType(
    {
        "read": _("May read"),
        "trade_spot": _("May trade spot"),
        "trade_futures": _("May trade futures"),
        "withdraw": _("May withdraw"),
        "ip_bound": _("Bound to addresses"),
    }
)

# how far a process is with an account
STEPS: Mapping[str, str] = MappingProxyType(
    {
        "STARTING": _("starting"),
        "RECONCILING": _("reconciling, nothing is sent yet"),
        "READY": _("ready"),
        "WAITING": _("waits for another try"),
    }
)
