"""What the frame of every page says about this process and the person in front of it."""

from django import template
from django.conf import settings
from django.utils.translation import gettext as _

from apps.trading import selectors
from apps.users import second_factor
from apps.users.alerts import waiting_for
from apps.users.models import User
from apps.users.roles import OPERATOR, TRADER, has_role, role_of
from ctweb.build import build_id

register = template.Library()

CODED = "_has_second_factor"

register.simple_tag(build_id, name="build_id")


@register.simple_tag
def source_line() -> str:
    """Where the numbers come from, unless it is the real market."""
    if settings.SOURCE == "replay":
        return _("REPLAY of recorded frames, not the live market")
    return _("SIMULATED market, no exchange is connected") if settings.SOURCE == "simulator" else ""


@register.filter
def role(user: User) -> str:
    return role_of(user) or _("no role")


@register.filter
def may_operate(user: User) -> bool:
    return has_role(user, OPERATOR)


@register.filter
def may_trade(user: User) -> bool:
    return has_role(user, TRADER)


@register.filter
def has_second_factor(user: User) -> bool:
    """Asked once for all the forms of a page."""
    if not hasattr(user, CODED):
        setattr(user, CODED, second_factor.has_device(user))
    return bool(getattr(user, CODED))


@register.simple_tag
def stopped(user: User) -> selectors.Stopped:
    """What stands still; the frame of every page says so."""
    return selectors.stopped(user=user)


@register.simple_tag
def live_accounts() -> int:
    return selectors.live_accounts()


@register.simple_tag
def open_alerts(user: User) -> int:
    return waiting_for(user).count()
