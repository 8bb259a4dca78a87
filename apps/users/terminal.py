"""Who sits at a terminal of the host: whoever may log in there names himself, and the trail keeps the name."""

from dataclasses import replace

from apps.users import roles, second_factor
from apps.users.alerts import NotAPerson
from apps.users.models import User
from apps.users.services import Actor


def person(name: str, *, role: str = roles.TRADER) -> Actor:
    """One who has `role`, at least, and may sign in; raise NotAPerson."""
    user = User.objects.filter(username=name).first()
    if user is None or not roles.has_role(user, role):
        raise NotAPerson(f"{name} is nobody who may do this: it takes a {role}")
    return Actor(user=user.get_username(), role=roles.role_of(user) or "", session="terminal", user_id=user.pk)


def proven(actor: Actor, *, code: str, needed: bool) -> Actor:
    """The same person, who has given a code where it takes one; raise `second_factor.CodeRefused`."""
    user = User.objects.get(username=actor.user)
    return replace(actor, second_factor=second_factor.prove(user=user, code=code, needed=needed))
