"""`python -m apps.feeds.simulator --port P`: exchanges on the loopback."""

import argparse
import asyncio
import sys
from pathlib import Path

from apps import logs
from apps.feeds.simulator.server import serve


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m apps.feeds.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same markets")
    parser.add_argument("--rate", type=float, help="book messages a second in all; default: the exchanges' own pace")
    parser.add_argument("--replay", type=Path, metavar="DIR", help="play the recordings under DIR instead")
    parser.add_argument("--accounts", type=Path, metavar="FILE", help="keep accounts with keys from here in this file")
    logs.add_options(parser)
    options = parser.parse_args()
    logs.start(level=options.log_level, json=options.log_json)
    try:
        asyncio.run(
            serve(
                host=options.host,
                port=options.port,
                seed=options.seed,
                rate=options.rate,
                replay=options.replay,
                accounts=options.accounts,
            )
        )
    except (OSError, ValueError) as error:
        sys.stderr.write(f"simulator: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
