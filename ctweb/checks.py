"""What `manage.py check` and every start look at: combinations of settings that must not run."""

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

TEST_SECRET = "only-for-tests-"  # noqa: S105  # how the SECRET_KEY of every test run begins


@register()
def hosts_are_named(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The Origin check of the browser socket is only as good as this list."""
    if any("*" in host or host.startswith(".") for host in settings.ALLOWED_HOSTS):
        return [Error("CT_ALLOWED_HOSTS must name each host: a wildcard would admit any website.", id="ct.E001")]
    return []


@register()
def replay_has_captures(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A replay plays the recorded frames of a folder."""
    folder = settings.CT_CAPTURES_DIR
    if settings.SOURCE == "replay" and (folder is None or not folder.is_dir()):
        return [Error("SOURCE=replay needs CT_CAPTURES_DIR, a folder of recorded frames.", id="ct.E002")]
    return []


@register()
def nobody_is_killed(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Kill points are for tests."""
    if settings.CT_TEST_HOOKS and not settings.SECRET_KEY.startswith(TEST_SECRET):
        return [Error("CT_TEST_HOOKS is for tests: it makes processes kill themselves.", id="ct.E003")]
    return []


@register(deploy=True)
def somebody_is_paged(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """An alert that nobody sees stops an account five minutes later."""
    if not settings.CT_EMBEDDED and settings.CT_PAGER_URL is None and not settings.CT_PAGER_EMAIL_TO:
        return [
            Warning(
                "Neither CT_PAGER_URL nor CT_PAGER_EMAIL_TO is set: alerts reach nobody who has no page open.",
                id="ct.W001",
            )
        ]
    return []


@register()
def mail_has_a_server(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Who is to be written to is reached by somebody."""
    if settings.CT_PAGER_EMAIL_TO and settings.CT_SMTP_URL is None:
        return [Error("CT_PAGER_EMAIL_TO needs CT_SMTP_URL, the mail server that takes the messages.", id="ct.E004")]
    return []
