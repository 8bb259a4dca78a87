"""`/trading/orders/`: orders, what was wanted, and what was filled."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.trading import selectors
from apps.trading.models import Order
from apps.users.roles import TRADER, has_role
from ctweb.pages.roles import viewer_required
from ctweb.pages.trading import shown

NUMBER_DIGITS = 18


@login_required
@viewer_required
@require_GET
def orders(request: HttpRequest) -> HttpResponse:
    context = {
        **shown.orders(request),
        **shown.fills(request),
        **(shown.intents(request) if has_role(request.user, TRADER) else {}),
        "pairs": _pairs(request),
        "chosen": {name: request.GET.get(name, "") for name in ("account", "pair")},
        "page_keys": [("n", _("new order")), ("o", _("open orders, all orders"))],
    }
    return shown.page(request, "trading/orders.html", "orders", context)


def _pairs(request: HttpRequest) -> list[str]:
    """Those that a person may see orders of."""
    rows = selectors.visible(Order.objects.filter(pair__isnull=False), user=request.user).order_by()
    return sorted(set(rows.values_list("pair__pair", flat=True).distinct()))


@login_required
@viewer_required
@require_GET
def rows(request: HttpRequest) -> HttpResponse:
    """The table alone, for htmx."""
    return render(request, "trading/orders_table.html", shown.orders(request))


@login_required
@viewer_required
@require_GET
def last(request: HttpRequest) -> HttpResponse:
    """The lists beside it, for htmx."""
    wishes = shown.intents(request) if has_role(request.user, TRADER) else {}
    return render(request, "trading/last.html", {**shown.fills(request), **wishes})


@login_required
@viewer_required
@require_GET
def order(request: HttpRequest, order_id: int) -> HttpResponse:
    """Every step of one order with its evidence."""
    found = Order.objects.select_related("account", "pair__exchange", "trade", "intent")
    row = selectors.visible(found, user=request.user).filter(pk=min(order_id, 10**NUMBER_DIGITS)).first()
    if row is None:
        raise Http404(_("no such order"))
    context = {"order": row, "events": row.events.order_by("seq"), "fills": row.fills.order_by("id")}
    return shown.page(request, "trading/order.html", "orders", context)
