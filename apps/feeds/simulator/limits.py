"""The exchanges' limits: windows that count, and the record of every breach."""

from collections import Counter, deque
from dataclasses import dataclass

import structlog

log = structlog.get_logger(__name__)


class Sliding:
    """At most `limit` events in any `window_s` seconds."""

    def __init__(self, limit: int, window_s: float) -> None:
        self.limit = limit
        self.window_s = window_s
        self._times: deque[float] = deque()

    def add(self, now: float, weight: int = 1) -> bool:
        """Count one event; False, and not counted, when it is one too many."""
        while self._times and self._times[0] <= now - self.window_s:
            self._times.popleft()
        if len(self._times) + weight > self.limit:
            return False
        self._times.extend([now] * weight)
        return True

    @property
    def left(self) -> int:
        """What the window still holds, as of the last event."""
        return self.limit - len(self._times)

    def reset_s(self, now: float) -> float:
        """Seconds until the oldest event leaves the window."""
        return self._times[0] + self.window_s - now if self._times else 0.0


class Minute:
    """Weight used in the current UTC clock minute (Binance's window is not a sliding one)."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self.refused = 0
        self._minute = 0

    def add(self, weight: int, unix_s: float) -> bool:
        """Count a request; False when the limit is passed."""
        minute = int(unix_s // 60)
        if minute != self._minute:
            self._minute, self.used, self.refused = minute, 0, 0
        self.used += weight
        if self.used > self.limit:
            self.refused += 1
        return self.used <= self.limit

    @staticmethod
    def left_s(unix_s: float) -> int:
        """Seconds until the minute ends, at least 1."""
        return max(1, int(60 - unix_s % 60))


@dataclass(frozen=True, slots=True)
class Patience:
    """How long the exchanges wait, in seconds. Tests shorten them."""

    binance_spot_ping_s: float = 20.0
    binance_spot_pong_s: float = 60.0
    binance_futures_ping_s: float = 180.0
    binance_futures_pong_s: float = 600.0
    binance_ban_s: float = 120.0
    binance_listen_key_s: float = 3600.0
    bybit_idle_s: float = 600.0
    bybit_repeat_s: float = 3.0  # orderbook.1 without a change
    bybit_ban_s: float = 600.0
    okx_silence_s: float = 30.0
    okx_keep_alive_s: float = 60.0
    hyperliquid_idle_s: float = 60.0
    kucoin_idle_s: float = 60.0
    kucoin_snapshot_s: float = 0.5  # from the ack to the snapshot; up to 6 s were seen
    kucoin_token_s: float = 24 * 3600.0
    coinex_idle_s: float = 60.0  # not documented
    coinex_whole_s: float = 60.0  # from one whole book to the next
    coinex_state_s: float = 1.0  # not documented
    htx_ping_s: float = 5.0
    htx_snapshot_lag_s: float = 0.25  # an asked-for book is this late
    htx_snapshot_age_s: float = 1.0  # and made anew no sooner
    mexc_idle_s: float = 30.0  # without a subscription
    mexc_quiet_s: float = 60.0  # subscribed, but nothing to say; futures: since the client's last ping
    mexc_shut_out_s: float = 90.0  # by the firewall
    mexc_listen_key_s: float = 3600.0
    mexc_depth_age_s: float = 0.2  # futures' REST books are made anew no sooner
    connection_life_s: float = 24 * 3600.0  # Binance, MEXC's spot


class Breaches:
    """How often each limit was broken, by the exchange and the limit's name."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, exchange: str, limit: str) -> None:
        """Count one; the first of its kind is logged."""
        self._counts[exchange, limit] += 1
        if self._counts[exchange, limit] == 1:
            log.warning("limit broken", exchange=exchange, limit=limit)

    def report(self) -> dict[str, dict[str, int]]:
        report: dict[str, dict[str, int]] = {}
        for (exchange, limit), count in sorted(self._counts.items()):
            report.setdefault(exchange, {})[limit] = count
        return report
