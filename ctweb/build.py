"""Which build this is, for the foot of every page."""

import shutil
import subprocess
from functools import cache

from django.conf import settings


@cache
def build_id() -> str:
    """The commit's short hash in a clone, else the version."""
    try:
        found = subprocess.run(
            [shutil.which("git") or "git", "rev-parse", "--short", "HEAD"],
            cwd=settings.BASE_DIR,
            capture_output=True,
            text=True,
            timeout=5,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return str(settings.VERSION)
    return found.stdout.strip()
