"""People and their trail in the admin."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from apps.users import alerts
from apps.users import library_admin as library_admin  # its pages register themselves
from apps.users.admin_bases import ReadOnlyAdmin, ShownOnlyAdmin
from apps.users.models import Alert, Audit, IdempotentAnswer, User
from apps.users.passwords import record_change
from apps.users.services import actor_of, record


@admin.register(User)
class PersonAdmin(ShownOnlyAdmin, UserAdmin):
    """Roles are groups; each change of a person leaves a row in the trail."""

    list_display = ("username", "is_active", "is_staff", "is_superuser", "last_login")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        """Who asked for something and who approved it are names: one that changes would be a second person.

        Rights beyond a group's are a superuser's to give: else whoever edits people could make one of himself.
        """
        fixed = () if obj is None else ("username",)
        return fixed if _is_superuser(request) else (*fixed, "is_superuser", "user_permissions")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _is_above(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_above(request, obj)

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        form.was = _rights(User.objects.get(pk=obj.pk)) if change else None
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        record(
            actor=actor_of(request),
            action="user.edit" if change else "user.create",
            object=f"user {form.instance.get_username()}",
            before=form.was,
            after=_rights(form.instance),
        )

    @transaction.atomic
    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        user = self.get_object(request, unquote(id)) if request.method == "POST" else None
        if user is None:
            return super().user_change_password(request, id, form_url)
        before = User.objects.select_for_update().get(pk=user.pk).password
        answer = super().user_change_password(request, id, form_url)
        user.refresh_from_db()
        if user.password != before:
            record_change(request, user)
        return answer

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: User) -> None:
        record(actor=actor_of(request), action="user.delete", object=f"user {obj.username}", before=_rights(obj))
        super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for user in queryset:
            self.delete_model(request, user)


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin):
    list_display = ("change_id", "at", "user", "role", "action", "object", "result", "second_factor")
    list_filter = ("action", "result")
    search_fields = ("object", "user")


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "scope", "scope_id", "text", "acked_by", "acked_at", "paged_at", "page_tries")
    list_filter = ("kind", "scope")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Alert]:
        return alerts.seen_by(request.user)


@admin.register(IdempotentAnswer)
class IdempotentAnswerAdmin(ReadOnlyAdmin):
    list_display = fields = ("created_at", "user", "key", "status")
    list_select_related = ("user",)


def _is_superuser(request: HttpRequest) -> bool:
    return request.user.is_authenticated and request.user.is_superuser


def _is_above(request: HttpRequest, obj: User | None) -> bool:
    """Whether these are not the rights, or the password, of a superuser in the hands of somebody who is none."""
    return obj is None or not obj.is_superuser or _is_superuser(request)


def _rights(user: User) -> dict[str, Any]:
    return {
        "groups": sorted(user.groups.values_list("name", flat=True)),
        "permissions": sorted(user.user_permissions.values_list("codename", flat=True)),
        "is_active": user.is_active,
        "is_staff": user.is_staff,
        "is_superuser": user.is_superuser,
    }
