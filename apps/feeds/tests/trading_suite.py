"""The modules of the suite of trading, and the behaviours that they ask for."""

from collections.abc import Callable
from typing import Any

from apps.feeds.tests import (
    test_trading_conformance,
    test_trading_conformance_account,
    test_trading_conformance_fates,
    test_trading_conformance_private,
    test_trading_conformance_refusals,
    test_trading_conformance_sides,
    test_trading_conformance_timers,
    test_trading_conformance_trades,
)

SUITE = (
    test_trading_conformance,
    test_trading_conformance_trades,
    test_trading_conformance_account,
    test_trading_conformance_sides,
    test_trading_conformance_fates,
    test_trading_conformance_private,
    test_trading_conformance_refusals,
    test_trading_conformance_timers,
)


def behaviours() -> dict[str, Callable[..., Any]]:
    """By their names."""
    return {name: test for module in SUITE for name, test in vars(module).items() if name.startswith("test_")}
