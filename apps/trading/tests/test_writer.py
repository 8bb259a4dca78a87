"""What was pushed is written down; only what was is known from then on."""

from collections import Counter
from pathlib import Path

import pytest

from apps.feeds.drivers.trading import Placed
from apps.feeds.market import MarketType
from apps.feeds.orders import OrderStatus
from apps.trading.bookkeeping import recording
from apps.trading.collecting.cache import EventCache
from apps.trading.collecting.catalogue import Catalogue
from apps.trading.collecting.spool import Spool
from apps.trading.collecting.writer import Writer
from apps.trading.models import Order
from apps.trading.tests import told

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)  # it gives old connections up


def test_what_nobody_knew_whose_it_was_is_written_when_it_is_told_once_more(tmp_path: Path, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    ours, cache, counts = told.sent(), EventCache(), Counter[str]()
    writer = Writer(
        ours.account_id or 0,
        spool=Spool(tmp_path / "events.jsonl"),
        cache=cache,
        catalogue=Catalogue("binance", MarketType.SPOT),
        counts=counts,
        failed=lambda: None,
    )
    theirs = told.update(ours, OrderStatus.OPEN, client_order_id=None, exchange_order_id="theirs")
    assert not writer.take([theirs, theirs])
    assert (counts["whose is not known"], Order.objects.filter(is_external=True).count()) == (2, 0)
    recording.record_placed(ours.pk, Placed(exchange_order_id="ours", client_order_id=None, status=OrderStatus.OPEN))
    assert not writer.take([theirs, theirs])
    assert Order.objects.get(is_external=True).exchange_order_id == "theirs"
    assert (cache.stats().hits, cache.stats().misses) == (1, 3)
