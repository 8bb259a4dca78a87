"""`manage.py capture`: raw frames of some pairs into files that `manage.py replay` reads."""

import asyncio
import shlex
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.feeds.capture import Recording, capture
from apps.feeds.capture_files import Files
from apps.feeds.drivers import registry
from apps.feeds.drivers.base import Driver
from apps.feeds.errors import Refused, Retryable, UnknownExchange
from apps.feeds.market import MarketType
from apps.feeds.subscriptions import deepest

BAD_INPUT, NOTHING = 2, 1


class Command(BaseCommand):
    help = "Record the raw frames of some pairs, and the snapshots that belong to them (SOURCE=live: of the exchange)."
    requires_system_checks: list[str] = []  # works without a database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--exchange", required=True, help=", ".join(registry.exchange_ids()))
        parser.add_argument("--market", required=True, help="spot or futures")
        parser.add_argument("--pair", required=True, action="append", nargs="+", help="BTC/USDT; several may follow")
        parser.add_argument("--depth", type=int, help="20, 50 or 0 (full); the deepest there is unless told")
        parser.add_argument("--seconds", type=float, default=30.0)
        parser.add_argument("--out", required=True, type=Path, help="a folder; it is made where it is not there")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            driver, market = registry.driver(options["exchange"]), MarketType(options["market"])
        except (UnknownExchange, ValueError) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        offered = driver.depths(market)
        depth = deepest(offered) if options["depth"] is None else options["depth"]
        if depth not in offered:
            raise CommandError(f"{driver.name} offers the depths {', '.join(map(str, offered))}", returncode=BAD_INPUT)
        files = self._files(options["out"])
        try:
            recording = asyncio.run(
                capture(
                    driver,
                    market,
                    [pair for pairs in options["pair"] for pair in pairs],
                    depth=depth,
                    seconds=options["seconds"],
                    files=files,
                    simulator_url=settings.CT_SIMULATOR_URL,
                    max_connections=settings.CT_MAX_CONNECTIONS,
                    pairs_per_connection=settings.CT_PAIRS_PER_CONNECTION,
                )
            )
        except Refused as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        except Retryable as error:
            raise CommandError(str(error), returncode=NOTHING) from error
        finally:
            files.close()
        self._tell(driver, market, files, recording)

    def _files(self, folder: Path) -> Files:
        if folder.exists() and any(folder.iterdir()):
            raise CommandError(f"{folder} is not empty", returncode=BAD_INPUT)
        try:
            return Files(folder)
        except OSError as error:
            raise CommandError(f"cannot write to {folder}: {error.strerror}", returncode=BAD_INPUT) from error

    def _tell(self, driver: Driver, market: MarketType, files: Files, recording: Recording) -> None:
        for symbol, reason in recording.refusals.items():
            self.stderr.write(f"{symbol}: {reason}")
        for book in recording.books:
            self.stdout.write(f"{book.instrument.key}  {book.state}  seq {book.seq}  gaps {book.gaps}")
        self.stdout.write(f"{files.frames} frames, {recording.malformed_frames} malformed; read them again with")
        words = ["python", "manage.py", "replay", "--exchange", driver.exchange_id, "--market", market]
        for symbol, paths in files.snapshots.items():
            for path in paths:
                words += ["--snapshot", f"{symbol}={path}"]
        self.stdout.write(shlex.join([*words, str(files.path)]))
        if not files.frames:
            raise CommandError("no frame came", returncode=NOTHING)
