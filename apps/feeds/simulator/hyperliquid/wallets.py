"""Whose keys may act for which account: the account's own, and the agents' that it has approved. And their nonces."""

import bisect
import re
from dataclasses import dataclass, field

from apps.feeds.simulator.hyperliquid.signing import address_of
from apps.feeds.simulator.trading.accounts import Account
from apps.feeds.simulator.trading.desk import DAY_MS, Desk

ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
KEPT_NONCES = 100  # of one signer
BACK_MS, AHEAD_MS = 2 * DAY_MS, DAY_MS
AGENT_LIFE_MS = 180 * DAY_MS


@dataclass(frozen=True, slots=True)
class Agent:
    name: str
    address: str
    account: Account
    until_ms: int


@dataclass(slots=True)
class Nonces:
    """The highest that one signer has used, rising."""

    kept: list[int] = field(default_factory=list)

    def use(self, nonce: int, now_ms: int) -> str | None:
        """Take a nonce; returns what is wrong with it."""
        if not now_ms - BACK_MS < nonce < now_ms + AHEAD_MS:
            return f"Invalid nonce: {nonce} is too far from the time of the block {now_ms}"
        if nonce in self.kept:
            return f"Invalid nonce: duplicate nonce {nonce}"
        if len(self.kept) == KEPT_NONCES and nonce < self.kept[0]:
            return f"Invalid nonce: nonce too low {nonce}"
        bisect.insort(self.kept, nonce)
        del self.kept[:-KEPT_NONCES]
        return None


class Wallets:
    """An account's key is its address; its secret is the private key of its first agent, or its own."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._agents: dict[str, Agent] = {}  # those approved later, by address
        self._nonces: dict[str, Nonces] = {}

    def account(self, address: str) -> Account | None:
        """Of an address, however its letters are written."""
        wanted = address.lower()
        owned = (
            (key.key.lower(), account) for account in self._desk.accounts.values() for key in account.keys.values()
        )
        return next((account for own, account in owned if own == wanted), None)

    def address(self, account: Account) -> str:
        return next(iter(account.keys)).lower()

    def acting(self, signer: str) -> Account | None:
        """The account for which this address may trade."""
        agent = self._agents.get(signer)
        if agent is not None and agent.until_ms > self._desk.now_ms():
            return agent.account
        for account in self._desk.accounts.values():
            for key in account.keys.values():
                if signer in (key.key.lower(), address_of(key.secret)) and "trade" in key.permissions:
                    return account
        return None

    def agents(self, account: Account) -> list[Agent]:
        """All but the account's own key."""
        until_ms, own = self._desk.now_ms() + AGENT_LIFE_MS, self.address(account)
        first = [
            Agent("agent", address, account, until_ms)
            for key in account.keys.values()
            if "trade" in key.permissions and (address := address_of(key.secret)) is not None and address != own
        ]
        return first + [agent for agent in self._agents.values() if agent.account is account]

    def approve(self, account: Account, name: str, address: str) -> None:
        """A new agent takes the place of the one of its name."""
        self._agents = {a: row for a, row in self._agents.items() if (row.account, row.name) != (account, name)}
        until_ms = self._desk.now_ms() + AGENT_LIFE_MS
        self._agents[address.lower()] = Agent(name, address.lower(), account, until_ms)

    def use_nonce(self, signer: str, nonce: int) -> str | None:
        return self._nonces.setdefault(signer, Nonces()).use(nonce, self._desk.now_ms())
