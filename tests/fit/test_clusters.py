"""Clusters: how they are read, crossed and summed, against dense matrices and pairs of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

import etamu as em
from etamu._base.errors import DataError, FormulaError
from etamu._base.types import Want
from etamu.fit import clusters
from etamu.fit.clusters import adjusted_meat, by_cluster, crossed, plain_meat, satterthwaite, ways_of
from etamu.fit.placed import Bread, Placed, bread, placed, score_and_information, whitened

N = 36
RNG = np.random.default_rng(4)
DATA: dict[str, Any] = {
    "x": RNG.normal(20.0, 2.0, N),
    "herd": np.array([f"h{code}" for code in RNG.integers(0, 5, N)]),
    "year": RNG.integers(2001, 2004, N),
    "k": np.where(np.arange(N) == 7, 0, RNG.integers(1, 4, N)).astype(float),
    "y": RNG.poisson(4.0, N).astype(float),
}
PLAIN = em.glm("y ~ x + C(year)", DATA, "poisson")
FREQUENT = em.glm("y ~ x", DATA, "poisson", frequency_weights="k")
FITS = {"plain": PLAIN, "frequent": FREQUENT}


def parts(fit: em.Fit) -> tuple[Placed, np.ndarray, Bread]:
    at = placed(fit.problem, fit.problem.counting(), fit.coordinates, fit.beta)
    codes = ways_of(fit.problem, "herd")[1][0]
    return at, codes[fit.problem.counted], bread(at, at.information(Want.EXPECTED))


def dense(fit: em.Fit) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """White rows, scores, information, copies: all rows at once, nothing summed."""
    at, _, inverse = parts(fit)
    whole = at.executor.whole
    score, information = score_and_information(whole, at)
    k = whole.weights.frequency
    return whitened(whole, at, inverse), score, information, np.ones(len(whole)) if k is None else k


def power(matrix: np.ndarray, exponent: float) -> np.ndarray:
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T


def test_a_way_is_read_from_a_column_or_an_array() -> None:
    names, codes = ways_of(PLAIN.problem, "herd")
    assert names == ("herd",)
    assert_array_equal(codes[0], np.unique(DATA["herd"], return_inverse=True)[1])
    names, again = ways_of(PLAIN.problem, DATA["herd"])
    assert names == ("<array>",)
    assert_array_equal(again[0], codes[0])


@pytest.mark.parametrize("kind", [tuple, list])
def test_several_ways_are_a_tuple_or_list_of_columns_or_arrays(kind: type) -> None:
    names, codes = ways_of(PLAIN.problem, kind(["herd", "year"]))
    assert names == ("herd", "year")
    assert_array_equal(codes[1], DATA["year"] - 2001)
    assert ways_of(PLAIN.problem, kind([DATA["herd"], DATA["year"]]))[0] == ("<array>", "<array>")
    labels = kind(DATA["herd"].tolist())
    assert ways_of(PLAIN.problem, labels)[0] == ("<array>",)
    assert_array_equal(ways_of(PLAIN.problem, labels)[1][0], ways_of(PLAIN.problem, "herd")[1][0])


def test_rows_that_do_not_count_belong_to_no_cluster_and_may_lack_one() -> None:
    numbered = np.arange(N) % 4 + 0.0
    numbered[7] = np.nan
    codes = ways_of(FREQUENT.problem, numbered)[1][0]
    assert_array_equal(np.flatnonzero(codes == -1), [7])
    assert_array_equal(np.delete(codes, 7), np.delete(np.arange(N) % 4, 7))


def test_missing_clusters_one_cluster_and_wrong_lengths_are_refused() -> None:
    holes = DATA["herd"].astype(object)
    holes[[3, 4]] = None
    with pytest.raises(DataError, match=r"cluster is missing in 2 of the 36 rows used \(row 3, 4\): fill"):
        ways_of(PLAIN.problem, holes)
    holes[10:20] = None
    with pytest.raises(DataError, match=r"missing in 12 of the 36 .* \(row 3, 4, 10, 11, 12 and 7 more\)"):
        ways_of(PLAIN.problem, holes)
    with pytest.raises(DataError, match=r"cluster has one cluster only; .* needs two or more"):
        ways_of(PLAIN.problem, np.ones(N))
    with pytest.raises(DataError, match="cluster has 3 values and the data have 36 rows"):
        ways_of(PLAIN.problem, np.ones(3))
    with pytest.raises(FormulaError, match="cluster='herds': there is no such column"):
        ways_of(PLAIN.problem, "herds")


@given(st.lists(st.tuples(*[st.integers(0, 2)] * 3), min_size=1, max_size=12), st.integers(1, 3))
def test_inclusion_and_exclusion_count_every_pair_that_shares_a_cluster_once(
    rows: list[tuple[int, int, int]], size: int
) -> None:
    ways = tuple(np.array(rows, dtype=np.int64).T[:size])
    total = sum(sign * (codes[:, None] == codes[None, :]).astype(int) for sign, codes in crossed(ways))
    shares = np.any([codes[:, None] == codes[None, :] for codes in ways], axis=0)
    assert_array_equal(total, shares.astype(int))


@pytest.mark.parametrize("grams", [False, True])
@pytest.mark.parametrize("kept", [None, 1, 12, 45])
@pytest.mark.parametrize("name", FITS)
def test_sums_by_cluster_are_those_of_loops_in_batches_of_any_size(
    name: str, kept: int | None, grams: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, codes, inverse = parts(FITS[name])
    white, score, information, k = dense(FITS[name])
    if kept is not None:
        monkeypatch.setattr(clusters, "KEPT", kept)
    batches = list(by_cluster(at, codes, inverse, grams=grams))
    assert np.concatenate([batch.keys for batch in batches]).tolist() == list(range(codes.max() + 1))
    for batch in batches:
        for place, key in enumerate(batch.keys):
            mine = codes == key
            assert_allclose(batch.scores[place], white[mine].T @ (k * score)[mine], rtol=1e-9, atol=1e-9)
            if grams:
                assert batch.grams is not None
                expected = white[mine].T @ ((k * information)[mine, None] * white[mine])
                assert_allclose(batch.grams[place], expected, rtol=1e-9, atol=1e-10)
            else:
                assert batch.grams is None


@pytest.mark.parametrize("name", FITS)
def test_the_plain_meat_sums_over_pairs_within_a_cluster(name: str) -> None:
    at, codes, inverse = parts(FITS[name])
    white, score, _, k = dense(FITS[name])
    rows = white * (k * score)[:, None]
    expected = rows.T @ (codes[:, None] == codes[None, :]) @ rows
    assert_allclose(plain_meat(at, codes, inverse), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("kind", "exponent"), [("CR2", -0.5), ("CR3", -1.0)])
def test_the_adjusted_meat_frees_residuals_by_the_hat_matrix_of_their_cluster(
    kind: str, exponent: float
) -> None:
    """X_g'W^{1/2} (I - H_gg)^power r_g with Pearson residuals r, row by row, no spectra of T_g."""
    at, codes, inverse = parts(PLAIN)
    white, score, information, _ = dense(PLAIN)
    half = white * np.sqrt(information)[:, None]
    residual = score / np.sqrt(information)
    total = np.zeros((PLAIN.rank, PLAIN.rank))
    for key in np.unique(codes):
        mine = codes == key
        freed = power(np.eye(mine.sum()) - half[mine] @ half[mine].T, exponent) @ residual[mine]
        z = half[mine].T @ freed
        total += np.outer(z, z)
    assert_allclose(adjusted_meat(at, codes, inverse, kind), total, rtol=1e-7, atol=1e-9)


