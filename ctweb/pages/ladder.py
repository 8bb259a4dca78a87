"""The ladder of the first paint: the same texts that static/js/ladder.js writes a moment later."""

from typing import Any

from apps.feeds.market import Levels
from ctweb.live.feeds import BookFeed
from ctweb.templatetags.format import grouped

ROWS = 20
_TOTAL_DIGITS = 6


def blank() -> list[None]:
    return [None] * ROWS


def rows(feed: BookFeed, levels: Levels) -> list[dict[str, Any] | None]:
    """One entry per row, best first; None where the side is shorter."""
    found: list[dict[str, Any] | None] = []
    total = quote = 0.0
    for price, amount in levels[:ROWS]:
        total += amount
        quote += amount * price
        text = grouped(f"{price:.{feed.price_decimals}f}")
        cut = _last_digits(text)
        found.append(
            {
                "head": text[:cut],
                "tail": text[cut:],
                "size": grouped(f"{amount:.{feed.amount_decimals}f}"),
                "total": _significant(total, feed.amount_decimals),
                "quote": f"{quote:.0f}" if quote < 1000 else f"{quote / 1000:,.0f}k",
            }
        )
    return found + [None] * (ROWS - len(found))


def _last_digits(text: str) -> int:
    """Where the last two digits begin: they are what moves."""
    seen = 0
    for index in range(len(text) - 1, -1, -1):
        seen += text[index].isdigit()
        if seen == 2:
            return index
    return 0


def _significant(value: float, most: int) -> str:
    """Six significant digits, at most `most` decimals; trailing zeros stay, so that a column keeps its width."""
    whole = len(str(int(value))) if value >= 1 else 0
    return grouped(f"{value:.{min(most, max(0, _TOTAL_DIGITS - max(whole, 1)))}f}")
