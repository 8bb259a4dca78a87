"""The form of the sign-in page: name, password, and the code of who has a second factor."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm

from apps.users import second_factor
from apps.users.attempts import count_as_wrong
from apps.users.rest.serializers import LONGEST_CODE


class SignInForm(AuthenticationForm):
    """What is wrong it does not say, and both cost the same: whoever guesses passwords learns none without the code."""

    code = forms.CharField(required=False, max_length=LONGEST_CODE)

    def confirm_login_allowed(self, user: Any) -> None:
        super().confirm_login_allowed(user)
        if not second_factor.has_device(user):
            return
        try:
            second_factor.verify(user=user, code=self.cleaned_data.get("code", ""))
        except second_factor.CodeRefused:
            count_as_wrong(self.request, name=self.cleaned_data["username"])
            raise self.get_invalid_login_error() from None