def test_satterthwaite_is_the_ratio_of_traces_held_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """(tr P)^2 / tr P^2 with P_gh = p_g'p_h and p_g = (I - H)_g'(I - H_gg)^{-1/2} U_g c, U white rows."""
    at, codes, inverse = parts(PLAIN)
    white, _, information, _ = dense(PLAIN)
    half = white * np.sqrt(information)[:, None]
    rest = np.eye(N) - half @ half.T
    contrasts = np.random.default_rng(6).normal(size=(5, PLAIN.rank))
    expected = []
    for c in contrasts @ inverse.root.matrix:
        p = []
        for key in np.unique(codes):
            mine = codes == key
            p.append(rest[:, mine] @ power(rest[np.ix_(mine, mine)], -0.5) @ half[mine] @ c)
        P = np.array(p) @ np.array(p).T
        expected.append(np.trace(P) ** 2 / np.sum(P**2))
    held = satterthwaite(at, codes, inverse)
    assert held.held is not None
    assert_allclose(held.df(contrasts), expected, rtol=1e-7)
    assert_allclose(held.df(-3.0 * contrasts), expected, rtol=1e-7)
    assert held.df(np.zeros((0, PLAIN.rank))).shape == (0,)
    monkeypatch.setattr(clusters, "KEPT", 10)
    streamed = satterthwaite(at, codes, inverse)
    assert streamed.held is None
    assert_allclose(streamed.df(contrasts), expected, rtol=1e-7)
