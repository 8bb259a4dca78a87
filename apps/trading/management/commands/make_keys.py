"""`manage.py make_keys`: the first sealing key of a deployment; the embedded run makes its own."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.trading.credentials import keyring


class Command(BaseCommand):
    help = (
        "Make a sealing key, unless there is one: the private half for executors, the public half for the web process."
    )
    requires_system_checks: list[str] = []  # works without a database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--private", type=Path, required=True, metavar="FILE", help="CT_SEAL_PRIVATE_KEYS_FILE")
        parser.add_argument("--public", type=Path, required=True, metavar="FILE", help="CT_SEAL_PUBLIC_KEY_FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        files = keyring.KeyFiles(private=options["private"].absolute(), public=options["public"].absolute())
        try:
            self.stdout.write(f"CT_SEAL_PUBLIC_KEY={keyring.make_once(files).text}")
        except keyring.KeyFileRefused as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
