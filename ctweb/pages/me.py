"""`/me/`: one's own second factor. It is begun here, and its secret is in the answer to that form and nowhere else."""

from typing import Any

import segno
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.users import second_factor
from apps.users.rest.confirmation import is_password_of
from ctweb.pages.roles import viewer_required
from ctweb.pages.trading import shown

DOT = 4  # pixels of one dot of the picture
QUIET = 4  # dots around it, as its standard has it


@never_cache
@login_required
@viewer_required
@require_http_methods(["GET", "POST"])
def me(request: HttpRequest) -> HttpResponse:
    """GET: whether there is a device. POST, with the password: begin one, and show its secret this once."""
    begun = _begin(request) if request.method == "POST" else {}
    user: Any = request.user
    device = TOTPDevice.objects.filter(user=user, confirmed=True).first()
    return shown.page(request, "pages/me.html", "me", {"device": device, **begun})


def _begin(request: HttpRequest) -> dict[str, Any]:
    if not is_password_of(request, request.POST.get("password", "")):
        return {"refused": _("That is not your password.")}
    user: Any = request.user
    try:
        device = second_factor.begin(user)
    except second_factor.Enrolled:
        return {}  # the page says how it is taken away
    picture = segno.make(device.config_url, error="m", micro=False)
    return {
        "picture": picture.svg_data_uri(scale=DOT, border=QUIET, dark="#000", light="#fff"),
        "secret": second_factor.secret_text(device),
    }
