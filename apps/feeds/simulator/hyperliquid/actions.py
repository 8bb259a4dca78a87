"""The actions that are understood, and their one true form: what is signed is that, however it was written.

Keys have an order, numbers no needless zeros, addresses and client ids small letters. Who signed anything else is taken
for a stranger.
"""

import re
from decimal import Decimal
from typing import Any

import msgspec

NUMBER = r"[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9])?"
HEX_ID = r"0x[0-9a-fA-F]{32}"


class Tif(msgspec.Struct, forbid_unknown_fields=True):
    tif: str


class Kind(msgspec.Struct, forbid_unknown_fields=True):
    limit: Tif


class OrderWire(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    a: int
    b: bool
    p: str
    s: str
    r: bool
    t: Kind
    c: str | None = None


class Builder(msgspec.Struct, forbid_unknown_fields=True):
    b: str
    f: int


class Place(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="order", omit_defaults=True):
    orders: list[OrderWire]
    grouping: str
    builder: Builder | None = None


class CancelWire(msgspec.Struct, forbid_unknown_fields=True):
    a: int
    o: int


class Cancel(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="cancel"):
    cancels: list[CancelWire]


class CloidWire(msgspec.Struct, forbid_unknown_fields=True):
    asset: int
    cloid: str


class CancelByCloid(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="cancelByCloid"):
    cancels: list[CloidWire]


class UpdateLeverage(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="updateLeverage"):
    asset: int
    isCross: bool  # noqa: N815 (the exchange's word)
    leverage: int


class ScheduleCancel(
    msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="scheduleCancel", omit_defaults=True
):
    time: int | None = None


class Noop(msgspec.Struct, forbid_unknown_fields=True, tag_field="type", tag="noop"):
    pass


class ApproveAgent(msgspec.Struct, tag_field="type", tag="approveAgent"):
    """Signed by the account's own key, as it is."""

    hyperliquidChain: str  # noqa: N815
    signatureChainId: str  # noqa: N815
    agentAddress: str  # noqa: N815
    nonce: int
    agentName: str | None = None  # noqa: N815


class Signature(msgspec.Struct):
    r: str
    s: str
    v: int


class Envelope(msgspec.Struct):
    """The body of a request to `/exchange`."""

    action: Place | Cancel | CancelByCloid | UpdateLeverage | ScheduleCancel | Noop | ApproveAgent
    nonce: int
    signature: Signature
    vaultAddress: str | None = None  # noqa: N815
    expiresAfter: int | None = None  # noqa: N815


def read(body: bytes) -> Envelope:
    """Raises ValueError for what is no action."""
    envelope = _decoder.decode(body)
    for wire in envelope.action.orders if isinstance(envelope.action, Place) else ():
        wire.p, wire.s = plain(wire.p), plain(wire.s)
        wire.c = None if wire.c is None else cloid(wire.c)
    for cancel in envelope.action.cancels if isinstance(envelope.action, CancelByCloid) else ():
        cancel.cloid = cloid(cancel.cloid)
    if envelope.vaultAddress is not None:
        envelope.vaultAddress = envelope.vaultAddress.lower()
    return envelope


def plain(text: str) -> str:
    """A number without needless zeros and without an exponent. Raises ValueError."""
    if re.fullmatch(NUMBER, text) is None:
        raise ValueError(text)
    digits = f"{Decimal(text):f}"
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def cloid(text: str) -> str:
    if re.fullmatch(HEX_ID, text) is None:
        raise ValueError(text)
    return text.lower()


def form(action: Any) -> Any:
    """What is signed of an action: maps in the order of the fields."""
    return msgspec.to_builtins(action)


_decoder = msgspec.json.Decoder(Envelope)
