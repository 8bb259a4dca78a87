"""Does ClickHouse hold what we say it holds? Numbers without holes, and every done batch with all its rows."""

from datetime import datetime

from clickhouse_connect.driver.client import Client
from msgspec import Struct

from apps.monitoring.rows import COLUMNS
from apps.monitoring.segments import named

BATCHES_AT_ONCE = 1000
TILES = """
SELECT stream, epoch, count() AS rows, uniqExact(event_no) AS numbers,
    min(event_no) AS first_no, max(event_no) AS last_no
FROM {table}
WHERE ts_recv >= {{since:DateTime64(6)}} AND ts_recv < {{until:DateTime64(6)}}
    AND ({{stream:String}} = '' OR stream = {{stream:String}})
GROUP BY stream, epoch
ORDER BY stream, epoch"""
COUNTS = """
SELECT batch_id, count()
FROM {table}
WHERE toYYYYMMDD(ts_recv) IN {{days:Array(UInt32)}} AND batch_id IN {{batches:Array(String)}}
GROUP BY batch_id"""


class Tile(Struct, frozen=True, kw_only=True):
    """The numbered events of one stream and epoch in an interval; gaps take no numbers, so a hole is a loss."""

    table: str
    stream: str
    epoch: int
    rows: int
    numbers: int
    first_no: int
    last_no: int

    @property
    def missing(self) -> int:
        return self.last_no - self.first_no + 1 - self.numbers

    @property
    def doubled(self) -> int:
        return self.rows - self.numbers


def tiles(client: Client, since: datetime, until: datetime, stream: str = "") -> list[Tile]:
    """All streams' tiles, or one stream's."""
    found = []
    for table in COLUMNS:
        parameters = {"since": since, "until": until, "stream": stream}
        rows = client.query(TILES.format(table=table), parameters=parameters).named_results()
        found += [Tile(table=table, **row) for row in rows]
    return found


def counts(client: Client, batch_ids: list[str]) -> dict[str, int]:
    """Rows that ClickHouse has of each batch, 0 included."""
    found = dict.fromkeys(batch_ids, 0)
    for start in range(0, len(batch_ids), BATCHES_AT_ONCE):
        some = batch_ids[start : start + BATCHES_AT_ONCE]
        for table in COLUMNS:
            mine = [batch_id for batch_id in some if named(batch_id).table == table]
            days = sorted({int(named(batch_id).day) for batch_id in mine})
            if mine:
                rows = client.query(COUNTS.format(table=table), parameters={"days": days, "batches": mine}).result_rows
                found.update({str(batch_id): int(rows) for batch_id, rows in rows})
    return found
