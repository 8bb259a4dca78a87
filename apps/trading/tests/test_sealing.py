"""What is sealed opens with its own key and in its own row, and nothing else tells anything about it."""

import pickle

import pytest

from apps.trading.credentials.sealing import (
    OVERHEAD,
    BadKey,
    CannotOpen,
    KeyRing,
    NotOfThisRow,
    Place,
    PrivateKey,
    PublicKey,
    Sealed,
    UnknownKey,
)

ROW = Place(table="account_key", pk=7, user_id=3, version=1)
SECRET = b"canary-4f1d0e77"


@pytest.fixture(scope="module")
def ring() -> KeyRing:
    return KeyRing([PrivateKey.generate()])


def test_what_the_public_half_seals_the_private_half_opens(ring: KeyRing):
    sealed = PublicKey.parse(ring.current.text).seal(SECRET, ROW)
    assert sealed.key_id == ring.current.key_id
    assert len(sealed.box) == len(SECRET) + OVERHEAD
    assert ring.open(sealed, ROW) == SECRET


def test_the_same_value_never_looks_the_same(ring: KeyRing):
    assert ring.current.seal(SECRET, ROW) != ring.current.seal(SECRET, ROW)


def test_a_key_that_is_not_on_the_ring_is_said_so(ring: KeyRing):
    sealed = PrivateKey.generate().public.seal(SECRET, ROW)
    with pytest.raises(UnknownKey, match="account_key 7"):
        ring.open(sealed, ROW)


def test_a_sealed_value_under_the_name_of_another_key_stays_closed(ring: KeyRing):
    both = ring.with_new()
    old = both.keys[1].public.seal(SECRET, ROW)
    with pytest.raises(NotOfThisRow):
        both.open(Sealed(both.current.key_id, old.box), ROW)


def test_the_old_keys_of_a_ring_still_open_and_the_new_one_seals(ring: KeyRing):
    old = ring.current.seal(SECRET, ROW)
    grown = ring.with_new()
    moved = Place(table="account_key", pk=7, user_id=3, version=2)
    assert grown.open(old, ROW) == SECRET
    new = grown.resealed(old, ROW, moved)
    assert new.key_id == grown.current.key_id != old.key_id
    assert grown.without(ring.ids()).open(new, moved) == SECRET


@pytest.mark.parametrize("size", [0, 1, 31, 32, 47, 48, 200])
def test_what_no_sender_made_stays_closed(ring: KeyRing, size: int):
    with pytest.raises(NotOfThisRow):
        ring.open(Sealed(ring.current.key_id, b"\0" * size), ROW)


def test_a_key_that_was_given_up_opens_nothing_more(ring: KeyRing):
    old = ring.current.seal(SECRET, ROW)
    with pytest.raises(UnknownKey):
        ring.with_new().without(ring.ids()).open(old, ROW)


def test_the_current_key_cannot_be_given_up(ring: KeyRing):
    with pytest.raises(BadKey):
        ring.without([ring.current.key_id])


def test_a_ring_reads_what_it_writes(ring: KeyRing):
    grown = ring.with_new()
    assert KeyRing.parse(grown.secret_text).ids() == grown.ids()


@pytest.mark.parametrize("text", ["", "\n", "key", "ct-seal-private-1:AAAA", "ct-seal-private-1:" + "A" * 44])
def test_a_text_that_is_no_key_is_refused_without_being_repeated(text: str):
    with pytest.raises(BadKey) as refused:
        KeyRing.parse(text)
    assert "AAAA" not in str(refused.value)


def test_one_half_is_never_taken_for_the_other(ring: KeyRing):
    private = ring.keys[0].secret_text
    with pytest.raises(BadKey) as refused:
        PublicKey.parse(private)
    assert private[-44:] not in str(refused.value)
    with pytest.raises(BadKey):
        PrivateKey.parse(ring.current.text)


def test_a_ring_has_each_key_once(ring: KeyRing):
    with pytest.raises(BadKey):
        KeyRing([*ring.keys, *ring.keys])


def test_no_repr_and_no_error_holds_a_secret(ring: KeyRing):
    sealed = ring.current.seal(SECRET, ROW)
    with pytest.raises(CannotOpen) as refused:
        ring.open(sealed, Place(table="account_key", pk=8, user_id=3, version=1))
    seen = f"{ring!r} {ring.keys!r} {ring.current!r} {refused.value!r}"
    for private in (SECRET.decode(), *(key.secret_text[-44:] for key in ring.keys)):
        assert private not in seen
    assert refused.value.__cause__ is None


def test_a_private_key_does_not_travel(ring: KeyRing):
    with pytest.raises(TypeError, match="does not travel"):
        pickle.dumps(ring)
