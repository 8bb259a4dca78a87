"""The pages for people. `/admin/`, `/login/` and the REST API have their own."""

from django.urls import path
from django.views.generic import RedirectView

from ctweb.pages import actions, book, fleet, me, pairs
from ctweb.pages.trading import accounts, executors, halt, orders, placing, positions, risk

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="fleet"), name="home"),
    path("fleet/", fleet.fleet, name="fleet"),
    path("pairs/", pairs.pairs, name="pairs"),
    path("pairs/catalogue.json", pairs.catalogue, name="pairs-catalogue"),
    path("pairs/changes/", pairs.changes, name="pairs-changes"),
    path("pairs/refused/", pairs.refused, name="pairs-refused"),
    path("book/", book.first, name="book"),
    path("book/<str:exchange>/<str:market_type>/<str:pair>/", book.book, name="book"),
    path("me/", me.me, name="me"),
    path("halt/", halt.halt, name="halt"),
    path("trading/", RedirectView.as_view(pattern_name="orders"), name="trading"),
    path("trading/orders/", orders.orders, name="orders"),
    path("trading/orders/table/", orders.rows, name="orders-table"),
    path("trading/orders/last/", orders.last, name="orders-last"),
    path("trading/orders/new/", placing.new, name="order-new"),
    path("trading/orders/<int:order_id>/", orders.order, name="order"),
    path("trading/accounts/", accounts.accounts, name="accounts"),
    path("trading/accounts/new/", accounts.new, name="account-new"),
    path("trading/accounts/<int:account_id>/", accounts.account, name="account"),
    path("trading/positions/", positions.positions, name="positions"),
    path("trading/positions/held/", positions.held, name="positions-held"),
    path("trading/risk/", risk.risk, name="risk"),
    path("trading/risk/now/", risk.now, name="risk-now"),
    path("trading/risk/set/", risk.what_is_set, name="risk-set"),
    path("trading/risk/left/", risk.left, name="risk-left"),
    path("trading/state.json", risk.state, name="trading-state"),
    path("trading/executors/", executors.executors, name="executors"),
    path("trading/executors/work/", executors.rows, name="executors-work"),
    path("actions/resync", actions.ResyncView.as_view(), name="resync"),
    path("actions/refresh", actions.RefreshView.as_view(), name="refresh"),
]
