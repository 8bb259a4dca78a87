"""`python -m bench.cancel_daemon FILE`: a daemon of role `both` that notes in FILE when the bytes of each cancel leave.

One line for each: nanoseconds of the host's clock, right before the request is written.
"""

import os
import sys
import time
from pathlib import Path

from apps.feeds.drivers.base import Request
from apps.feeds.drivers.trading import Answer
from apps.feeds.transport.orders import OrderClient, Purpose


class NotingClient(OrderClient):
    notes: Path

    async def _send(self, request: Request, purpose: Purpose) -> Answer:
        if purpose is Purpose.CANCEL:
            with self.notes.open("a") as file:
                file.write(f"{time.time_ns()}\n")
        return await super()._send(request, purpose)


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctweb.settings"
    import django

    django.setup()
    from workers import __main__ as workers
    from workers.trader import exchanges

    NotingClient.notes = Path(sys.argv[1])
    vars(exchanges)["OrderClient"] = NotingClient
    sys.exit(workers.main(["--role", "both"]))


if __name__ == "__main__":
    main()
