import asyncio
import signal
import subprocess
import sys

import pytest
from msgspec.structs import replace

from apps.feeds.tests.waiting import until
from workers.lifecycle import FAILED, CannotStart, Lifecycle, Part


class Diary:
    def __init__(self) -> None:
        self.entries: list[str] = []

    def part(self, name: str, *, deadline_s: float = 25.0, stop_takes_s: float = 0.0, fails: bool = False) -> Part:
        async def start() -> None:
            self.entries.append(f"start {name}")

        async def run() -> None:
            if fails:
                raise RuntimeError("broken")
            await asyncio.Event().wait()

        async def stop() -> None:
            await asyncio.sleep(stop_takes_s)
            self.entries.append(f"stop {name}")

        return Part(name=name, start=start, run=run, stop=stop, deadline_s=deadline_s)


async def stopped_after(life: Lifecycle, diary: Diary, entry: str) -> int:
    """Serve until that stands in the diary."""
    serving = asyncio.create_task(life.serve())
    await until(lambda: entry in diary.entries)
    life.stopping.set()
    async with asyncio.timeout(20):  # less than parts take here that nobody waits for
        return await serving


async def test_parts_start_in_order_and_stop_in_reverse():
    diary = Diary()
    life = Lifecycle([diary.part("a"), diary.part("b")], on_stopping=lambda: diary.entries.append("stopping"))
    assert await stopped_after(life, diary, "start b") == 0
    assert diary.entries == ["start a", "start b", "stopping", "stop b", "stop a"]


async def test_a_part_that_ends_by_itself_stops_all_and_the_process_fails():
    diary = Diary()
    assert await Lifecycle([diary.part("a"), diary.part("b", fails=True)]).serve() == FAILED
    assert diary.entries[-2:] == ["stop b", "stop a"]


async def test_a_part_beyond_its_deadline_does_not_hold_up_the_others():
    diary = Diary()
    life = Lifecycle([diary.part("a"), diary.part("slow", deadline_s=0.05, stop_takes_s=30)])
    assert await stopped_after(life, diary, "start slow") == FAILED
    assert diary.entries[-1] == "stop a"
    assert "stop slow" not in diary.entries


async def test_a_part_that_fails_while_it_stops_is_counted_and_does_not_hold_up_the_others():
    diary = Diary()

    async def fail() -> None:
        raise ZeroDivisionError

    life = Lifecycle([diary.part("a"), *(replace(diary.part(name), stop=fail) for name in ("b", "c"))])
    assert await stopped_after(life, diary, "start c") == FAILED
    assert life.failures == 2
    assert diary.entries[-1] == "stop a"


async def test_all_parts_together_settle_within_what_they_are_given():
    diary = Diary()
    slow = [diary.part(name, deadline_s=30, stop_takes_s=30) for name in ("a", "b", "c")]
    life = Lifecycle(slow, settle_s=0.1)
    assert await stopped_after(life, diary, "start c") == FAILED
    assert not [entry for entry in diary.entries if entry.startswith("stop")]


async def test_a_part_that_cannot_start_leaves_nothing_running():
    diary = Diary()

    async def refuse() -> None:
        raise CannotStart("the port is taken")

    with pytest.raises(CannotStart, match="the port is taken"):
        await Lifecycle([diary.part("a"), Part(name="b", start=refuse)]).serve()
    assert diary.entries == ["start a", "stop a"]


async def test_a_start_that_waits_is_given_up_when_the_process_is_told_to_stop():
    diary = Diary()
    life = Lifecycle([diary.part("a"), Part(name="b", start=lambda: asyncio.sleep(60)), diary.part("c")])
    assert await stopped_after(life, diary, "start a") == 0
    assert diary.entries == ["start a", "stop a"]


HANGING = """
import asyncio
from workers.lifecycle import Lifecycle, Part
async def started():
    print("started", flush=True)
async def hang():
    print("stopping", flush=True)
    await asyncio.sleep(60)
asyncio.run(Lifecycle([Part(name="hanging", start=started, stop=hang, deadline_s=60)]).serve())
"""


@pytest.mark.faults
def test_a_second_signal_ends_the_process_at_once():
    with subprocess.Popen([sys.executable, "-c", HANGING], stdout=subprocess.PIPE, text=True) as process:
        for word in ("started\n", "stopping\n"):
            while process.stdout.readline() != word:  # the log goes to the same place
                assert process.poll() is None
            process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
