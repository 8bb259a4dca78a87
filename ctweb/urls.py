"""Every address of the web process."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from django.views.generic import RedirectView

from apps.users.passwords import OwnPasswordView
from apps.users.signing_in import SignInForm

urlpatterns = [
    path("login/", LoginView.as_view(authentication_form=SignInForm), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("admin/login/", RedirectView.as_view(pattern_name="login", query_string=True)),  # one door, with its code
    path("admin/password_change/", admin.site.admin_view(OwnPasswordView.as_view())),  # before the admin's own
    path("admin/", admin.site.urls),
    path("", include("ctweb.api.urls")),
    path("", include("ctweb.pages.urls")),
]
