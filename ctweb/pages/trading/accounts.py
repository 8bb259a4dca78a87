"""`/trading/accounts/`: accounts and their keys, which are written once and never read."""

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from apps.feeds.market import MarketType
from apps.feeds.models import Exchange
from apps.feeds.orders import Fees
from apps.trading import selectors
from apps.trading.accounts import LIVE_LIMITS
from apps.trading.bookkeeping import paper_rows
from apps.trading.models import Account, AccountMode, RiskLimit, RiskState, Wallet
from apps.trading.risk.view import Scope
from apps.trading.views.found import with_key
from ctweb.pages.roles import trader_required
from ctweb.pages.trading import shown


@login_required
@trader_required
@require_GET
def accounts(request: HttpRequest) -> HttpResponse:
    rows = with_key(selectors.accounts(user=request.user)).order_by("-active", "exchange__code", "market_type", "name")
    states = _states()
    context = {
        "rows": [(row, states.get(str(row.pk), "")) for row in rows],
        "page_keys": [("n", _("new account"))],
    }
    return shown.page(request, "trading/accounts.html", "accounts", context)


@login_required
@trader_required
@require_GET
def new(request: HttpRequest) -> HttpResponse:
    context = {
        "exchanges": Exchange.objects.filter(enabled=True),
        "markets": [market.value for market in MarketType],
        "modes": AccountMode.choices,
    }
    return shown.page(request, "trading/new_account.html", "accounts", context)


@login_required
@trader_required
@require_GET
def account(request: HttpRequest, account_id: int) -> HttpResponse:
    row = with_key(selectors.accounts(user=request.user)).filter(pk=min(account_id, 2**31 - 1)).first()
    if row is None:
        raise Http404(_("no such account"))
    limits = RiskLimit.objects.filter(scope=Scope.ACCOUNT, scope_id=str(row.pk))
    held = selectors.reserved(account_ids=[row.pk])
    wallets = Wallet.objects.filter(account=row)
    context = {
        "account": row,
        "key": getattr(row, "key", None),
        "state": _states().get(str(row.pk), ""),
        "may": selectors.may_trade(user=request.user, account=row),
        "takes_key": row.mode != AccountMode.PAPER or row.requested_mode is not None,
        "simulated": settings.CT_SIMULATOR_URL is not None and row.mode == AccountMode.TESTNET,
        "fees": _fees(row),
        "needed": LIVE_LIMITS,
        "limits": limits,
        "wallets": [(wallet, held.get((row.pk, wallet.asset))) for wallet in wallets],
    }
    return shown.page(request, "trading/account.html", "accounts", context)


def _fees(row: Account) -> Fees | None:
    """None: its exchange has not told them."""
    if row.mode == AccountMode.PAPER:
        return paper_rows.fees_of(row)
    if row.maker_fee is None or row.taker_fee is None:
        return None
    return Fees(maker=row.maker_fee, taker=row.taker_fee)


def _states() -> dict[str, str]:
    return dict(RiskState.objects.filter(scope=Scope.ACCOUNT).values_list("scope_id", "state"))


def named(rows: list[Account]) -> dict[str, str]:
    """Number -> name, for those who only know the number."""
    return {str(row.pk): f"{row.exchange.name} {row.market_type} {row.name}" for row in rows}
