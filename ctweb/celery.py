"""The Celery app and its schedule. Everything on the schedule may be missed or run twice."""

import os
from typing import Any

from celery import Celery
from celery.signals import worker_ready

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ctweb.settings")

EVERY_S: dict[str, float] = {
    "apps.feeds.tasks.refresh_due": 5.0,
    "apps.users.tasks.sweep": 24 * 3600.0,
}


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
            name: {"task": name, "schedule": every_s, "options": {"expires": every_s}}
            for name, every_s in EVERY_S.items()
        },
    }


app = Celery("ct")
app.add_defaults(_configuration)
app.autodiscover_tasks()


@worker_ready.connect
def look_at_the_catalogue(**kwargs: Any) -> None:
    """The first daemon of a new system waits for it: not until the schedule comes around."""
    app.send_task("apps.feeds.tasks.refresh_due", expires=60)
