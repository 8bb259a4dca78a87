"""Whatever is done to a sealed value, it opens in its own row or not at all. CT_EXAMPLES multiplies their number."""

from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from apps.trading.credentials.sealing import CannotOpen, KeyRing, NotOfThisRow, Place, PrivateKey, Sealed
from tests.sizes import examples

RUNS = settings(max_examples=examples(850), deadline=None)
RING = KeyRing(PrivateKey.generate() for _ in range(3))
NUMBERS = st.integers(0, 2**63 - 1) | st.integers(0, 30)
PLACES = st.builds(
    Place,
    table=st.sampled_from(["account_key", "account", ""]) | st.text(),
    pk=NUMBERS,
    user_id=NUMBERS,
    version=NUMBERS,
)
VALUES = st.binary(max_size=300)
KEYS = st.sampled_from(RING.keys)


@RUNS
@given(value=VALUES, key=KEYS, own=PLACES, other=PLACES)
def test_a_value_opens_in_its_own_row_and_in_no_other(value: bytes, key: PrivateKey, own: Place, other: Place):
    sealed = key.public.seal(value, own)
    assert RING.open(sealed, own) == value
    assume(other != own)
    with pytest.raises(NotOfThisRow):
        RING.open(sealed, other)


@RUNS
@given(own=PLACES, field=st.sampled_from(["pk", "user_id", "version"]), by=st.integers(1, 9))
def test_a_row_that_differs_in_one_number_is_another_row(own: Place, field: str, by: int):
    sealed = RING.current.seal(b"value", own)
    with pytest.raises(NotOfThisRow):
        RING.open(sealed, replace(own, **{field: getattr(own, field) + by}))


@RUNS
@given(values=st.tuples(VALUES, VALUES), keys=st.tuples(KEYS, KEYS), places=st.tuples(PLACES, PLACES))
def test_values_of_two_rows_that_were_swapped_stay_closed(
    values: tuple[bytes, bytes], keys: tuple[PrivateKey, PrivateKey], places: tuple[Place, Place]
):
    assume(places[0] != places[1])
    first, second = (key.public.seal(value, place) for key, value, place in zip(keys, values, places, strict=True))
    for swapped, place in ((first, places[1]), (second, places[0])):
        with pytest.raises(NotOfThisRow):
            RING.open(swapped, place)


@RUNS
@given(value=VALUES, own=PLACES, data=st.data())
def test_a_value_that_was_cut_grown_or_altered_stays_closed(value: bytes, own: Place, data: st.DataObject):
    box = RING.current.seal(value, own).box
    at = data.draw(st.integers(0, len(box) - 1))
    flipped = box[:at] + bytes([box[at] ^ data.draw(st.integers(1, 255))]) + box[at + 1 :]
    # the highest bit of an X25519 point is not part of it: HPKE's key schedule covers the bytes as they were sent
    for spoilt in (box[:at], box[at + 1 :], flipped, box + b"\0"):
        with pytest.raises(CannotOpen):
            RING.open(Sealed(RING.current.key_id, spoilt), own)


@RUNS
@given(value=VALUES, own=PLACES, key=KEYS, claimed=KEYS)
def test_a_value_opens_only_under_the_key_that_it_was_sealed_to(
    value: bytes, own: Place, key: PrivateKey, claimed: PrivateKey
):
    assume(key is not claimed)
    sealed = Sealed(claimed.public.key_id, key.public.seal(value, own).box)
    with pytest.raises(NotOfThisRow):
        RING.open(sealed, own)


@RUNS
@given(value=VALUES, own=PLACES, key=KEYS)
def test_an_old_key_opens_until_it_is_given_up(value: bytes, own: Place, key: PrivateKey):
    sealed = key.public.seal(value, own)
    moved = replace(own, version=own.version + 1)
    resealed = RING.resealed(sealed, own, moved)
    rest = RING.without(set(RING.ids()) - {RING.current.key_id})
    assert rest.open(resealed, moved) == value
    with pytest.raises(CannotOpen):
        rest.open(resealed, own)
    assume(key is not RING.keys[0])
    with pytest.raises(CannotOpen):
        rest.open(sealed, own)
