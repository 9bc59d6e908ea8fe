"""Sums over rows: what is accumulated is what the dense textbook formula says, chunked or whole."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu import sums
from etamu._base.types import LINE, Want
from etamu.design.blocks import Coded, Dense
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.coordinates import describe, standardised
from etamu.design.design import Design
from etamu.design.layout import plain_layout
from etamu.family.multinomial import Multinomial
from etamu.family.unit import Unit
from tests.catalogue import UNITS
from tests.samples import sample

EVERYTHING = Want.VALUE | Want.SCORE | Want.EXPECTED | Want.OBSERVED | Want.MEAT
N = 60


def chunk_of(unit: Unit, seed: int = 5) -> tuple[Chunk, np.ndarray]:
    """A chunk with every kind of weight, and its dense design."""
    rng = np.random.default_rng(seed)
    data = sample(unit, seed, N)
    n = len(data["y"])
    codes = np.unique(data["g"], return_inverse=True)[1]
    design = Design((Dense((np.ones(n), data["x"])), Coded(codes, 3)), n)
    y = (data["y"],) if "m" not in data else (data["y"], data["m"])
    weights = Weights(rng.integers(1, 4, n).astype(float), rng.uniform(0.5, 2, n), rng.uniform(0.5, 2, n))
    chunk = Chunk((Predictor(design, 0.01 * data["z"]),), y, weights, np.arange(n))
    return chunk, np.column_stack([np.ones(n), data["x"], np.eye(3)[codes]])


def feasible(unit: Unit) -> np.ndarray:
    """Coefficients whose eta is the same, well inside, in every row."""
    middle = 0.5 if unit.family.mean.upper == 1.0 or unit.link.range.upper == 1.0 else 3.0
    with np.errstate(all="ignore"):
        eta = float(unit.link.link(np, np.float64(middle), np.float64(1.0 - middle)))
    return np.array([eta, 0.0, 0.0, 0.0, 0.0])


SUITED = [unit for unit in UNITS if unit.link.range.upper >= unit.family.mean.upper]


@pytest.mark.parametrize("unit", SUITED, ids=[f"{u.family!r}-{u.link!r}" for u in SUITED])
def test_sums_are_the_dense_formulas(unit: Unit) -> None:
    chunk, x = chunk_of(unit)
    beta = feasible(unit)
    got = sums.accumulate(chunk, beta, unit, EVERYTHING)
    eta = x @ beta + chunk.predictors[0].offset
    value, score, expected = unit.bind(np, "expected")(chunk.y, eta)
    observed = unit.bind(np, "observed")(chunk.y, eta)[2]
    k, w, s = chunk.weights.frequency, chunk.weights.variance, chunk.weights.sampling
    assert_allclose(got.value, np.sum(k * w * s * value), rtol=1e-12)
    assert_allclose(got.score, x.T @ (k * w * s * score), rtol=1e-9, atol=1e-9 * np.abs(score).max())
    assert_allclose(got.expected, x.T @ ((k * w * s * expected)[:, None] * x), rtol=1e-10)
    assert_allclose(got.observed, x.T @ ((k * w * s * observed)[:, None] * x), rtol=1e-8, atol=1e-9)
    assert_allclose(got.meat, x.T @ ((k * (w * s * score) ** 2)[:, None] * x), rtol=1e-10, atol=1e-12)


def test_what_is_not_asked_is_not_computed() -> None:
    chunk, _ = chunk_of(UNITS[0])
    got = sums.accumulate(chunk, np.zeros(5), UNITS[0], Want.VALUE)
    assert (got.score, got.expected, got.observed, got.meat) == (None, None, None, None)


def test_parts_add_to_the_whole() -> None:
    unit = next(u for u in UNITS if u.link.name == "log")
    chunk, _ = chunk_of(unit)
    beta = feasible(unit)
    whole = sums.accumulate(chunk, beta, unit, EVERYTHING)
    cuts = [0, 1, 1, 17, N]
    parts = [sums.accumulate(chunk.rows(a, b), beta, unit, EVERYTHING) for a, b in pairwise(cuts)]
    total = parts[0] + parts[1] + parts[2] + parts[3]
    assert_allclose(total.value, whole.value, rtol=1e-13)
    for name in ("score", "expected", "observed", "meat"):
        assert_allclose(getattr(total, name), getattr(whole, name), rtol=1e-11, atol=1e-11)


class NormalScale:
    """Two predictors: the mean and the log standard deviation of a normal; stands for every vector family."""

    domain, canonical, concordance = LINE, False, 0.0

    def bind(self, xp: Any, information: str = "expected") -> Any:
        def unit(y: tuple[Any, ...], eta: Any) -> tuple[Any, Any, Any]:
            mean, log_sd = eta[:, 0], eta[:, 1]
            r, precision = y[0] - mean, xp.exp(-2.0 * log_sd)
            value = -log_sd - 0.5 * r**2 * precision
            score = xp.stack([r * precision, r**2 * precision - 1.0], axis=1)
            cross = 2.0 * r * precision if information == "observed" else 0.0 * r
            last = 2.0 * r**2 * precision if information == "observed" else 2.0 + 0.0 * r
            return value, score, xp.stack([xp.stack([precision, cross], 1), xp.stack([cross, last], 1)], 2)

        return unit


def test_two_predictors_share_one_pass() -> None:
    rng = np.random.default_rng(9)
    x, z = np.column_stack([np.ones(N), rng.normal(size=N)]), np.ones((N, 1))
    y = rng.normal(size=N)
    predictors = (Predictor(Design((Dense((x,)),), N)), Predictor(Design((Dense((z,)),), N), np.full(N, 0.1)))
    chunk = Chunk(predictors, (y,), Weights(variance=rng.uniform(1, 2, N)), np.arange(N))
    beta = np.array([0.2, -0.3, 0.4])
    unit = NormalScale()

    def value(b: np.ndarray) -> float:
        return sums.accumulate(chunk, b, unit, Want.VALUE).value

    got = sums.accumulate(chunk, beta, unit, EVERYTHING)
    step = 1e-5
    bumps = np.eye(3) * step
    numeric = np.array([(value(beta + bump) - value(beta - bump)) / (2 * step) for bump in bumps])
    assert_allclose(got.score, numeric, rtol=1e-7)
    gradient = np.array(
        [
            sums.accumulate(chunk, beta + bump, unit, Want.SCORE).score
            - sums.accumulate(chunk, beta - bump, unit, Want.SCORE).score
            for bump in bumps
        ]
    )
    assert_allclose(got.observed, -gradient / (2 * step), rtol=1e-6, atol=1e-6)
    assert_allclose(got.expected[:2, 2], 0.0)
    assert got.meat.shape == (3, 3)
    assert np.array_equal(got.meat, got.meat.T)


def test_values_along_a_step_are_the_values_there_and_minus_infinity_outside() -> None:
    unit = next(u for u in UNITS if u.family.name == "poisson" and u.link.name == "identity")
    chunk, _ = chunk_of(unit)
    beta, step = feasible(unit), np.array([-1.0, 0.0, 0.0, 0.0, 0.0])
    lengths = np.array([0.0, 0.5, 1.0, 3.5])
    got = sums.values_along(chunk, beta, step, unit, lengths)
    for t, value in zip(lengths[:3], got[:3], strict=True):
        assert_allclose(value, sums.accumulate(chunk, beta + t * step, unit, Want.VALUE).value, rtol=1e-13)
    assert got[3] == -np.inf
    edge = sums.reach(chunk, beta, step, unit).value
    assert_allclose(edge, (beta[0] + chunk.predictors[0].offset).min())
    assert sums.accumulate(chunk, beta + 1.01 * edge * step, unit, EVERYTHING).value == -np.inf


def test_longest_is_the_largest_row_in_a_metric() -> None:
    chunk, x = chunk_of(UNITS[0])
    matrix = np.linalg.inv(x[:, :2].T @ x[:, :2])
    full = np.zeros((5, 5))
    full[:2, :2] = matrix
    expected = np.einsum("ij,jk,ik->i", x[:, :2], matrix, x[:, :2]).max()
    assert_allclose(sums.longest(chunk, full).value, expected, rtol=1e-12)


def test_a_triangle_of_many_rows_is_that_of_its_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=(300, 4))
    design = Design((Dense((x,)),), 300)
    chunk = Chunk((Predictor(design),), (np.ones(300),), Weights(), range(300))
    _, coordinates = standardised(design, plain_layout(tuple("abcd"), None), describe(design))
    whole = sums.triangle(chunk, coordinates, None, None).factor
    monkeypatch.setattr("etamu.design.chunk.WRITTEN", 100)
    assert [len(piece) for piece in chunk.pieces(4)] == [25] * 12
    parts = sums.triangle(chunk, coordinates, None, None).factor
    assert_allclose(parts.T @ parts, whole.T @ whole, rtol=1e-12, atol=1e-12)


def test_extremes_add() -> None:
    assert (sums.Smallest(2.0) + sums.Smallest(1.0)).value == 1.0
    assert (sums.Largest(2.0) + sums.Largest(1.0)).value == 2.0


def test_a_nan_in_eta_is_outside_every_domain() -> None:
    assert not sums.inside(UNITS[0], np.array([0.0, np.nan]))
    assert not sums.inside(UNITS[0], np.array([0.0, np.inf]))


def test_several_predictors_of_one_design_are_summed_as_dense_algebra():
    rng = np.random.default_rng(4)
    n, design = 50, rng.normal(size=(50, 3))
    shared = Predictor(Design((Dense(tuple(design.T)),), n))
    other = Predictor(Design((Dense((np.ones(n),)),), n))
    family = Multinomial().among(("a", "b", "c", "d"))
    y = rng.integers(0, 4, n).astype(float)
    chunk = Chunk((shared, shared, other), (y,), Weights(), np.arange(n))
    beta = rng.normal(size=7)
    dense = np.zeros((n, 3, 7))
    dense[:, 0, :3], dense[:, 1, 3:6], dense[:, 2, 6] = design, design, 1.0
    eta = dense @ beta
    value, score, information = family.bind(np)((y,), eta)
    found = sums.accumulate(chunk, beta, family, Want.VALUE | Want.SCORE | Want.EXPECTED | Want.MEAT)
    np.testing.assert_allclose(found.value, value.sum(), rtol=1e-13)
    np.testing.assert_allclose(found.score, np.einsum("nkp,nk->p", dense, score), rtol=1e-12, atol=1e-12)
    whole = np.einsum("nkp,nkl,nlq->pq", dense, information, dense)
    np.testing.assert_allclose(found.expected, whole, rtol=1e-12, atol=1e-12)
    rows = np.einsum("nkp,nk->np", dense, score)
    np.testing.assert_allclose(found.meat, rows.T @ rows, rtol=1e-12, atol=1e-12)
    matrix = rng.normal(size=(7, 7))
    matrix = matrix @ matrix.T
    pairs = [dense[:, i] for i in range(3)]
    pairs += [dense[:, i] - dense[:, j] for i in range(3) for j in range(i)]
    longest = max(float(np.einsum("np,pq,nq->n", each, matrix, each).max()) for each in pairs)
    np.testing.assert_allclose(sums.longest(chunk, matrix).value, longest, rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True], ids=["alone", "weighted"])
def test_an_information_in_parts_sums_to_that_written_out(weighted, monkeypatch):
    rng = np.random.default_rng(5)
    n = 40
    shared = Predictor(Design((Dense((rng.normal(size=(n, 3)),)), Coded(rng.integers(0, 3, n), 3)), n))
    other = Predictor(Design((Dense((np.ones(n),)),), n))
    family = Multinomial().among(tuple("abcde"))
    weights = Weights(variance=rng.uniform(0.0, 3.0, n)) if weighted else Weights()
    y = rng.integers(0, 5, n).astype(float)
    chunk = Chunk((shared, other, shared, shared), (y,), weights, np.arange(n))
    beta, step = rng.normal(size=(2, 19))
    want = Want.VALUE | Want.SCORE | Want.EXPECTED | Want.OBSERVED
    whole = sums.accumulate(chunk, beta, family, want)
    along = sums.values_along(chunk, beta, step, family, np.array([0.5, 1.0]))
    monkeypatch.setattr(sums, "MANY", 2)
    parts = sums.accumulate(chunk, beta, family, want)
    assert parts.value == pytest.approx(whole.value, rel=1e-13)
    assert_allclose(parts.score, whole.score, rtol=1e-12, atol=1e-12)
    assert_allclose(parts.expected, whole.expected, rtol=1e-12, atol=1e-12)
    assert parts.observed is parts.expected
    assert_allclose(sums.values_along(chunk, beta, step, family, np.array([0.5, 1.0])), along, rtol=1e-13)


def test_a_predictor_that_stands_twice_stays_one_in_every_part_of_the_rows():
    column = Predictor(Design((Dense((np.arange(9.0),)),), 9))
    chunk = Chunk((column, column), (np.zeros(9),), Weights(), np.arange(9))
    for part in (chunk.rows(2, 5), chunk.take(np.array([1, 3]))):
        assert part.predictors[0] is part.predictors[1]
