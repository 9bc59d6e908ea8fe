"""The fused pass: one sweep of the kernel over the rows brings what the dense textbook formulas say."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

from etamu import fused, sums
from etamu._base.kernel import kernel
from etamu._base.types import LINE, Want
from etamu.design.blocks import Coded, Dense, Sparse
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.design import Design
from etamu.execute.threads import Threads
from etamu.family.borrowed import Binomial
from etamu.family.program import compiled
from etamu.family.unit import Unit
from etamu.fused import along, ends, etas_of, grams_of, per_row, scores_of, summed
from tests.catalogue import UNITS
from tests.samples import sample

pytestmark = pytest.mark.skipif(kernel is None, reason="no compiled kernel here: the NumPy twins serve")

EVERYTHING = Want.VALUE | Want.SCORE | Want.EXPECTED | Want.OBSERVED | Want.MEAT | Want.PEARSON
RAGGED = (0, 1, 127, 128, 129, 1000)
"""Numbers of rows around the length of a tile, 128."""
EPS = 2.0**-52

# Per row, compiled and NumPy formulas agree to 32 roundings (tests/family/test_program.py), where values
# cancel of the size of what cancels; sums of n rows, of any order, add at most n more. 2000 roundings of the
# sum of absolute terms cover both and are far below any wrong row.
LOOSE = 2000 * EPS


class Rows(NamedTuple):
    """A chunk and the dense matrix that its design stands for."""

    chunk: Chunk
    x: np.ndarray


def twin(chunk: Chunk) -> Chunk:
    """The same rows without passes of the kernel, which still runs units unless `per_row` is patched."""
    copy = Chunk(chunk.predictors, chunk.y, chunk.weights, chunk.row_ids, chunk.cluster)
    copy.__dict__["compiled"] = None
    return copy


def suited(unit: Unit) -> bool:
    return unit.link.range.upper >= unit.family.mean.upper


SUITED = [unit for unit in UNITS if suited(unit)]


def named(family: str, link: str) -> Unit:
    return next(u for u in UNITS if u.family.name == family and u.link.name == link)


def middle(unit: Unit) -> float:
    """An eta well inside the domain."""
    mean = 0.5 if unit.family.mean.upper == 1.0 or unit.link.range.upper == 1.0 else 3.0
    with np.errstate(all="ignore"):
        return float(unit.link.link(np, np.float64(mean), np.float64(1.0 - mean)))


def _between(columns: np.ndarray, others: np.ndarray, place: int) -> np.ndarray:
    return np.column_stack([columns[:, :place], others, columns[:, place:]])


def _jumbled(matrix: Any) -> Any:
    """Name the columns of each row from the last to the first."""
    order = np.lexsort((-matrix.indices, np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))))
    return scipy.sparse.csr_array(
        (matrix.data[order], matrix.indices[order], matrix.indptr), shape=matrix.shape
    )


def designs(rng: np.random.Generator, n: int) -> dict[str, tuple[tuple[Any, ...], np.ndarray]]:
    """Blocks of every kind over n rows, alone and mixed, with the columns they stand for."""
    a, b = rng.normal(size=(n, 3)), rng.normal(size=(n, 9))
    number = rng.normal(size=n)
    whole = rng.integers(-5, 6, n)
    short, long = rng.integers(0, 3, n), rng.integers(0, 7, n)
    few, many = np.eye(3)[short], np.eye(7)[long]
    floats = number.astype(np.float32)
    mixed = np.column_stack([floats, whole, whole > 0, number]).astype(float)
    shift, scale = np.arange(4.0), np.array([1.0, 2.0, 4.0, 0.5])
    factors = [Coded(rng.integers(0, levels, n), levels) for levels in (5, 2, 7, 3, 4, 40)]
    indicators = np.column_stack([np.eye(factor.levels)[factor.codes] for factor in factors])
    lone = Dense((np.broadcast_to(1.0, n),), np.array([-1.0]), np.array([4.0]))
    scales = 2.0 ** (np.arange(12) % 3)
    thin, wide = (scipy.sparse.random(n, width, 0.2, format="csr", random_state=4) for width in (12, 300))
    jumbled = Sparse(_jumbled(thin), scales)
    return {
        "sparse": ((Sparse(thin),), thin.toarray()),
        "sparse and one number": (
            (lone, Sparse(thin, scales)),
            np.column_stack([np.full(n, 0.5), thin.toarray() / scales]),
        ),
        "sparse and numbers, in any order": (
            (Dense((a,)), jumbled, Dense((b,))),
            np.column_stack([a, thin.toarray() / scales, b]),
        ),
        "wide, sparse, and numbers": ((Sparse(wide), Dense((a,))), np.column_stack([wide.toarray(), a])),
        "no column": ((), np.zeros((n, 0))),
        "row-major": ((Dense((a,)),), a),
        "columns": ((Dense((np.ascontiguousarray(a[:, 0]), a[:, 1], a[::-1, 2][::-1])),), a),
        "column-major": ((Dense((np.asfortranarray(b),)),), b),
        "other types, shifted": (
            (Dense((floats, whole, whole > 0, np.repeat(number, 2)[::2]), shift, scale),),
            (mixed - shift) / scale,
        ),
        "several dense": ((Dense((a,)), Dense((b, number))), np.column_stack([a, b, number])),
        "coded": ((Coded(short.astype(np.int8), 3),), few),
        "coded twice": (
            (Coded(short.astype(np.int16), 3), Coded(long.astype(np.int64), 7, whole, 2.0)),
            np.column_stack([few, many * whole[:, None] / 2.0]),
        ),
        "factors": (tuple(factors), indicators),
        "factors and one number": ((lone, *factors), np.column_stack([np.full(n, 0.5), indicators])),
        "one number and a slope": (
            (factors[0], lone, Coded(short, 3, floats)),
            np.column_stack(
                [np.eye(5)[factors[0].codes], np.full(n, 0.5), few * floats.astype(float)[:, None]]
            ),
        ),
        "factors and numbers": ((*factors[:3], Dense((a,)), *factors[3:]), _between(indicators, a, 14)),
        "everything": (
            (
                Coded(long.astype(np.int32), 7),
                Dense((a,)),
                Coded(short, 3, floats, 4.0),
                Dense((floats, b), np.full(10, 0.5), np.full(10, 2.0)),
                Coded(short.astype(np.uint8), 3),
            ),
            np.column_stack(
                [
                    many,
                    a,
                    few * floats.astype(float)[:, None] / 4.0,
                    (np.column_stack([floats.astype(float), b]) - 0.5) / 2.0,
                    few,
                ]
            ),
        ),
    }


KINDS = tuple(designs(np.random.default_rng(0), 1))


def rows_of(unit: Unit, kind: str, n: int, weights: str = "fvs", seed: int = 5) -> Rows:
    """Rows of a unit with responses of its own, an offset that puts eta well inside, and weights."""
    rng = np.random.default_rng(seed)
    data = sample(unit, seed, max(n, 1))
    blocks, x = designs(rng, n)[kind]
    y = tuple(np.ascontiguousarray(data[name][:n]) for name in ("y", "m") if name in data)
    kinds = {
        "f": rng.integers(1, 4, n).astype(float),
        "v": rng.uniform(0.5, 2, n),
        "s": rng.uniform(0.5, 2, n),
    }
    kept = [kinds[letter] if letter in weights else None for letter in "fvs"]
    offset = middle(unit) * (1.0 + 0.02 * rng.uniform(-1.0, 1.0, n))
    return Rows(Chunk((Predictor(Design(blocks, n), offset),), y, Weights(*kept), np.arange(n)), x)


def beta_of(unit: Unit, x: np.ndarray, size: float = 0.02) -> np.ndarray:
    """Coefficients that move eta by a small share of its distance from the edge."""
    beta = np.cos(np.arange(1.0, x.shape[1] + 1))
    moved = np.abs(x @ beta).max(initial=1e-3) if len(x) else 1.0
    return beta * (size * abs(middle(unit) or 1.0) / max(moved, 1e-3))


def _within(got: Any, exact: Any, size: Any, what: str) -> None:
    got = np.asarray(got.dense() if hasattr(got, "dense") else got)
    wrong = np.abs(got - exact) > LOOSE * size
    assert not np.any(wrong), f"{what}: {got[wrong].ravel()[:3]} for {np.asarray(exact)[wrong].ravel()[:3]}"


def agree(rows: Rows, beta: np.ndarray, unit: Unit, got: Any) -> None:
    """Hold sums against dense formulas on NumPy's rows, in roundings of the sum of absolute terms."""
    chunk, x = rows
    eta = x @ beta + (0.0 if chunk.predictors[0].offset is None else chunk.predictors[0].offset)
    value, score, expected = unit.bind(np, "expected")(chunk.y, eta)
    observed = unit.bind(np, "observed")(chunk.y, eta)[2]
    one = np.ones(len(chunk))
    kept = (chunk.weights.frequency, chunk.weights.variance, chunk.weights.sampling)
    k, w, s = (one if weight is None else weight for weight in kept)
    total, large = k * w * s, np.abs(x)
    response = np.abs(chunk.y[0]) * np.abs(score) + expected * (1.0 + eta**2)  # what a deviance cancels
    _within(got.value, np.sum(total * value), np.sum(total * (np.abs(value) + response)), "value")
    blurred = np.abs(score) + expected * (1.0 + np.abs(eta))  # what a rounding of eta and of y moves it by
    _within(got.score, x.T @ (total * score), large.T @ (total * blurred), "score")
    spread = np.abs(expected) + np.abs(observed) + score**2
    # meat: u^2 moves by twice u times what u moves by
    for name, row, size, weight in (
        ("expected", expected, expected, total),
        ("observed", observed, spread, total),
        ("meat", score**2, 2.0 * np.abs(score) * blurred, k * (w * s) ** 2),
    ):
        bound = large.T @ ((weight * size)[:, None] * large)
        _within(getattr(got, name), x.T @ ((weight * row)[:, None] * x), bound * 4.0, name)
    _within(
        got.pearson,
        np.sum(total * score**2 / expected),
        4.0 * np.sum(total * np.abs(score) * blurred / expected),
        "pearson",
    )


