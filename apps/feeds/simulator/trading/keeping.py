"""Accounts that an exchange made a key for are kept in a file: the next process of the simulator goes on with them.

Of a key only its id is kept: what belongs to it follows from the master (issuing.py). Accounts with keys of their own
live as long as the process. Orders that rested meet the market anew, as it is then.
"""

import sqlite3
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from apps.feeds.simulator.trading import kept
from apps.feeds.simulator.trading.accounts import Account, Order
from apps.feeds.simulator.trading.desk import Desk

FORMAT = 1
TABLES = """
CREATE TABLE IF NOT EXISTS master (secret BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS accounts
    (exchange TEXT, name TEXT, body BLOB NOT NULL, PRIMARY KEY (exchange, name));
CREATE TABLE IF NOT EXISTS orders
    (exchange TEXT, number INTEGER, account TEXT NOT NULL, body BLOB NOT NULL, PRIMARY KEY (exchange, number));
CREATE TABLE IF NOT EXISTS executions
    (place INTEGER PRIMARY KEY, exchange TEXT NOT NULL, "order" INTEGER NOT NULL, body BLOB NOT NULL);
"""
# One process has the file. A commit outlives the process at once, and the machine a little later.
PRAGMAS = ("locking_mode = EXCLUSIVE", "journal_mode = WAL", "synchronous = NORMAL")

Rows = list[tuple[Any, ...]]


class Keeper:
    def __init__(self, path: Path, desks: Mapping[str, Desk]) -> None:
        """Raises ValueError when the file is of another kind, or another process has it."""
        self._path = path
        self._desks = desks
        self._accounts: dict[Account, bytes] = {}  # as the file has them
        self._executions: dict[Account, int] = {}  # so many of each has it
        try:
            self._file = sqlite3.connect(path, isolation_level=None, timeout=0.0)
            for pragma in PRAGMAS:
                self._file.execute(f"PRAGMA {pragma}")
            (found,) = self._file.execute("PRAGMA user_version").fetchone()
            if found not in (0, FORMAT):
                raise sqlite3.DatabaseError(f"its format is {found}, not {FORMAT}")
            self._file.executescript(TABLES)
            self._file.execute(f"PRAGMA user_version = {FORMAT}")
        except sqlite3.Error as error:
            raise ValueError(f"accounts cannot be kept in {path}: {error}") from None
        path.chmod(0o600)

    def load(self) -> None:
        """Let the desks know what is kept, and write down what becomes of it from now on.

        Raises ValueError when it is none of what these exchanges trade.
        """
        master = self._master()
        for exchange, desk in self._desks.items():
            desk.master = master
            try:
                resting = self._load(exchange, desk)
            except (ValueError, msgspec.MsgspecError) as error:
                raise ValueError(f"{self._path} cannot be read, without it there are no accounts: {error}") from None
            for order in resting:
                desk.rest_again(order)
            desk.keep = partial(self.keep, exchange)
            desk.keep()

    def keep(self, exchange: str) -> None:
        """Write down what has changed at an exchange; nobody has been told of it. What cannot be written is tried again
        the next time; raises sqlite3.Error.
        """
        desk = self._desks[exchange]
        changed, made = desk.floor.changed(), [one for one in desk.accounts.values() if one.is_made]
        bodies = {account: kept.account_row(account) for account in made}
        accounts = [(exchange, one.name, body) for one, body in bodies.items() if self._accounts.get(one) != body]
        orders = [(exchange, row.number, row.account.name, kept.order_row(row)) for row in changed]
        executions = [
            (exchange, row.order.number, kept.execution_row(row))
            for account in made
            for row in account.executions[self._executions.get(account, 0) :]
        ]
        if accounts or orders or executions:
            self._write(accounts, orders, executions)
        self._accounts |= bodies
        self._executions |= {account: len(account.executions) for account in made}
        desk.floor.forget_changed()

    def _write(self, accounts: Rows, orders: Rows, executions: Rows) -> None:
        with self._file:  # all of it, or nothing
            self._file.execute("BEGIN")
            self._file.executemany("INSERT OR REPLACE INTO accounts VALUES (?, ?, ?)", accounts)
            self._file.executemany("INSERT OR REPLACE INTO orders VALUES (?, ?, ?, ?)", orders)
            self._file.executemany('INSERT INTO executions (exchange, "order", body) VALUES (?, ?, ?)', executions)

    def keep_all(self) -> None:
        for exchange in self._desks:
            self.keep(exchange)

    def close(self) -> None:
        self.keep_all()
        self._file.close()

    def _master(self) -> bytes:
        """The one of the file; a new file is given one."""
        found = self._file.execute("SELECT secret FROM master").fetchone()
        master: bytes = found[0] if found else next(iter(self._desks.values())).master
        if not found:
            self._file.execute("INSERT INTO master VALUES (?)", (master,))
        return master

    def _load(self, exchange: str, desk: Desk) -> list[Order]:
        """Accounts with orders and executions; returns the orders that rested."""
        for name, body in self._file.execute("SELECT name, body FROM accounts WHERE exchange = ?", (exchange,)):
            self._accounts[kept.open_account(desk, name, body)] = body
        orders: dict[int, Order] = {}
        query = "SELECT number, account, body FROM orders WHERE exchange = ? ORDER BY number"
        for number, name, body in self._file.execute(query, (exchange,)):
            orders[number] = kept.order_of(desk, desk.accounts[name], number, body)
            desk.floor.remember(orders[number])
        query = 'SELECT "order", body FROM executions WHERE exchange = ? ORDER BY place'
        for number, body in self._file.execute(query, (exchange,)):
            execution = kept.execution_of(orders[number], body)
            execution.order.executions.append(execution)
            execution.order.account.executions.append(execution)
        for account in self._accounts:
            self._executions[account] = len(account.executions)
        desk.go_on(orders.values())
        return [order for order in orders.values() if order.is_open]
