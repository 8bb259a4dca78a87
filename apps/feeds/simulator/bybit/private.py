"""Bybit's private sockets: login, topics of one account, and their pushes."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from apps.feeds.simulator.bybit.auth import logged_in
from apps.feeds.simulator.bybit.events import TOPICS, Teller
from apps.feeds.simulator.sockets import Socket
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.events import Event

if TYPE_CHECKING:
    from apps.feeds.simulator.bybit.exchange import Bybit

PATH = "v5/private"
ACTIVE = re.compile(r"(\d{1,3})([sm])")
SECONDS = {"s": 1, "m": 60}
ACTIVE_S = (30, 600)  # between which a client may choose when it is cut for want of pings


@dataclass(slots=True)
class Session:
    """One private socket."""

    idle_s: float
    account: Account | None = None
    teller: Teller | None = None
    topics: list[str] = field(default_factory=list)

    def translate(self, event: Event) -> list[dict[str, Any]]:
        teller = self.teller
        return [] if teller is None else [row for topic in self.topics for row in teller.tell(topic, event)]


class Private:
    def __init__(self, exchange: "Bybit") -> None:
        self._exchange = exchange
        self._desk = exchange.desk
        self._sessions: dict[Socket, Session] = {}

    def opened(self, socket: Socket, request: web.Request) -> None:
        chosen = ACTIVE.fullmatch(request.query.get("max_active_time", ""))
        idle_s = self._exchange.world.patience.bybit_idle_s
        wanted_s = int(chosen[1]) * SECONDS[chosen[2]] if chosen is not None else 0
        if ACTIVE_S[0] <= wanted_s <= ACTIVE_S[1]:
            idle_s = float(wanted_s)
        self._sessions[socket] = Session(idle_s)

    def closed(self, socket: Socket) -> None:
        self._sessions.pop(socket, None)

    def serves(self, socket: Socket) -> bool:
        return socket in self._sessions

    def idle_s(self, socket: Socket) -> float:
        return self._sessions[socket].idle_s

    def heard(self, socket: Socket, frame: dict[str, Any], connection: str) -> None:
        operation, number = frame["op"], frame.get("req_id")
        named = {} if number is None else {"req_id": number}
        if operation == "ping":
            ms = str(self._desk.now_ms())
            socket.answer({**named, "op": "pong", "args": [ms], "conn_id": connection})
            return
        if operation == "auth":
            trouble = self._auth(socket, frame.get("args"))
        elif operation == "subscribe":
            trouble = self._subscribe(socket, frame.get("args"))
        else:
            trouble = self._unsubscribe(socket, frame.get("args"))
        told = {"success": not trouble, "ret_msg": trouble, "conn_id": connection}
        if operation == "auth" and trouble:
            socket.answer({**told, "request": {"op": operation, "args": frame.get("args")}})
        else:
            self._exchange.acknowledge(socket, {**told, **named, "op": operation}, "")

    def _auth(self, socket: Socket, args: Any) -> str:
        """The trouble with it; empty when there is none."""
        session, account = self._sessions[socket], logged_in(self._desk, args)
        if account is None:
            return "error:USVC1111"
        if session.account is None:
            session.account, session.teller = account, Teller(self._desk, account)
        return ""

    def _subscribe(self, socket: Socket, args: Any) -> str:
        """All of the topics, or none."""
        session = self._sessions[socket]
        if session.account is None:
            return "error:request not authorized"
        if not _is_topics(args):
            return "error:args invalid"
        divided = {("." in topic.removeprefix("execution.fast")) for topic in args if topic != "wallet"}
        if len(divided) > 1:
            return "error:topics of all and of one category in one request"
        for topic in args:
            if topic not in TOPICS:
                return f"error:handler not found,topic:{topic}"
            if topic in session.topics:
                return f"error:already subscribed,topic:{topic}"
        if not session.topics:
            self._desk.listen(session.account, socket, session.translate)
        session.topics += dict.fromkeys(args)
        return ""

    def _unsubscribe(self, socket: Socket, args: Any) -> str:
        session = self._sessions[socket]
        session.topics = [topic for topic in session.topics if not _is_topics(args) or topic not in args]
        if not session.topics:
            self._desk.leave(socket)
        return ""


def _is_topics(args: Any) -> bool:
    return isinstance(args, list) and bool(args) and all(isinstance(topic, str) for topic in args)
