"""The part of `/api/v1/` that speaks of accounts, orders, what is held, and risk."""

from django.urls import path

from apps.trading.views import accounts, executors, holdings, intents, limits, orders, risk

urlpatterns = [
    path("accounts", accounts.AccountsView.as_view(), name="api-accounts"),
    path("accounts/<int:account_id>", accounts.AccountView.as_view(), name="api-account"),
    path("accounts/<int:account_id>/approve", accounts.AccountApproveView.as_view(), name="api-account-approve"),
    path("accounts/<int:account_id>/close", accounts.AccountCloseView.as_view(), name="api-account-close"),
    path("accounts/<int:account_id>/key", accounts.AccountKeyView.as_view(), name="api-account-key"),
    path("accounts/<int:account_id>/simulated-key", accounts.SimulatedKeyView.as_view(), name="api-simulated-key"),
    path("executors", executors.ExecutorsView.as_view(), name="api-executors"),
    path("intents", intents.IntentsView.as_view(), name="api-intents"),
    path("intents/preview", intents.IntentPreviewView.as_view(), name="api-intents-preview"),
    path("intents/<int:intent_id>", intents.IntentView.as_view(), name="api-intent"),
    path("intents/<int:intent_id>/cancel", intents.IntentCancelView.as_view(), name="api-intent-cancel"),
    path("orders", orders.OrdersView.as_view(), name="api-orders"),
    path("orders/cancel", orders.OrdersCancelView.as_view(), name="api-orders-cancel"),
    path("orders/<int:order_id>", orders.OrderView.as_view(), name="api-order"),
    path("orders/<int:order_id>/cancel", orders.OrderCancelView.as_view(), name="api-order-cancel"),
    path("fills", orders.FillsView.as_view(), name="api-fills"),
    path("positions", holdings.PositionsView.as_view(), name="api-positions"),
    path("balances", holdings.BalancesView.as_view(), name="api-balances"),
    path("pnl", holdings.PnlView.as_view(), name="api-pnl"),
    path("funding", holdings.FundingView.as_view(), name="api-funding"),
    path("risk/states", risk.StatesView.as_view(), name="api-risk-states"),
    path("risk/halt", risk.HaltView.as_view(), name="api-risk-halt"),
    path("risk/reduce", risk.ReduceView.as_view(), name="api-risk-reduce"),
    path("risk/resume", risk.ResumeView.as_view(), name="api-risk-resume"),
    path("risk/report", risk.ReportView.as_view(), name="api-risk-report"),
    path("risk/flatten", risk.FlattenView.as_view(), name="api-risk-flatten"),
    path("risk/switch", risk.SwitchView.as_view(), name="api-risk-switch"),
    path("risk/limits", limits.LimitsView.as_view(), name="api-risk-limits"),
    path("risk/limits/names", limits.LimitNamesView.as_view(), name="api-risk-limit-names"),
    path("risk/limits/<int:limit_id>", limits.LimitView.as_view(), name="api-risk-limit"),
]
