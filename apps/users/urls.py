"""The part of `/api/v1/` that speaks of people."""

from django.urls import path

from apps.users import views

urlpatterns = [
    path("me", views.MeView.as_view(), name="api-me"),
    path("me/second-factor", views.SecondFactorView.as_view(), name="api-second-factor"),
    path("tokens", views.TokensView.as_view(), name="api-tokens"),
    path("tokens/<str:token_id>", views.TokenView.as_view(), name="api-token"),
    path("audit", views.AuditView.as_view(), name="api-audit"),
    path("audit/verdict", views.AuditVerdictView.as_view(), name="api-audit-verdict"),
    path("alerts", views.AlertsView.as_view(), name="api-alerts"),
    path("alerts/<int:alert_id>/ack", views.AlertAckView.as_view(), name="api-alert-ack"),
]
