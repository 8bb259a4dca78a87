"""Trading in the admin. Money is looked at and never touched; TRADE rows are edited through the services.

Whoever sees a table sees of it what is on own accounts and the desk's. Keys are not shown at all.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.trading import limit_settings, selectors, trades
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
    Trade,
    TradeHistory,
    TradeType,
    TradingSwitch,
    Wallet,
)
from apps.users.admin import ReadOnlyAdmin
from apps.users.services import actor_of


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


class TradeForm(forms.ModelForm):
    """Refuses at the field what the services would refuse."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)  # what the row was when the form was opened

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["seen"] = trades.version(self.instance)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        trades.check_values(**{name: cleaned[name] for name in trades.EDITABLE if name in cleaned})
        if cleaned.get("enabled") and not self.instance.enabled:
            trades.check_runnable(self.instance)
        return cleaned


@admin.register(Trade)
class TradeAdmin(admin.ModelAdmin):
    """New rows are made on the page of trading, or with plain SQL; here they are switched and tuned."""

    form = TradeForm
    list_display = ("id", "exchange", "market_type", "pair", "strategy", "account", "mode", "priority", "enabled")
    list_filter = ("exchange", "market_type", "strategy", "enabled", "mode")
    list_select_related = ("account",)
    search_fields = ("pair",)
    actions = None
    formfield_overrides = {BooleanField: {"form_class": forms.BooleanField}}  # NULL in the database is off

    def get_queryset(self, request: HttpRequest) -> QuerySet[Trade]:
        return selectors.visible(super().get_queryset(request), user=request.user)

    def get_readonly_fields(self, request: HttpRequest, obj: Trade | None = None) -> tuple[str, ...]:
        return tuple(field.name for field in Trade._meta.fields if field.name not in trades.EDITABLE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        may = super().has_change_permission(request, obj)
        if isinstance(obj, Trade) and obj.account is not None:
            return may and selectors.may_trade(user=request.user, account=obj.account)
        return may

    def save_model(self, request: HttpRequest, obj: Trade, form: Any, change: bool) -> None:
        values = {name: form.cleaned_data[name] for name in form.changed_data if name in trades.EDITABLE}
        seen = form.cleaned_data["seen"] or None
        trades.edit(trade_id=obj.pk, values=values, actor=actor_of(request), seen=seen)

    def delete_model(self, request: HttpRequest, obj: Trade) -> None:
        trades.delete(trade_id=obj.pk, actor=actor_of(request))

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._unless_refused(request, super().changeform_view, *args, **kwargs)

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._unless_refused(request, super().delete_view, *args, **kwargs)

    def _unless_refused(self, request: HttpRequest, view: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        """What was allowed when the form was checked may be refused when it is saved, a moment later."""
        try:
            return view(request, *args, **kwargs)
        except ValidationError as error:
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