@pytest.mark.parametrize("unit", SUITED, ids=[f"{u.family!r}-{u.link!r}" for u in SUITED])
def test_every_unit_gives_the_dense_formulas(unit):
    rows = rows_of(unit, "everything", 60)
    beta = beta_of(unit, rows.x)
    got = summed(rows.chunk, beta, unit, EVERYTHING)
    assert got is not None
    agree(rows, beta, unit, got)
    agree(rows, beta, unit, sums.accumulate(twin(rows.chunk), beta, unit, EVERYTHING))
    assert per_row(rows.chunk, np.zeros(60), unit, Want.VALUE) is not None
    with patch.object(sums, "per_row", return_value=None):
        agree(rows, beta, unit, sums.accumulate(twin(rows.chunk), beta, unit, EVERYTHING))


@pytest.mark.parametrize("n", RAGGED)
@pytest.mark.parametrize("kind", KINDS)
def test_every_design_and_every_last_tile(kind, n):
    unit = named("gamma", "log")
    rows = rows_of(unit, kind, n)
    beta = beta_of(unit, rows.x)
    got = summed(rows.chunk, beta, unit, EVERYTHING)
    assert got is not None
    agree(rows, beta, unit, got)


@pytest.mark.parametrize("n", RAGGED)
@pytest.mark.parametrize("kind", KINDS)
def test_several_columns_are_summed_in_one_look(kind, n):
    rng = np.random.default_rng(n)
    blocks, x = designs(rng, n)[kind]
    betas, scores, weights = (rng.normal(size=(3, size)) for size in (x.shape[1], n, n))
    read, twins = Design(blocks, n), Design(blocks, n)
    twins.__dict__["compiled"] = None
    assert read.compiled is not None
    large = np.abs(x)
    size = np.abs(betas) @ large.T + 1e-300
    for design in (read, twins):
        _within(etas_of(design, [*betas]), betas @ x.T, size, "eta")
        for got, u in zip(scores_of(design, [*scores]), scores, strict=True):
            _within(got, x.T @ u, large.T @ np.abs(u) + 1e-300, "score")
        with patch.object(fused, "ROOM", 2 * x.shape[1] ** 2 + 2):  # two at once, then one
            grams = grams_of(design, [*weights])
        for got, w in zip(grams, weights, strict=True):
            _within(got, x.T @ (w[:, None] * x), large.T @ (np.abs(w)[:, None] * large) + 1e-300, "gram")


