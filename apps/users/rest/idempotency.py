"""One effect per idempotency key: a repeated request gets the first one's answer."""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, TypeVar, cast

from django.db import IntegrityError, transaction
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.users.models import IdempotentAnswer
from apps.users.rest.exceptions import Conflict

HEADER = "Idempotency-Key"
LONGEST = 100
IN_WORK = f"The first request with this {HEADER} is still at work: ask again for its answer."
CLAIMED = timedelta(minutes=2)  # longer than anything takes that `asked_first` waits for

Handler = Callable[..., Response]
T = TypeVar("T")


def idempotent(handler: Handler) -> Handler:
    """A view's method that honours `Idempotency-Key`.

    The key is committed with the effect. A repeat waits for the first request and answers as that did; the same key
    with another request is refused with 409. A request that was refused leaves its key free.
    """

    @wraps(handler)
    def once(view: Any, request: Request, *args: Any, **kwargs: Any) -> Response:
        key = _key(request)
        if key is None:
            return handler(view, request, *args, **kwargs)
        with transaction.atomic():
            return _once(request, key, lambda: handler(view, request, *args, **kwargs))

    return once


def asked_first(request: Request, ask: Callable[[], T], act: Callable[[T], Response]) -> Response:
    """As `idempotent`, for what asks somebody over the network: `act` has the effect, with what `ask` found out.

    No transaction is open while `ask` waits. Before it the key is claimed, and a repeat meanwhile is refused with 409;
    the claim of a process that died is worth nothing after `CLAIMED`.
    """
    key = _key(request)
    if key is None:
        return act(ask())
    if (known := answered(request)) is not None:
        return known
    with _claimed(request, key) as claim:
        found = ask()
        with transaction.atomic():
            response = act(found)
            if not _keep(claim, response):
                raise Conflict(f"{HEADER} took too long, and was used again meanwhile.")
    return response


@contextmanager
def _claimed(request: Request, key: str) -> Iterator[IdempotentAnswer]:
    """The row that stands for the answer to come; free again unless the answer is kept in it."""
    user_id = cast(int, request.user.pk)
    abandoned = IdempotentAnswer.objects.filter(user_id=user_id, key=key, status=None)
    abandoned.filter(created_at__lt=datetime.now(UTC) - CLAIMED).delete()
    try:
        with transaction.atomic():
            claim = IdempotentAnswer.objects.create(user_id=user_id, key=key, fingerprint=_fingerprint(request))
    except IntegrityError:
        raise Conflict(IN_WORK) from None
    try:
        yield claim
    except BaseException:
        IdempotentAnswer.objects.filter(pk=claim.pk, status=None).delete()
        raise


def answered(request: Request) -> Response | None:
    """What a repeat gets, for views that check before the effect what is right only once; None: it is none."""
    key = _key(request)
    known = IdempotentAnswer.objects.filter(user_id=cast(int, request.user.pk), key=key, status__isnull=False)
    found = known.first() if key else None
    return None if found is None else _again(found, _fingerprint(request))


def _key(request: Request) -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and (not key.isprintable() or not 0 < len(key) <= LONGEST):
        raise ValidationError({HEADER: [f"Must be 1 to {LONGEST} printable characters."]})
    return key


def _once(request: Request, key: str, act: Callable[[], Response]) -> Response:
    fingerprint = _fingerprint(request)
    user_id = cast(int, request.user.pk)  # whoever comes here has signed in
    try:
        with transaction.atomic():
            answer = IdempotentAnswer.objects.create(user_id=user_id, key=key, fingerprint=fingerprint)
    except IntegrityError:
        return _again(IdempotentAnswer.objects.get(user_id=user_id, key=key), fingerprint)
    response = act()
    _keep(answer, response)
    return response


def _keep(answer: IdempotentAnswer, response: Response) -> bool:
    """False: it is not waited for any more."""
    body = json.loads(JSONRenderer().render(response.data) or b"null")
    return bool(
        IdempotentAnswer.objects.filter(pk=answer.pk, status=None).update(status=response.status_code, body=body)
    )


def _again(answer: IdempotentAnswer, fingerprint: str) -> Response:
    if answer.fingerprint != fingerprint:
        raise Conflict(f"{HEADER} was used for another request.")
    if answer.status is None:
        raise Conflict(IN_WORK)
    return Response(answer.body, status=answer.status)


def _fingerprint(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True)
    return hashlib.sha256(f"{request.method}\n{request.get_full_path()}\n{body}".encode()).hexdigest()
