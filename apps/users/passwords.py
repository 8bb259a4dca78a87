"""Passwords that people change in the admin: the trail says whose and by whom, never what it is."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.forms import AdminPasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse_lazy

from apps.users.models import User
from apps.users.rest.confirmation import is_password_of
from apps.users.services import actor_of, record


class OwnPasswordForm(AdminPasswordChangeForm):
    """The old password is tried as often as at the door: who found an open browser does not guess it here."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        old: str = self.cleaned_data["old_password"]
        if not is_password_of(self.request, old):
            raise ValidationError(self.error_messages["password_incorrect"], code="password_incorrect")
        return old

    @transaction.atomic
    def save(self, commit: bool = True) -> User:
        user: User = super().save(commit)
        record_change(self.request, user)
        return user


class OwnPasswordView(PasswordChangeView):
    """The page of the admin, whose own would leave no row in the trail."""

    form_class = OwnPasswordForm
    success_url = reverse_lazy("admin:password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs, **admin.site.each_context(self.request))


def record_change(request: HttpRequest, user: User) -> None:
    """For the caller's transaction."""
    usable = {"usable": user.has_usable_password()}
    record(actor=actor_of(request), action="user.password", object=f"user {user.get_username()}", after=usable)
