"""What the trading half of a driver reads is bounded: each text, number and list, and all of them together."""

import pkgutil
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module
from typing import get_origin

import pytest
from msgspec import inspect
from msgspec.json import Decoder

from apps.feeds.drivers import money, registry, replies, wire
from apps.feeds.drivers.trading import Answer
from apps.feeds.errors import Flaw, MalformedFrame

# What the public half reads stands beside it.
PUBLIC = {"driver", "facts", "public", "rest", "symbols", "kucoin.classic", "kucoin.unified", "mexc.futures"}


def decoders(exchange: str) -> Iterator[tuple[str, inspect.Type]]:
    folder = import_module(f"apps.feeds.drivers.{exchange}")
    for found in pkgutil.iter_modules(folder.__path__):
        if not PUBLIC & {found.name, f"{exchange}.{found.name}"}:
            for name, value in vars(import_module(f"{folder.__name__}.{found.name}")).items():
                if isinstance(value, Decoder):
                    yield f"{found.name}.{name}", inspect.type_info(value.type)


def unbounded(place: str, shape: inspect.Type, *, exact: bool = False) -> Iterator[str]:
    """Where in `shape` something may be as long as it likes; `exact`: its decimals are looked at when it is made."""
    match shape:
        case inspect.StructType():
            exact = issubclass(get_origin(shape.cls) or shape.cls, money.Exact)
            for field in shape.fields:
                yield from unbounded(f"{place}.{field.name}", field.type, exact=exact)
        case inspect.UnionType():
            for kind in shape.types:
                yield from unbounded(place, kind, exact=exact)
        case inspect.ListType(max_length=int()):
            yield from unbounded(f"{place}[]", shape.item_type)
        case inspect.StrType(max_length=int()) | inspect.IntType(ge=int(), le=int()):
            return
        case inspect.BoolType() | inspect.NoneType() | inspect.LiteralType() | inspect.RawType():
            return  # what is raw is read by another shape
        case inspect.DecimalType() if exact:
            return
        case _:
            yield f"{place}: {type(shape).__name__}"


@pytest.mark.parametrize("exchange", registry.trader_ids())
def test_whatever_is_told_of_an_account_has_a_bound(exchange: str) -> None:
    shapes = list(decoders(exchange))
    assert len(shapes) > 10
    assert [found for name, shape in shapes for found in unbounded(name, shape)] == []


@pytest.mark.parametrize("told", ["0." + "9" * 1_000_000, "1" + "0" * 100, "0e-999999", "-0e101"])
def test_a_number_that_takes_a_page_to_write_is_no_sane_number(told: str) -> None:
    class Row(money.Exact):
        free: Decimal

    with pytest.raises(MalformedFrame):
        wire.body(wire.decoder(Row), b'{"free":"' + told.encode() + b'"}')
    with pytest.raises(MalformedFrame):
        money.number(Decimal(told))


def test_more_objects_than_any_account_has_are_refused_before_they_are_read() -> None:
    most, rows = [b"[" + b",".join([b"{}"] * count) + b"]" for count in (wire.MAX_OBJECTS, wire.MAX_OBJECTS + 1)]
    shape = wire.decoder(list[dict[str, int]])
    assert len(replies.read(shape, Answer(status=200, body=most), order=False)) == wire.MAX_OBJECTS
    assert wire.text(most) == most.decode()
    for read in (lambda: replies.read(shape, Answer(status=200, body=rows), order=False), lambda: wire.text(rows)):
        with pytest.raises(MalformedFrame) as refused:
            read()
        assert refused.value.flaw is Flaw.SIZE


def test_lists_in_a_list_count_together() -> None:
    wire.check_rows([[0] * (wire.MAX_PRINTS // 2)] * 2)
    with pytest.raises(MalformedFrame):
        wire.check_rows([[0] * (wire.MAX_PRINTS // 2)] * 3)
