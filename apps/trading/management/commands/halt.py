"""`manage.py halt`: stop everything, or one exchange, account or TRADE, and watch what it comes to."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from apps.trading.halts import halting
from apps.trading.halts.report import Report
from apps.trading.live_money import proven_at_terminal
from apps.trading.models import HaltMode
from apps.trading.risk.view import Scope
from apps.users.alerts import NotAPerson
from apps.users.second_factor import CodeRefused
from apps.users.services import Actor
from apps.users.terminal import person

LOOK_S = 1.0


class Command(BaseCommand):
    help = "Stop trading at once. Without the database, senders of this host are stopped by its signal file."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scope", choices=[one.value for one in Scope], default=Scope.GLOBAL.value)
        parser.add_argument("--id", default="", help="the exchange's code, the account's or the TRADE's number")
        parser.add_argument("--mode", choices=HaltMode.values, default=HaltMode.CANCEL.value)
        parser.add_argument("--confirm-flatten", action="store_true", help="once more: close all that is held")
        parser.add_argument("--user", help="who you are; needed to close what is held")
        parser.add_argument("--code", default="", help="of your second factor, to close what is held")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--wait", type=float, default=10.0, metavar="SECONDS", help="for the confirmations")

    def handle(self, *args: Any, **options: Any) -> None:
        scope, mode = Scope(options["scope"]), HaltMode(options["mode"])
        try:
            halting.halt(
                scope=scope,
                scope_id=options["id"],
                mode=mode,
                reason=options["reason"],
                actor=_actor(scope, mode, options),
                confirmed=options["confirm_flatten"],
            )
            self._watch(scope, options["id"], options["wait"])
        except (halting.NoSuchScope, halting.NeedsConfirmation, NotAPerson, CodeRefused) as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            self._without_database(error)

    def _watch(self, scope: Scope, scope_id: str, wait_s: float) -> None:
        """Until all is confirmed, or for so long; what is not confirmed then is listed."""
        until = time.monotonic() + wait_s
        while True:
            told = halting.report(scope=scope, scope_id=scope_id)
            if told is None or told.is_done or time.monotonic() >= until:
                break
            time.sleep(LOOK_S)
        if told is not None:
            self._show(told)

    def _show(self, told: Report) -> None:
        name = f"{told.scope} {told.scope_id}".strip()
        self.stdout.write(f"{name}: {told.state}, {len(told.lines)} orders, {told.unconfirmed} unconfirmed")
        for line in told.lines:
            if line.verdict != "confirmed":
                what = f"{line.exchange} {line.market_type} {line.pair} {line.side} {line.amount.normalize():f}"
                self.stdout.write(f"  {line.verdict}: order {line.order_id} {what} {line.status} {line.why}")
        for holding in told.holdings:
            of = f"account {holding.account_id} {holding.pair}"
            if holding.amount:
                self.stdout.write(f"  held: {of} {holding.amount.normalize():f}")
            if holding.left:
                self.stdout.write(f"  stays: {of} {holding.left.normalize():f}, {holding.why}")

    def _without_database(self, error: DatabaseError) -> None:
        path = settings.CT_HALT_FILE
        path.touch()
        raise CommandError(
            f"the database does not answer ({error}): {path} is written, no order leaves this host while it is there. "
            "Do the same on every other host."
        )


def _actor(scope: Scope, mode: HaltMode, options: dict[str, Any]) -> Actor:
    """Whoever is at the terminal; one who closes what is held proves it."""
    if not options["user"]:
        return Actor(user="manage.py halt")
    actor = person(options["user"])
    if mode is not HaltMode.FLATTEN or not options["confirm_flatten"]:
        return actor
    return proven_at_terminal(actor, code=options["code"], scope=scope, scope_id=options["id"])
