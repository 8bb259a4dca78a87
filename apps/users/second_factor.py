"""The second factor: a code of six digits that a person's telephone makes, a new one every half minute (RFC 6238).

The mathematics, the pause that grows with each wrong code, and that no code counts twice are django-otp's; rows are its
`otp_totp_totpdevice`. A person has one device at most. Its secret is shown once, while it is enrolled, to that person.
"""

import re
from base64 import b32encode

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.users.models import User
from apps.users.services import Actor, record

log = structlog.get_logger(__name__)

NAME = "authenticator"
CODE = re.compile(r"[0-9]{6}", re.ASCII)


class CodeRefused(ValueError):
    """The text tells the person why, and never the code."""


class Enrolled(Exception):
    """There is a device already: it is taken away first, which needs its code."""


def has_device(user: User) -> bool:
    return _confirmed(user).exists()


def told(users: QuerySet[User]) -> QuerySet[User]:
    """The same, each with `coded`: whether there is a device."""
    return users.annotate(coded=Exists(TOTPDevice.objects.filter(user_id=OuterRef("pk"), confirmed=True)))


@transaction.atomic
def begin(user: User) -> TOTPDevice:
    """A device that counts once `confirm` has seen its first code; one that was begun before is forgotten.

    Raises Enrolled.
    """
    _lock(user)
    if has_device(user):
        raise Enrolled
    TOTPDevice.objects.filter(user=user).delete()
    return TOTPDevice.objects.create(user=user, name=NAME, confirmed=False)


def secret_text(device: TOTPDevice) -> str:
    """As telephones take it where they cannot see the picture: base 32, in groups of four."""
    text = b32encode(device.bin_key).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def confirm(*, user: User, code: str, actor: Actor) -> None:
    """The device that was begun makes codes: from now on it counts. Raises CodeRefused."""
    with transaction.atomic():
        _lock(user)
        device = TOTPDevice.objects.select_for_update().filter(user=user, confirmed=False).first()
        why = "Nothing was begun: ask for a new picture first." if device is None else _refusal(device, code)
        if device is not None and not why:
            device.confirmed = True
            device.save(update_fields=["confirmed"])
            record(actor=actor, action="second_factor.add", object=f"user {user.get_username()}")
    _raise(why, user)


def prove(*, user: User, code: str, needed: bool) -> bool:
    """Whether a code was given, which is then used up.

    Who has a device is asked for its code; who has none is let through unless one is `needed`. Raises CodeRefused.
    """
    if has_device(user):
        if not code:
            raise CodeRefused("This needs the code of your second factor.")
        verify(user=user, code=code)
        return True
    if needed:
        raise CodeRefused("This needs a second factor, and you have none: enrol one on /me/.")
    if code:
        raise CodeRefused("You have no second factor: leave this out.")
    return False


def verify(*, user: User, code: str) -> None:
    """The person has just read `code` off the device, and it never counts again. Raises CodeRefused.

    Not to be called in a transaction: one that is rolled back would forget a wrong code.
    """
    with transaction.atomic():
        device = _confirmed(user).select_for_update().first()
        why = "You have no second factor." if device is None else _refusal(device, code)
    _raise(why, user)


@transaction.atomic
def remove(*, user: User, actor: Actor, reason: str = "") -> bool:
    """Who does it has been asked for all that it takes; False: there is none."""
    gone, _ = TOTPDevice.objects.filter(user=user).delete()
    if gone:
        record(actor=actor, action="second_factor.remove", object=f"user {user.get_username()}", reason=reason)
    return bool(gone)


def _confirmed(user: User) -> QuerySet[TOTPDevice]:
    found: QuerySet[TOTPDevice] = TOTPDevice.objects.filter(user_id=user.pk, confirmed=True)
    return found


def _lock(user: User) -> None:
    """Who enrols twice at once enrols one after the other."""
    User.objects.select_for_update().get(pk=user.pk)


def _refusal(device: TOTPDevice, code: str) -> str:
    """Why this code of a locked device is none; empty: it was the right one, and is used up."""
    allowed, why = device.verify_is_allowed()
    if not allowed:
        seconds = max(1, round((why["locked_until"] - timezone.now()).total_seconds()))
        return f"Too many wrong codes: try again in {seconds} s."
    if CODE.fullmatch(code) and device.verify_token(code):
        return ""
    if not CODE.fullmatch(code):
        return "A code has six digits."
    return "That is not the code of this half minute, or it was used before: wait for the next one."


def _raise(why: str, user: User) -> None:
    if why:
        log.warning("code refused", user=user.get_username())
        raise CodeRefused(why)
