"""TRADE rows in the admin: switched and tuned through the services, never past them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, Model, QuerySet
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.trading import selectors, trades
from apps.trading.models import Trade
from apps.users.admin_bases import ShownOnlyAdmin
from apps.users.rest.parsers import strictly
from apps.users.services import actor_of


class ParamsField(forms.JSONField):
    """JSON as bodies by REST are read."""

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values:
            return None
        try:
            return strictly(str(value))
        except (ValueError, RecursionError):
            raise ValidationError(self.error_messages["invalid"], code="invalid", params={"value": value}) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed, to be mended."""
        return None if data is None else InvalidJSONInput(data)


class TradeForm(forms.ModelForm):
    """Refuses at the field what the services would refuse."""

    params = ParamsField(required=False)
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
class TradeAdmin(ShownOnlyAdmin):
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
