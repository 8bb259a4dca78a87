"""The part of `/api/v1/` that speaks of exchanges and live books."""

from django.urls import path

from apps.feeds.views import books, catalogue

urlpatterns = [
    path("exchanges", catalogue.ExchangesView.as_view(), name="api-exchanges"),
    path("exchanges/<str:code>", catalogue.ExchangeView.as_view(), name="api-exchange"),
    path("instruments", catalogue.InstrumentsView.as_view(), name="api-instruments"),
    path("books", books.BooksView.as_view(), name="api-books"),
    path("books/<str:exchange>/<str:market_type>/<path:pair>", books.BookView.as_view(), name="api-book"),
    path("daemons", books.DaemonsView.as_view(), name="api-daemons"),
]
