"""Alerts that wait for somebody, and ways to them that know no hurry."""

from datetime import timedelta
from types import ModuleType

import pytest

from apps.users import paging
from apps.users.alerts import raise_alert


def troubles(number: int) -> list[int]:
    return [raise_alert(kind="UNKNOWN", text=f"order {n}", scope="account", scope_id=str(n)).pk for n in range(number)]


def no_hurry(monkeypatch: pytest.MonkeyPatch, *transports: ModuleType) -> None:
    """However slow the machine is: tests say when a pause is over."""
    for transport in transports:
        monkeypatch.setattr(transport, "TIMEOUT_S", 60.0)
    monkeypatch.setattr(paging, "CLAIM_S", 3_600.0)
    monkeypatch.setattr(paging, "UNIT", timedelta(hours=1))
