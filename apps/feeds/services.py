"""Writes about exchanges, their catalogue and the daemons; daemons are told at once when rows change."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils import timezone
from redis.exceptions import RedisError

from apps.feeds.bus.codec import NUDGE_CHANNEL
from apps.feeds.bus.redis import connect_sync
from apps.feeds.market import Instrument, InstrumentStatus, MarketType
from apps.feeds.models import Daemon, Exchange, TradePair
from apps.users.services import Actor, record

log = structlog.get_logger(__name__)

REFRESHED = (
    "symbol",
    "base",
    "quote",
    "settle",
    "tick",
    "lot",
    "contract_size",
    "inverse",
    "min_amount",
    "min_notional",
    "status",
    "volume_24h",
    "number",
    "refreshed_at",
)


def nudge_on_commit() -> None:
    """Tell the daemons, once the transaction is committed, that rows have changed: they fetch now, not in a second."""
    transaction.on_commit(_nudge)


def _nudge() -> None:
    client = connect_sync(settings.REDIS_URL)
    try:
        client.publish(NUDGE_CHANNEL, "rows")
    except RedisError as error:
        log.warning("nudge not sent, daemons see the change with their next look", error=str(error))
    finally:
        client.close()


@transaction.atomic
def sync_instruments(
    *, exchange: str, market_type: MarketType, instruments: Sequence[Instrument], may_be_empty: bool = False
) -> int:
    """Make the catalogue of one market what the exchange lists now; what it no longer lists is kept as delisted.

    Returns the number of listed instruments. Raises ValueError for an empty list, which no exchange means; recordings
    may be those of other markets, and then this one is empty.
    """
    if not instruments and not may_be_empty:
        raise ValueError(f"{exchange} {market_type} lists nothing")
    now = timezone.now()
    owner = Exchange.objects.get(code=exchange)
    target = connection.features.supports_update_conflicts_with_target  # MySQL goes by whatever unique key it hits
    TradePair.objects.bulk_create(
        [_row(one, owner, now) for one in instruments],
        update_conflicts=True,
        update_fields=REFRESHED,
        unique_fields=("exchange", "market_type", "pair") if target else None,
    )
    unseen = TradePair.objects.filter(exchange=owner, market_type=market_type, refreshed_at__lt=now)
    unseen.update(status=InstrumentStatus.DELISTED)
    nudge_on_commit()
    return len(instruments)


def outdate_catalogue(*, by: timedelta) -> None:
    """Let every market have been read so long ago: its list is that of another source."""
    TradePair.objects.update(refreshed_at=timezone.now() - by)


def _row(one: Instrument, owner: Exchange, now: datetime) -> TradePair:
    return TradePair(
        exchange=owner,
        market_type=one.market_type,
        pair=one.pair,
        symbol=one.symbol,
        base=one.base,
        quote=one.quote,
        settle=one.settle,
        tick=one.tick,
        lot=one.lot,
        contract_size=one.contract_size,
        inverse=one.inverse,
        min_amount=one.min_amount,
        min_notional=one.min_notional,
        status=one.status,
        volume_24h=one.volume_24h,
        number=one.number,
        refreshed_at=now,
    )


def check_unused(exchange: str) -> None:
    """Raise ValidationError with why an app needs the exchange: what `why_exchange_is_in_use` of its config says."""
    asked = (getattr(config, "why_exchange_is_in_use", None) for config in apps.get_app_configs())
    reasons = [why for ask in asked if ask is not None and (why := ask(exchange))]
    if reasons:
        raise ValidationError({"enabled": f"{exchange} stays on: {'; '.join(reasons)}. HALT stops it at once."})


@transaction.atomic
def set_exchange_enabled(*, exchange: str, enabled: bool, actor: Actor, reason: str = "") -> bool:
    """Switch all pairs of an exchange on or off. Tells whether anything changed. Raise ValidationError where another
    app still works on it.
    """
    row = Exchange.objects.select_for_update().get(code=exchange)
    if row.enabled == enabled:
        return False
    if not enabled:
        check_unused(exchange)
    Exchange.objects.filter(pk=row.pk).update(enabled=enabled)
    record(
        actor=actor,
        action="exchange.enable" if enabled else "exchange.disable",
        object=f"exchange {exchange}",
        before={"enabled": row.enabled},
        after={"enabled": enabled},
        reason=reason,
    )
    nudge_on_commit()
    return True


def heartbeat(
    *,
    daemon: str,
    boot_uuid: UUID,
    role: str,
    host: str,
    pid: int,
    started_at: datetime,
    capacity: int,
    sockets: int,
    build_id: str,
    draining: bool = False,
) -> None:
    """Note that a daemon lives, by the database's clock."""
    Daemon.objects.update_or_create(
        id=daemon,
        defaults={
            "boot_uuid": boot_uuid,
            "role": role,
            "host": host,
            "pid": pid,
            "heartbeat_at": Now(),
            "started_at": started_at,
            "capacity": capacity,
            "sockets": sockets,
            "build_id": build_id,
            "draining": draining,
        },
    )


def forget_daemon(*, daemon: str, boot_uuid: UUID) -> None:
    """A daemon that stopped in order leaves; one that was started again under its name meanwhile stays."""
    Daemon.objects.filter(id=daemon, boot_uuid=boot_uuid).delete()
