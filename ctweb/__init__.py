"""Names the Celery app, so that tasks sent from web and daemons find their broker."""

from ctweb.celery import app as celery_app

__all__ = ["celery_app"]
