"""The web process as a Django app: its templates, static files, commands and checks are found by it."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    name = "ctweb"
    verbose_name = "ct-system"

    def ready(self) -> None:
        from apps.logs import send_structlog_to_stdlib
        from ctweb import checks  # noqa: F401  # registers them
        from ctweb.discretion import leave_no_core

        leave_no_core()
        send_structlog_to_stdlib()
