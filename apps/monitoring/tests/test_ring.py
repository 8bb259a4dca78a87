from apps.monitoring.ring import Ring


def ring(rows: int = 4, size: int = 1000) -> Ring[str]:
    return Ring(rows=rows, size=size)


def test_rows_come_out_in_order_one_block_per_batch():
    window = ring(10)
    for batch, row in [("a", b"1"), ("b", b"2"), ("a", b"3")]:
        window.push(batch, row)
    assert window.take() == {"a": [b"1", b"3"], "b": [b"2"]}
    assert window.take() == {}


def test_rows_count_until_they_are_written():
    window = ring(4)
    for _ in range(4):
        window.push("a", b"xx")
    window.take()
    assert (window.full, window.rows, window.size) == (True, 4, 8)


def test_a_full_ring_takes_rows_again_when_it_is_half_empty():
    window = ring(4)
    for _ in range(4):
        window.push("a", b"xx")
    window.written(1, 2)
    assert window.full
    window.written(1, 2)
    assert not window.full


def test_bytes_are_a_bound_too():
    window = ring(rows=100, size=10)
    window.push("a", b"x" * 10)
    assert window.full
