"""Who is really there: a password once more, before what must not be done by somebody who found an open browser."""

from django.contrib.auth import authenticate
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request


def confirmed(request: Request, password: str) -> bool:
    """Whether the person in front has just proved who he is; an empty password proves nothing.

    Raise ValidationError for a wrong one. Attempts count as those of the login page do, and lock the name as well.
    """
    if not password:
        return False
    user = authenticate(request._request, username=request.user.get_username(), password=password)
    if user is None or user.pk != request.user.pk:
        raise ValidationError({"password": ["That is not your password."]})
    return True


def require(request: Request, password: str) -> None:
    """As `confirmed`, and no password is refused too."""
    if not confirmed(request, password):
        raise ValidationError({"password": ["This needs your password once more."]})
