"""Watched pairs and ledgers in the admin; edits of pairs go through the services, as everywhere."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from apps.monitoring import selectors, services, watchable
from apps.monitoring.models import ChBatch, FeedGap, Monitoring, MonitoringPair
from apps.users.admin_bases import ReadOnlyAdmin, ShownOnlyAdmin
from apps.users.services import actor_of

EDITABLE = ("enabled", "depth", "priority")


class PairForm(forms.ModelForm):
    """Refuses at the field what the services would refuse."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        watchable.check_values(depth=cleaned.get("depth"), priority=cleaned.get("priority"))
        row = self.instance
        if row.pk is None:
            names = {name: cleaned[name] for name in ("exchange", "market_type", "pair")}
            services.check_new(**names)
            row = Monitoring(**names)
        elif cleaned.get("enabled") and not row.enabled:
            services.check_runnable(rows=[row])
        key = selectors.key_of(row)
        watchable.check_offered(cleaned.get("depth"), [] if key is None else [key])
        return cleaned


class FurtherPairs(admin.TabularInline):
    model = MonitoringPair
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Monitoring | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Monitoring | None = None) -> bool:
        return False


class PairChangeList(ChangeList):
    """Each row says why it does not run."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        reasons = selectors.refusals()
        for row in self.result_list:
            row.why_not = reasons.get(row.pk, "")


@admin.register(Monitoring)
class PairAdmin(ShownOnlyAdmin):
    form = PairForm
    inlines = (FurtherPairs,)
    list_display = ("exchange", "market_type", "pair", "depth", "priority", "enabled", "why_not", "updated_at")
    list_editable = ("enabled",)
    list_display_links = ("pair",)
    list_filter = ("exchange", "market_type", "enabled")
    search_fields = ("pair",)
    formfield_overrides = {BooleanField: {"form_class": forms.BooleanField}}  # NULL in the database is off

    @admin.display(description="not running because", empty_value="")
    def why_not(self, row: Monitoring) -> str:
        return str(getattr(row, "why_not", ""))

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> type[forms.ModelForm]:
        return super().get_changelist_form(request, **{"form": PairForm, **kwargs})

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return PairChangeList

    def get_fields(self, request: HttpRequest, obj: Monitoring | None = None) -> tuple[str, ...]:
        shown = () if obj is None else ("exchange_name", "trade_pair_id", "user", "active", "created_at", "updated_at")
        return ("exchange", "market_type", "pair", *EDITABLE, *shown)

    def get_readonly_fields(self, request: HttpRequest, obj: Monitoring | None = None) -> tuple[str, ...]:
        if obj is None:
            return ()
        return tuple(name for name in self.get_fields(request, obj) if name not in EDITABLE)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"market_type": "spot", "priority": 0, "enabled": True, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Monitoring, form: Any, change: bool) -> None:
        actor, cleaned = actor_of(request), form.cleaned_data
        if change:
            values = {name: cleaned[name] for name in form.changed_data if name in EDITABLE}
            services.edit(ids=[obj.pk], values=values, actor=actor)
        else:
            names = ("exchange", "market_type", "pair", "depth", "enabled")
            values = {name: cleaned[name] for name in names}
            obj.pk = services.add_pair(actor=actor, priority=cleaned["priority"] or 0, **values).pk

    def delete_model(self, request: HttpRequest, obj: Monitoring) -> None:
        services.delete(ids=[obj.pk], actor=actor_of(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Monitoring]) -> None:
        services.delete(ids=list(queryset.values_list("pk", flat=True)), actor=actor_of(request))

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changelist_view(request, *args, **kwargs)
        except ValidationError as error:
            return self._refused(request, error)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except ValidationError as error:
            return self._refused(request, error)

    def _refused(self, request: HttpRequest, error: ValidationError) -> HttpResponse:
        """What was allowed when the form was checked may be refused when it is saved, a moment later."""
        self.message_user(request, " ".join(error.messages), messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())


@admin.register(MonitoringPair)
class FurtherPairAdmin(ReadOnlyAdmin):
    list_display = ("monitor", "trade_pair")
    list_select_related = ("monitor", "trade_pair__exchange")


@admin.register(ChBatch)
class BatchAdmin(ReadOnlyAdmin):
    list_display = ("batch_id", "table_name", "daemon", "rows", "bytes", "state", "attempts", "sealed_at", "done_at")
    list_filter = ("state", "daemon", "table_name")


@admin.register(FeedGap)
class GapAdmin(ReadOnlyAdmin):
    list_display = ("from_ts", "to_ts", "exchange", "market_type", "pair", "reason", "daemon")
    list_filter = ("exchange", "market_type")
    search_fields = ("pair",)
