"""Prepare a new folder of the embedded run: its login and the books that it starts with."""

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.feeds.market import BookKey, MarketType
from apps.monitoring.services import start_with
from apps.users.services import ensure_admin
from ctweb.env import own_secret

NAME = "admin"
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that reads like another
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
    help = "Embedded run only: make the admin's login (login.txt) and watch the starter set. Does each once."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.CT_EMBEDDED:
            raise CommandError("bootstrap is for the embedded run: a deployment makes its own users and pairs")
        login = settings.CT_DATA_DIR / "login.txt"
        is_new = not login.exists()
        name, password = own_secret(login, _login).split()
        ensure_admin(name=name, password=password, reset=is_new)
        start_with(keys=STARTER_SET)


def _login() -> str:
    password = "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(3))
    return f"{NAME} {password}\n"
