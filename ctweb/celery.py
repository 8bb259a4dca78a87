"""The Celery app and its schedule. Everything on the schedule may be missed or run twice."""

import os
from typing import Any

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ctweb.settings")

EVERY_S = {
    "apps.feeds.tasks.refresh_due": 10.0,
}


def _configuration() -> dict[str, Any]:
    """Read when the app is first used: importing this package must not read the environment."""
    from django.conf import settings

    from ctweb.conf.queues import celery_settings

    return {
        **celery_settings(redis_url=settings.REDIS_URL, run_dir=settings.CT_DATA_DIR / "run"),
        "beat_schedule": {
            name: {"task": name, "schedule": every_s, "options": {"expires": every_s}}
            for name, every_s in EVERY_S.items()
        },
    }


app = Celery("ct")
app.add_defaults(_configuration)
app.autodiscover_tasks()
