"""What is done to a system that has keys: it works, fails, is looked at, killed, and its keys are sealed anew."""

import os
import re
import signal
from pathlib import Path

from celery import Celery
from django.contrib.admin import site
from django.urls import reverse

from ctweb.conf.queues import celery_settings
from tests.secrecy.canaries import credentials
from tests.secrecy.databases import REFUSED as UNWRITTEN
from tests.secrecy.desk import OVER, Desk, key_body
from tests.secrecy.running import Run

REFUSED = {"withdraws": credentials("okx", "withdraws"), "unknown": credentials("bybit", "unknown")}
PAGES = (
    *("/fleet/", "/pairs/", "/trading/orders/?show=all", "/trading/orders/table/?show=all", "/trading/orders/last/"),
    *("/trading/orders/new/", "/trading/accounts/", "/trading/accounts/new/", "/trading/positions/", "/trading/risk/"),
    *("/trading/executors/", "/halt/", "/trading/state.json", "/status", "/health/live", "/health/ready"),
)
LISTS = ("accounts", "intents", "orders", "fills", "positions", "balances", "pnl", "audit", "alerts", "executors")
KILLED = ("web", "orders", "daemon")  # keys pass through the first, the others open them


def refuse_keys(desk: Desk) -> None:
    """One that may withdraw, one that its exchange does not know, and what cannot be a key."""
    okx, bybit = (next(one for one in desk.accounts if one.exchange == name) for name in ("okx", "bybit"))
    desk.known("okx", "withdraws", REFUSED["withdraws"], desk.wallets["okx"][okx.market], "withdraw")
    for one, keys in ((okx, REFUSED["withdraws"]), (bybit, REFUSED["unknown"])):
        answer = desk.person.browse("POST", f"/api/v1/accounts/{one.id}/key", key_body(keys))
        assert answer.status == 400, answer
    body = key_body(REFUSED["unknown"])
    for wrong in ({"key": f"{body['key']} "}, {"secret": [body["secret"]]}, {"api_secret": body["secret"]}):
        assert desk.person.ask("POST", f"/api/v1/accounts/{bybit.id}/key", body | wrong).status == 400


def trade(desk: Desk) -> None:
    """On every account but the spare one an order that rests and is cancelled; on spot one that is refused as well, and
    one in doubt at first.
    """
    resting = desk.orders([*desk.traded, *desk.ahead], "OPEN")
    for number in resting:
        assert desk.person.browse("POST", f"/api/v1/orders/{number}/cancel", {}).status == 200
    desk.system.wait("the cancels", lambda: desk.over(resting))
    for one in desk.traded:
        desk.trouble(one, "reject")
    desk.orders(desk.traded, "REJECTED")
    for number, one in enumerate(desk.traded):
        desk.trouble(one, ("error_placed", "accept_reset")[number % 2])
        desk.trouble(one, "drop_private")
    desk.orders(desk.traded, "UNKNOWN", "OPEN", *OVER)


def break_down(run: Run, desk: Desk) -> None:
    """Errors of ours with keys in hand, on the pages of users and of developers; tasks that fail."""
    one = desk.accounts[-1]
    run.database.refuse_keys()
    with run.debugging() as developer:
        for person in (desk.person, developer):
            for accept in ("application/json", "text/html, application/json"):
                answer = person.browse("POST", f"/api/v1/accounts/{one.id}/key", key_body(one.keys), Accept=accept)
                assert answer.status == 500, answer
                assert (UNWRITTEN.encode() in answer.body) is (person is developer)
    run.database.take_keys()
    celery = Celery("test")
    celery.conf.update(celery_settings(redis_url=run.system.redis_url, run_dir=run.temporary, finish_s=1))
    for name, arguments in (
        ("apps.feeds.tasks.refresh_instruments", ["nowhere", "spot"]),
        ("apps.trading.tasks.wake_lane", ["no lane"]),
        ("apps.trading.tasks.wake_cancels", ["x"]),
        ("apps.trading.tasks.nothing", [one.id]),
    ):
        celery.send_task(name, arguments)
    for name, word in (("jobs", "nowhere"), ("orders", "no lane")):
        log = run.system.folder.log / f"{name}.log"
        run.system.wait(f"a failed task of {name}", lambda log=log, word=word: word in log.read_text())


def look_around(desk: Desk) -> None:
    """Every page and list, every table of the admin, an account's own pages and history; one key is taken away."""
    person, first = desk.person, desk.accounts[0]
    assert person.browse("GET", "/metrics").status == 404
    for path in (*PAGES, *(f"/trading/accounts/{one.id}/" for one in desk.accounts)):
        assert person.browse("GET", path).status == 200, path
    for path in (*LISTS, *(f"accounts/{one.id}" for one in desk.accounts)):
        assert person.ask("GET", f"/api/v1/{path}").status == 200, path
    for model in site._registry:
        table = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert person.browse("GET", reverse(f"{table}_changelist")).status == 200, table
    for view in ("change", "history", "delete"):
        person.browse("GET", reverse(f"admin:trading_account_{view}", args=[first.id]))
    assert person.ask("PATCH", f"/api/v1/accounts/{first.id}", {"name": "renamed"}).status == 200
    assert person.ask("GET", f"/api/v1/accounts/{first.id}/key").status == 405
    assert person.browse("DELETE", f"/api/v1/accounts/{desk.spare.id}/key", {}).status == 204


def rotate(run: Run, desk: Desk) -> None:
    """All keys are sealed anew, and opened by the same executors; the old sealing key is forgotten."""
    run.manage("rotate_keys", "-v2")
    run.manage("rotate_keys", "-v2", "--forget-old")
    desk.orders([desk.accounts[1]], "OPEN")


def kill(run: Run, desk: Desk) -> None:
    """Processes that have keys in hand are told to quit and show what they know: they leave no core behind."""
    before = run.pids()
    for pid in before.values():
        (core,) = re.findall(r"Max core file size +(\d+) +(\d+)", Path(f"/proc/{pid}/limits").read_text())
        assert int(core[1]) <= 1
    for name in KILLED:
        os.kill(before[name], signal.SIGQUIT)

    def came_back() -> bool:
        now = run.pids()
        return {*now} == {*before} and all(now[name] != before[name] for name in KILLED)

    run.system.wait("they came back", came_back)
    run.system.wait("a LIVE book", lambda: run.system.books().get("live", 0) > 0)
    run.system.wait("the accounts", desk.ready)
