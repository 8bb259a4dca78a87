"""When a Celery worker counts as one that takes nothing any more."""

from ctweb.canary import LOOKS, SILENT, Watch

MOST = round(SILENT * LOOKS)


class Worker:
    def __init__(self, *, obeys: bool = True, broker: bool = True) -> None:
        self.took = self.sent = 0
        self.obeys, self.broker = obeys, broker
        self.watch = Watch(10.0, taken=lambda: self.took, send=self._send)

    def _send(self) -> bool:
        self.sent += self.broker
        self.took += self.broker and self.obeys
        return self.broker

    def lives(self, looks: int) -> int:
        """How many looks it outlives."""
        return next((look for look in range(looks) if not self.watch.is_alive()), looks)


def test_a_worker_that_takes_its_canaries_lives():
    worker = Worker()
    assert worker.lives(10 * MOST) == 10 * MOST
    assert worker.sent == 10 * MOST // LOOKS


def test_one_that_takes_nothing_for_45_seconds_ends():
    worker = Worker(obeys=False)
    assert worker.watch.look_s * worker.lives(10 * MOST) == 45


def test_any_task_that_begins_is_a_sign_of_life():
    worker = Worker(obeys=False)
    for _ in range(5):
        assert worker.lives(MOST) == MOST
        worker.took += 1


def test_while_the_broker_takes_no_canary_nothing_is_held_against_the_worker():
    worker = Worker(obeys=False, broker=False)
    assert worker.lives(10 * MOST) == 10 * MOST
    worker.broker = True
    assert MOST - LOOKS <= worker.lives(10 * MOST) <= MOST + LOOKS
