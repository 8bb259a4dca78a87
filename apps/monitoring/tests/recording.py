"""A daemon's recorder as a process, to be killed.

    python -m apps.monitoring.tests.recording SPOOL EPOCH FIRST_SEQ ROWS_A_SEGMENT

It records deltas of four books and a trade beside each, counting up from FIRST_SEQ, about 4,000 rows a second, until
SIGTERM. A line on stderr says that the first block of every table lies whole on disk.
"""

import asyncio
import signal
import sys
import time
from pathlib import Path

from apps.monitoring.blocks import INDEX_BYTES
from apps.monitoring.recorder import Recorder
from apps.monitoring.rows import COLUMNS
from apps.monitoring.tests.events import STREAM, delta, instrument, trade

BOOKS = [instrument(f"{base}/USDT") for base in ("BTC", "ETH", "SOL", "XRP")]


def is_written(spool: Path) -> bool:
    return sum(index.stat().st_size >= INDEX_BYTES for index in spool.glob("*/*.idx")) == len(COLUMNS)


async def record(spool: Path, epoch: int, seq: int, rows: int) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    recorder = Recorder(
        directory=spool, daemon="d1", batch_size=rows, batch_interval_s=rows / 1400, on_sealed=lambda batch: None
    )
    running = asyncio.create_task(recorder.run())
    told = False
    while not stop.is_set():
        for book in BOOKS:
            recorder.book(book, STREAM, epoch, delta(seq, time.time_ns(), book.symbol))
            recorder.trade(book, STREAM, epoch, trade(seq, time.time_ns(), book.symbol))
        seq += 1
        if not told and is_written(spool):
            told = True
            sys.stderr.write("recording\n")
        await asyncio.sleep(0.002)
    running.cancel()
    await asyncio.wait({running})
    await recorder.close()


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1]), *map(int, sys.argv[2:])))
