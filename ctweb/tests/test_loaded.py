import pytest

from apps.feeds.tests.listings import list_pairs
from apps.monitoring.models import Monitoring
from apps.trading.models import Trade
from ctweb.live.sources import enabled_now
from ctweb.loaded import loaded

pytestmark = pytest.mark.django_db


def test_a_pair_is_shown_whether_it_is_watched_or_traded():
    list_pairs("BTC/USDT", "ETH/USDT")
    Monitoring.objects.create(exchange="binance", pair="BTC/USDT", depth=50)
    for pair in ("BTC/USDT", "ETH/USDT", "GONE/USDT"):
        Trade.objects.create(exchange="binance", pair=pair)
    assert {key.pair: sub.depth for key, sub in loaded().subscriptions.items()} == {"BTC/USDT": 50, "ETH/USDT": 20}
    assert [(row.source, row.pair) for row in loaded().refused] == [("trade", "GONE/USDT")]
    assert set(enabled_now().depths) == {"binance:spot:BTC/USDT", "binance:spot:ETH/USDT"}
