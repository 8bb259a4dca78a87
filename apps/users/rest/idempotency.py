"""One effect per idempotency key: a repeated request gets the first one's answer."""

import hashlib
import json
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.db import IntegrityError, transaction
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.users.models import IdempotentAnswer
from apps.users.rest.exceptions import Conflict

HEADER = "Idempotency-Key"
LONGEST = 100

Handler = Callable[..., Response]


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


def answered(request: Request) -> Response | None:
    """What a repeat gets, for views that check before the effect what is right only once; None: it is none."""
    key = _key(request)
    found = IdempotentAnswer.objects.filter(user_id=cast(int, request.user.pk), key=key).first() if key else None
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
    answer.status = response.status_code
    answer.body = json.loads(JSONRenderer().render(response.data) or b"null")
    answer.save(update_fields=["status", "body"])
    return response


def _again(answer: IdempotentAnswer, fingerprint: str) -> Response:
    if answer.fingerprint != fingerprint:
        raise Conflict(f"{HEADER} was used for another request.")
    return Response(answer.body, status=answer.status)


def _fingerprint(request: Request) -> str:
    body = json.dumps(request.data, sort_keys=True)
    return hashlib.sha256(f"{request.method}\n{request.get_full_path()}\n{body}".encode()).hexdigest()
