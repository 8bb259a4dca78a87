"""What the trading half of a driver is: signed requests as values, answers and private frames to our vocabulary.

As pure as the public half: keys, the exchange's time and ids come in as arguments. A method whose answer is an order's
fate raises `OutcomeUnknown` for every code that its table does not name; a read raises `Refused` for those.
"""

from collections.abc import Sequence
from typing import Protocol

from apps.feeds.drivers.base import Frame, Heartbeat, Request
from apps.feeds.drivers.trading import (
    Answer,
    DeadManTerms,
    Expiry,
    IdForm,
    Page,
    Placed,
    PrivateEvent,
    Token,
    TradeLimits,
)
from apps.feeds.errors import MalformedFrame
from apps.feeds.market import Instrument, MarketType
from apps.feeds.orders import (
    Balance,
    Credentials,
    Fees,
    Fill,
    FundingPayment,
    MarginMode,
    NewOrder,
    OrderRef,
    OrderUpdate,
    Permissions,
    Position,
)


class Trader(Protocol):
    """The half of one exchange that needs a key; both markets.

    `now_ms` is the exchange's time. A `parse_*` method takes the whole HTTP answer and returns values or raises an
    error of `apps.feeds.errors`: BadCredentials, ClockSkew, RateLimited, Banned, ... with the exchange's code and text.
    """

    exchange_id: str

    def id_form(self, market_type: MarketType) -> IdForm:
        return IdForm.TEXT

    def expiry(self, market_type: MarketType) -> Expiry: ...

    def trade_limits(self, market_type: MarketType) -> TradeLimits: ...

    def account_requests(self, keys: Credentials, now_ms: int) -> Sequence[Request]:
        """To be sent once for a new key, where later requests must name its account; empty elsewhere."""
        return ()

    def parse_account(self, answers: Sequence[Answer]) -> str:
        """What `Credentials.account` must hold from then on; the answers to `account_requests` in their order."""
        return ""

    # orders

    def place(self, keys: Credentials, order: NewOrder, now_ms: int) -> Request:
        """Raise InvalidOrder for what the exchange cannot express or would refuse by its own grid; nothing is sent."""
        ...

    def parse_placed(self, order: NewOrder, answer: Answer) -> Placed: ...

    def cancel(self, keys: Credentials, ref: OrderRef, now_ms: int) -> Request:
        """By our id where that is given and the exchange takes it, else by theirs."""
        ...

    def parse_cancelled(self, ref: OrderRef, answer: Answer) -> None:
        """Return when the cancel was accepted; raise UnknownOrder or OrderIsFinal when there is nothing to cancel."""
        ...

    def cancel_all(self, keys: Credentials, instrument: Instrument, now_ms: int) -> Request | None:
        """All open orders of one instrument; None where the exchange has no such request: cancel one by one."""
        return None

    def parse_cancelled_all(self, instrument: Instrument, answer: Answer) -> None:
        raise MalformedFrame("an answer to a request that does not exist", symbol=instrument.symbol)

    def dead_man_terms(self, keys: Credentials, market_type: MarketType) -> DeadManTerms | None:
        """None where the exchange has no timer that cancels what an account leaves behind."""
        return None

    def dead_man(
        self,
        keys: Credentials,
        market_type: MarketType,
        timer_ms: int | None,
        now_ms: int,
        instrument: Instrument | None = None,
    ) -> Request | None:
        """Begin to wait anew until everything of the account's market is cancelled, or never (None).

        `instrument` is given where each has a timer of its own. None where the exchange has none.
        """
        return None

    def parse_dead_man(self, market_type: MarketType, timer_ms: int | None, now_ms: int, answer: Answer) -> int | None:
        """When it cancels, by the exchange's clock; None: never. Some answers do not repeat what was asked, and when.

        Refused: there is no timer, and asking again in a second is in vain.
        """
        raise MalformedFrame("an answer to a request that does not exist")

    def query(self, keys: Credentials, ref: OrderRef, now_ms: int) -> Request: ...

    def query_finished(self, keys: Credentials, ref: OrderRef, now_ms: int) -> Request | None:
        """To be asked before an order is unknown, where `query` finds open orders only; None where it finds all.

        The answer is for `parse_order`.
        """
        return None

    def parse_order(self, ref: OrderRef, answer: Answer) -> OrderUpdate:
        """Raise UnknownOrder when the exchange says that there is none."""
        ...

    def open_orders(
        self,
        keys: Credentials,
        market_type: MarketType,
        instrument: Instrument | None,
        now_ms: int,
        cursor: str | None = None,
    ) -> Request:
        """Of the whole market where `instrument` is None."""
        ...

    def parse_open_orders(self, market_type: MarketType, answer: Answer) -> Page[OrderUpdate]: ...

    def own_trades(
        self, keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
    ) -> Request:
        """Own executions of one instrument since a time."""
        ...

    def parse_own_trades(self, instrument: Instrument, answer: Answer) -> Page[Fill]: ...

    def order_trades(self, keys: Credentials, ref: OrderRef, now_ms: int, cursor: str | None = None) -> Request:
        """The executions of one order, to complete what a push left out; the answers are for `parse_own_trades`.

        Where the exchange cannot ask for one order this is `own_trades` of the last minutes.
        """
        ...

    # the account

    def balances(self, keys: Credentials, market_type: MarketType, now_ms: int) -> Request: ...

    def parse_balances(self, market_type: MarketType, answer: Answer) -> list[Balance]: ...

    def positions(self, keys: Credentials, now_ms: int, cursor: str | None = None) -> Request:
        """All open positions in futures."""
        ...

    def parse_positions(self, answer: Answer) -> Page[Position]: ...

    def fees(self, keys: Credentials, instrument: Instrument, now_ms: int) -> Request: ...

    def parse_fees(self, instrument: Instrument, answer: Answer) -> Fees: ...

    def funding(
        self, keys: Credentials, instrument: Instrument, since_ms: int, now_ms: int, cursor: str | None = None
    ) -> Request: ...

    def parse_funding(self, instrument: Instrument, answer: Answer) -> Page[FundingPayment]: ...

    def set_leverage(
        self, keys: Credentials, instrument: Instrument, leverage: int, mode: MarginMode, now_ms: int
    ) -> Sequence[Request]:
        """To be sent in turn, each answer to `parse_leverage_set`; none where orders carry it themselves."""
        ...

    def parse_leverage_set(self, answer: Answer) -> None:
        """Return as well when it was so already."""
        ...

    def server_time(self, market_type: MarketType) -> Request: ...

    def parse_server_time(self, market_type: MarketType, answer: Answer) -> int:
        """Milliseconds."""
        ...

    def permissions(self, keys: Credentials, now_ms: int) -> Request: ...

    def parse_permissions(self, answer: Answer) -> Permissions: ...

    # private sockets

    def token_request(self, keys: Credentials, market_type: MarketType, now_ms: int) -> Request | None:
        """To be sent before a private socket is opened; None where nothing is."""
        return None

    def parse_token(self, market_type: MarketType, answer: Answer) -> Token:
        raise MalformedFrame("an answer to a request that does not exist")

    def renew_request(self, keys: Credentials, market_type: MarketType, token: Token, now_ms: int) -> Request | None:
        """Keeps a token alive while its socket is open; the answer is for `parse_token`. None where nothing does."""
        return None

    def private_endpoint(self, keys: Credentials, market_type: MarketType, token: Token | None) -> str: ...

    def private_heartbeat(self, market_type: MarketType) -> Heartbeat: ...

    def login(self, keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
        """Sent once the socket is open; empty where the token or the address is the login."""
        return []

    def private_channels(self, market_type: MarketType) -> tuple[str, ...]:
        """Names of the channels that `Subscribed` must tell of before the account's events are whole."""
        ...

    def subscribe_private(self, keys: Credentials, market_type: MarketType, now_ms: int) -> list[Frame]:
        """Sent after LoggedIn, or at once where nothing logs in."""
        ...

    def parse_private(
        self, keys: Credentials, market_type: MarketType, frame: Frame, received_ns: int
    ) -> list[PrivateEvent]:
        """Translate one frame, wire order kept; MalformedFrame for what the exchange does not document.

        `keys` only tell whose account it is, where frames must be checked against it.
        """
        ...