@pytest.mark.parametrize("weights", ["", "f", "v", "s", "fv", "vs"])
@pytest.mark.parametrize("offset", [False, True])
def test_every_kind_of_weight_with_and_without_an_offset(weights, offset):
    unit = named("poisson", "log")
    chunk, x = rows_of(unit, "everything", 300, weights)
    predictor = Predictor(chunk.predictors[0].design, chunk.predictors[0].offset if offset else None)
    rows = Rows(Chunk((predictor,), chunk.y, chunk.weights, chunk.row_ids), x)
    beta = beta_of(unit, x, 0.2)
    agree(rows, beta, unit, summed(rows.chunk, beta, unit, EVERYTHING))


def test_what_is_not_asked_is_not_brought_and_one_matrix_serves_two_names():
    unit = named("poisson", "log")  # canonical
    rows = rows_of(unit, "everything", 60)
    beta = beta_of(unit, rows.x)
    alone = summed(rows.chunk, beta, unit, Want.VALUE)
    assert alone[1:] == (None,) * 6
    both = summed(rows.chunk, beta, unit, Want.EXPECTED | Want.OBSERVED)
    assert both.observed is both.expected
    assert summed(rows.chunk, beta, unit, Want.CURVATURE).expected is None


@pytest.mark.parametrize("row", [0, 127, 128, 299])
def test_one_eta_outside_the_domain_is_no_value(row):
    unit = named("poisson", "identity")
    chunk, x = rows_of(unit, "row-major", 300)
    offset = chunk.predictors[0].offset.copy()
    offset[row] = -100.0
    moved = Chunk((Predictor(chunk.predictors[0].design, offset),), chunk.y, chunk.weights, chunk.row_ids)
    beta = beta_of(unit, x)
    assert summed(moved, beta, unit, EVERYTHING).value == -np.inf
    assert sums.accumulate(twin(moved), beta, unit, EVERYTHING).value == -np.inf
    for wild in (np.inf, np.nan):
        offset[row] = wild
        assert summed(moved, beta, named("poisson", "log"), EVERYTHING).value == -np.inf


