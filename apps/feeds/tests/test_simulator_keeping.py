"""Accounts of the simulator in a file: what is kept, when it is, what is never, and files that are of no use."""

import dataclasses
import itertools
import shutil
import socket
import sqlite3
import subprocess
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from apps.feeds.simulator.server import Simulator
from apps.feeds.simulator.trading.accounts import Account, Funding, Key, Position
from apps.feeds.simulator.trading.control import account_row
from apps.feeds.simulator.trading.desk import Desk
from apps.feeds.simulator.trading.events import Event
from apps.feeds.simulator.trading.issuing import api_key, new_master, wallet
from apps.feeds.simulator.trading.keeping import Keeper
from apps.feeds.simulator.trading.tickets import Ended
from apps.feeds.tests.plain_accounts import KEY, MONEY, SECRET, did, fill, open_account
from apps.feeds.tests.plain_binance import Client
from apps.feeds.tests.still_market import StillDesk, ticket
from apps.feeds.tests.test_simulator_process import ROOT, command
from apps.feeds.tests.waiting import until
from tests.fixtures.ports import free_port

ORDERS = "SELECT json_extract(body, '$.status'), json_extract(body, '$.filled') FROM orders ORDER BY number"
VOLUME = 10
NUMBERS = itertools.count()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "accounts"


def stand(file: Path, best: int = 100) -> tuple[StillDesk, Keeper]:
    """Anonymous volume at `best` to buy from and two below to sell to."""
    desk = StillDesk()
    for market_type in ("spot", "futures"):
        desk.volume(market_type, best, VOLUME)
        desk.volume(market_type, 2 - best, VOLUME)
    keeper = Keeper(file, {"binance": desk})
    keeper.load()
    return desk, keeper


def made_for(desk: Desk, name: str = "anna", *, hedge: bool = False) -> Account:
    """An account with money and a key that the exchange made."""
    key = Key(*desk.rules.new_key(desk.master), permissions=frozenset({"trade"}), ip_allowed=False)
    account = desk.open_account(name, [key], hedge=hedge, made=True)
    for wallet_name in desk.rules.wallets.values():
        for asset in ("BTC", "USDT"):
            desk.credit(account, wallet_name, asset, Decimal(10_000))
    return account


def killed(file: Path) -> Path:
    """The file as a process that is killed this moment leaves it."""
    left = file.with_name(f"{file.name} {next(NUMBERS)}")
    for end in ("", "-wal"):
        if Path(f"{file}{end}").exists():
            shutil.copy(f"{file}{end}", f"{left}{end}")
    return left


def rows(file: Path, query: str = ORDERS) -> list[tuple[Any, ...]]:
    """What a killed process would leave."""
    with closing(sqlite3.connect(killed(file))) as left:
        return left.execute(query).fetchall()


def looked_into(file: Path) -> tuple[bytes, int]:
    """What is in it, and who may read it."""
    return file.read_bytes(), file.stat().st_mode & 0o777


def known(desk: Desk, name: str = "anna") -> dict[str, Any]:
    account = desk.accounts[name]
    return {
        "row": account_row("binance", desk, account),
        "keys": account.keys,
        "settings": account.settings,
        "positions": [unlisted(row) for row in account.positions.values()],
        "funding": [unlisted(row) for row in account.funding],
        "open": list(account.open),
        "orders": [
            (row.id, row.number, row.ticket, row.price, row.size, row.status) for row in account.orders.values()
        ],
        "ended": [(row.ended, row.value, row.locked, row.opens, row.updated_ms) for row in account.orders.values()],
        "client ids": {key: order.id for key, order in account.client_ids.items()},
        "executions": [(row.order.id, row.number, row.value, row.realised, row.ms) for row in account.executions],
    }


