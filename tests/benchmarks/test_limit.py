"""The limit is the formula of the issue, and rates are measured."""

import pytest

from benchmarks.limit import Rates, measure, seconds

RATES = Rates(threads=2, bandwidth=8.0, dgemm=2.0, sgemm=4.0, exp=3.0)


@pytest.mark.parametrize(
    ("rows", "columns", "expected"),
    [
        (10, 1, 3 * 10 * 2 + 10 / 2.0 + 2 * 10 / 4.0 + 10),
        (10, 3, 3 * 10 * 4 + 90 / 2.0 + 2 * 90 / 4.0 + 10),
        (0, 5, 0.0),
    ],
)
def test_the_limit_adds_reads_grams_and_transcendentals(rows: int, columns: int, expected: float) -> None:
    assert seconds(RATES, rows, columns) == pytest.approx(expected)


def test_rates_are_positive() -> None:
    rates = measure(1, megabytes=1)
    assert rates.threads == 1
    assert min(rates.bandwidth, rates.dgemm, rates.sgemm, rates.exp) > 0.0
