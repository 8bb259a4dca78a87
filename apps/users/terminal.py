"""Who sits at a terminal of the host: whoever may log in there names himself, and the trail keeps the name."""

from apps.users import roles
from apps.users.alerts import NotAPerson
from apps.users.models import User
from apps.users.services import Actor


def person(name: str, *, role: str = roles.TRADER) -> Actor:
    """One who has `role`, at least, and may sign in; raise NotAPerson."""
    user = User.objects.filter(username=name).first()
    if user is None or not roles.has_role(user, role):
        raise NotAPerson(f"{name} is nobody who may do this: it takes a {role}")
    return Actor(user=user.get_username(), role=roles.role_of(user) or "", session="terminal", user_id=user.pk)
