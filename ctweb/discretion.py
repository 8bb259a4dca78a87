"""What passes through our processes stays there: it is neither on the page of an error nor in the file of a crash."""

import re
import resource
from collections.abc import ItemsView
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

LEAST_CORE = (
    1  # Linux pipes cores to a handler whatever the limit is, unless it is this one; a file of one byte is none
)


class NothingThatWasSent(SafeExceptionReporterFilter):
    """An error's page shows where it happened, with DEBUG on too: not what was asked, nor what variables held."""

    hidden_settings = re.compile(
        rf"{SafeExceptionReporterFilter.hidden_settings.pattern}|URL", re.IGNORECASE
    )  # passwords

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> ItemsView[str, Any]:
        return dict[str, Any]().items()

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return {}


def leave_no_core() -> None:
    """A process that dies writes nothing of its memory, where keys of exchanges may stand."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    limit = LEAST_CORE if most == resource.RLIM_INFINITY else min(LEAST_CORE, most)
    resource.setrlimit(resource.RLIMIT_CORE, (limit, limit))
