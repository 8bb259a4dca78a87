"""Who may see and do what on the pages."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _

from apps.users.roles import OPERATOR, TRADER, VIEWER, has_role

View = Callable[..., HttpResponseBase]


def role_required(role: str) -> Callable[[View], View]:
    """403 with the role that is missing; who is not signed in was sent to the login page before."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not has_role(request.user, role):
                raise PermissionDenied(_("needs role %(role)s") % {"role": role})
            return view(request, *args, **kwargs)

        return guarded

    return decorate


viewer_required = role_required(VIEWER)
operator_required = role_required(OPERATOR)
trader_required = role_required(TRADER)
