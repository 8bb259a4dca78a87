"""Kill points: nothing of them in a system that runs."""

import signal
import threading

import pytest
from django.core.checks import run_checks

from apps.trading.execution.runtime import hooks
from ctweb import checks


@pytest.fixture
def killed(monkeypatch):
    """The signals that this process would have sent itself."""
    sent: list[signal.Signals] = []
    monkeypatch.setattr(signal, "pthread_kill", lambda thread, number: sent.append(number))
    monkeypatch.setattr(hooks, "_passed", hooks.Counter())
    return sent


@pytest.fixture
def at(monkeypatch, settings):
    settings.CT_TEST_HOOKS = True

    def arm(point: str, **more: str) -> None:
        monkeypatch.setenv("CT_KILL_AT", point)
        for name, value in more.items():
            monkeypatch.setenv(name, value)

    return arm


def test_without_the_setting_nothing_happens(killed, monkeypatch):
    monkeypatch.setenv("CT_KILL_AT", "K5")
    hooks.at("K5")
    assert killed == []


def test_a_process_ends_at_its_point_and_at_no_other(killed, at):
    at("K5")
    hooks.at("K4")
    assert killed == []
    hooks.at("K5")
    assert killed == [signal.SIGKILL]


def test_a_point_can_be_passed_before(killed, at):
    at("K5", CT_KILL_SKIP="2")
    for _ in range(5):
        hooks.at("K5")
    assert killed == [signal.SIGKILL]


def test_a_process_can_be_stopped_instead(killed, at):
    at("K5", CT_KILL_HOW="stop")
    hooks.at("K5")
    assert killed == [signal.SIGSTOP]


def test_a_thread_can_be_hung_instead(killed, at):
    at("K5", CT_KILL_HOW="hang")
    thread = threading.Thread(target=hooks.at, args=("K5",), daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    assert killed == []


def test_a_point_that_does_not_exist_is_told(at):
    at("K5")
    with pytest.raises(ValueError, match="K17"):
        hooks.at("K17")


def test_only_a_test_run_may_have_them(settings):
    settings.CT_TEST_HOOKS = True
    assert not [each for each in run_checks() if each.id == "ct.E003"]
    settings.SECRET_KEY = "s" * 50
    assert [each.id for each in checks.nobody_is_killed(None)] == ["ct.E003"]
