"""The Celery app and its schedule. Everything on the schedule may be missed or run twice."""

import logging.config
import os
from typing import Any

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging, worker_ready

from ctweb import canary

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ctweb.settings")

SCHEDULE: dict[str, float | crontab] = {  # seconds, or a time of day
    "apps.feeds.tasks.refresh_due": 5.0,
    "apps.monitoring.tasks.scan_spools": 5.0,
    "apps.trading.tasks.look_at_lanes": 5.0,
    "apps.users.tasks.page": 5.0,
    "apps.monitoring.tasks.watch_gaps": 10.0,
    "apps.trading.tasks.watch_accounts": 10.0,
    "apps.monitoring.tasks.clean_spools": 3600.0,
    "apps.monitoring.tasks.audit_history": crontab(hour="2", minute="10"),
    "apps.users.tasks.sweep": crontab(hour="3", minute="10"),
}
HOUR_S = 3600.0


def _configuration() -> dict[str, Any]:
    """Read when the app is first used: importing this package must not read the environment."""
    from django.conf import settings

    from ctweb.conf.queues import celery_settings

    return {
        **celery_settings(
            redis_url=settings.REDIS_URL,
            run_dir=settings.CT_DATA_DIR / "run",
            finish_s=2 if settings.CT_EMBEDDED else 20,
        ),
        "beat_schedule": {
            name: {"task": name, "schedule": due, "options": {"expires": due if isinstance(due, float) else HOUR_S}}
            for name, due in SCHEDULE.items()
        },
    }


app = Celery("ct")
app.add_defaults(_configuration)
app.autodiscover_tasks()


@setup_logging.connect
def log_as_everybody_does(**kwargs: Any) -> None:
    """Being asked here, Celery leaves logging alone: Django's LOGGING holds."""
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_ready.connect
def look_at_the_catalogue(**kwargs: Any) -> None:
    """The first daemon of a new system waits for it: not until the schedule comes around."""
    app.send_task("apps.feeds.tasks.refresh_due", expires=60)


@worker_ready.connect
def watch_the_worker(sender: Any, **kwargs: Any) -> None:
    """Libraries of brokers were seen to be connected again and to take nothing."""
    from django.conf import settings

    canary.start(sender.hostname, settings.CT_CELERY_CHECK_S)
