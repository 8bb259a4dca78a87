"""How workers go on when what they stand on fails for a while, several at a time."""

import threading
import time
import traceback
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError, connections

from apps.trading.execution.runtime.transactions import is_passing

AWAY_S = 0.2


def patiently(turn: Callable[[], Any]) -> Any:
    """What a worker's loop does when the database does not answer, or somebody who stands still holds rows locked: it
    comes again, see False.
    """
    try:
        return turn()
    except (OperationalError, InterfaceError) as error:
        if not (isinstance(error, OperationalError) and is_passing(error)):
            connections.close_all()
            time.sleep(AWAY_S)
        return False


def in_threads(jobs: list[Callable[[], None]]) -> None:
    """Raise what the first of them raised."""
    failed: list[BaseException] = []

    def run(job: Callable[[], None]) -> None:
        try:
            job()
        except BaseException as error:  # noqa: BLE001 (raised below)
            traceback.print_exc()  # at once: the others may run for long
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
