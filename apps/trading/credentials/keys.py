"""Exchange keys of accounts: asked about, sealed and kept by whoever serves the form; opened by executors only."""

import time
from datetime import UTC, datetime

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from msgspec.structs import asdict

from apps.feeds.bus.meter import Meter
from apps.feeds.drivers import registry
from apps.feeds.market import MarketType
from apps.feeds.orders import Credentials, OrderRef
from apps.feeds.transport import loop
from apps.feeds.transport.addresses import Addresses
from apps.feeds.transport.gate import RESERVE, Gates
from apps.feeds.transport.orders import OrderClient
from apps.trading.credentials import keyring
from apps.trading.credentials.probing import Check, Finding, Outcome, Probe, probe
from apps.trading.credentials.sealing import CannotOpen, Place, PublicKey, Sealed
from apps.trading.models import Account, AccountKey
from apps.users.services import SYSTEM, Actor, record

TABLE = AccountKey._meta.db_table
PROBE_S = 30.0  # of all its requests together
LONGEST = 500  # characters of a key, a secret or a passphrase
HINT, HINTED_FROM = 4, 16  # so much of a key's id is shown, unless that were much of it
SHOWN = ("hint", "key_id", "version")


class KeyRefused(Exception):
    """The key is not kept; `findings` are the lines of the form."""

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(one.text for one in findings if one.outcome is Outcome.FAILED))
        self.findings = findings


class NoSealingKey(Exception):
    """This process has nothing to seal with: keys cannot be taken here."""


class NotAnExecutor(Exception):
    """This process was not told where the private keys are: it opens no exchange key."""


def check_form(keys: Credentials) -> None:
    """Raise ValidationError naming the fields that cannot be right; what stands in them is not repeated."""
    bad = {}
    for name in ("key", "secret", "passphrase"):
        value = getattr(keys, name)
        if not value and name != "passphrase":
            bad[name] = "Required."
        elif len(value) > LONGEST or not value.isascii() or not value.isprintable() or value != value.strip():
            bad[name] = f"At most {LONGEST} ASCII characters, without spaces around them."
    if bad:
        raise ValidationError(bad)


def ask_exchange(*, account: Account, keys: Credentials, order: OrderRef | None) -> Probe:
    """What the exchange says of a key, which has to see `order`; nothing is kept.

    Raises ValidationError, Retryable, MalformedFrame.
    """
    check_form(keys)
    return loop.run(_probe(account, keys, order), timeout=PROBE_S)


async def _probe(account: Account, keys: Credentials, order: OrderRef | None) -> Probe:
    exchange = account.exchange.code
    driver, trader = registry.driver(exchange), registry.trader(exchange)
    async with (
        Meter(settings.REDIS_URL) as meter,
        OrderClient(
            drivers={exchange: driver},
            traders={exchange: trader},
            addresses=Addresses(settings.CT_SIMULATOR_URL),
            gates=Gates(meter, reserve=RESERVE),
        ) as client,
    ):
        return await probe(
            client,
            trader,
            account=str(account.pk),
            market_type=MarketType(account.market_type),
            keys=keys,
            order=order,
            now_ms=lambda: time.time_ns() // 1_000_000,
        )


def keep(
    *, account: Account, found: Probe, actor: Actor, cannot_withdraw: bool = False, reason: str = ""
) -> AccountKey:
    """Seal the key that `found` is about and keep it in place of the account's former one.

    Raises as `judge`, or NoSealingKey; the former key is still there then.
    """
    judge(account=account, found=found, actor=actor, cannot_withdraw=cannot_withdraw, reason=reason)
    return _keep(account, found, actor, reason)


def judge(*, account: Account, found: Probe, actor: Actor, cannot_withdraw: bool = False, reason: str = "") -> None:
    """Raise KeyRefused where the key must not be kept. The trail tells of it, unless a transaction around forgets it.

    `cannot_withdraw`: the person has looked it up, where the exchange does not tell.
    """
    findings = found.findings
    if found.may_withdraw is None and not found.failed and not cannot_withdraw:
        asked = Finding(Check.WITHDRAW, Outcome.FAILED, "the exchange does not tell: confirm that it cannot withdraw")
        findings = tuple(asked if one.check is Check.WITHDRAW else one for one in findings)
    if any(one.outcome is Outcome.FAILED for one in findings):
        why = {"findings": [f"{one.check}: {one.outcome}" for one in findings]}
        record(actor=actor, action="key.set", object=_name(account.pk), after=why, reason=reason, result="refused")
        raise KeyRefused(findings)


