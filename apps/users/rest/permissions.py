"""Which role a route needs."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from apps.users.roles import VIEWER, has_role


class HasRole(BasePermission):
    """Reading needs the view's `read_role`, anything else its `write_role`; a viewer reads unless it says otherwise."""

    def has_permission(self, request: Request, view: Any) -> bool:
        name = "read_role" if request.method in SAFE_METHODS else "write_role"
        role = getattr(view, name, VIEWER)
        self.message = f"needs role {role}"
        return has_role(request.user, role)
