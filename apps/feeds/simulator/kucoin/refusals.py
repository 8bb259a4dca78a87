"""KuCoin's errors: code, text and HTTP status, and which of them stands for each refusal of the order desk."""

from apps.feeds.simulator.trading.tickets import Reason


class RefusalError(Exception):
    """An answer in the form of KuCoin's errors: what counts is the code, whatever the status says."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(message)
        self.code = code
        self.status = status

    @property
    def body(self) -> dict[str, str]:
        return {"code": self.code, "msg": str(self)}


NO_SYMBOL = ("900001", "symbol not exists")
NOT_OPEN = ("400600", "validation.createOrder.symbolNotAvailable")
OFF_TICK = ("600100", "Order price increment invalid.")
OFF_LOT = ("600100", "Order size increment invalid.")
OFF_FUNDS = ("600100", "Order funds increment invalid.")
TAKEN_ID = ("126044", "clientOid duplicate")
TOO_LATE = ("400100", "The order has timed out: clientTimestamp + allowMaxTimeWindow is over")
NOTHING_TO_CANCEL = ("400100", "order_not_exist_or_not_allow_to_cancel")
NO_ORDER = ("400100", "order_not_exist")
NO_POSITION = ("300009", "No open positions to close.")
MARGIN_MODE = ("330005", "The order's margin mode does not match the selected one. Please switch and try again.")
OTHER_MODE = "Your order is in {} Mode, while your account is set to {} Mode. Update your settings and try again."
ONE_WAY = ("330012", OTHER_MODE.format("One-Way", "Hedge"))
HEDGE = ("330012", OTHER_MODE.format("Hedge", "One-Way"))
BAD_LEVERAGE = ("300000", "Leverage parameter invalid.")
SPOT = {
    Reason.UNKNOWN_SYMBOL: NO_SYMBOL,
    Reason.MARKET_CLOSED: NOT_OPEN,
    Reason.OFF_TICK: OFF_TICK,
    Reason.OFF_LOT: OFF_LOT,
    Reason.TOO_SMALL: ("600101", "The order funds should more then 0.1 USDT."),
    Reason.INSUFFICIENT_FUNDS: ("200004", "Balance insufficient!"),
    Reason.DUPLICATE_ID: TAKEN_ID,
    Reason.UNKNOWN_ORDER: NO_ORDER,
    Reason.ALREADY_FINAL: NOTHING_TO_CANCEL,
}
FUTURES = {
    Reason.UNKNOWN_SYMBOL: NO_SYMBOL,
    Reason.MARKET_CLOSED: NOT_OPEN,
    Reason.OFF_TICK: ("300000", "The price is not a multiple of the tick size."),
    Reason.OFF_LOT: ("300000", "The size is not a multiple of the lot size."),
    Reason.TOO_SMALL: ("300000", "The size must be at least one lot."),
    Reason.INSUFFICIENT_FUNDS: ("300003", "Balance not enough, please first deposit."),
    Reason.DUPLICATE_ID: TAKEN_ID,
    Reason.UNKNOWN_ORDER: ("100001", "error.getOrder.orderNotExist"),
    Reason.ALREADY_FINAL: ("100004", "Order is in not cancelable state"),
    Reason.REDUCE_ONLY: NO_POSITION,
    Reason.POSITION_SIDE: ONE_WAY,
    Reason.LEVERAGE: BAD_LEVERAGE,
}
UNIFIED_OF = {Reason.UNKNOWN_ORDER: NO_ORDER, Reason.ALREADY_FINAL: NOTHING_TO_CANCEL}  # for both markets
NOT_UNIFIED = ("112010", "Invalid Unified Account user.")
NOT_CLASSIC = ("400007", "Access denied: the account is a unified one.")
NO_HEADERS = ("400001", "Please check the header of your request for KC-API-KEY, KC-API-SIGN, KC-API-TIMESTAMP")
BAD_TIME = ("400002", "Invalid KC-API-TIMESTAMP")
BAD_KEY = ("400003", "KC-API-KEY not exists")
BAD_PASSPHRASE = ("400004", "Invalid KC-API-PASSPHRASE")
BAD_SIGN = ("400005", "Invalid KC-API-SIGN")
BAD_IP = ("400006", "The requested ip address is not in the api whitelist")
NOT_ALLOWED = ("400007", "Access denied, require more permission.")
BAD_CONTENT = ("415000", "Unsupported Media Type")
SERVER_ERROR = ("500000", "Internal Server Error")
TOO_MUCH = ("429000", "Too Many Requests")


def refusal(error: tuple[str, str], status: int = 200) -> RefusalError:
    return RefusalError(*error, status)


def bad(text: str) -> RefusalError:
    """A parameter that makes no sense."""
    return RefusalError("400100", text, 400)


def translated(market_type: str, unified: bool, reason: Reason, hedge: bool) -> RefusalError:
    """What stands for a refusal of the desk; `hedge`: how the account holds positions."""
    if unified and reason in UNIFIED_OF:
        return refusal(UNIFIED_OF[reason])
    if reason is Reason.POSITION_SIDE:
        return refusal(ONE_WAY if hedge else HEDGE)
    return refusal((SPOT if market_type == "spot" else FUTURES)[reason])