@pytest.mark.parametrize("unit", [named("poisson", "identity"), named("bernoulli", "logit")], ids=str)
def test_values_along_a_step_are_the_values_at_its_points(unit):
    rows = rows_of(unit, "everything", 300)
    beta, lengths = beta_of(unit, rows.x), np.array([0.0, 0.5, 1.0, 500.0])
    step = beta_of(unit, rows.x, 0.1)
    got = along(rows.chunk, beta, step, unit, lengths)
    points = [summed(rows.chunk, beta + t * step, unit, Want.VALUE).value for t in lengths]
    assert_allclose(got, points, rtol=1e-12)
    assert_allclose(got, sums.values_along(twin(rows.chunk), beta, step, unit, lengths), rtol=1e-12)
    with patch.object(sums, "per_row", return_value=None):
        assert_allclose(got, sums.values_along(twin(rows.chunk), beta, step, unit, lengths), rtol=1e-12)
    assert (got[3] == -np.inf) == unit.restricted


def test_curvature_in_float32_is_close_and_exactly_symmetric():
    unit = named("gamma", "log")
    rows = rows_of(unit, "everything", 1000)
    beta = beta_of(unit, rows.x)
    single = np.asarray(summed(rows.chunk, beta, unit, Want.CURVATURE).observed)
    double = np.asarray(summed(rows.chunk, beta, unit, Want.OBSERVED).observed)
    size = np.sqrt(np.outer(np.diag(double), np.diag(double)))
    assert np.array_equal(single, single.T)
    assert np.array_equal(double, double.T)
    error = np.abs(single - double) / size
    # One float32 rounding per product and few per sum of a tile; but for some, it is not float64 either.
    assert 0.0 < error.max() < 1e-6


