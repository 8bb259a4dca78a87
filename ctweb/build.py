"""Which build this is, for the foot of every page."""

from django.conf import settings


def build_id() -> str:
    """The commit's short hash in a clone, else the version; as it was when the process started."""
    return str(settings.CT_BUILD_ID)
