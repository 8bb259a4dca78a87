"""Every change of what is watched, whoever asks: admin, pages and REST.

One change is one row of the audit trail, and the daemons are told when it is committed. What cannot be done is refused
with Django's ValidationError, which names the fields.
"""

from collections.abc import Collection, Iterable, Mapping, Set
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from msgspec import Struct

from apps.feeds import selectors as feeds
from apps.feeds.market import BookKey
from apps.feeds.models import Exchange, TradePair
from apps.feeds.services import nudge_on_commit
from apps.monitoring.models import Monitoring, MonitoringPair
from apps.monitoring.selectors import key_of, rows_of
from apps.monitoring.watchable import check_offered, check_values, key_from, runnable
from apps.users.selectors import was_done
from apps.users.services import SYSTEM, Actor, record

MOST_AT_ONCE = 1000


class Change(Struct, frozen=True, kw_only=True):
    """What a service did; `change_id` is its row of the audit trail, None when nothing had to change."""

    change_id: int | None
    rows: list[int]


@transaction.atomic
def add_pair(
    *,
    exchange: str,
    pair: str,
    actor: Actor,
    market_type: str | None = None,
    depth: int | None = None,
    priority: int = 0,
    enabled: bool = True,
    reason: str = "",
) -> Monitoring:
    """Watch one more pair."""
    check_values(depth=depth, priority=priority)
    instrument = check_new(exchange=exchange, market_type=market_type, pair=pair)
    check_offered(depth, [key_from(exchange, market_type, pair)])
    row = _create(instrument, actor, depth=depth, priority=priority, enabled=enabled)
    _trace("pair.add", [row], actor, reason, after=[_state(row)])
    return row


@transaction.atomic
def enable_pairs(
    *, keys: Collection[BookKey], enabled: bool, actor: Actor, depth: int | None = None, reason: str = ""
) -> Change:
    """Watch all these instruments, or none of them; a row that is missing is made, with `depth`."""
    _check_count(keys, "pairs")
    check_values(depth=depth)
    if not enabled:
        _leave_lists(keys)
        return _set(rows_of(keys=keys), {"enabled": False}, "pair.disable", actor, reason)
    instruments = runnable(keys, field="pairs")
    rows = rows_of(keys=keys)
    missing = instruments.keys() - {key_of(row) for row in rows}
    check_offered(depth, missing)
    made = [_create(instruments[key], actor, depth=depth, enabled=False) for key in sorted(missing)]
    return _set([*rows, *made], {"enabled": True, "active": True}, "pair.enable", actor, reason)


@transaction.atomic
def edit(*, ids: Collection[int], values: Mapping[str, Any], actor: Actor, reason: str = "") -> Change:
    """Set `enabled`, `depth` or `priority` of rows, of all of them or of none."""
    check_values(**values)
    rows = _existing(ids)
    check_offered(values.get("depth"), [key for key in map(key_of, rows) if key is not None])
    if not values.get("enabled"):
        action = "pair.disable" if "enabled" in values else "pair.edit"
        return _set(rows, values, action, actor, reason)
    check_runnable(rows=rows)
    return _set(rows, {**values, "active": True}, "pair.enable", actor, reason)


@transaction.atomic
def check_new(*, exchange: str, market_type: str | None, pair: str) -> TradePair:
    """The instrument that `add_pair` would watch, locked; raises what it would raise."""
    key = key_from(exchange, market_type, pair)
    instrument = runnable({key})[key]
    for row in rows_of(keys={key}):
        raise ValidationError({"pair": f"{key.pair} is watched already, by row {row.pk}."})
    return instrument


@transaction.atomic
def check_runnable(*, rows: Iterable[Monitoring]) -> None:
    """Raise what switching these rows on would raise, for the field `enabled`."""
    try:
        keys = {key_from(row.exchange, row.market_type, row.pair) for row in rows}
    except ValidationError as error:
        raise ValidationError({"enabled": error.messages}) from None
    runnable(keys, field="enabled")


@transaction.atomic
def delete(*, ids: Collection[int], actor: Actor, reason: str = "") -> Change:
    """Forget rows; a pair is no longer watched unless another row asks for it."""
    rows = _existing(ids)
    change_id = _trace("pair.delete", rows, actor, reason, before=[_state(row) for row in rows])
    Monitoring.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return Change(change_id=change_id, rows=[row.pk for row in rows])


@transaction.atomic
def start_with(*, keys: Set[BookKey], reason: str = "") -> None:
    """Watch a starter set, once for each `reason`: whoever removes it has removed it. The catalogue may be empty."""
    if was_done(action="pair.start_with", reason=reason):
        return
    names = dict(Exchange.objects.values_list("code", "name"))
    rows = [
        Monitoring.objects.create(
            exchange=key.exchange,
            exchange_name=names.get(key.exchange),
            market_type=key.market_type,
            pair=key.pair,
            depth=None,
        )
        for key in sorted(keys - {key_of(row) for row in rows_of(keys=keys)})
    ]
    _trace("pair.start_with", rows, SYSTEM, reason, after=[_state(row) for row in rows])


def _set(rows: list[Monitoring], values: Mapping[str, Any], action: str, actor: Actor, reason: str) -> Change:
    """Write `values` to those rows that differ."""
    changed = [row for row in rows if any(getattr(row, name) != value for name, value in values.items())]
    if not changed:
        return Change(change_id=None, rows=[])
    before = [_state(row) for row in changed]
    Monitoring.objects.filter(pk__in=[row.pk for row in changed]).update(**values)
    after = [{**state, **values} for state in before]
    return Change(
        change_id=_trace(action, changed, actor, reason, before=before, after=after), rows=[row.pk for row in changed]
    )


def _create(instrument: TradePair, actor: Actor, *, depth: int | None, enabled: bool, priority: int = 0) -> Monitoring:
    return Monitoring.objects.create(
        exchange=instrument.exchange.code,
        exchange_name=instrument.exchange.name,
        market_type=instrument.market_type,
        trade_pair_id=instrument.pk,
        pair=instrument.pair,
        depth=depth,
        priority=priority,
        enabled=enabled,
        active=True,
        user_id=actor.user_id,
    )


def _leave_lists(keys: Collection[BookKey]) -> None:
    """A pair that is switched off must not stay wanted by the list of another row."""
    instruments = feeds.listed(keys=keys).values()
    MonitoringPair.objects.filter(trade_pair__in=[one.pk for one in instruments]).delete()


def _existing(ids: Collection[int]) -> list[Monitoring]:
    _check_count(ids, "ids")
    rows = list(Monitoring.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    missing = set(ids) - {row.pk for row in rows}
    if missing:
        raise ValidationError({"ids": f"No such row: {', '.join(str(one) for one in sorted(missing)[:10])}."})
    return rows


def _check_count(items: Collection[Any], field: str) -> None:
    if len(items) > MOST_AT_ONCE:
        raise ValidationError({field: f"At most {MOST_AT_ONCE} at once."})


def _state(row: Monitoring) -> dict[str, Any]:
    """What the audit trail keeps of a row."""
    names = ("exchange", "market_type", "pair", "enabled", "active", "depth", "priority")
    return {"id": row.pk, **{name: getattr(row, name) for name in names}}


def _trace(
    action: str, rows: Collection[Monitoring], actor: Actor, reason: str, *, before: Any = None, after: Any = None
) -> int:
    named = ", ".join(sorted({str(row) for row in rows}))
    subject = f"pair {named}" if len(rows) == 1 else f"{len(rows)} pairs: {named}"
    nudge_on_commit()
    return record(actor=actor, action=action, object=subject, before=before, after=after, reason=reason).change_id