@pytest.mark.parametrize("n", RAGGED)
@pytest.mark.parametrize("kind", KINDS)
def test_quadratic_girth_and_etas_are_dense(kind, n):
    chunk, x = rows_of(named("gamma", "log"), kind, n)
    matrix = np.random.default_rng(2).normal(size=(x.shape[1],) * 2)
    matrix = np.ascontiguousarray(matrix + matrix.T)
    beta = np.cos(np.arange(float(x.shape[1])))
    assert_allclose(chunk.compiled.etas(beta, False), x @ beta, rtol=1e-12, atol=1e-12)
    assert_allclose(sums.etas(chunk, beta), x @ beta + chunk.predictors[0].offset, rtol=1e-12, atol=1e-12)
    squares = np.einsum("ij,jk,ik->i", x, matrix, x)
    size = np.einsum("ij,jk,ik->i", np.abs(x), np.abs(matrix), np.abs(x)).max(initial=0.0)
    assert_allclose(chunk.compiled.quadratic(matrix), squares, rtol=0, atol=1e-14 * size)
    assert_allclose(sums.longest(chunk, matrix).value, max(squares.max(initial=0.0), 0.0), rtol=1e-12)
    for rows in (chunk, twin(chunk)):
        assert_allclose(sums.girth(rows).value, (x**2).sum(axis=1).max(initial=0.0), rtol=1e-13)


@pytest.mark.parametrize("row", [0, 3, 255, 299])
def test_a_nan_in_a_row_is_the_girth(row):
    x = np.ones((300, 2))
    x[row, 1] = np.nan
    chunk = Chunk((Predictor(Design((Dense((x,)),), 300)),), (np.ones(300),), Weights(), np.arange(300))
    assert np.isnan(sums.girth(chunk).value)


@pytest.mark.parametrize("weights", ["", "f", "fvs"])
def test_tallies_are_counts_by_response(weights):
    rng = np.random.default_rng(3)
    n = 700
    chunk, _ = rows_of(named("poisson", "log"), "row-major", n, weights)
    first, second = rng.integers(0, 6, n), rng.integers(0, 9, n)
    pair = Chunk(chunk.predictors, (first.astype(float), second.astype(float)), chunk.weights, chunk.row_ids)
    for rows in (pair, twin(pair)):
        assert rows.tally is not None
        counts, (one, two) = rows.tally
        expected = np.bincount(first * 9 + second, weights=chunk.weights.total(), minlength=54)
        assert_allclose(counts, expected[(one * 9 + two).astype(int)], rtol=1e-13)
        assert len(counts) == np.count_nonzero(expected)


@pytest.mark.parametrize("top", [1, 7, 8, 200])
@pytest.mark.parametrize("n", [1, 7, 9, 129, 1003])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_tallies_of_few_and_of_many_different_counts_in_ragged_tiles(top, n, weighted):
    rng = np.random.default_rng(top)
    y = rng.integers(0, top + 1, n)
    weight = rng.random(n) if weighted else None
    counts, (seen,) = Chunk((), (y.astype(float),), Weights(weight), range(n)).tally
    expected = np.bincount(y, weights=weight)
    assert np.array_equal(seen, np.flatnonzero(expected))
    assert_allclose(counts, expected[expected > 0], rtol=1e-13)


