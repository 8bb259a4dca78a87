"""Who may do what: four groups, each of which includes the one before it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apps.users.models import User

VIEWER, OPERATOR, TRADER, ADMIN = ROLES = ("viewer", "operator", "trader", "admin")
_CACHE = "_role"


def role_of(user: "User") -> str | None:
    """The highest role among the user's groups; a superuser is an admin, a user without a group has none."""
    if user.is_superuser:
        return ADMIN
    if not hasattr(user, _CACHE):  # asked several times in one request
        names = set(user.groups.values_list("name", flat=True))
        setattr(user, _CACHE, next((role for role in reversed(ROLES) if role in names), None))
    found: str | None = getattr(user, _CACHE)
    return found


def has_role(user: Any, role: str) -> bool:
    """Whether `user`, who may be nobody, has `role` or a higher one."""
    if not user.is_authenticated or not user.is_active:
        return False
    have = role_of(user)
    return have is not None and ROLES.index(have) >= ROLES.index(role)


def grant(apps: Any, *, role: str, app_label: str, model: str, actions: tuple[str, ...]) -> None:
    """For migrations: give `role` and those above it the admin's permissions on a model.

    Django makes its permissions only after the last migration, so those that are missing are made here.
    """
    content_type, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label=app_label, model=model
    )
    verbose_name = apps.get_model(app_label, model)._meta.verbose_name
    permissions = [
        apps.get_model("auth", "Permission").objects.get_or_create(
            content_type=content_type,
            codename=f"{action}_{model}",
            defaults={"name": f"Can {action} {verbose_name}"},
        )[0]
        for action in actions
    ]
    groups = apps.get_model("auth", "Group").objects.filter(name__in=ROLES[ROLES.index(role) :])
    for group in groups:
        group.permissions.add(*permissions)
