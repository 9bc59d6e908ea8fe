"""Uniform numbers by counter: against published answers, and against Philox in whole numbers of Python."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.infer.uniform import uniform


def by_hand(counter: tuple[int, ...], key: tuple[int, int]) -> tuple[int, ...]:
    """Philox4x64-10 with integers of any length."""
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(a * 0xD2E7470EE14C6C93, 2**64)
        high1, low1 = divmod(c * 0xCA5A826395121157, 2**64)
        a, b, c, d = high1 ^ b ^ k0, low1, high0 ^ d ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) % 2**64, (k1 + 0xBB67AE8584CAA73B) % 2**64
    return a, b, c, d


def number(seed: int, row: int, draw: int, stream: int = 0) -> float:
    """Return the number that a seed, a row and a draw stand for; NumPy counts steps from 1."""
    words = by_hand((row // 4 + 1, 0, 0, 0), (seed, draw + 2**32 * stream))
    return (words[row % 4] // 2**12 + 0.5) / 2**52


def kolmogorov(values: np.ndarray) -> float:
    """Root n times the largest distance from the uniform law; above 1.95 once in a thousand."""
    ordered, n = np.sort(values), len(values)
    steps = np.arange(n + 1) / n
    return float(np.sqrt(n) * max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))


def test_by_hand_is_the_published_philox() -> None:
    # kat_vectors of Random123: philox4x64, ten rounds, all zeros.
    words = by_hand((0,) * 4, (0, 0))
    assert [f"{word:016x}" for word in words] == [
        "16554d9eca36314c",
        "db20fe9d672d0fdc",
        "d7e772cee186176b",
        "7e68b68aec7ba23b",
    ]


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32, 2**64 - 1])
def test_numbers_are_those_of_philox_by_hand(seed: int) -> None:
    rows = np.array([0, 3, 2**32 + 3, 2**40])
    expected = [[number(seed, int(row), draw) for draw in range(3)] for row in rows]
    assert uniform(seed, rows, 3).tolist() == expected
    assert uniform(seed, rows, range(2, 3))[:, 0].tolist() == [row[2] for row in expected]
    assert uniform(seed, rows[:1], 1, 2)[0, 0] == number(seed, 0, 0, 2)


def test_both_halves_of_the_seed_count() -> None:
    row = np.array([0])
    drawn = {uniform(seed, row, 1)[0, 0] for seed in (0, 1, 2**32, 2**32 + 1)}
    assert len(drawn) == 4


def test_both_halves_of_the_row_count() -> None:
    assert len(np.unique(uniform(5, np.array([1, 2**32, 2**32 + 1]), 1))) == 3


def test_rows_and_draws_do_not_disturb_each_other() -> None:
    whole = uniform(77, np.arange(30), 6)
    np.testing.assert_array_equal(uniform(77, np.array([29, 4]), 2), whole[[29, 4], :2])


@pytest.mark.parametrize(("n", "draws"), [(0, 3), (3, 0), (0, 0), (1, 1)])
def test_shapes_are_rows_by_draws_even_where_there_are_none(n: int, draws: int) -> None:
    assert uniform(1, np.arange(n), draws).shape == (n, draws)


def test_no_two_numbers_of_a_table_are_equal_and_rows_are_not_draws() -> None:
    table = uniform(0, np.arange(50), 50)
    assert len(np.unique(table)) == 2500
    assert 0.0 < table.min() < table.max() < 1.0


def test_the_ends_are_never_reached_by_the_extreme_words(monkeypatch: pytest.MonkeyPatch) -> None:
    class Extreme:
        def __init__(self, key: np.ndarray) -> None:
            del key

        def advance(self, steps: int) -> None:
            assert steps == 0

        def random_raw(self, count: int) -> np.ndarray:
            return np.array([0, 2**64 - 1], dtype=np.uint64)[:count]

    monkeypatch.setattr(np.random, "Philox", Extreme)
    low, high = uniform(0, np.array([0, 1]), 1)[:, 0]
    assert low == 2.0**-53
    assert high == 1.0 - 2.0**-53


@pytest.mark.parametrize("axis", [0, 1], ids=["within rows", "within draws"])
def test_the_numbers_are_uniform_and_uncorrelated_either_way(axis: int) -> None:
    table = uniform(99, np.arange(150), 150)
    assert kolmogorov(table.ravel()) < 1.95
    ahead, behind = np.delete(table, 0, axis).ravel(), np.delete(table, -1, axis).ravel()
    assert abs(np.corrcoef(ahead, behind)[0, 1]) < 4 / np.sqrt(ahead.size)
