import os
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.feeds.models import Daemon
from workers.identity import Identity

pytestmark = pytest.mark.django_db


def me() -> Identity:
    return Identity(daemon="d1", role="monitor", capacity=800, sockets=20, build="test")


def other(**changed: object) -> None:
    """A row of a daemon of our name in another life."""
    values = {"host": "elsewhere", "pid": 1, "heartbeat_at": timezone.now(), **changed}
    Daemon.objects.create(
        id="d1",
        boot_uuid=uuid.uuid4(),
        role="monitor",
        started_at=timezone.now(),
        capacity=1,
        build_id="test",
        **values,
    )


def test_nobody_of_our_name_is_no_rival():
    assert me().rival() is None


def test_our_own_heartbeat_is_no_rival():
    identity = me()
    identity.heartbeat()
    assert identity.rival() is None


def test_a_living_daemon_of_our_name_on_another_host_is_a_rival():
    other()
    assert me().rival() == "daemon d1 runs already on elsewhere as process 1"


def test_a_living_process_of_this_host_is_a_rival_and_a_dead_one_is_not():
    identity = me()
    other(host=identity.host, pid=os.getpid())
    assert identity.rival() is not None
    Daemon.objects.update(pid=2**22 + 1)  # beyond what the system gives out
    assert identity.rival() is None


def test_a_heartbeat_that_grew_old_is_no_rival():
    other(heartbeat_at=timezone.now() - timedelta(seconds=11))
    assert me().rival() is None


def test_an_orderly_stop_takes_the_row_away_but_not_a_successors():
    identity, successor = me(), me()
    identity.heartbeat()
    successor.heartbeat()
    identity.leave()
    assert Daemon.objects.get().boot_uuid == successor.boot
    successor.leave()
    assert not Daemon.objects.exists()
