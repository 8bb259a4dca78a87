"""Who sits behind a socket: asked when it opens, and again while it lives, since people sign out and roles change."""

from importlib import import_module
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase, UpdateError

from apps.users.roles import VIEWER, has_role
from apps.users.sessions import is_over, note_use
from ctweb.live.protocol import Close


async def refusal(scope: dict[str, Any], *, in_use: bool = False) -> Close | None:
    """None when this socket may be here; the session is read anew, not as it was when the socket opened.

    `in_use`: somebody looks at the page, which keeps the session from growing idle as a request would.
    """
    store = import_module(settings.SESSION_ENGINE).SessionStore
    session = store(scope["session"].session_key)
    user = await get_user({**scope, "session": session})
    if not user.is_authenticated or not await database_sync_to_async(_goes_on)(session, in_use):
        return Close.SIGNED_OUT
    return None if await database_sync_to_async(has_role)(user, VIEWER) else Close.ROLE


def _goes_on(session: SessionBase, in_use: bool) -> bool:
    if is_over(session):
        return False
    if in_use:
        note_use(session)
    if session.modified:
        try:
            session.save()
        except UpdateError:  # signed out in this very moment
            return False
    return True
