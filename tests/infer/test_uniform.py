"""Uniform numbers by counter: against published answers, and against Philox in whole numbers of Python."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.infer.uniform import philox, uniform

PUBLISHED = {
    "zeros": ((0,) * 4, (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    "ones": ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    "pi": (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
}
"""kat_vectors of Random123: philox4x32, ten rounds."""


def by_hand(counter: tuple[int, ...], key: tuple[int, int]) -> tuple[int, ...]:
    """Philox4x32-10 with integers of any length."""
    a, b, c, d = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(a * 0xD2511F53, 2**32)
        high1, low1 = divmod(c * 0xCD9E8D57, 2**32)
        a, b, c, d = high1 ^ b ^ k0, low1, high0 ^ d ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return a, b, c, d


def number(seed: int, row: int, draw: int) -> float:
    """Return the number that a seed, a row and a draw stand for."""
    first, second, _, _ = by_hand((row % 2**32, row // 2**32, draw, 0), (seed % 2**32, seed // 2**32))
    return ((first // 2**5) * 2**26 + second // 2**6 + 0.5) / 2**53


def kolmogorov(values: np.ndarray) -> float:
    """Root n times the largest distance from the uniform law; above 1.95 once in a thousand."""
    ordered, n = np.sort(values), len(values)
    steps = np.arange(n + 1) / n
    return float(np.sqrt(n) * max(np.max(steps[1:] - ordered), np.max(ordered - steps[:-1])))


@pytest.mark.parametrize("name", PUBLISHED)
def test_philox_gives_the_published_answers(name: str) -> None:
    counter, key, answer = PUBLISHED[name]
    a, b, c, d = (np.array([word], dtype=np.uint64) for word in counter)
    assert " ".join(f"{int(word[0]):08x}" for word in philox((a, b, c, d), key)) == answer


def test_philox_is_elementwise() -> None:
    words = np.random.default_rng(0).integers(0, 2**32, (4, 7), dtype=np.uint64)
    found = np.array(philox((words[0], words[1], words[2], words[3]), (123, 456)))
    for column in range(7):
        expected = by_hand(tuple(int(word) for word in words[:, column]), (123, 456))
        assert tuple(found[:, column].tolist()) == expected


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1, 2**32, 2**64 - 1])
def test_numbers_are_those_of_philox_by_hand(seed: int) -> None:
    rows = np.array([0, 3, 2**32 + 3, 2**40])
    expected = [[number(seed, int(row), draw) for draw in range(3)] for row in rows]
    assert uniform(seed, rows, 3).tolist() == expected


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


def test_zero_is_never_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def least(counter: tuple[np.ndarray, ...], key: tuple[int, int]) -> tuple[np.ndarray, ...]:
        del key
        return tuple(np.zeros_like(word) for word in counter)

    monkeypatch.setitem(uniform.__globals__, "philox", least)
    assert uniform(0, np.array([0]), 1)[0, 0] == 2.0**-54


@pytest.mark.parametrize("axis", [0, 1], ids=["within rows", "within draws"])
def test_the_numbers_are_uniform_and_uncorrelated_either_way(axis: int) -> None:
    table = uniform(99, np.arange(150), 150)
    assert kolmogorov(table.ravel()) < 1.95
    ahead, behind = np.delete(table, 0, axis).ravel(), np.delete(table, -1, axis).ravel()
    assert abs(np.corrcoef(ahead, behind)[0, 1]) < 4 / np.sqrt(ahead.size)
