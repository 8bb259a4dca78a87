"""Everything that a system keeps, as (where, content): files, tables, Redis, ClickHouse, what processes were told."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

from redis import Redis

from bench.system import System

Found = Iterator[tuple[str, bytes]]


def files(folder: Path, kind: str) -> Found:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield f"{kind} {path.relative_to(folder)}", path.read_bytes()


def redis_keys(url: str) -> Found:
    """Every key, whatever it holds."""
    with closing(Redis.from_url(url)) as client:
        for key in client.scan_iter(count=1000):
            yield "redis key", key
            kind = client.type(key).decode()
            if kind == "string":
                yield "redis string", client.get(key) or b""  # it may have run out since
            elif kind == "list":
                yield from (("redis list", each) for each in client.lrange(key, 0, -1))
            elif kind == "hash":
                yield from (("redis hash", each) for pair in client.hgetall(key).items() for each in pair)
            elif kind == "set":
                yield from (("redis set", each) for each in client.smembers(key))
            elif kind == "zset":
                yield from (("redis zset", each) for each in client.zrange(key, 0, -1))
            elif kind == "stream":
                yield from (
                    ("redis stream", each)
                    for _, fields in client.xrange(key)
                    for pair in fields.items()
                    for each in pair
                )
            else:
                assert kind == "none", kind


def redis_file(url: str) -> Found:
    """What Redis would keep on disk, uncompressed. Where to is its own affair: newer servers let nobody change it."""
    with closing(Redis.from_url(url)) as client:
        client.config_set("rdbcompression", "no")
        client.save()
        place = client.config_get("dir") | client.config_get("dbfilename")
    path = Path(place["dir"], place["dbfilename"])
    yield "redis rdb", path.read_bytes()
    path.unlink()


def query(system: System, sql: str) -> bytes:
    """What ClickHouse answers."""
    ports = json.loads((system.folder.run / "ports.json").read_text())
    with urlopen(f"http://127.0.0.1:{ports['history']}/?database=ct", data=sql.encode(), timeout=120) as answer:
        return bytes(answer.read())


def history(system: System) -> Found:
    """Every text of every table of ours in ClickHouse; the rest is numbers."""
    texts = "SELECT table, name FROM system.columns WHERE database = 'ct' AND type LIKE '%String%' FORMAT TSV"
    for line in query(system, texts).decode().splitlines():
        table, column = line.split("\t")
        yield f"clickhouse {table}.{column}", query(system, f"SELECT DISTINCT `{column}` FROM `{table}` FORMAT TSVRaw")


def processes(folders: list[Path]) -> Found:
    """What processes were started with."""
    for folder in folders:
        for name in ("cmdline", "environ"):
            yield f"process {name}", (folder / name).read_bytes()
