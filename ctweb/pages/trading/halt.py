"""`/halt/`: the button, without a script. One form, one press; it works while Redis, Celery and the socket are dead."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from apps.feeds.orders import OrderStatus
from apps.trading import selectors
from apps.trading.halts import halting
from apps.trading.models import HaltMode
from apps.trading.risk.view import Scope
from apps.users.services import actor_of
from ctweb.pages.roles import operator_required

LONGEST_REASON = 500


@login_required
@operator_required
@require_http_methods(["GET", "POST"])
def halt(request: HttpRequest) -> HttpResponse:
    """GET: what stands, and the button. POST: stop everything and cancel what rests, also after a halt that left it."""
    if request.method == "POST":
        reason = request.POST.get("reason", "").replace("\x00", "")[:LONGEST_REASON]
        halting.halt(scope=Scope.GLOBAL, reason=reason, actor=actor_of(request), mode=HaltMode.CANCEL)
        return redirect("halt")
    report = halting.report(scope=Scope.GLOBAL)
    working = selectors.working_orders(user=request.user)
    context = {
        "stopped": selectors.stopped(user=request.user),
        "report": report,
        "working": working.count(),
        "in_doubt": working.filter(status=OrderStatus.UNKNOWN).count(),
        "now": timezone.now(),
    }
    return render(request, "trading/halt.html", context)
