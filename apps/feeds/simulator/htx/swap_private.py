"""The private socket of linear swaps, `/ws/v5/notification`: gzip, one login, topics that may be of one contract."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from apps.feeds.simulator.htx import spot_rows
from apps.feeds.simulator.htx import swap_rows as rows
from apps.feeds.simulator.htx.auth import NAMES, keyed, signature, timely
from apps.feeds.simulator.htx.params import WHOLE
from apps.feeds.simulator.htx.refusals import CONTRACTS, RefusalError
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.trading.accounts import Account, Holding, Position
from apps.feeds.simulator.trading.events import Event, OrderEvent

if TYPE_CHECKING:
    from apps.feeds.simulator.htx.exchange import Htx

TOPICS = ("orders", "trade", "account", "positions")
ALL = "*"
BAD = (2001, "invalid topic")
NO_AUTH = (403, "need login")
EVENTS = {"order": "order.open", "trade": "order.match", "funding": "settlement", "transfer": "transfer"}


@dataclass(slots=True, eq=False)
class Guest:
    """A socket: the addresses that its login may have signed, its account, and the contracts of each topic."""

    addresses: list[tuple[str, str]]
    account: Account | None = None
    wanted: dict[str, set[str]] = field(default_factory=dict)
    version: int = 0


class SwapPrivate:
    def __init__(self, exchange: "Htx") -> None:
        self._exchange = exchange
        self._desk = exchange.desk
        self._guests: dict[Socket, Guest] = {}

    def opened(self, socket: Socket, addresses: list[tuple[str, str]]) -> None:
        self._guests[socket] = Guest(addresses)

    def closed(self, socket: Socket) -> None:
        self._guests.pop(socket, None)

    def heard(self, socket: Socket, frame: dict[str, Any]) -> None:
        op = frame.get("op")
        if op == "auth":
            self._login(socket, frame)
            return
        told = {name: frame[name] for name in ("op", "cid", "topic", "contract_code") if name in frame}
        error = self._error(socket, frame)
        if error is not None:
            socket.answer({**told, "err-code": error[0], "err-msg": error[1], "ts": self._desk.now_ms()})
            return
        self._exchange.acknowledge(socket, {**told, "ts": self._desk.now_ms(), "err-code": 0}, "futures")
        self._subscribe(socket, frame)

    def ping(self, socket: Socket, ms: int) -> None:
        socket.answer({"op": "ping", "ts": str(ms)})

    def pong(self, frame: dict[str, Any]) -> Any:
        """What a pong repeats, as a number; None when the frame is none."""
        text = str(frame.get("ts"))
        return int(text) if frame.get("op") == "pong" and WHOLE.fullmatch(text) else None

    def _login(self, socket: Socket, frame: dict[str, Any]) -> None:
        guest, values = self._guests[socket], {name: frame.get(name) for name in NAMES}
        try:
            account, key = keyed(self._desk, str(values["AccessKeyId"]), CONTRACTS)
            timely(self._desk, str(values["Timestamp"]), CONTRACTS)
            right = {signature(key.secret, "GET", host, path, values) for host, path in guest.addresses}
            fits = (values["SignatureMethod"], values["SignatureVersion"]) == ("HmacSHA256", "2")
            if not fits or str(frame.get("Signature")) not in right or "read" not in key.permissions:
                raise CONTRACTS.unsigned("Verification failure [校验失败]")
        except RefusalError as error:
            told = {"op": "auth", "type": "api", "err-code": error.code, "err-msg": str(error)}
            socket.answer({**told, "ts": self._desk.now_ms()})
            return
        guest.account = account
        data = {"user-id": str(spot_rows.user_id(account))}
        answer = {"op": "auth", "type": "api", "err-code": 0, "ts": self._desk.now_ms(), "data": data}
        self._exchange.acknowledge(socket, answer, "futures")

    def _error(self, socket: Socket, frame: dict[str, Any]) -> tuple[int, str] | None:
        """Why a command is refused."""
        if frame.get("op") not in ("sub", "unsub"):
            return BAD
        if self._guests[socket].account is None:
            return NO_AUTH
        code = str(frame.get("contract_code") or ALL).upper()
        known = code == ALL or ("futures", code) in self._exchange.listings
        return None if frame.get("topic") in TOPICS and known else BAD

    def _subscribe(self, socket: Socket, frame: dict[str, Any]) -> None:
        guest, topic, code = self._guests[socket], frame["topic"], str(frame.get("contract_code") or ALL).upper()
        if frame["op"] == "unsub":
            guest.wanted.pop(topic, None) if code == ALL else guest.wanted.get(topic, set()).discard(code)
            return
        account = guest.account
        if account is None:
            return
        if not guest.wanted:
            self._desk.listen(account, socket, lambda event: self._told(guest, account, event))
        guest.wanted.setdefault(topic, set()).add(code)
        self._exchange.later(self._tell_state, socket, guest, account, topic)

    def _tell_state(self, socket: Socket, guest: Guest, account: Account, topic: str) -> None:
        """The first messages of money and positions are what is there."""
        if topic == "account":
            socket.answer(self._money(guest, account, "snapshot", account.wallets.get("futures", {})))
        if topic == "positions":
            held = [row for row in account.positions.values() if row.size and self._wants(guest, topic, row)]
            for row in held:
                socket.answer(self._position(guest, account, "snapshot", row))

    def _told(self, guest: Guest, account: Account, event: Event) -> list[dict[str, Any]]:
        if isinstance(event, OrderEvent):
            futures = event.order.listing.market_type == "futures"
            return self._order(guest, account, event) if futures else []
        if event.market_type != "futures":
            return []
        told = []
        if "account" in guest.wanted:
            told.append(self._money(guest, account, EVENTS[event.reason], event.holdings))
        moved = [row for row in event.positions if self._wants(guest, "positions", row)]
        told += [self._position(guest, account, EVENTS[event.reason], row) for row in moved]
        return told

    def _order(self, guest: Guest, account: Account, event: OrderEvent) -> list[dict[str, Any]]:
        told, code = [], event.order.listing.symbol
        if self._hears(guest, "orders", code):
            told.append(self._notice(account, "orders", code, rows.pushed_order(event.order)))
        if event.execution is not None and self._hears(guest, "trade", code):
            told.append(self._notice(account, "trade", code, [rows.pushed_fill(event.execution)]))
        return told

    def _money(self, guest: Guest, account: Account, event: str, holdings: dict[str, Holding]) -> dict[str, Any]:
        guest.version += 1
        ms = self._desk.now_ms()
        details = [rows.money(self._desk, account, asset, row, ms) for asset, row in holdings.items()]
        data = {
            "equity": "0",
            "state": "normal",
            "details": [{**row, "created_time": str(ms), "updated_time": str(ms)} for row in details],
            "initial_margin": "0",
            "maintenance_margin": "0",
            "maintenance_margin_rate": "0",
            "profit_unreal": "0",
            "available_margin": "0",
            "created_time": str(ms),
            "updated_time": str(ms),
            "version": guest.version,
            "voucher_value": "0",
        }
        return {**self._notice(account, "account", "", data), "event": event}

    def _position(self, guest: Guest, account: Account, event: str, row: Position) -> dict[str, Any]:
        guest.version += 1
        data = [rows.pushed_position(self._desk, account, row, guest.version)]
        return {**self._notice(account, "positions", row.listing.symbol, data), "event": event}

    def _notice(self, account: Account, topic: str, code: str, data: Any) -> dict[str, Any]:
        uid = str(spot_rows.user_id(account))
        return {
            "op": "notify",
            "topic": topic,
            "contract_code": code,
            "ts": self._desk.now_ms(),
            "uid": uid,
            "data": data,
        }

    def _wants(self, guest: Guest, topic: str, row: Position) -> bool:
        return self._hears(guest, topic, row.listing.symbol)

    @staticmethod
    def _hears(guest: Guest, topic: str, code: str) -> bool:
        return not {code, ALL}.isdisjoint(guest.wanted.get(topic, ()))
