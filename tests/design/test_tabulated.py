"""A table of columns by code does what the columns written out do, to rounding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from etamu.design.blocks import Block, Coded, Dense, Sparse
from etamu.design.cross import bilinear, cross
from etamu.design.tabulated import Tabulated

N, LEVELS, WIDTH = 40, 7, 3


def block(seed: int = 0, *, scaled: bool = True) -> Tabulated:
    rng = np.random.default_rng(seed)
    made = Tabulated(rng.integers(0, LEVELS, N), rng.normal(size=(LEVELS, WIDTH)))
    return made.scaled(rng.normal(size=WIDTH), rng.uniform(0.5, 2.0, WIDTH)) if scaled else made


def plain(tabulated: Tabulated) -> Dense:
    columns = tuple(np.ascontiguousarray(column) for column in tabulated.table[tabulated.codes].T)
    return Dense(columns, tabulated.shift, tabulated.scale)


def others() -> dict[str, Block]:
    from scipy import sparse

    rng = np.random.default_rng(5)
    return {
        "dense": Dense((rng.normal(size=N), rng.normal(size=N))),
        "coded": Coded(rng.integers(0, 4, N), 4, rng.normal(size=N)),
        "sparse": Sparse(sparse.random_array((N, 5), density=0.3, rng=rng, format="csr")),
        "tabulated": block(9),
    }


VERBS: dict[str, Callable[[Any], Any]] = {
    "matvec": lambda b: b.matvec(np.array([1.0, -2.0, 0.5])),
    "matmat": lambda b: b.matmat(np.arange(6.0).reshape(3, 2)),
    "rmatvec": lambda b: b.rmatvec(np.linspace(-1.0, 2.0, N)),
    "gram": lambda b: b.gram(np.linspace(-1.0, 2.0, N)),
    "quadratic": lambda b: b.quadratic(np.array([[2.0, 0.3, 0.0], [0.3, 1.0, -0.2], [0.0, -0.2, 3.0]])),
    "dense": lambda b: b.dense(),
    "rows": lambda b: b.rows(5, 20).dense(),
    "take": lambda b: b.take(np.array([3, 3, 0])).dense(),
    "nothing": lambda b: b.rows(0, 0).dense(),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("scaled", [False, True])
def test_verbs_are_those_of_the_columns_written_out(verb: str, scaled: bool) -> None:
    tabulated = block(scaled=scaled)
    np.testing.assert_allclose(VERBS[verb](tabulated), VERBS[verb](plain(tabulated)), rtol=1e-12, atol=1e-12)


def test_moments_leave_shift_and_scale_aside_and_levels_that_do_not_occur() -> None:
    tabulated = block()
    stretched = np.vstack([tabulated.table, np.full(WIDTH, 1e9)])
    longer = Tabulated(tabulated.codes, stretched, tabulated.shift, tabulated.scale)
    for name in ("count", "mean", "scatter", "low", "high"):
        expected = getattr(plain(tabulated).moments(), name)
        np.testing.assert_allclose(getattr(longer.moments(), name), expected, rtol=1e-12)
    assert longer.rows(0, 0).moments().count == 0


@pytest.mark.parametrize("other", ["dense", "coded", "sparse", "tabulated"])
def test_products_with_other_kinds(other: str) -> None:
    tabulated, there = block(), others()[other]
    w = np.linspace(-1.0, 2.0, N)
    written = there.dense()
    expected = tabulated.dense().T @ (w[:, None] * written)
    np.testing.assert_allclose(cross(tabulated, there, w), expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(cross(there, tabulated, w), expected.T, rtol=1e-12, atol=1e-12)
    matrix = np.random.default_rng(2).normal(size=(WIDTH, there.width))
    rows = np.einsum("ij,jk,ik->i", tabulated.dense(), matrix, written)
    np.testing.assert_allclose(bilinear(tabulated, there, matrix), rows, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(bilinear(there, tabulated, matrix.T), rows, rtol=1e-12, atol=1e-12)
