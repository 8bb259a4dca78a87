"""How a book is named in an address: `/book/binance/spot/BTC-USDT/`."""

from django.urls import reverse

from apps.feeds.market import BookKey


def book_url(key: BookKey) -> str:
    return reverse("book", args=[key.exchange, key.market_type.value, key.pair.replace("/", "-", 1)])


def pair_of(slug: str) -> str:
    """`BTC-USDT` -> `BTC/USDT`: the first dash stands for the slash (dated futures have more)."""
    return slug.replace("-", "/", 1)
