"""Protocol Buffers by field numbers, as far as MEXC's spot frames need them: text, whole numbers, messages, lists.

A message is a dict of field names to values; a table gives each name its number and, for messages inside, their table.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

VARINT, BYTES = 0, 2


@dataclass(frozen=True, slots=True)
class Field:
    number: int
    inside: "dict[str, Field]" = field(default_factory=dict)  # of a message; else empty
    repeated: bool = False


Table = dict[str, Field]

_ITEM = {"price": Field(1), "quantity": Field(2)}
_DEAL = {**_ITEM, "tradeType": Field(3), "time": Field(4), "tradeId": Field(5)}
_SIDES = {"asks": Field(1, _ITEM, repeated=True), "bids": Field(2, _ITEM, repeated=True), "eventType": Field(3)}
_QUOTE = {"bidPrice": Field(1), "bidQuantity": Field(2), "askPrice": Field(3), "askQuantity": Field(4)}
_PRIVATE_ORDER = {
    "id": Field(1),
    "clientId": Field(2),
    "price": Field(3),
    "quantity": Field(4),
    "amount": Field(5),
    "avgPrice": Field(6),
    "orderType": Field(7),
    "tradeType": Field(8),
    "isMaker": Field(9),
    "remainAmount": Field(10),
    "remainQuantity": Field(11),
    "lastDealQuantity": Field(12),
    "cumulativeQuantity": Field(13),
    "cumulativeAmount": Field(14),
    "status": Field(15),
    "createTime": Field(16),
}
_PRIVATE_DEAL = {
    "price": Field(1),
    "quantity": Field(2),
    "amount": Field(3),
    "tradeType": Field(4),
    "isMaker": Field(5),
    "isSelfTrade": Field(6),
    "tradeId": Field(7),
    "clientOrderId": Field(8),
    "orderId": Field(9),
    "feeAmount": Field(10),
    "feeCurrency": Field(11),
    "time": Field(12),
}
_PRIVATE_ACCOUNT = {
    "vcoinName": Field(1),
    "coinId": Field(2),
    "balanceAmount": Field(3),
    "balanceAmountChange": Field(4),
    "frozenAmount": Field(5),
    "frozenAmountChange": Field(6),
    "type": Field(7),
    "time": Field(8),
}
WRAPPER: Table = {
    "channel": Field(1),
    "symbol": Field(3),
    "createTime": Field(5),
    "sendTime": Field(6),
    "publicLimitDepths": Field(303, {**_SIDES, "version": Field(4), "lastOrderCreateTime": Field(5)}),
    "privateOrders": Field(304, _PRIVATE_ORDER),
    "privateDeals": Field(306, _PRIVATE_DEAL),
    "privateAccount": Field(307, _PRIVATE_ACCOUNT),
    "publicAggreDepths": Field(
        313, {**_SIDES, "fromVersion": Field(4), "toVersion": Field(5), "lastOrderCreateTime": Field(6)}
    ),
    "publicAggreDeals": Field(314, {"deals": Field(1, _DEAL, repeated=True), "eventType": Field(2)}),
    "publicAggreBookTicker": Field(315, {**_QUOTE, "version": Field(5), "lastOrderCreateTime": Field(6)}),
}


def encode(message: dict[str, Any], table: Table) -> bytes:
    """The fields in the order of the dict; zero and empty text are left out, as proto3 does."""
    parts = bytearray()
    for name, value in message.items():
        known = table[name]
        for item in value if known.repeated else (value,):
            if item or known.inside:
                parts += _field(known, item)
    return bytes(parts)


def _field(known: Field, value: Any) -> bytes:
    if isinstance(value, int):
        return _varint(known.number << 3 | VARINT) + _varint(value)
    body = encode(value, known.inside) if known.inside else value.encode()
    return _varint(known.number << 3 | BYTES) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def decode(body: bytes, table: Table) -> dict[str, Any]:
    """What `encode` made; fields that the table does not know are passed over. Raises ValueError when cut off."""
    known = {row.number: (name, row) for name, row in table.items()}
    message: dict[str, Any] = {name: [] for name, row in table.items() if row.repeated}
    for number, value in _fields(body):
        if number not in known:
            continue
        name, row = known[number]
        item: Any = value
        if isinstance(value, bytes):
            item = decode(value, row.inside) if row.inside else value.decode()
        if row.repeated:
            message[name].append(item)
        else:
            message[name] = item
    return message


def _fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(body):
        tag, at = _read_varint(body, at)
        number, kind = tag >> 3, tag & 7
        value, at = _read_varint(body, at)
        if kind == VARINT:
            yield number, value
        elif kind == BYTES and at + value <= len(body):
            yield number, body[at : at + value]
            at += value
        else:
            raise ValueError(f"field {number} of kind {kind} at {at} of {len(body)}")


def _read_varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(body):
        value |= (body[at] & 0x7F) << shift
        at += 1
        if body[at - 1] < 0x80:
            return value, at
        shift += 7
    raise ValueError("a number is cut off")
