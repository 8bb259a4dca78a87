"""`manage.py replay`: recorded frames through driver and books by hand; exit 1 when one was malformed."""

import json
from argparse import ArgumentParser
from collections import defaultdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.feeds.drivers import registry
from apps.feeds.errors import UnknownExchange
from apps.feeds.market import FULL_DEPTH, MarketType
from apps.feeds.replay import Replay, as_json, as_text, frames

TEXT_LEVELS = 5
SHOWN_ERRORS = 10
BAD_INPUT, MALFORMED = 2, 1


class Command(BaseCommand):
    help = "Replay recorded frames through an exchange's driver and print the books that they make."
    requires_system_checks: list[str] = []  # works without a database

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--exchange", required=True, help=", ".join(registry.exchange_ids()))
        parser.add_argument("--market", required=True, help="spot or futures (inverse contracts too)")
        parser.add_argument(
            "--snapshot",
            action="append",
            default=[],
            metavar="SYMBOL=FILE",
            help="a REST answer, offered when the symbol's book needs one; repeat it for more, they keep their order",
        )
        parser.add_argument("--depth", help="levels a side to print; 0 is all (text prints 5 unless told)")
        parser.add_argument("--json", action="store_true", help="one object keyed by the exchange's symbol")
        parser.add_argument("files", nargs="+", metavar="FILE", help="one frame per line, base64 in .b64.jsonl")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            driver = registry.driver(options["exchange"])
        except UnknownExchange as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        depth = _depth(options["depth"])
        replay = Replay(driver, _market(options["market"]), _snapshots(options["snapshot"]))
        for path, lines in [(path, _read(path).split(b"\n")) for path in options["files"]]:
            for frame in frames(lines, base64=path.endswith(".b64.jsonl")):
                replay.play(frame)
        if options["json"]:
            self.stdout.write(json.dumps(as_json(replay.finish(FULL_DEPTH if depth is None else depth))))
        else:
            for line in as_text(replay.finish(TEXT_LEVELS if depth is None else depth)):
                self.stdout.write(line)
        if replay.malformed:
            reasons = "; ".join(str(error) for error in replay.malformed[:SHOWN_ERRORS])
            raise CommandError(f"{len(replay.malformed)} malformed: {reasons}", returncode=MALFORMED)


def _market(text: str) -> MarketType:
    try:
        return MarketType(text)
    except ValueError as error:
        raise CommandError(f"unknown market {text!r}: spot or futures", returncode=BAD_INPUT) from error


def _depth(text: str | int | None) -> int | None:
    try:
        depth = None if text is None else int(text)
    except ValueError:
        depth = -1
    if depth is not None and depth < 0:
        raise CommandError(f"unknown depth {text!r}: a number of levels, 0 for all", returncode=BAD_INPUT)
    return depth


def _snapshots(options: list[str]) -> dict[str, list[bytes]]:
    answers = defaultdict(list)
    for option in options:
        symbol, _, path = option.partition("=")
        if not symbol or not path:
            raise CommandError(f"not SYMBOL=FILE: {option!r}", returncode=BAD_INPUT)
        answers[symbol].append(_read(path))
    return answers


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {path}: {error.strerror}", returncode=BAD_INPUT) from error
