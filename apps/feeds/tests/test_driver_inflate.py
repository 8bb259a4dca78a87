"""Compressed frames are unpacked whatever their wrapping, and never beyond their bounds."""

import gzip
import zlib

import pytest

from apps.feeds.drivers.inflate import MAX_RATIO, inflate
from apps.feeds.errors import Flaw, MalformedFrame

TEXT = b'{"ping":1786563031344}'


def raw_deflate(content: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(content) + packing.flush()


@pytest.mark.parametrize("packed", [gzip.compress(TEXT, mtime=0), zlib.compress(TEXT), raw_deflate(TEXT), TEXT])
def test_every_wrapping_gives_the_same_text(packed: bytes):
    assert inflate(packed) == TEXT


def test_text_frames_pass():
    assert inflate(TEXT.decode()) == TEXT.decode()


@pytest.mark.parametrize("size", [100_000, 50_000_000])
def test_a_bomb_is_refused_before_it_goes_off(size: int):
    bomb = gzip.compress(b"0" * size)
    assert size > MAX_RATIO * len(bomb)
    with pytest.raises(MalformedFrame, match="unpack to more than"):
        inflate(bomb)


@pytest.mark.parametrize(
    "spoilt",
    [b"", gzip.compress(TEXT, mtime=0)[:-3], gzip.compress(TEXT, mtime=0) + b"x", b"\x1f\x8b nothing", b"\xff\xff\xff"],
)
def test_what_cannot_be_unpacked_whole_is_malformed(spoilt: bytes):
    with pytest.raises(MalformedFrame):
        inflate(spoilt)


@pytest.mark.parametrize("frame", [b"\x1f\x8b\x08\x00broken", gzip.compress(bytes(10_000_000), mtime=0)])
def test_what_does_not_unpack_is_counted_as_such(frame: bytes) -> None:
    with pytest.raises(MalformedFrame) as refusal:
        inflate(frame)
    assert refusal.value.flaw is Flaw.PACKING
