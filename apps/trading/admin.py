"""Trading in the admin. Money is looked at and never touched; TRADE rows are edited through the services.

Whoever sees a table sees of it what is on own accounts and the desk's. Keys are not shown at all.
"""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.trading import limit_settings, selectors
from apps.trading import trade_admin as trade_admin  # its page registers itself
from apps.trading.models import (
    Account,
    Arbitrage,
    FundingPayment,
    LanePause,
    Order,
    OrderEvent,
    OrderFill,
    OrderIntent,
    PaperEntry,
    Position,
    RiskLimit,
    RiskState,
    RiskUsage,
    StrayFill,
    TradeHistory,
    TradeType,
    TradingSwitch,
    Wallet,
)
from apps.users.admin_bases import ReadOnlyAdmin


class OwnRowsAdmin(ReadOnlyAdmin):
    """Rows of accounts; `account` is the way from a row to its own."""

    account = "account"
    show_full_result_count = False  # tables grow to millions of rows

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return selectors.visible(super().get_queryset(request), user=request.user, account=self.account)


@admin.register(TradeType)
class TradeTypeAdmin(ReadOnlyAdmin):
    list_display = ("name", "description")


@admin.register(Account)
class AccountAdmin(OwnRowsAdmin):
    account = ""
    list_display = ("name", "exchange", "market_type", "mode", "owner", "active", "is_default", "reconciled_at")
    list_filter = ("exchange", "market_type", "mode")
    list_select_related = ("exchange", "owner")


@admin.register(Wallet)
class WalletAdmin(OwnRowsAdmin):
    list_display = ("account", "asset", "free", "total", "expected", "mismatch_since", "updated_at")
    list_select_related = ("account",)


@admin.register(Position)
class PositionAdmin(OwnRowsAdmin):
    list_display = ("account", "pair", "side", "amount", "entry_price", "realised", "told_amount", "mismatch_since")
    list_select_related = ("account", "pair__exchange")


@admin.register(FundingPayment)
class FundingPaymentAdmin(OwnRowsAdmin):
    list_display = ("account", "pair", "asset", "amount", "rate", "exchange_ms")
    list_select_related = ("account", "pair__exchange")


@admin.register(PaperEntry)
class PaperEntryAdmin(OwnRowsAdmin):
    list_display = ("created_at", "account", "kind", "asset", "amount", "trade_id")
    list_select_related = ("account",)


@admin.register(OrderIntent)
class IntentAdmin(OwnRowsAdmin):
    list_display = (
        "id",
        "created_at",
        "account",
        "pair",
        "purpose",
        "side",
        "type",
        "amount",
        "price",
        "state",
        "result",
    )
    list_filter = ("state", "result", "purpose")
    list_select_related = ("account", "pair__exchange")
    search_fields = ("intent_key",)


@admin.register(Order)
class OrderAdmin(OwnRowsAdmin):
    list_display = (
        *("id", "client_order_id", "created_at", "account", "pair", "side", "type"),
        *("amount", "price", "filled", "average_price", "status", "cancel_state"),
    )
    list_filter = ("status", "exchange", "is_external")
    list_select_related = ("account", "pair__exchange")
    search_fields = ("client_order_id", "exchange_order_id")


@admin.register(OrderEvent)
class OrderEventAdmin(OwnRowsAdmin):
    account = "order__account"
    list_display = ("order", "seq", "at", "kind", "from_status", "to_status")
    list_filter = ("kind", "to_status")
    list_select_related = ("order",)


@admin.register(OrderFill)
class FillAdmin(OwnRowsAdmin):
    list_display = ("id", "executed_at", "order", "account", "pair", "side", "amount", "price", "fee", "fee_asset")
    list_filter = ("source",)
    list_select_related = ("order", "account", "pair__exchange")
    search_fields = ("trade_id",)


@admin.register(StrayFill)
class StrayFillAdmin(OwnRowsAdmin):
    list_display = ("received_at", "account", "symbol", "exchange_order_id", "trade_id", "side", "amount", "order")
    list_select_related = ("account", "order")


@admin.register(TradeHistory)
class TradeHistoryAdmin(OwnRowsAdmin):
    list_display = ("executed_at", "daemon", "exchange", "pair", "order", "side", "price", "amount", "commission")
    list_filter = ("exchange",)
    search_fields = ("order",)


@admin.register(Arbitrage)
class ArbitrageAdmin(OwnRowsAdmin):
    account = "trade__account"
    list_display = ("id", "trade", "kind", "status", "leg_state", "unhedged", "expected_profit_usd", "profit_usd")
    list_filter = ("status", "kind")
    list_select_related = ("trade",)


@admin.register(RiskState)
class RiskStateAdmin(ReadOnlyAdmin):
    list_display = ("scope", "scope_id", "state", "mode", "reason", "by", "at")
    list_filter = ("scope", "state")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RiskState]:
        return selectors.switches(user=request.user)


@admin.register(RiskLimit)
class RiskLimitAdmin(ReadOnlyAdmin):
    list_display = ("scope", "scope_id", "name", "value", "by", "reason", "at")
    list_filter = ("scope", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[RiskLimit]:
        return limit_settings.seen_by(request.user)


@admin.register(TradingSwitch)
class TradingSwitchAdmin(ReadOnlyAdmin):
    list_display = ("live_allowed", "allowed_build", "by", "at")


@admin.register(RiskUsage)
class RiskUsageAdmin(OwnRowsAdmin):
    list_display = ("account", "day", "equity", "realised", "unrealised", "fees", "funding", "updated_at")
    list_select_related = ("account",)


@admin.register(LanePause)
class LanePauseAdmin(OwnRowsAdmin):
    list_display = ("lane", "account", "at", "until", "reason")
    list_select_related = ("account",)
