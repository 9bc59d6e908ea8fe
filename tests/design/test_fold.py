"""What the kernel sums by level reaches the columns of the tables: every sum equals that of dense columns."""

from __future__ import annotations

import numpy as np
import pytest

from etamu import sums
from etamu._base.kernel import kernel
from etamu._base.types import Want
from etamu.design.blocks import Block, Coded, Dense
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.design import Design
from etamu.design.fold import Folded, fold_of
from etamu.design.tabulated import Tabulated
from etamu.family.families import Gamma, Poisson
from etamu.family.links import Log
from etamu.family.unit import Unit

N = 300
EVERYTHING = Want.VALUE | Want.SCORE | Want.EXPECTED | Want.OBSERVED | Want.PEARSON


def chunks(levels: int, *, factors: int = 1) -> tuple[Chunk, Chunk]:
    """The same rows with a basis as a table between numbers, and written out."""
    rng = np.random.default_rng(levels)
    codes = rng.integers(0, levels, N)
    table = rng.normal(size=(levels, 4))
    before, after = Dense((np.ones(N), rng.normal(size=N))), Dense((rng.normal(size=N),))
    coded = tuple(Coded(rng.integers(0, 3, N), 3) for _ in range(factors))
    y = rng.gamma(2.0, 1.0, N)
    weights = Weights(variance=rng.uniform(0.5, 2.0, N))

    def chunk(basis: Block) -> Chunk:
        design = Design((before, basis, after, *coded), N)
        shift, scale = np.zeros(design.width), np.ones(design.width)
        shift[1:7], scale[1:7] = 0.25, 2.0
        predictor = Predictor(design.scaled(shift, scale), np.full(N, 0.1))
        return Chunk((predictor,), (y,), weights, np.arange(N))

    return chunk(Tabulated(codes, table)), chunk(
        Dense(tuple(np.ascontiguousarray(c) for c in table[codes].T))
    )


def dense(matrix: object) -> np.ndarray:
    return np.asarray(matrix)


@pytest.mark.parametrize("levels", [5, 200])
@pytest.mark.parametrize("factors", [0, 2])
@pytest.mark.parametrize("family", [Poisson(), Gamma()], ids=str)
def test_every_sum_of_a_pass_is_that_of_dense_columns(levels: int, factors: int, family: object) -> None:
    unit = Unit(family, Log())  # type: ignore[arg-type]
    tabulated, plain = chunks(levels, factors=factors)
    beta = np.random.default_rng(1).normal(size=tabulated.predictors[0].design.width) * 0.2
    found, expected = (sums.accumulate(chunk, beta, unit, EVERYTHING) for chunk in (tabulated, plain))
    assert found.value == pytest.approx(expected.value, rel=1e-12)
    assert found.pearson == pytest.approx(expected.pearson, rel=1e-10)
    np.testing.assert_allclose(found.score, expected.score, rtol=1e-10, atol=1e-10)
    for name in ("expected", "observed"):
        np.testing.assert_allclose(
            dense(getattr(found, name)), dense(getattr(expected, name)), rtol=1e-10, atol=1e-9
        )


def test_points_of_a_line_etas_and_lengths_of_rows() -> None:
    tabulated, plain = chunks(20)
    width = tabulated.predictors[0].design.width
    rng = np.random.default_rng(3)
    beta, step, root = rng.normal(size=width), rng.normal(size=width), rng.normal(size=(width, width))
    unit, lengths = Unit(Poisson(), Log()), np.array([0.0, 0.5, 1.0])
    for ask in (
        lambda chunk: sums.etas(chunk, beta),
        lambda chunk: sums.etas(chunk, beta, offset=False),
        lambda chunk: sums.values_along(chunk, beta * 0.1, step * 0.1, unit, lengths),
        lambda chunk: sums.longest(chunk, root @ root.T).value,
        lambda chunk: sums.girth(chunk).value,
    ):
        np.testing.assert_allclose(ask(tabulated), ask(plain), rtol=1e-11)


@pytest.mark.skipif(kernel is None, reason="without the compiled kernel nothing is folded")
def test_the_kernel_sees_codes() -> None:
    tabulated, plain = chunks(5)
    assert isinstance(tabulated.compiled, Folded)
    assert tabulated.predictors[0].design.stored < plain.predictors[0].design.stored
    assert fold_of(plain.predictors[0].design.blocks) is None
