import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from apps.users.audit import COVERED, as_kept, digest
from apps.users.models import Audit, AuditHead
from apps.users.selectors import verify_audit
from apps.users.services import SYSTEM, Actor, record

ROWS = 5
BEFORE = "e4285ca740a74d1018f948547409142fd40d0f4fd05c246846684c3bb73288a4"
OTHER: dict[str, Any] = {
    "change_id": 99,
    "at": "2001-01-01 00:00:00",
    "before": '{"depth": 1}',
    "after": "[1]",
    "second_factor": 1,
}


def write_trail(rows: int = ROWS) -> None:
    for number in range(1, rows + 1):
        record(
            actor=Actor(user="ann", role="operator", session="s1", ip="127.0.0.1", idempotency_key="k"),
            action="pair.edit",
            object=f"pair {number}",
            before={"depth": 20, "name": "Ünïcode €"},
            after={"depth": 50},
            reason="deeper",
        )


def forge(sql: str, *values: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


@pytest.mark.django_db
def test_a_trail_that_nobody_touched_is_intact():
    write_trail()
    assert verify_audit().intact
    assert verify_audit().last_change_id == ROWS


@pytest.mark.django_db
def test_an_empty_trail_is_intact():
    assert verify_audit().intact


@pytest.mark.django_db
@pytest.mark.parametrize("column", COVERED)
@pytest.mark.parametrize("change_id", [1, 3, ROWS])
def test_an_edited_row_is_found(column, change_id):
    write_trail()
    forge(
        f"UPDATE audit SET {connection.ops.quote_name(column)} = %s WHERE change_id = %s",
        OTHER.get(column, "forged"),
        change_id,
    )
    verdict = verify_audit()
    assert not verdict.intact
    assert verdict.broken_at == change_id


@pytest.mark.django_db
@pytest.mark.parametrize("given", [False, True])
def test_that_a_code_was_given_can_be_neither_added_nor_taken_away(given):
    record(actor=Actor(user="ann", second_factor=given), action="risk.resume", object="global")
    assert verify_audit().intact
    forge("UPDATE audit SET second_factor = %s", not given)
    assert verify_audit().broken_at == 1


def test_a_row_from_before_there_were_codes_keeps_its_hash():
    """Written down when that column was new."""
    row = dict.fromkeys(COVERED, "") | {
        "change_id": 1,
        "at": datetime(2026, 11, 20, tzinfo=UTC),
        "second_factor": False,
    }
    assert digest(row) == digest({**row, "second_factor": 0}) == BEFORE


def mysqls(value: Any) -> Any:
    """As MySQL gives a JSON value back, which keeps numbers in 64 bits."""

    def number(text: str) -> int | float:
        return int(text) if -(2**63) <= int(text) < 2**64 else float(text)

    return json.loads(json.dumps(value), parse_int=number)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.integers() | st.text("ab1"), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
@example({2: "b", 10: "a"})
@example(2**64 + 1)
@example(float("nan"))
@example(1e22)
def test_a_hash_holds_for_what_any_database_gives_back(value):
    kept = as_kept(value)
    row = {**dict.fromkeys(COVERED, ""), "at": datetime(2026, 11, 20, tzinfo=UTC), "before": kept}
    for given_back in (json.loads(json.dumps(kept, allow_nan=False)), mysqls(kept)):
        assert digest({**row, "before": given_back}) == digest(row)
    assert as_kept(kept) == kept


@pytest.mark.django_db
def test_a_trail_of_numbers_that_no_database_keeps_alike_is_intact():
    record(actor=SYSTEM, action="test", object="a", before={2: 2**70, 10: 1e300}, after=[float("inf"), (1, 2)])
    row = Audit.objects.get()
    assert (row.before, row.after) == ({"2": str(2**70), "10": 1e300}, ["Infinity", [1, 2]])
    assert verify_audit().intact


@pytest.mark.django_db
@pytest.mark.parametrize("change_id", range(1, ROWS + 1))
def test_a_row_that_was_taken_out_is_found(change_id):
    write_trail()
    forge("DELETE FROM audit WHERE change_id = %s", change_id)
    assert verify_audit().broken_at == change_id


@pytest.mark.django_db
def test_a_row_that_was_put_in_is_found():
    write_trail()
    forged = Audit.objects.get(change_id=ROWS)
    forged.change_id, forged.prev_hash = ROWS + 1, forged.hash
    forged.save(force_insert=True)
    assert verify_audit().broken_at == ROWS + 1


@pytest.mark.django_db
def test_a_chain_rehashed_to_its_end_is_found_by_the_noted_end():
    write_trail()
    Audit.objects.all()._raw_delete(using="default")
    head = AuditHead.objects.get()
    AuditHead.objects.update(last_change_id=0, last_hash="")
    write_trail()
    AuditHead.objects.update(last_change_id=head.last_change_id, last_hash=head.last_hash)
    assert not verify_audit().intact


@pytest.mark.django_db
def test_the_trail_is_only_added_to():
    write_trail()
    with pytest.raises(TypeError, match="append-only"):
        Audit.objects.filter(change_id=1).update(user="eve")
    with pytest.raises(TypeError, match="append-only"):
        Audit.objects.all().delete()


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_writers_at_the_same_time_make_one_chain():
    def write(number: int) -> None:
        try:
            record(actor=SYSTEM, action="test", object=f"writer {number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(24)))
    assert verify_audit().last_change_id == 24
    assert verify_audit().intact