@transaction.atomic
def _keep(account: Account, found: Probe, actor: Actor, reason: str) -> AccountKey:
    if actor.user_id is None:
        raise ValueError("a key is written by a person")
    account = Account.objects.select_for_update().get(pk=account.pk)
    former = AccountKey.objects.select_for_update().filter(pk=account.pk).first()
    place = Place(table=TABLE, pk=account.pk, user_id=actor.user_id, version=former.version + 1 if former else 1)
    sealed = public_key().seal(msgspec.json.encode(found.keys), place)
    now = datetime.now(UTC)
    row, _ = AccountKey.objects.update_or_create(
        account=account,
        defaults={
            "user_id": actor.user_id,
            "version": place.version,
            "key_id": sealed.key_id,
            "sealed": sealed.box,
            "hint": found.keys.key[-HINT:] if len(found.keys.key) >= HINTED_FROM else "",
            "permissions": None if found.permissions is None else asdict(found.permissions),
            "probed_at": now,
            "written_at": now,
        },
    )
    Account.objects.filter(pk=account.pk).update(exchange_account=found.keys.account, updated_at=now)
    record(
        actor=actor,
        action="key.set",
        object=_name(account.pk),
        before=former and {name: getattr(former, name) for name in SHOWN},
        after={name: getattr(row, name) for name in SHOWN} | {"permissions": row.permissions},
        reason=reason,
    )
    return row


@transaction.atomic
def remove(*, account: Account, actor: Actor, reason: str = "") -> bool:
    """Delete the account's key here (its owner ends it at the exchange); False when there is none."""
    row = AccountKey.objects.select_for_update().filter(pk=account.pk).first()
    if row is None:
        return False
    before = {name: getattr(row, name) for name in SHOWN}
    row.delete()
    record(actor=actor, action="key.remove", object=_name(account.pk), before=before, reason=reason)
    return True


def open_key(account_id: int) -> Credentials:
    """The key of an account, for the request that is signed with it and no longer.

    Raises AccountKey.DoesNotExist; NotAnExecutor, CannotOpen or KeyFileRefused, which the trail tells of.
    """
    row = AccountKey.objects.get(pk=account_id)
    try:
        path = settings.CT_SEAL_PRIVATE_KEYS_FILE
        if path is None:
            raise NotAnExecutor(f"{_name(account_id)}: keys are opened by executors only")
        ring = keyring.read_ring(path)
        return msgspec.json.decode(ring.open(sealed_of(row), place_of(row)), type=Credentials)
    except msgspec.DecodeError:
        record(actor=SYSTEM, action="key.open", object=_name(account_id), reason="not a key", result="refused")
        raise CannotOpen(f"{_name(account_id)}: what was sealed is no key") from None
    except (NotAnExecutor, CannotOpen, keyring.KeyFileRefused) as error:
        record(actor=SYSTEM, action="key.open", object=_name(account_id), reason=type(error).__name__, result="refused")
        raise


def public_key() -> PublicKey:
    """What keys are sealed with here: the setting, or the file of the embedded run as it is now; raise NoSealingKey."""
    if settings.CT_SEAL_PUBLIC_KEY is not None:
        return PublicKey.parse(settings.CT_SEAL_PUBLIC_KEY)
    if not settings.CT_EMBEDDED:
        raise NoSealingKey("CT_SEAL_PUBLIC_KEY is not set: keys cannot be taken")
    try:
        return keyring.read_public(keyring.embedded(settings.CT_DATA_DIR).public)
    except keyring.KeyFileRefused as error:
        raise NoSealingKey(str(error)) from None


def place_of(row: AccountKey) -> Place:
    return Place(table=TABLE, pk=row.pk, user_id=row.user_id, version=row.version)


def sealed_of(row: AccountKey) -> Sealed:
    return Sealed(row.key_id, bytes(row.sealed))


def _name(account_id: int) -> str:
    return f"account {account_id}"