def unlisted(row: Position | Funding) -> dict[str, Any]:
    """Each desk here has listings of its own."""
    fields = {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    return fields | {"listing": row.listing.symbol}


def test_all_that_an_account_is_comes_back(file: Path):
    before, keeper = stand(file)
    anna = made_for(before, hedge=True)
    before.set_leverage(anna, "BTCUSDT", 7, "isolated")
    before.place(anna, ticket("buy", 3, 100, client_id="taken"))
    before.place(anna, ticket("buy", 4, market_type="futures", position_side="long"))
    resting = before.place(anna, ticket("sell", 5, 105, client_id="rests"))
    before.fill(resting, 2)
    before.place(anna, ticket("sell", 1, 120, "futures", position_side="long", reduce_only=True))
    before.cancel(anna, before.place(anna, ticket("buy", 1, 50)))
    before.place(anna, ticket("buy", 99, 100, force="ioc"))
    before.pay_funding(before.markets["futures", "BTCUSDT"].listing, Decimal("0.01"))
    before.keep()
    after, _ = stand(killed(file))
    assert known(after) == known(before)
    assert [row.order.id for row in after.accepted] == [row.order.id for row in before.accepted]
    order = after.accounts["anna"].orders[resting.id]
    assert [row.number for row in order.executions] == [row.number for row in resting.executions]
    assert after.by_key(next(iter(anna.keys))) == (after.accounts["anna"], anna.keys[next(iter(anna.keys))])
    keeper.close()


def test_numbers_go_on_after_those_that_were_given_out(file: Path):
    before, _ = stand(file)
    anna = made_for(before)
    first = before.place(anna, ticket("buy", 3, 100))
    before.keep()
    after, _ = stand(killed(file))
    second = after.place(after.accounts["anna"], ticket("buy", 3, 100))
    assert second.number > first.number
    assert second.executions[0].number > first.executions[-1].number


def test_an_order_that_the_market_has_passed_meanwhile_is_filled_and_the_others_rest(file: Path):
    before, _ = stand(file)
    anna = made_for(before)
    passed, resting = (before.place(anna, ticket("buy", VOLUME + 2, price)) for price in (97, 90))
    before.keep()
    after, _ = stand(killed(file), best=95)
    again = after.accounts["anna"]
    assert (again.orders[passed.id].status, again.orders[passed.id].filled) == ("partial", VOLUME)
    assert again.orders[passed.id].average == 95
    after.fill(again.orders[passed.id], 2)
    assert list(again.open) == [resting.id]
    assert again.holding("spot", "USDT").locked == 90 * (VOLUME + 2)
    after.cancel(again, again.orders[resting.id])
    assert again.holding("spot", "USDT").locked == 0


def test_what_is_partly_filled_rests_with_what_is_left_of_it(file: Path):
    before, _ = stand(file)
    order = before.place(made_for(before), ticket("buy", 5, 99))
    before.fill(order, 3)
    before.keep()
    after, _ = stand(killed(file))
    again = after.accounts["anna"].orders[order.id]
    assert again.resting is not None
    assert (again.resting.left, again.left) == (2, 2)


@pytest.mark.parametrize(("more", "end"), [(2, ("filled", None)), (VOLUME + 2, ("cancelled", Ended.IOC))])
def test_a_market_order_that_was_cut_off_in_its_midst_goes_on(file: Path, more: int, end: tuple[str, Ended | None]):
    before, _ = stand(file)
    anna, left = made_for(before), []
    before.volume("spot", 101, 2 * VOLUME)
    anna.outbox.listen(None, lambda event: left.append(killed(file)) or [])  # type: ignore[arg-type, func-returns-value]
    order = before.place(anna, ticket("buy", VOLUME + more))
    assert order.status == "filled"
    cut = next(row for row in left if rows(row) == [("partial", VOLUME)])
    after, _ = stand(cut)
    again = after.accounts["anna"].orders[order.id]
    assert (again.status, again.ended) == end


def test_what_could_not_be_written_is_written_the_next_time(file: Path):
    stand(file)[1].close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        refused = "json_extract(NEW.body, '$.ticket.client_id') = 'refused' AND json_extract(NEW.body, '$.filled') = 0"
        then = f"WHEN {refused} BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        other.execute(f"CREATE TRIGGER full BEFORE INSERT ON orders {then}")
    desk, keeper = stand(file)
    anna = made_for(desk)
    desk.keep()
    taken = desk.place(anna, ticket("buy", 3, 100))
    refused_one = desk.place(anna, ticket("buy", 2, 99, client_id="refused"))
    with pytest.raises(sqlite3.Error, match="the disk is full"):
        desk.keep()
    assert rows(file) == []
    desk.fill(refused_one, 1)
    keeper.close()
    after, _ = stand(file)
    assert known(after) == known(desk)
    assert [row.number for row in after.accounts["anna"].executions][:1] == [taken.executions[0].number]


def test_nobody_is_told_of_what_is_not_kept(file: Path):
    desk, _ = stand(file)
    anna = made_for(desk)
    found: list[list[tuple[Any, ...]]] = []

    def translate(event: Event) -> list[Any]:
        found.append(rows(file))
        return []

    anna.outbox.listen(None, translate)  # type: ignore[arg-type]
    order = desk.place(anna, ticket("buy", 5, 99))
    assert found[0] == [("open", 0)]
    found.clear()
    desk.fill(order, 2)
    assert found[0] == [("partial", 2)]


async def test_what_was_answered_is_kept(file: Path):
    simulator = Simulator(seed=3, accounts=file)
    await simulator.start()
    try:
        told = await did(simulator, "accounts", exchange="binance", name="anna", money=MONEY)
        assert rows(file, "SELECT exchange, name FROM accounts") == [("binance", "anna")]
        client = Client(simulator, key=told["key"], secret=told["secret"])
        order = await client.place("spot")
        assert rows(file) == [("open", 0)]
        await fill(simulator, "binance", str(order["orderId"]), "0.001")
        [(status, filled)] = rows(file)
        assert status == "partial"
        assert filled > 0
    finally:
        await simulator.stop()
    assert sqlite3.connect(file).execute(ORDERS).fetchall() == [("partial", filled)]


async def test_a_simulator_that_found_its_port_taken_has_the_file_no_longer(file: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            await Simulator(seed=3, accounts=file).start(port=taken.getsockname()[1])
    stand(file)


async def test_what_nobody_hears_of_is_kept_soon(file: Path):
    simulator = Simulator(seed=3, accounts=file)
    await simulator.start()
    try:
        await did(simulator, "accounts", exchange="binance", name="anna", money=MONEY)
        desk = simulator.exchanges["binance"].desk
        desk.place(desk.accounts["anna"], ticket("buy", 1, 1000))
        await until(lambda: rows(file) == [("open", 0)])
    finally:
        await simulator.stop()


async def test_accounts_with_keys_of_their_own_and_all_secrets_are_left_out(file: Path):
    simulator = Simulator(seed=3, accounts=file)
    await simulator.start()
    try:
        await open_account(simulator, "binance", name="boris")
        told = await did(simulator, "accounts", exchange="binance", name="anna", money=MONEY)
        await Client(simulator).place("spot")
    finally:
        await simulator.stop()
    content, mode = looked_into(file)
    assert told["key"].encode() in content
    for secret in (KEY, SECRET, "boris", told["secret"], told["passphrase"]):
        assert secret.encode() not in content
    assert mode == 0o600


@pytest.mark.parametrize("issue", [api_key, wallet])
def test_a_key_is_the_same_again_with_the_same_master_alone(issue: Any):
    master = new_master()
    made = issue(master)
    assert issue(master, made[0]) == made
    assert issue(master)[0] != made[0]
    assert issue(new_master(), made[0])[1] != made[1]
    assert len({*made} - {""}) == len([text for text in made if text])


def test_a_file_of_another_kind_is_refused(file: Path):
    file.write_text("accounts?" * 1000)
    with pytest.raises(ValueError, match=f"accounts cannot be kept in {file}"):
        stand(file)


def test_a_file_of_another_format_is_refused(file: Path):
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA user_version = 99")
    with pytest.raises(ValueError, match="its format is 99, not 1"):
        stand(file)


def test_a_file_that_another_process_has_is_refused(file: Path):
    _, keeper = stand(file)
    with pytest.raises(ValueError, match="locked"):
        stand(file)
    keeper.close()
    stand(file)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("UPDATE orders SET body = json_set(body, '$.ticket.symbol', 'GONE')", "lists no spot GONE"),
        ("UPDATE orders SET body = '{}'", "missing required field"),
        ("UPDATE accounts SET body = json_set(body, '$.kind', 'other')", "no accounts of the kind other"),
        ("UPDATE accounts SET body = json_set(body, '$.positions[0].symbol', 'GONE')", "lists no futures GONE"),
    ],
)
def test_what_makes_no_sense_is_refused_as_a_whole(file: Path, change: str, reason: str):
    desk, keeper = stand(file)
    anna = made_for(desk)
    desk.place(anna, ticket("buy", 1, 50))
    desk.place(anna, ticket("buy", 1, market_type="futures"))
    keeper.close()
    with closing(sqlite3.connect(file, isolation_level=None)) as left:
        left.execute(change)
    with pytest.raises(ValueError, match=reason) as refusal:
        stand(file)
    assert f"{file} cannot be read" in str(refusal.value)


def test_a_simulator_that_cannot_read_its_accounts_says_so_in_one_line(file: Path):
    file.write_text("accounts?" * 1000)
    started = [*command(free_port()), "--accounts", str(file)]
    done = subprocess.run(started, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.startswith(f"simulator: accounts cannot be kept in {file}")
    assert done.stderr.count("\n") == 1
