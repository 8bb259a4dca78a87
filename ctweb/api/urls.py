"""The REST API: the seeds' paths, and everything else below `/api/v1/`."""

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from apps.feeds.views.books import BookView
from apps.monitoring.views.tasks import TasksView
from apps.trading.views.orders import OpenOrdersView
from ctweb.api.status import LiveView, ReadyView, StatusView

version_1: list[URLPattern | URLResolver] = [
    path("", include("apps.users.urls")),
    path("", include("apps.feeds.urls")),
    path("", include("apps.monitoring.urls")),
    path("", include("apps.trading.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="api-schema"), name="api-docs"),
    path("", RedirectView.as_view(pattern_name="api-docs"), name="api-root"),
]

urlpatterns = [
    path("status", StatusView.as_view(), name="status"),
    path("health/live", LiveView.as_view(), name="health-live"),
    path("health/ready", ReadyView.as_view(), name="health-ready"),
    path("orderbook/<str:exchange>/<path:pair>", BookView.as_view(), name="orderbook"),
    path("trader/orders", OpenOrdersView.as_view(), name="trader-orders"),
    path("monitor/tasks", TasksView.as_view(), name="monitor-tasks"),
    path("api/v1/", include(version_1)),
]
