"""How long a session lasts: half an hour without use (SESSION_COOKIE_AGE), and half a day whatever happens."""

import time

from django.contrib.sessions.backends.base import SessionBase

WHOLE_S = 12 * 3600
NOTED_EVERY_S = 5 * 60  # a session in use is written this often, not with every request


def is_over(session: SessionBase) -> bool:
    now = int(time.time())
    return bool(now - session.get("began", now) > WHOLE_S)


def note_use(session: SessionBase) -> None:
    """It is used right now; when that was last noted a while ago the session is changed, and saving it renews it."""
    now = int(time.time())
    if now - session.get("noted", 0) > NOTED_EVERY_S:
        session["began"], session["noted"] = session.get("began", now), now
