"""The pages for people. `/admin/`, `/login/` and the REST API have their own."""

from django.urls import path
from django.views.generic import RedirectView

from ctweb.pages import actions, book, fleet, pairs

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="fleet"), name="home"),
    path("fleet/", fleet.fleet, name="fleet"),
    path("pairs/", pairs.pairs, name="pairs"),
    path("pairs/catalogue.json", pairs.catalogue, name="pairs-catalogue"),
    path("pairs/changes/", pairs.changes, name="pairs-changes"),
    path("pairs/refused/", pairs.refused, name="pairs-refused"),
    path("book/", book.first, name="book"),
    path("book/<str:exchange>/<str:market_type>/<str:pair>/", book.book, name="book"),
    path("actions/resync", actions.ResyncView.as_view(), name="resync"),
    path("actions/refresh", actions.RefreshView.as_view(), name="refresh"),
]
