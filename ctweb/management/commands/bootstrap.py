"""Prepare a new folder of the embedded run: its login and the books that it starts with."""

import secrets
import time
from itertools import product
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.feeds import selectors, tasks
from apps.feeds.drivers import registry
from apps.feeds.errors import Retryable
from apps.feeds.market import BookKey, InstrumentStatus, MarketType
from apps.feeds.services import outdate_catalogue
from apps.monitoring.services import start_with
from apps.trading.halts import switches
from apps.users.services import SYSTEM, ensure_admin
from ctweb.env import own_secret

NAME = "admin"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that reads like another
PLAYER_S = 30.0  # the simulator starts beside us, and reads the recordings first
AGAIN_S = 0.1
COINS = ("BTC", "ETH", "SOL")
QUOTES = {
    "binance": "USDT", "bybit": "USDT", "okx": "USDT", "kucoin": "USDT", "coinex": "USDT", "htx": "USDT",
    "mexc": "USDT", "hyperliquid": "USDC",
}  # fmt: skip
STARTER_SET = {
    BookKey(exchange, market_type, f"{coin}/{quote}")
    for exchange, quote in QUOTES.items()
    for market_type in MarketType
    for coin in COINS
}


class Command(BaseCommand):
    help = "Embedded run only: the admin's login (login.txt), books to begin with, and that this build may trade."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.CT_EMBEDDED:
            raise CommandError("bootstrap is for the embedded run: a deployment makes its own users and pairs")
        login = settings.CT_DATA_DIR / "login.txt"
        is_new = not login.exists()
        name, password = own_secret(login, _login).split()
        ensure_admin(name=name, password=password, reset=is_new)
        if settings.SOURCE == "replay":
            start_with(keys=_recorded(), reason=f"recorded in {settings.CT_CAPTURES_DIR}")
        else:
            start_with(keys=STARTER_SET)
        switches.allow_build(build=settings.CT_BUILD_ID, actor=SYSTEM, reason="the build of this folder's run")
        _note_source(settings.CT_DATA_DIR / "run" / "source")


def _recorded() -> set[BookKey]:
    """What the recordings hold, by their own market lists, which become the catalogue."""
    deadline = time.monotonic() + PLAYER_S
    for exchange, market_type in product(registry.exchange_ids(), MarketType):
        _read(exchange, market_type, deadline)
    return {key for key, one in selectors.catalogue().items() if one.status is InstrumentStatus.TRADING}


def _read(exchange: str, market_type: MarketType, deadline: float) -> None:
    while True:
        try:
            tasks.read_market(exchange, market_type)
        except Retryable as error:
            if time.monotonic() > deadline:
                raise CommandError(f"nobody plays the recordings: {error}") from None
            time.sleep(AGAIN_S)
        else:
            return


def _note_source(note: Path) -> None:
    """The catalogue of a folder that was run on another source is not to be believed: it is read again at once."""
    former = note.read_text() if note.exists() else settings.SOURCE
    if former != settings.SOURCE and settings.SOURCE != "replay":
        outdate_catalogue(by=tasks.FRESH)
    note.write_text(settings.SOURCE)


def _login() -> str:
    password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    return f"{NAME} {password}\n"
