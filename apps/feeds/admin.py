"""Exchanges, instruments and daemons in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.feeds import services
from apps.feeds.models import Daemon, Exchange, Lease, TradePair
from apps.users.admin_bases import ReadOnlyAdmin, ShownOnlyAdmin
from apps.users.services import actor_of


class ExchangeForm(forms.ModelForm):
    """Says in its field why an exchange cannot be switched off now."""

    def clean_enabled(self) -> bool:
        enabled = bool(self.cleaned_data["enabled"])
        if self.instance.enabled and not enabled:
            try:
                services.check_unused(self.instance.code)
            except ValidationError as error:
                raise ValidationError(error.messages) from None
        return enabled


@admin.register(Exchange)
class ExchangeAdmin(ShownOnlyAdmin):
    """An exchange is here because it has a driver; it is switched on and off."""

    form = ExchangeForm
    list_display = ("name", "code", "enabled")
    list_editable = ("enabled",)
    readonly_fields = ("code", "name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Exchange | None = None) -> bool:
        return False

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm]:
        return super().get_changelist_form(request, **{**kwargs, "form": ExchangeForm})

    def save_model(self, request: HttpRequest, obj: Exchange, form: Any, change: bool) -> None:
        services.set_exchange_enabled(exchange=obj.code, enabled=form.cleaned_data["enabled"], actor=actor_of(request))


@admin.register(TradePair)
class InstrumentAdmin(ReadOnlyAdmin):
    list_display = ("exchange", "market_type", "pair", "symbol", "status", "tick", "lot", "volume_24h", "refreshed_at")
    list_filter = ("exchange", "market_type", "status")
    list_select_related = ("exchange",)
    search_fields = ("pair", "symbol")


@admin.register(Daemon)
class DaemonAdmin(ReadOnlyAdmin):
    list_display = ("id", "role", "host", "pid", "heartbeat_at", "capacity", "sockets", "draining")


@admin.register(Lease)
class LeaseAdmin(ReadOnlyAdmin):
    list_display = ("resource", "holder", "fence", "expires_at")
    search_fields = ("resource", "holder")
