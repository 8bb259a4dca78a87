"""`python -m bench.orders`: how long orders take on this machine, see `bench.order_times`."""

import argparse
import os

import django


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.orders", description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of one run at a rate")
    options = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "ctweb.settings"
    import tests.environment  # noqa: F401 (a data folder of its own, and no settings of the developer)

    django.setup()
    from bench import order_times  # the jobs of its forks know Django

    order_times.run(options.runs, options.seconds)


if __name__ == "__main__":
    main()
