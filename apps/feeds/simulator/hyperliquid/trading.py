"""Hyperliquid's `/exchange`: signed actions. Nearly every answer has status 200, refusals too."""

from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from apps.feeds.simulator.exchange import json_answer
from apps.feeds.simulator.hyperliquid.account import FREE_REQUESTS, Accounts
from apps.feeds.simulator.hyperliquid.actions import (
    ApproveAgent,
    Cancel,
    CancelByCloid,
    Envelope,
    Place,
    form,
    read,
)
from apps.feeds.simulator.hyperliquid.dead_man import DeadMan
from apps.feeds.simulator.hyperliquid.orders import BUILDER_ASSETS, SPOT_ASSETS, OrderError, Orders
from apps.feeds.simulator.hyperliquid.rest import UNKNOWN, Rest
from apps.feeds.simulator.hyperliquid.signing import (
    SignatureError,
    agent_digest,
    connection_id,
    signer,
    user_digest,
)
from apps.feeds.simulator.hyperliquid.wallets import Wallets
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.gateway import Kind

if TYPE_CHECKING:
    from apps.feeds.simulator.hyperliquid.exchange import Hyperliquid

BATCH_PER_WEIGHT = 40
MORE_CANCELS = 100_000  # than other actions, and at most twice as many
CANCELS = (Cancel, CancelByCloid)
APPROVE_AGENT = (
    ("hyperliquidChain", "string"),
    ("agentAddress", "address"),
    ("agentName", "string"),
    ("nonce", "uint64"),
)


class Trading:
    def __init__(self, exchange: "Hyperliquid", rest: Rest, accounts: Accounts, wallets: Wallets) -> None:
        self._exchange = exchange
        self._desk = exchange.desk
        self._rest = rest
        self._accounts = accounts
        self._wallets = wallets
        self._orders = Orders(exchange.desk, DeadMan(exchange.desk, accounts.volume))

    async def answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """A request whose method and content type are right."""
        try:
            envelope = read(body)
            message = _digest(envelope)
        except (msgspec.DecodeError, ValueError, OverflowError):
            return web.Response(status=422, text=UNKNOWN)
        shut = self._rest.shut(_market_type(envelope), 1 + _batch(envelope) // BATCH_PER_WEIGHT)
        if shut is not None:
            return shut
        try:
            who = signer(message, msgspec.to_builtins(envelope.signature))
        except SignatureError:
            return failed("Unable to recover signer.")
        if isinstance(envelope.action, ApproveAgent):
            return self._approve(envelope.action, who)
        account = self._wallets.acting(who)
        if account is None:
            return failed(f"User or API Wallet {who} does not exist.")

        def do() -> web.Response:
            return self._act(account, who, envelope)

        return await self._exchange.gateway.act(account, request, do, kind=_kind(envelope))

    def _act(self, account: Account, who: str, envelope: Envelope) -> web.Response:
        """At the matcher: nonce and expiry are those of the block."""
        wrong = self._wallets.use_nonce(who, envelope.nonce) or self._over(account, envelope)
        if wrong is not None:
            return failed(wrong)
        expires_ms = envelope.expiresAfter
        if expires_ms is not None and expires_ms < self._desk.now_ms():
            return failed(f"Action expired: expiresAfter {expires_ms} is before the time of the block")
        if envelope.vaultAddress is not None:
            return failed(f"Vault not registered: {envelope.vaultAddress}")
        try:
            return json_answer({"status": "ok", "response": self._orders.act(account, envelope.action, expires_ms)})
        except OrderError as error:
            return failed(str(error))

    def _over(self, account: Account, envelope: Envelope) -> str | None:
        """Count the action against the account's own limit; cancels may go on for longer."""
        used = self._accounts.used.get(account.name, 0) + _batch(envelope)
        volume = self._accounts.volume(account)
        most = FREE_REQUESTS + int(volume)
        if isinstance(envelope.action, CANCELS):
            most = min(most + MORE_CANCELS, 2 * most)
        self._accounts.used[account.name] = used
        if used <= most or not self._exchange.world.breach(self._exchange.name, "requests of an address"):
            return None
        return (
            f"Too many cumulative requests sent ({used} > {most}) for cumulative volume traded ${volume:.2f}. "
            "Place taker orders to free up 1 request per USDC traded."
        )

    def _approve(self, action: ApproveAgent, who: str) -> web.Response:
        """Only the account's own key may."""
        account = self._wallets.account(who)
        if account is None:
            return failed(f"Must deposit before performing actions. User: {who}")
        wrong = self._wallets.use_nonce(who, action.nonce)
        if wrong is not None:
            return failed(wrong)
        self._wallets.approve(account, action.agentName or "", action.agentAddress)
        return json_answer({"status": "ok", "response": {"type": "default"}})


def failed(text: str) -> web.Response:
    return json_answer({"status": "err", "response": text})


def _digest(envelope: Envelope) -> bytes:
    """What was signed. Raises ValueError."""
    action = envelope.action
    if isinstance(action, ApproveAgent):
        values: dict[str, Any] = msgspec.to_builtins(action) | {"agentName": action.agentName or ""}
        return user_digest(int(action.signatureChainId, 16), "ApproveAgent", APPROVE_AGENT, values)
    connection = connection_id(form(action), envelope.nonce, envelope.vaultAddress, envelope.expiresAfter)
    return agent_digest(connection)


def _batch(envelope: Envelope) -> int:
    action = envelope.action
    if isinstance(action, Place):
        return len(action.orders)
    return len(action.cancels) if isinstance(action, CANCELS) else 1


def _market_type(envelope: Envelope) -> str:
    """Of the first asset that is named; of an action without one, futures."""
    action = envelope.action
    if isinstance(action, Place):
        assets = [row.a for row in action.orders]
    elif isinstance(action, Cancel):
        assets = [row.a for row in action.cancels]
    else:
        assets = [row.asset for row in action.cancels] if isinstance(action, CancelByCloid) else []
    return "spot" if assets and SPOT_ASSETS <= assets[0] < BUILDER_ASSETS else "futures"


def _kind(envelope: Envelope) -> Kind:
    return "place" if isinstance(envelope.action, Place) else "cancel"