@pytest.mark.parametrize("kind", ["row-major", "everything"])
@pytest.mark.parametrize("n", [1, 127, 300])
def test_the_extent_of_columns_is_brought_by_the_way_and_parts_of_it_are_the_largest(kind, n):
    unit = named("poisson", "log")
    rows = rows_of(unit, kind, n)
    beta = beta_of(unit, rows.x)
    design = rows.chunk.predictors[0].design
    want = Want.VALUE | Want.EXTENT | Want.GIRTH
    assert summed(rows.chunk, beta, unit, Want.VALUE | Want.EXTENT).extent[-1] == np.inf
    seen = summed(rows.chunk, beta, unit, want)
    assert_allclose(seen.extent[:-1], design.extent(), rtol=1e-15)
    assert np.all(seen.extent[:-1] >= np.abs(design.dense()).max(axis=0))
    assert_allclose(seen.extent[-1], sums.girth(rows.chunk).value, rtol=1e-15)
    assert_allclose(sums.accumulate(twin(rows.chunk), beta, unit, want).extent, seen.extent, rtol=1e-15)
    halves = (
        sums.accumulate(rows.chunk.rows(*ends), beta, unit, want) for ends in ((0, n // 2), (n // 2, n))
    )
    first, second = halves
    assert_allclose((first + second).extent, seen.extent, rtol=1e-15)


@pytest.mark.parametrize("odd", [0.5, -1.0, 1e9, np.nan])
@pytest.mark.parametrize("row", [0, 128, 299])
def test_what_is_no_count_is_not_tallied(odd, row):
    chunk, _ = rows_of(named("poisson", "log"), "row-major", 300)
    y = np.ones(300)
    y[row] = odd
    rows = Chunk(chunk.predictors, (y,), chunk.weights, chunk.row_ids)
    assert rows.tally is None
    assert twin(rows).tally is None


@pytest.mark.parametrize("n", [1, 127, 128, 129, 1000])
@pytest.mark.parametrize("far", [0.0, 1e6])
def test_moments_are_those_of_numpy(n, far):
    chunk, _ = rows_of(named("gamma", "log"), "row-major", n)
    rng = np.random.default_rng(4)
    whole, x = rng.integers(-9, 9, n), rng.normal(size=(n, 9)) + far
    design = Design((Dense((x, whole), np.ones(10), np.full(10, 2.0)),), n)  # of the columns as they came
    rows = Chunk((Predictor(design),), chunk.y, Weights(), chunk.row_ids).compiled
    panel = np.column_stack([x, whole])
    mean, scatter, low, high = rows.moments()
    assert_allclose(mean, panel.mean(axis=0), rtol=1e-13, atol=1e-13)
    assert_allclose(scatter, ((panel - panel.mean(axis=0)) ** 2).sum(axis=0), rtol=1e-9, atol=1e-9)
    assert np.array_equal(low, panel.min(axis=0))
    assert np.array_equal(high, panel.max(axis=0))


def test_a_binomial_of_single_trials_is_a_bernoulli():
    alone = named("bernoulli", "logit")
    unit = Unit(Binomial(), alone.link)
    chunk, x = rows_of(alone, "everything", 600)
    trials = np.broadcast_to(1.0, 600)
    single = Chunk(chunk.predictors, (*chunk.y, trials), chunk.weights, chunk.row_ids)
    written = Chunk(chunk.predictors, (*chunk.y, np.ones(600)), chunk.weights, chunk.row_ids)
    beta = beta_of(alone, x, 0.5)
    mine, theirs = (summed(c, beta, u, EVERYTHING) for c, u in ((single, unit), (chunk, alone)))
    assert single.compiled.responses == 1
    assert written.compiled.responses == 2
    assert mine.value == theirs.value
    assert np.array_equal(mine.score, theirs.score)
    assert np.array_equal(np.asarray(mine.expected), np.asarray(theirs.expected))
    agree(Rows(written, x), beta, unit, mine)
    agree(Rows(written, x), beta, unit, summed(written, beta, unit, EVERYTHING))


def _flat(total: Any) -> list[np.ndarray]:
    matrices = [np.asarray(part) for part in (total.expected, total.observed, total.meat)]
    return [np.array([total.value, total.pearson]), total.score, *matrices]


@pytest.mark.parametrize("kind", ["everything", "sparse and numbers, in any order"])
@pytest.mark.parametrize("block", [None, 100, 4096])
def test_any_number_of_threads_gives_the_same_bits(block, kind):
    unit = named("gamma", "log")
    rows = rows_of(unit, kind, 9000)
    beta = beta_of(unit, rows.x)
    look = partial(sums.accumulate, beta=beta, unit=unit, want=EVERYTHING)
    one, two, seven = (_flat(Threads(rows.chunk, block, threads).reduce(look)) for threads in (1, 2, 7))
    for mine, other, third in zip(one, two, seven, strict=True):
        assert np.array_equal(mine, other)
        assert np.array_equal(mine, third)
    agree(rows, beta, unit, Threads(rows.chunk, block, 2).reduce(look))


def test_parts_of_any_size_add_to_the_whole():
    unit = named("poisson", "log")
    rows = rows_of(unit, "everything", 600)
    beta = beta_of(unit, rows.x)
    cuts = [0, 1, 1, 257, 300, 600]
    parts = [sums.accumulate(rows.chunk.rows(a, b), beta, unit, EVERYTHING) for a, b in pairwise(cuts)]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    agree(rows, beta, unit, total)


def test_the_kernel_says_which_question_does_not_fit():
    unit = named("poisson", "log")
    rows = rows_of(unit, "row-major", 10).chunk.compiled
    program = compiled(unit, 1, ("value",))
    pairs = compiled(Unit(Binomial(), named("bernoulli", "logit").link), 2, ("value",))
    with pytest.raises(ValueError, match="beta has another length"):
        rows.accumulate(np.zeros(2), program, ends(LINE), False, False, [])
    with pytest.raises(ValueError, match="does not bring"):
        rows.accumulate(np.zeros(3), program, ends(LINE), True, False, [])
    with pytest.raises(ValueError, match="raw columns by raw columns"):
        rows.quadratic(np.zeros((2, 2)))
    with pytest.raises(ValueError, match="another number of response"):
        rows.accumulate(np.zeros(3), pairs, ends(LINE), False, False, [])


CHECK = """
import sys
import tests.test_fused as these
for unit in (these.named("gamma", "log"), these.named("bernoulli", "probit"), these.named("poisson", "sqrt")):
    for kind in these.KINDS:
        rows = these.rows_of(unit, kind, 300)
        beta = these.beta_of(unit, rows.x)
        these.agree(rows, beta, unit, these.summed(rows.chunk, beta, unit, these.EVERYTHING))
        these.test_quadratic_girth_and_etas_are_dense(kind, 257)
these.test_curvature_in_float32_is_close_and_exactly_symmetric()
these.test_moments_are_those_of_numpy(257, 1e6)
these.test_tallies_of_few_and_of_many_different_counts_in_ragged_tiles(7, 1003, True)
these.test_tallies_of_few_and_of_many_different_counts_in_ragged_tiles(200, 1003, False)
these.test_the_extent_of_columns_is_brought_by_the_way_and_parts_of_it_are_the_largest("everything", 300)
"""


@pytest.mark.parametrize("isa", ["base", "avx2", "avx512", "amx"])
def test_every_instruction_set_gives_the_dense_formulas(isa):
    program = kernel.Program(1, [], [kernel.OPERATIONS["neg"], 1, 0, 0, 0], [1], 0)
    try:
        program.run([np.zeros(1)], isa)
    except (ValueError, AttributeError):
        pytest.skip(f"this processor, or this build, has no {isa}")
    root = Path(__file__).resolve().parents[1]
    path = os.pathsep.join([str(root), *sys.path])
    ran = subprocess.run(
        [sys.executable, "-c", CHECK],
        check=False,
        env=os.environ | {"ETAMU_ISA": isa, "PYTHONPATH": path},
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("scale", [1.0, 2.0], ids=["ones", "twos"])
@pytest.mark.parametrize(
    "levels", [(3,), (2, 3), (2, 6, 12, 11, 22), (5, 40, 30), (6, 12, 11, 2, 22, 20, 30, 26)], ids=str
)
def test_products_of_factors_beside_a_constant_and_numbers(levels: tuple[int, ...], scale: float) -> None:
    """A column of ones among the numbers holds the products of factors that meet in their table."""
    rng, n = np.random.default_rng(7), 1500
    numbers = Dense((np.broadcast_to(scale, n), rng.normal(size=n), rng.normal(size=n)))
    factors = [Coded(rng.integers(0, count, n).astype(np.int8), count) for count in levels]
    design = Design((numbers, *factors), n)
    chunk = Chunk((Predictor(design),), (rng.poisson(1.0, n).astype(float),), Weights(), range(n))
    unit = next(unit for unit in UNITS if str(unit) == "poisson with log link")
    beta = 0.1 * rng.normal(size=design.width)
    found = sums.accumulate(chunk, beta, unit, Want.VALUE | Want.EXPECTED).expected
    other = sums.accumulate(twin(chunk), beta, unit, Want.VALUE | Want.EXPECTED).expected
    whole = found if isinstance(found, np.ndarray) else found.dense()
    assert_allclose(whole, other.dense(), rtol=1e-12, atol=1e-12)


def broad_rows(p: int, n: int, layout: str) -> Chunk:
    """Return rows of p numbers after a constant, side by side or column by column, scaled or shifted too."""
    rng = np.random.default_rng(p + n)
    x = (
        np.asfortranarray(rng.normal(size=(n, p)))
        if layout == "columns"
        else rng.normal(size=(n, p + 3))[:, :p]
    )
    scale = None if layout == "as they are" else np.exp2(rng.integers(-3, 3, p + 1).astype(np.float64))
    shift = np.linspace(-1.0, 1.0, p + 1) if layout == "shifted" else None
    for numbers in (scale, shift):
        if numbers is not None:
            numbers[0] = float(numbers is scale)
    constant = np.broadcast_to(1.0, n)
    columns = (x,) if layout == "without a constant" else (constant, x)
    drop = slice(1, None) if layout == "without a constant" else slice(None)
    block = Dense(columns, None if shift is None else shift[drop], None if scale is None else scale[drop])
    weights = Weights(rng.random(n) + 0.5)
    y = rng.poisson(1.0, n).astype(np.float64)
    return Chunk((Predictor(Design((block,), n), rng.normal(size=n)),), (y,), weights, np.arange(n))


LAYOUTS = ("as they are", "scaled", "shifted", "columns", "without a constant")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("p", "n"), [(47, 300), (48, 7), (64, 128), (77, 260), (101, 1), (101, 1000), (270, 400)]
)
def test_many_columns_give_the_dense_formulas_whether_packed_or_not(layout: str, p: int, n: int) -> None:
    unit, chunk = named("poisson", "log"), broad_rows(p, n, layout)
    x = chunk.predictors[0].design.dense()
    beta = 0.1 * np.cos(np.arange(x.shape[1])) / np.abs(x).max(axis=0)
    asked = Want.VALUE | Want.SCORE | Want.EXTENT
    for more, unit_of_error in (
        (Want.GIRTH, 0.0),
        (Want.CURVATURE, 4e-5),
        (Want.CURVATURE | Want.COARSE, 8e-3),
        (Want.OBSERVED | Want.WHOLE, 1e-13),
    ):
        found, exact = (sums.accumulate(each, beta, unit, asked | more) for each in (chunk, twin(chunk)))
        assert_allclose(found.value, exact.value, rtol=1e-11)
        size = np.abs(x).T @ (chunk.weights.frequency * (chunk.y[0] + np.exp(np.abs(x @ beta) + 5.0)))
        assert np.all(np.abs(found.score - exact.score) <= 1e-13 * size)
        assert_allclose(found.extent, exact.extent, rtol=1e-15)
        if more & (Want.CURVATURE | Want.OBSERVED):
            eta = x @ beta + chunk.predictors[0].offset
            heavy = (chunk.weights.frequency * np.exp(eta))[:, None]
            got = np.asarray(found.observed)
            assert np.all(
                np.abs(got - x.T @ (heavy * x)) <= unit_of_error * (np.abs(x).T @ (heavy * np.abs(x)))
            )
            assert np.array_equal(got, got.T)


def test_a_number_that_is_not_finite_is_seen_in_rows_that_are_not_packed() -> None:
    chunk = broad_rows(60, 300, "scaled")
    block = chunk.predictors[0].design.blocks[0]
    x = np.array(block.columns[1])
    x[200, 59] = np.nan
    bad = Chunk(
        (Predictor(Design((Dense((block.columns[0], x), None, block.scale),), 300)),),
        chunk.y,
        Weights(),
        np.arange(300),
    )
    assert (
        sums.accumulate(bad, np.ones(61) * 0.01, named("poisson", "log"), Want.VALUE | Want.SCORE).value
        == -np.inf
    )
