"""One way to log for every process: structlog behind the standard library, JSON lines or text for a terminal."""

import logging
import logging.config
import sys
from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

import structlog

FIRST: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]

# A line for every sign-in, every task that began and ended well; of the schedule its beginning and end are told.
QUIET = ("axes", "celery.worker.strategy", "celery.app.trace")
TICK = "Scheduler: Sending due task"


def logging_settings(*, level: str, json: bool | None) -> dict[str, Any]:
    """Django's LOGGING; `json` None means JSON unless the log goes to a terminal."""
    as_json = not sys.stderr.isatty() if json is None else json
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    last: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if as_json:
        last.append(structlog.processors.format_exc_info)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [*last, renderer],
                "foreign_pre_chain": [*FIRST, structlog.stdlib.ExtraAdder()],
            }
        },
        "filters": {"no ticks": {"()": lambda: _no_tick}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"handlers": [], "level": level, "propagate": True},
            **{name: {"level": "WARNING"} for name in QUIET},
            "celery.beat": {"filters": ["no ticks"]},
            "django.server": {"handlers": [], "level": level, "propagate": True},
        },
    }


def _no_tick(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith(TICK)


def add_options(parser: ArgumentParser) -> None:
    """For a process that reads no settings: what CT_LOG_LEVEL and CT_LOG_JSON are to the others."""
    parser.add_argument("--log-level", default="INFO")
    parser.add_argument("--log-json", action=BooleanOptionalAction, help="default: unless the log goes to a terminal")


def options(*, level: str, json: bool | None) -> tuple[str, ...]:
    """The words of a command line that say this."""
    given = {None: (), True: ("--log-json",), False: ("--no-log-json",)}[json]
    return ("--log-level", level, *given)


def start(*, level: str, json: bool | None) -> None:
    """Log like this from now on."""
    logging.config.dictConfig(logging_settings(level=level, json=json))
    send_structlog_to_stdlib()


def send_structlog_to_stdlib() -> None:
    """Loggers of structlog and of the standard library end in the same lines."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *FIRST,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
