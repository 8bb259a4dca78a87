"""Users for tests, one per role."""

from django.contrib.auth.models import Group
from django.test import Client

from apps.users.models import User

PASSWORD = "correct horse battery"


def person(role: str | None, name: str | None = None) -> User:
    """A user who holds one role; None: a user without any."""
    user = User(username=name or role or "nobody")
    user.set_unusable_password()
    user.save()
    if role is not None:
        user.groups.add(Group.objects.get(name=role))
    return user


def with_password(user: User, password: str = PASSWORD) -> User:
    user.set_password(password)
    user.save()
    return user


def superuser() -> Client:
    """One who may do everything in the admin, signed in."""
    root = person(None, "root")
    User.objects.filter(pk=root.pk).update(is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(root, backend="django.contrib.auth.backends.ModelBackend")
    return client
