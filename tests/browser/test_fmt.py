"""The numbers of the pages, in the browser that draws them."""

import pytest

WRITTEN = {
    "group('97412.36')": "97,412.36",
    "group('1234567')": "1,234,567",
    "group('0.00002042')": "0.00002042",
    "group(null)": "–",
    "fixed(16820.4, 0)": "16,820",
    "fixed(null, 2)": "–",
    "signed(-2.14, 1)": "−2.1",
    "signed(2, 0)": "+2",
    "signed(-0.01, 1)": "0.0",
    "bp(-15.49)": "−15",
    "bp(3.94)": "+3.9",
    "significant(15.52971, 6)": "15.5297",
    "significant(0.03349, 6, 5)": "0.03349",
    "significant(0)": "0",
    "short(412000000)": "412 M",
    "short(8123456)": "8.12 M",
    "short(950)": "950",
    "thousands(1513000)": "1,513k",
    "duration(420)": "420 ms",
    "duration(14200)": "14.2 s",
    "duration(372000)": "6 m 12 s",
    "duration(212400000)": "2 d 11 h",
    "duration(null)": "–",
    "clock(1795164734311)": "08:52:14.311",
    "decimals('0.5')": 1,
    "decimals('5')": 0,
    "decimals('0.00000001')": 8,
    "split('97412.36')": ["97,412.", "36"],
    "split('83961.6')": ["83,96", "1.6"],
    "split('5')": ["", "5"],
    "sideOf({ side: 'buy' })": ["▲", "bid"],
    "sideOf({ side: 'sell' })": ["▼", "ask"],
    "sideOf({ side: 'unknown' })": ["·", "dim"],
}


def test_numbers_are_written_as_people_read_them(open_page):
    page = open_page("/fleet/")
    calls = ", ".join(f"fmt.{expression}" for expression in WRITTEN)
    found = page.evaluate(f"import('/static/js/fmt.js').then((fmt) => [{calls}])")
    assert dict(zip(WRITTEN, found, strict=True)) == WRITTEN


def test_grouping_never_shows_a_better_price(open_page):
    page = open_page("/fleet/")
    grouped = page.evaluate(
        """async () => {
            const { grouped } = await import('/static/js/ladder.js');
            const bids = [["100.49", "1"], ["100.41", "2"], ["100.39", "3"], ["99.00", "4"]];
            const asks = [["100.51", "1"], ["100.59", "2"], ["100.61", "3"], ["101.00", "4"]];
            const shape = (levels) => levels.map(({ price, size }) => [price, size]);
            return [shape(grouped(bids, "bid", "0.01", 10, 2)), shape(grouped(asks, "ask", "0.01", 10, 2))];
        }"""
    )
    assert grouped == [
        [["100.40", 3], ["100.30", 3], ["99.00", 4]],
        [["100.60", 3], ["100.70", 3], ["101.00", 4]],
    ]


def test_the_cost_of_taking_is_counted_level_by_level(open_page):
    page = open_page("/fleet/")
    costs = page.evaluate(
        """async () => {
            const { cost, edge, quote } = await import('/static/js/figures.js');
            const asks = [["101", "1"], ["102", "1"]];
            return [cost(asks, 100, 101), cost(asks, 100, 203), cost(asks, 100, 204), edge(100, 101),
                    quote({ b: [["100", "1"]], a: [["100", "1"]] }, "1")];
        }"""
    )
    assert costs[0] == pytest.approx(100)
    assert costs[1] == pytest.approx(150)
    assert costs[2] is None  # more than the book has
    assert costs[3] == pytest.approx(100)
    assert costs[4] is None  # crossed
