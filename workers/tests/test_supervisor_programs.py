"""How long the processes of the embedded run may take to stop, against what everybody promises."""

from itertools import groupby
from pathlib import Path

from workers.__main__ import THREADS_END_S
from workers.supervisor import programs
from workers.supervisor.__main__ import exchanges, own_processes
from workers.supervisor.stack import LAST_WORDS_S, STOP_S

CTRL_C_S = 15.0


def stages() -> dict[int, int]:
    """Seconds that each stage of the stop may take: its processes stop together."""
    stores = [programs.redis(Path("redis-server"), Path("redis.conf")), programs.history(Path("history"), 8123, ())]
    table = sorted([*stores, *exchanges(8090), *own_processes()], key=lambda program: program.order)
    return {order: max(program.stop_s for program in stage) for order, stage in groupby(table, lambda one: one.order)}


def test_all_stages_together_end_before_the_stack_is_killed_and_that_before_ctrl_c_is_over():
    assert len(stages()) == 3
    assert sum(stages().values()) <= STOP_S
    assert STOP_S + LAST_WORDS_S < CTRL_C_S


def test_a_daemon_settles_before_the_supervisor_kills_it():
    daemon = programs.daemon("monitor")
    told = dict(zip(daemon.command[3::2], daemon.command[4::2], strict=True))
    assert float(told["--settle-s"]) + THREADS_END_S < daemon.stop_s
