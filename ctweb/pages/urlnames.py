"""How a book is named in an address: `/book/binance/spot/BTC-USDT/`."""

from django.urls import NoReverseMatch, reverse

from apps.feeds.market import BookKey


def book_url(key: BookKey) -> str:
    """Of a name that no address can have (rows written with plain SQL say what they like) the list of pairs."""
    try:
        return reverse("book", args=[key.exchange, key.market_type.value, key.pair.replace("/", "-", 1)])
    except NoReverseMatch:
        return reverse("pairs")


def pair_of(slug: str) -> str:
    """`BTC-USDT` -> `BTC/USDT`: the first dash stands for the slash (dated futures have more)."""
    return slug.replace("-", "/", 1)
