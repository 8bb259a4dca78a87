"""Processes that work until all is done, and are killed and stopped at random meanwhile."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.orders.forks import Fork

TIMES = int(os.environ.get("CT_FAULTS", "1"))  # how much larger than in CI these tests are
PATIENCE_S = 600.0 * TIMES
LOOK_S = 0.02


@dataclass
class Storm:
    """`start` forks one more worker; `on_death` is told of each that did not end by itself."""

    start: Callable[[], Fork]
    done: Callable[[], bool]
    workers: int
    kills: int
    pauses: int = 0
    pause_s: tuple[float, float] = (0.3, 3.0)
    every_s: tuple[float, float] = (0.05, 0.15)
    seed: int = 1
    on_death: Callable[[Fork], None] = lambda fork: None
    forks: list[Fork] = field(default_factory=list)
    killed: int = 0
    paused: int = 0

    def run(self) -> None:
        """Return when all is done and every worker has ended."""
        chance, slept, next_s, look_s = Random(self.seed), 0.0, 0.0, 0.0
        asleep: list[tuple[float, Fork]] = []
        self.forks = [self.start() for _ in range(self.workers)]
        while slept < PATIENCE_S:
            time.sleep(LOOK_S)
            slept += LOOK_S
            asleep = self._wake(asleep, slept)
            self._replace()
            if slept >= next_s and self.killed + self.paused < self.kills + self.pauses:
                next_s = slept + chance.uniform(*self.every_s)
                self._strike(chance, asleep, slept)
            if slept >= look_s:
                if self.done():
                    break
                look_s = slept + 0.5
        for _, fork in asleep:
            fork.send(signal.SIGCONT)
        for fork in self.forks:
            fork.wait()
        assert self.done(), "it did not come to an end"

    def _strike(self, chance: Random, asleep: list[tuple[float, Fork]], now: float) -> None:
        sleeping = {id(fork) for _, fork in asleep}
        awake = [fork for fork in self.forks if id(fork) not in sleeping and fork.status is None and fork.pid]
        if not awake:
            return
        victim = chance.choice(awake)
        left = (self.kills - self.killed, self.pauses - self.paused)
        if chance.randrange(sum(left)) < left[0]:
            self.killed += victim.kill()
        elif victim.send(signal.SIGSTOP):
            self.paused += 1
            asleep.append((now + chance.uniform(*self.pause_s), victim))

    def _wake(self, asleep: list[tuple[float, Fork]], now: float) -> list[tuple[float, Fork]]:
        for until, fork in asleep:
            if until <= now:
                fork.send(signal.SIGCONT)
        return [(until, fork) for until, fork in asleep if until > now]

    def _replace(self) -> None:
        for at, fork in enumerate(self.forks):
            if fork.status is not None and fork.status < 0:
                self.on_death(fork)
                self.forks[at] = self.start()
