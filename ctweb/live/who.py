"""Who sits behind a socket: asked when it opens, and again while it lives, since people sign out and roles change."""

from importlib import import_module
from typing import Any

from channels.auth import get_user
from channels.db import database_sync_to_async
from django.conf import settings

from apps.users.roles import VIEWER, has_role
from ctweb.live.protocol import Close


async def refusal(scope: dict[str, Any]) -> Close | None:
    """None when this socket may be here; the session is read anew, not as it was when the socket opened."""
    store = import_module(settings.SESSION_ENGINE).SessionStore
    user = await get_user({**scope, "session": store(scope["session"].session_key)})
    if not user.is_authenticated:
        return Close.SIGNED_OUT
    return None if await database_sync_to_async(has_role)(user, VIEWER) else Close.ROLE
