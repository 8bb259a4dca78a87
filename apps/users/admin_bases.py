"""What pages of the admin have in common."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest


class ShownOnlyAdmin(admin.ModelAdmin):
    """Answers about no column that it does not show: `?key__startswith=` would find a secret letter by letter."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        name = lookup.split(LOOKUP_SEP)[0]
        try:
            column = self.opts.pk.name if name == "pk" else self.opts.get_field(name).name
        except FieldDoesNotExist:
            return super().lookup_allowed(lookup, value, request)  # a filter's own word, or nothing
        shown = (*self.list_display, *self.list_filter, self.date_hierarchy)
        return column in shown and super().lookup_allowed(lookup, value, request)


class ReadOnlyAdmin(ShownOnlyAdmin):
    """Looked at, never touched: what the system writes itself."""

    actions: Any = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class RemovableAdmin(ReadOnlyAdmin):
    """Looked at, and taken away through a service, which leaves a row in the trail."""

    actions = ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for row in queryset:
            self.delete_model(request, row)
