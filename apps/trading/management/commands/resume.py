"""`manage.py resume`: a person sets a scope going again."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.trading.execution.gateway.signal_file import is_halted
from apps.trading.halts import halting
from apps.trading.live_money import proven_at_terminal
from apps.trading.risk.view import Scope
from apps.users.alerts import NotAPerson
from apps.users.second_factor import CodeRefused
from apps.users.terminal import person


class Command(BaseCommand):
    help = "Set everything, or one exchange, account or TRADE, going again; its alerts count as seen."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--scope", choices=[one.value for one in Scope], default=Scope.GLOBAL.value)
        parser.add_argument("--id", default="", help="the exchange's code, the account's or the TRADE's number")
        parser.add_argument("--user", required=True, help="who you are")
        parser.add_argument("--reason", required=True)
        parser.add_argument("--code", default="", help="of your second factor")

    def handle(self, *args: Any, **options: Any) -> None:
        if is_halted(settings.CT_HALT_FILE):
            raise CommandError(f"the signal file of this host is there: remove {settings.CT_HALT_FILE} first")
        try:
            actor, scope, scope_id = person(options["user"]), Scope(options["scope"]), options["id"]
            actor = proven_at_terminal(actor, code=options["code"], scope=scope, scope_id=scope_id)
            row = halting.resume(scope=scope, scope_id=scope_id, reason=options["reason"], actor=actor)
        except (halting.NoSuchScope, halting.NeedsReason, NotAPerson, CodeRefused) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{row.scope} {row.scope_id}".strip() + f": {row.state}")
