"""`python -m workers --role monitor|trader|both|simulator`: one process of the system, until SIGTERM or Ctrl-C."""

import argparse
import asyncio
import os
import sys
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import django
import uvloop
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from workers import leaving, watchdog
from workers.lifecycle import FAILED, SETTLE_S, CannotStart, Lifecycle

if TYPE_CHECKING:
    from workers.trader.daemon import Daemon

MONITOR, TRADER, BOTH, SIMULATOR = "monitor", "trader", "both", "simulator"
SETTLES_S = {MONITOR: SETTLE_S, TRADER: 26.0, BOTH: 26.0}  # unless whoever started the process gives it less
AFTER_ORDERS_S = 2.5  # of that, for all that stops once trading has


def main(arguments: list[str] | None = None) -> int:
    """The exit code; what cannot start says so in one line on stderr."""
    parser = argparse.ArgumentParser(prog="python -m workers", description=__doc__)
    parser.add_argument("--role", choices=(*SETTLES_S, SIMULATOR), help="default: CT_ROLE")
    parser.add_argument("--settle-s", type=float, help="an orderly stop of a daemon takes no longer")
    options = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ctweb.settings")
    django.setup()
    role = options.role or settings.CT_ROLE
    run = _simulator if role == SIMULATOR else partial(_daemon, role, options.settle_s or SETTLES_S[role])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


async def _daemon(role: str, settle_s: float) -> int:
    from apps.monitoring.spool import SpoolBusyError

    try:
        daemon = _make(role, settle_s)

        def stopping() -> None:
            leaving.within(settle_s + leaving.THREADS_END_S, FAILED)
            daemon.stopping()

        with watchdog.watching(FAILED):
            code = await Lifecycle(daemon.parts(), on_stopping=stopping, settle_s=settle_s).serve()
        leaving.within(leaving.THREADS_END_S, code)  # all that is to be done is done: only the loop closes yet
        return code
    except (CannotStart, ImproperlyConfigured, SpoolBusyError, OSError) as error:
        return _refuse(str(error))


def _make(role: str, settle_s: float) -> "Daemon":
    from workers.monitor import Monitor
    from workers.options import Options, TradeOptions

    options = Options(
        daemon=settings.CT_DAEMON_ID,
        role=role,
        redis_url=settings.REDIS_URL,
        simulator_url=settings.CT_SIMULATOR_URL,
        data_dir=settings.CT_DATA_DIR,
        pairs_per_connection=settings.CT_PAIRS_PER_CONNECTION,
        max_connections=settings.CT_MAX_CONNECTIONS,
        depth=settings.CT_ORDERBOOK_DEPTH,
        publish_hz=settings.CT_PUBLISH_HZ,
        batch_size=settings.CT_BATCH_SIZE,
        batch_interval_s=settings.CT_BATCH_INTERVAL_S,
        build=settings.CT_BUILD_ID,
    )
    if role == MONITOR:
        return Monitor(options)
    from apps.users import pagers
    from workers.trader.daemon import Alone, Both

    trading = TradeOptions(
        halt_file=settings.CT_HALT_FILE,
        cancels_on_stop=settings.CT_CANCEL_ON_STOP,
        stop_s=max(settle_s - AFTER_ORDERS_S, settle_s / 2),
        pagers=pagers.lines(
            url=settings.CT_PAGER_URL,
            mail_to=settings.CT_PAGER_EMAIL_TO,
            mail_from=settings.CT_PAGER_EMAIL_FROM,
            smtp_url=settings.CT_SMTP_URL,
        ),
    )
    return Both(options, trading) if role == BOTH else Alone(options, trading)


async def _simulator() -> int:
    from apps.feeds.simulator.server import serve

    address = urlsplit(settings.CT_SIMULATOR_URL or "")
    if not address.hostname or not address.port:
        return _refuse("role simulator needs SOURCE=simulator or replay, and CT_SIMULATOR_URL with a port")
    replay = settings.CT_CAPTURES_DIR if settings.SOURCE == "replay" else None
    try:
        await serve(host=address.hostname, port=address.port, replay=replay)
    except (OSError, ValueError) as error:
        return _refuse(str(error))
    return 0


def _refuse(line: str) -> int:
    sys.stderr.write(f"workers: {line}\n")
    return 1


if __name__ == "__main__":
    leaving.leave(main())
