"""The part of `/api/v1/` that speaks of what is watched and kept."""

from django.urls import path

from apps.monitoring.views import pairs

urlpatterns = [
    path("pairs", pairs.PairsView.as_view(), name="api-pairs"),
    path("pairs/bulk", pairs.PairsBulkView.as_view(), name="api-pairs-bulk"),
    path("pairs/preview", pairs.PairsPreviewView.as_view(), name="api-pairs-preview"),
    path("pairs/<int:row_id>", pairs.PairView.as_view(), name="api-pair"),
]
