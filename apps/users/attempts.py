"""How often a password may be wrong: django-axes counts, and here each try is taken before it is looked at.

Axes alone counts what has failed: of many requests at once each would find the others not counted yet. So a try that is
under way stands in a row of its own, for the name and address that it is of, until it has failed or was right.
"""

import time
from typing import Any

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username, get_failure_limit
from axes.models import AccessAttempt
from django.contrib.auth.signals import user_login_failed
from django.db import transaction
from django.db.models import F, QuerySet

UNDER_WAY = " (under way)"  # no name of a person ends so
LONGEST_NAME = 150
PATIENCE_S = 5.0  # a right password gives its try back: who comes beside it waits for that
LOOK_S = 0.05


class TriesTakenFirst(AxesDatabaseHandler):
    """Axes' handler, for which tries under way count like wrong ones."""

    def is_allowed(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        """Whether a password may be looked at now, and if so the try is taken: see `give_back`."""
        name = get_client_username(request, credentials)
        until = time.monotonic() + PATIENCE_S
        while super().is_allowed(request, credentials):
            if name is None or self._take(request, credentials, name):
                return True
            if time.monotonic() > until:
                return False
            time.sleep(LOOK_S)
        return False

    def user_login_failed(self, sender: Any, credentials: dict[str, Any], request: Any = None, **kwargs: Any) -> None:
        name = get_client_username(request, credentials)
        if name is not None:
            _row_of(request, name=name, user_agent=request.axes_user_agent)
        super().user_login_failed(sender, credentials, request, **kwargs)
        give_back(request)

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        super().user_logged_in(sender, request, user, **kwargs)
        give_back(request)

    def _take(self, request: Any, credentials: dict[str, Any] | None, name: str) -> bool:
        rows = _row_of(request, name=name[:LONGEST_NAME] + UNDER_WAY, user_agent="")
        with transaction.atomic():
            row = rows.select_for_update().first()
            if row is None:  # swept away as an old one
                return False
            if row.attempt_time < get_cool_off_threshold(request):
                row.failures_since_start = 0  # of a process that was killed
            failed = self.get_failures(request, credentials)
            if failed + row.failures_since_start >= get_failure_limit(request, credentials):
                return False
            row.failures_since_start += 1
            row.attempt_time = request.axes_attempt_time
            row.save(update_fields=["failures_since_start", "attempt_time"])
        request.try_taken = row.pk
        return True


def _row_of(request: Any, *, name: str, user_agent: str) -> QuerySet[AccessAttempt]:
    """A row for these, by itself: MariaDB gives up one of two transactions that make the same row at once."""
    whose = {"username": name, "ip_address": request.axes_ip_address, "user_agent": user_agent}
    rows: QuerySet[AccessAttempt] = AccessAttempt.objects.filter(**whose).order_by("pk")
    if not rows.exists():
        AccessAttempt.objects.bulk_create([AccessAttempt(**whose, failures_since_start=0)], ignore_conflicts=True)
    return rows


def give_back(request: Any) -> None:
    """The try is over: it was right, or has been counted as a wrong one."""
    taken = getattr(request, "try_taken", None)
    if taken is not None:
        rows = AccessAttempt.objects.filter(pk=taken, failures_since_start__gt=0)
        rows.update(failures_since_start=F("failures_since_start") - 1)
        request.try_taken = None


def count_as_wrong(request: Any, *, name: str) -> None:
    """What was right is not enough, and costs as much as a wrong password."""
    user_login_failed.send(sender=__name__, credentials={"username": name}, request=request)
