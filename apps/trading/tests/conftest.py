"""What tests of executors ask for by name."""

import pytest

from apps.trading.execution.executors import lanes


@pytest.fixture
def long_leases(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing runs out by itself on a slow machine: requests of `stage.executor` may be under way for long."""
    monkeypatch.setattr(lanes, "TTL_S", 600.0)
