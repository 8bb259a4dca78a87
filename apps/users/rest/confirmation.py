"""Who is really there: a password once more, and a code, before what must not be done by somebody who found an open
browser."""

from typing import Any

from django.contrib.auth import authenticate
from django.http import HttpRequest
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from apps.users import second_factor
from apps.users.attempts import give_back


def is_password_of(request: HttpRequest, password: str) -> bool:
    """Of whoever is signed in. Attempts count as those of the login page do, and lock the name as well.

    Not to be called in a transaction: one that is rolled back would forget a wrong password.
    """
    user = authenticate(request, username=request.user.get_username(), password=password)
    give_back(request)
    return user is not None and user.pk == request.user.pk


def confirmed(request: Request, password: str) -> bool:
    """Whether the person in front has just proved who he is; an empty password proves nothing.

    Raise ValidationError for a wrong one.
    """
    if not password:
        return False
    if not is_password_of(request._request, password):
        raise ValidationError({"password": ["That is not your password."]})
    return True


def require(request: Request, password: str) -> None:
    """As `confirmed`, and no password is refused too."""
    if not confirmed(request, password):
        raise ValidationError({"password": ["This needs your password once more."]})


def require_code(request: Request, code: str, *, needed: bool) -> bool:
    """As `second_factor.prove` of whoever asks: last of all, and in no transaction. Raise ValidationError."""
    user: Any = request.user
    try:
        return second_factor.prove(user=user, code=code, needed=needed)
    except second_factor.CodeRefused as refused:
        raise ValidationError({"code": [str(refused)]}) from None
