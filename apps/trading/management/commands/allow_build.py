"""`manage.py allow_build`: which build's executors may send orders; those of every other build send none."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.trading.halts import switches
from apps.users.services import Actor


class Command(BaseCommand):
    help = "Let executors of one build send orders, and all others none. The embedded run does so by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "build", nargs="?", default=settings.CT_BUILD_ID, help="default: CT_BUILD_ID of this command"
        )
        parser.add_argument("--reason", default="deployed")

    def handle(self, *args: Any, **options: Any) -> None:
        row = switches.allow_build(
            build=options["build"], actor=Actor(user="manage.py allow_build"), reason=options["reason"]
        )
        self.stdout.write(f"build {row.allowed_build or 'none'} may send orders")
