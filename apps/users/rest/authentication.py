"""HTTP Basic for the embedded run, where one machine-made password serves a whole loopback."""

import hashlib
import hmac
from typing import Any

from django.conf import settings
from django.core.cache import cache
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BasicAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from apps.users import second_factor
from apps.users.attempts import give_back
from apps.users.models import User

REMEMBERED_S = 300


class RememberedBasicAuthentication(BasicAuthentication):
    """A password that was right is remembered, as a keyed digest, for five minutes: hashing it anew takes 0.3 s.

    The digest covers the stored hash too, so a changed password is forgotten at once. A password is not enough of who
    has a second factor.
    """

    def authenticate_credentials(self, userid: str, password: str, request: Request | None = None) -> tuple[Any, None]:
        user: Any = second_factor.told(User.objects.filter(username=userid, is_active=True)).first()
        if user is not None and user.coded:
            raise AuthenticationFailed("Who has a second factor uses a token.")
        if user is not None and cache.get(_digest(userid, password, user.password)):
            return user, None
        user, _ = super().authenticate_credentials(userid, password, request)
        give_back(request)
        cache.set(_digest(userid, password, user.password), True, REMEMBERED_S)
        return user, None


def _digest(*parts: str) -> str:
    text = "\0".join(parts).encode()
    return "basic-" + hmac.new(settings.SECRET_KEY.encode(), text, hashlib.sha256).hexdigest()


class RememberedBasicScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document names it."""

    target_class = RememberedBasicAuthentication
    name = "basicAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "basic"}
