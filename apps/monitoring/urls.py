"""The part of `/api/v1/` that speaks of what is watched and kept."""

from django.urls import path

from apps.monitoring.views import history, pairs

urlpatterns = [
    path("pairs", pairs.PairsView.as_view(), name="api-pairs"),
    path("pairs/bulk", pairs.PairsBulkView.as_view(), name="api-pairs-bulk"),
    path("pairs/preview", pairs.PairsPreviewView.as_view(), name="api-pairs-preview"),
    path("pairs/<int:row_id>", pairs.PairView.as_view(), name="api-pair"),
    path("history/updates", history.UpdatesView.as_view(), name="api-history-updates"),
    path("history/trades", history.TradesView.as_view(), name="api-history-trades"),
    path("history/completeness", history.CompletenessView.as_view(), name="api-history-completeness"),
    path("history/gaps", history.GapsView.as_view(), name="api-history-gaps"),
]
