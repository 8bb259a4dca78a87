"""Binance's errors: code, text and HTTP status, and which of them stands for each refusal of the order desk."""

from apps.feeds.simulator.trading.tickets import Reason


class RefusalError(Exception):
    """An answer in the form of Binance's errors."""

    def __init__(self, code: int, message: str, *, status: int = 400, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.body = {"code": code, "msg": message}
        self.status = status
        self.retry_after = retry_after


NO_SYMBOL = (-1121, "Invalid symbol.")
NO_ORDER = (-2013, "Order does not exist.")
NOTHING_TO_CANCEL = (-2011, "Unknown order sent.")
SPOT = {
    Reason.UNKNOWN_SYMBOL: NO_SYMBOL,
    Reason.MARKET_CLOSED: (-1013, "Market is closed."),
    Reason.OFF_TICK: (-1013, "Filter failure: PRICE_FILTER"),
    Reason.OFF_LOT: (-1013, "Filter failure: LOT_SIZE"),
    Reason.TOO_SMALL: (-1013, "Filter failure: NOTIONAL"),
    Reason.INSUFFICIENT_FUNDS: (-2010, "Account has insufficient balance for requested action."),
    Reason.WOULD_TAKE: (-2010, "Order would immediately match and take."),
    Reason.DUPLICATE_ID: (-2010, "Duplicate order sent."),
    Reason.UNKNOWN_ORDER: NO_ORDER,
    Reason.ALREADY_FINAL: NOTHING_TO_CANCEL,
}
NOT_A_MAKER = (
    "Due to the order could not be executed as maker, the Post Only order will be rejected. "
    "The order will not be recorded in the order history"
)
FUTURES = {
    Reason.UNKNOWN_SYMBOL: NO_SYMBOL,
    Reason.MARKET_CLOSED: (-4140, "Invalid symbol status for opening position."),
    Reason.OFF_TICK: (-4014, "Price not increased by tick size."),
    Reason.OFF_LOT: (-4023, "Qty not increased by step size."),
    Reason.TOO_SMALL: (-4164, "Order's notional must be no smaller than 5.0 (unless you choose reduce only)"),
    Reason.INSUFFICIENT_FUNDS: (-2019, "Margin is insufficient."),
    Reason.WOULD_TAKE: (-5022, NOT_A_MAKER),
    Reason.DUPLICATE_ID: (-4116, "ClientOrderId is duplicated."),
    Reason.UNKNOWN_ORDER: NO_ORDER,
    Reason.ALREADY_FINAL: NOTHING_TO_CANCEL,
    Reason.REDUCE_ONLY: (-2022, "ReduceOnly Order is rejected."),
    Reason.POSITION_SIDE: (-4061, "Order's position side does not match user's setting."),
    Reason.LEVERAGE: (-4028, "Leverage is not valid"),
}
DESK = {"spot": SPOT, "futures": FUTURES}
BAD_KEY = (-2014, "API-key format invalid.")
NOT_ALLOWED = (-2015, "Invalid API-key, IP, or permissions for action.")
BAD_SIGNATURE = (-1022, "Signature for this request is not valid.")
TOO_LATE = (-1021, "Timestamp for this request is outside of the recvWindow.")
TOO_EARLY = (-1021, "Timestamp for this request was 1000ms ahead of the server's time.")
TOO_MANY_OPEN = {"spot": (-1013, "Filter failure: MAX_NUM_ORDERS"), "futures": (-2025, "Reached max open order limit.")}
NO_LISTEN_KEY = (-1125, "This listenKey does not exist.")
NO_CHANGE_OF_MARGIN = (-4046, "No need to change margin type.")
MARGIN_OF_ORDERS = (-4047, "Margin type cannot be changed if there exists open orders.")
MARGIN_OF_POSITION = (-4048, "Margin type cannot be changed if there exists position.")
NO_CHANGE_OF_SIDE = (-4059, "No need to change position side.")
SIDE_OF_POSITION = (-4068, "Position side cannot be changed if there exists position.")
USE_ALGO = (-4120, "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.")
OUTCOME_UNKNOWN = (-1000, "Unknown error, please check your request or try again later.")
DID_NOT_RUN = (-1000, "Internal error; unable to process your request. Please try again.")


def refusal(error: tuple[int, str], *, status: int = 400) -> RefusalError:
    return RefusalError(*error, status=status)
