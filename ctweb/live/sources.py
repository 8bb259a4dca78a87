"""What the live hub asks of the stores; async fronts of what others read."""

import asyncio

from channels.db import database_sync_to_async

from apps.feeds import selectors as feeds
from apps.feeds.market import BookKey, Instrument
from apps.trading import selectors
from apps.users.models import User
from ctweb.api import stores
from ctweb.live.watchman import Enabled
from ctweb.loaded import loaded


async def catalogue() -> dict[BookKey, Instrument]:
    return await database_sync_to_async(feeds.catalogue)()


async def enabled() -> Enabled:
    return await database_sync_to_async(enabled_now)()


def enabled_now() -> Enabled:
    """What every daemon computes from the same rows."""
    target = loaded()
    return Enabled(
        depths={str(key): one.depth for key, one in target.subscriptions.items()},
        refused={f"{row.exchange}:{row.market_type}:{row.pair}": row.reason for row in target.refused},
    )


async def account_ids(user_id: int) -> frozenset[int]:
    """Of the accounts that this person may see now."""
    return await database_sync_to_async(_account_ids)(user_id)


def _account_ids(user_id: int) -> frozenset[int]:
    user = User.objects.filter(pk=user_id, is_active=True).first()
    return frozenset() if user is None else selectors.account_ids(user=user)


async def store_round_trips() -> dict[str, float | None]:
    """Store -> round trip in ms, None where one does not answer."""
    found = await asyncio.to_thread(stores.check)
    return {name: answer["ms"] for name, answer in found.items()}
