"""The pages that libraries bring along. Theirs act past the trail: here what is taken away leaves its row."""

from axes import admin as axes_admin  # noqa: F401  # each registers what is replaced below
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth import admin as auth_admin  # noqa: F401
from django.contrib.auth.models import Group
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django_otp.plugins.otp_totp import admin as otp_admin  # noqa: F401
from django_otp.plugins.otp_totp.models import TOTPDevice
from knox import admin as knox_admin  # noqa: F401
from knox.models import AuthToken

from apps.users import second_factor, services
from apps.users.admin_bases import ReadOnlyAdmin, RemovableAdmin
from apps.users.attempts import UNDER_WAY
from apps.users.services import actor_of

admin.site.unregister([Group, TOTPDevice, AuthToken, AccessAttempt, AccessLog, AccessFailureLog])


@admin.register(Group)
class RoleAdmin(ReadOnlyAdmin):
    """What each role may do in the admin; migrations say it, and people are put into roles on their own pages."""

    list_display = fields = ("name",)


@admin.register(TOTPDevice)
class SecondFactorAdmin(RemovableAdmin):
    """Whose second factor there is: nobody sees its secret, an administrator takes away that of somebody else."""

    list_display = ("user", "confirmed", "created_at", "last_used_at", "throttling_failure_count")
    list_select_related = ("user",)
    fields = list_display

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """One's own takes a code, on /me/."""
        own = isinstance(obj, TOTPDevice) and obj.user_id == request.user.pk
        return not own and super().has_delete_permission(request, obj)

    def delete_model(self, request: HttpRequest, obj: TOTPDevice) -> None:
        second_factor.remove(user=obj.user, actor=actor_of(request))


@admin.register(AuthToken)
class TokenAdmin(RemovableAdmin):
    """Whose tokens there are. Everybody makes his own, by REST; an administrator ends what has leaked."""

    list_display = fields = ("token_key", "user", "created", "expiry")
    list_select_related = ("user",)
    search_fields = ("user__username",)

    def delete_model(self, request: HttpRequest, obj: AuthToken) -> None:
        services.end_token(row=obj, actor=actor_of(request))


@admin.register(AccessAttempt)
class AttemptAdmin(RemovableAdmin):
    """Names with wrong passwords; what is taken away is forgiven."""

    list_display = ("attempt_time", "username", "ip_address", "user_agent", "path_info", "failures_since_start")
    fields = list_display
    search_fields = ("username", "ip_address")

    def get_queryset(self, request: HttpRequest) -> QuerySet[AccessAttempt]:
        return super().get_queryset(request).exclude(username__endswith=UNDER_WAY)

    def delete_model(self, request: HttpRequest, obj: AccessAttempt) -> None:
        services.forgive(attempt=obj, actor=actor_of(request))


@admin.register(AccessLog)
class SignInAdmin(ReadOnlyAdmin):
    list_display = fields = ("attempt_time", "logout_time", "username", "ip_address", "user_agent", "path_info")
    search_fields = ("username", "ip_address")


@admin.register(AccessFailureLog)
class FailureAdmin(ReadOnlyAdmin):
    list_display = fields = ("attempt_time", "username", "ip_address", "user_agent", "path_info", "locked_out")
    list_filter = ("locked_out",)
    search_fields = ("username", "ip_address")
