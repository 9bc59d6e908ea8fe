"""A large matrix is not read before the first pass: what is wrong with it is said all the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu._base.kernel import kernel
from etamu.fit import arrays
from etamu.fit import stage as stages
from etamu.fit.pilot import Piloted

N = 6000
COMPILED = pytest.mark.skipif(kernel is None, reason="without the kernel columns are described first")


@pytest.fixture(autouse=True)
def large() -> Iterator[None]:
    """Let a few thousand numbers count as many."""
    with patch.object(stages, "DEAR", 1000), patch.object(arrays, "LARGE", 1000):
        yield


def data(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(N, 4)) * [1.0, 5.0, 0.2, 1.0] + [0.0, 30.0, 0.0, 1.0]
    eta = 0.4 * x[:, 0] - 0.05 * (x[:, 1] - 30.0) + x[:, 2]
    return x, (rng.random(N) < 1.0 / (1.0 + np.exp(-eta))).astype(float)


def described_whole(x: np.ndarray, y: np.ndarray, **options: Any) -> em.Fit:
    """Fit after all columns were read and described."""
    with patch.object(arrays, "LARGE", np.inf), patch.object(stages, "DEAR", np.inf):
        return em.GLM("bernoulli", **options).fit(x, y)


def agree(mine: em.Fit, theirs: em.Fit) -> None:
    assert mine.converged
    assert np.max(np.abs(mine.coef - theirs.coef) / theirs.se) < 1e-9
    assert_allclose(mine.se, theirs.se, rtol=1e-7)
    assert_allclose(mine.loglik, theirs.loglik, rtol=1e-12)


def counted(x: np.ndarray, y: np.ndarray, **options: Any) -> tuple[em.Fit, int]:
    """Fit, and tell how often all columns were described."""
    seen = []

    def describe(design: Any) -> Any:
        seen.append(design.length)
        return plain(design)

    plain = stages.describe
    with patch.object(stages, "describe", describe), patch.object(arrays, "describe", describe):
        fit = em.GLM("bernoulli", **options).fit(x, y)
    return fit, sum(length for length in seen if length > N // 2) // N


@COMPILED
def test_columns_are_described_by_a_sample_and_the_first_pass_and_the_fit_is_the_same() -> None:
    x, y = data()
    fit, times = counted(x, y)
    assert times == 0
    agree(fit, described_whole(x, y))


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_any_floating_matrix_will_do(order: Any, kind: type) -> None:
    x, y = data(1)
    x = np.asarray(x, dtype=kind, order=order)
    agree(em.GLM("bernoulli").fit(x, y), described_whole(x, y))


@pytest.mark.parametrize("row", [0, 17, N - 1])
def test_a_missing_number_drops_its_row_and_is_said(row: int) -> None:
    x, y = data(2)
    x[row, 2] = np.nan
    with pytest.warns(em.DroppedRowsWarning, match="x2"):
        mine = em.GLM("bernoulli").fit(x, y)
    assert mine.nobs == N - 1
    agree(mine, described_whole(np.delete(x, row, axis=0), np.delete(y, row)))


@pytest.mark.parametrize("value", [np.inf, -np.inf])
@pytest.mark.parametrize("row", [3, 4321])
def test_an_infinite_number_is_named_with_its_row(value: float, row: int) -> None:
    x, y = data(3)
    x[row, 1] = value
    with pytest.raises(em.DataError, match=rf"column 'x1' is -?inf in row {row}"):
        em.GLM("bernoulli").fit(x, y)


def test_missing_numbers_can_be_refused() -> None:
    x, y = data(4)
    x[5, 0] = np.nan
    with pytest.raises(em.DataError, match="row 5"):
        em.GLM("bernoulli", missing="raise").fit(x, y)


@pytest.mark.parametrize("solver", ["irls", "gradient", "lbfgs"])
def test_other_solvers_read_everything_first(solver: str) -> None:
    x, y = data(5)
    x[7, 3] = np.nan
    with pytest.warns(em.DroppedRowsWarning, match="x3"):
        fit = em.GLM("bernoulli", solver=solver).fit(x, y)
    assert fit.nobs == N - 1


def test_a_link_with_a_restricted_domain_reads_everything_first() -> None:
    x, _ = data(6)
    x = np.abs(x)
    y = np.random.default_rng(7).poisson(1.0 + x[:, 0]).astype(float)
    x[11, 0] = np.inf
    with pytest.raises(em.DataError, match="'x0' is inf in row 11"):
        em.GLM("poisson", link="identity").fit(x, y)


def test_a_missing_number_in_a_row_without_weight_is_said_as_well() -> None:
    x, y = data(8)
    weight = np.ones(N)
    weight[[2, 9]] = 0.0
    x[9, 1] = np.nan
    x[20, 2] = np.nan
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.GLM("bernoulli").fit(x, y, frequency_weights=weight)
    assert fit.problem.dropped == {"x1": 1, "x2": 1}


def test_a_missing_number_in_a_row_without_weight_alone_is_said_as_well() -> None:
    x, y = data(8)
    weight = np.ones(N)
    weight[[2, 9]] = 0.0
    x[9, 1] = np.nan
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.GLM("bernoulli").fit(x, y, frequency_weights=weight)
    assert fit.problem.dropped == {"x1": 1}


def test_far_numbers_that_the_sample_missed_are_seen_in_the_first_pass() -> None:
    x, y = data(9)
    far = [1003, 2010, 3005, 4006]  # rows that are not drawn
    x[far, 3] = [3e4, 3e4, -3e4, -3e4]
    y[far] = [0.0, 1.0, 0.0, 1.0]
    fit, times = counted(x, y)
    assert times == 1  # the sample misled, so the columns were described
    theirs = described_whole(x, y)
    assert np.max(np.abs(fit.coef - theirs.coef) / theirs.se) < 1e-8


def test_a_column_that_is_constant_in_the_sample_is_described_in_all_rows() -> None:
    x, y = data(10)
    x[:, 3] = 0.0
    x[[100, 2001, 4002], 3] = 1.0
    y[[100, 2001, 4002]] = [0.0, 1.0, 0.0]
    agree(em.GLM("bernoulli").fit(x, y), described_whole(x, y))


def test_numbers_too_large_to_sum_are_fitted_as_ever() -> None:
    x, y = data(11)
    x[:, 0] *= 1e150
    mine, theirs = em.GLM("bernoulli").fit(x, y), described_whole(x, y)
    assert_allclose(
        mine.coef * [1.0, 1e150, 1.0, 1.0, 1.0], theirs.coef * [1.0, 1e150, 1.0, 1.0, 1.0], rtol=1e-7
    )


@COMPILED
def test_the_extent_of_the_first_pass_is_that_of_the_columns() -> None:
    x, y = data(12)
    seen = []
    plain = Piloted.opened

    def opened(self: Any, oracle: Any) -> Any:
        found = plain(self, oracle)
        seen.append(found[0])
        return found

    with patch.object(Piloted, "opened", opened):
        fit = em.GLM("bernoulli").fit(x, y)
    rows = fit.coordinates.rows(fit.coordinates.placed(fit.problem.chunk.predictors[0].design))
    assert_allclose(seen[0].extent, np.abs(rows).max(axis=0), rtol=1e-15)
