"""Every kind of covariance: R's numbers, brute force on dense matrices, and relations."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.sparse import csr_array
from scipy.special import stdtr, stdtrit

import etamu as em
from etamu.fit import clusters
from etamu.fit.problem import ALONE, CLUSTERED
from etamu.fit.restore import loads
from etamu.fit.store import dumps
from tests import oracle

ERROR = 1e-7  # relative, of a standard error: the square root of a sum that is good to 1e-8
ROWWISE = ("HC0", "HC1", "HC2", "HC3", "HC4")

RNG = np.random.default_rng(31)
N = 120
DATA: dict[str, Any] = {
    "x": RNG.normal(size=N),
    "z": RNG.uniform(0.0, 3.0, N),
    "g": np.array(["a", "b", "c"])[RNG.integers(0, 3, N)],
    "herd": np.array([f"h{code:02d}" for code in RNG.integers(0, 11, N)]),
    "year": RNG.integers(2001, 2008, N),
}
DATA["y"] = RNG.poisson(np.exp(0.4 + 0.3 * DATA["x"] + 0.2 * DATA["z"])).astype(float)
FORMULA = "y ~ x + z + C(g)"
PARTS = np.column_stack([np.ones(N), DATA["x"], DATA["z"], DATA["g"] == "b", DATA["g"] == "c"]).astype(float)


def poisson(data: dict[str, Any] = DATA, **options: Any) -> em.Fit:
    return em.glm(FORMULA, data, "poisson", **options)


def draws() -> np.random.Generator:
    """Start the same numbers again: tests run in any order."""
    return np.random.default_rng(8)


def quietly(fit: em.Fit, kind: str, **arguments: Any) -> em.Fit:
    """Change the covariance; two ways of so few clusters may not be positive definite."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        return fit.with_covariance(kind, **arguments)


def taken(data: dict[str, Any], rows: np.ndarray) -> dict[str, Any]:
    return {name: column[rows] for name, column in data.items()}


# --- R ---


def with_r(identifier: str, quantity: str) -> tuple[em.Fit, dict[str, Any], np.ndarray]:
    asked = oracle.case(identifier)
    fit, expected = oracle.answer(identifier).fit, asked["expected"]
    position = np.array([fit.names.index(name) for name in oracle.names(asked)])
    return fit, expected[quantity], position[~np.isnan(oracle.numbers(expected["coef"]))]


def cases(quantity: str) -> list[str]:
    return [name for name in oracle.identifiers() if quantity in oracle.case(name)["expected"]]


IDLE_ROWS = [name for name in cases("vcovHC") if oracle.case(name)["expected"]["n_zero_weights"]]
SATURATED = "open-dobson93-poisson-saturated"
LEVERAGE_ONE = "open-quine-poisson-aliased"


@pytest.mark.parametrize(
    "identifier", [name for name in cases("vcovHC") if name not in {*IDLE_ROWS, SATURATED}]
)
@pytest.mark.parametrize("kind", ROWWISE[:4])
def test_heteroskedastic_covariances_are_those_of_sandwich(identifier: str, kind: str) -> None:
    fit, expected, kept = with_r(identifier, "vcovHC")
    if identifier == LEVERAGE_ONE and kind in {"HC2", "HC3"}:
        assert np.isnan(oracle.numbers(expected[kind]["se"])).all(), "R answers after all"
        return
    robust, theirs = fit.with_covariance(kind), oracle.numbers(expected[kind]["se"])
    assert_allclose(robust.se[kept], theirs, rtol=ERROR)
    if expected[kind].get("cov"):
        cov = oracle.numbers(expected[kind]["cov"])
        size = np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
        assert_allclose(robust.cov[np.ix_(kept, kept)] / size, cov / size, atol=ERROR)


@pytest.mark.parametrize("identifier", IDLE_ROWS)
@pytest.mark.parametrize("kind", [*ROWWISE, "CR1"])
def test_rows_of_weight_zero_are_as_if_they_were_not_there(identifier: str, kind: str) -> None:
    # R divides by all rows what it summed over those of positive weight: its errors are too small by that.
    fit, expected, kept = with_r(identifier, "vcovHC")
    problem, asked = fit.problem, oracle.answer(identifier).question
    used = np.zeros(len(asked.data), dtype=bool)
    used[problem.chunk.row_ids[problem.counted]] = True
    without = em.glm(asked.formula, asked.data[used], **asked.options)
    cluster = np.arange(len(asked.data)) % 7
    extra = ({}, {}) if kind != "CR1" else ({"cluster": cluster}, {"cluster": cluster[used]})
    ours = fit.with_covariance(kind, **extra[0])
    assert_allclose(ours.se, without.with_covariance(kind, **extra[1]).se, rtol=1e-7)
    if kind == "HC0":
        theirs = oracle.numbers(expected["HC0"]["se"])
        assert_allclose(theirs, ours.se[kept] * used.sum() / len(used), rtol=ERROR)


def test_a_saturated_model_knows_no_variance() -> None:
    fit, expected, _ = with_r(SATURATED, "vcovHC")
    for kind in ("HC1", "HC2", "HC3"):
        assert np.isnan(fit.with_covariance(kind).se).all()
        assert np.isnan(oracle.numbers(expected[kind]["se"])).all()
    assert_allclose(fit.with_covariance("HC0").se, 0.0, atol=1e-12)
    for kind in ("CR1", "CR2", "CR3"):
        assert np.isnan(fit.with_covariance(kind, cluster="outcome").se).all()


@pytest.mark.parametrize("identifier", cases("vcovCL"))
def test_clustered_covariances_are_those_of_sandwich(identifier: str) -> None:
    fit, expected, kept = with_r(identifier, "vcovCL")
    column = expected["cluster"]
    one, zero = (fit.with_covariance(kind, cluster=column) for kind in ("CR1", "CR0"))
    assert one.clustering.counts == (expected["n_clusters"],)
    n, p = fit.nobs, fit.rank
    answers = {"HC0_cadjust_TRUE": one.se, "default": one.se, "HC0_cadjust_FALSE": zero.se}
    answers["HC1_cadjust_TRUE"] = one.se * np.sqrt((n - 1) / (n - p))
    for name, ours in answers.items():
        assert_allclose(ours[kept], oracle.numbers(expected[name]["se"]), rtol=ERROR, err_msg=name)
    cov = oracle.numbers(expected["default"]["cov"])
    assert_allclose(one.cov[np.ix_(kept, kept)], cov, rtol=1e-6, atol=1e-9 * np.abs(cov).max())
    assert_array_equal(fit.with_covariance("cluster", cluster=column).cov, one.cov)


def test_least_squares_are_those_of_stata() -> None:
    # Printed in R's dfadjust (tests/testthat/test_clustervar.R): `reg y x`, with cluster(), r and vce(hc2).
    t = np.arange(1.0, 11.0)
    data = {
        "y": np.concatenate([np.cos(t - 1), np.tan(t)]),
        "x": np.concatenate([np.sin(t), np.sin(t + 1)]),
        "c": np.tile([2, 1, 3, 2, 2, 3, 3, 1, 1, 2], 2),
    }
    fit = em.glm("y ~ x", data)
    assert_allclose(fit.coef, [-0.4456202905, 0.3241183110], rtol=1e-8)
    assert_allclose(fit.with_covariance("HC1").se, [0.4278077455, 0.4392155956], rtol=1e-9)
    assert_allclose(fit.with_covariance("HC2").se, [0.4227339762, 0.4421048122], rtol=1e-9)
    stata = fit.with_covariance("CR1", cluster="c").se * np.sqrt(19 / 18)
    assert_allclose(stata, [0.4827602183, 0.1814501834], rtol=1e-9)


# --- brute force ---


class Dense:
    """Everything on n x n matrices, in the units of standardised residuals: e has variance phi."""

    def __init__(self, fit: em.Fit, columns: np.ndarray) -> None:
        working = fit.working()
        weight = np.asarray(working.weights)
        eta = np.asarray(fit.predict(kind="link"))
        self.x = np.sqrt(weight)[:, None] * columns
        self.e = np.sqrt(weight) * (working.response - eta)
        self.bread = np.linalg.inv(self.x.T @ self.x)
        self.hat = self.x @ self.bread @ self.x.T
        self.scores = self.x * self.e[:, None]

    def sandwich(self, meat: np.ndarray) -> np.ndarray:
        return self.bread @ meat @ self.bread

    def clustered(self, codes: np.ndarray, power: float) -> np.ndarray:
        """Apply (I - H_gg)^power, m_g x m_g, to the residuals of each cluster (Bell and McCaffrey 2002)."""
        meat = np.zeros_like(self.bread)
        for g in np.unique(codes):
            inside = codes == g
            score = self.x[inside].T @ self.freed(inside, power) @ self.e[inside]
            meat += np.outer(score, score)
        return self.sandwich(meat)

    def freed(self, inside: np.ndarray, power: float) -> np.ndarray:
        values, vectors = np.linalg.eigh(np.eye(inside.sum()) - self.hat[np.ix_(inside, inside)])
        return vectors * np.where(values > 1e-9, np.maximum(values, 1e-9) ** power, 0.0) @ vectors.T

    def satterthwaite(self, codes: np.ndarray, contrast: np.ndarray) -> float:
        annihilator = np.eye(len(codes)) - self.hat
        columns = []
        for g in np.unique(codes):
            inside = codes == g
            columns.append(
                annihilator[:, inside] @ self.freed(inside, -0.5) @ self.x[inside] @ self.bread @ contrast
            )
        matrix = np.array(columns) @ np.array(columns).T
        return float(np.trace(matrix) ** 2 / np.sum(matrix**2))


WEIGHTS = RNG.uniform(0.5, 2.0, N)
MODELS = {
    "gaussian": lambda: em.glm(FORMULA, DATA),
    "poisson": poisson,
    "poisson sqrt": lambda: em.glm(FORMULA, DATA, "poisson", "sqrt"),
    "gamma": lambda: em.glm(FORMULA.replace("y", "y + 1", 1), DATA, "gamma", "log"),
    "weighted": lambda: poisson(variance_weights=WEIGHTS),
    "sampled": lambda: poisson(sampling_weights=WEIGHTS),
}
every_model = pytest.mark.parametrize("model", MODELS)


@every_model
@pytest.mark.parametrize("kind", ROWWISE)
def test_heteroskedastic_covariances_by_brute_force(model: str, kind: str) -> None:
    fit = MODELS[model]()
    dense, h = Dense(fit, PARTS), None
    h = np.diag(dense.hat)
    p = PARTS.shape[1]
    inflation = {
        "HC0": np.ones(N),
        "HC1": np.full(N, N / (N - 1) if model == "sampled" else N / (N - p)),
        "HC2": 1 / (1 - h),
        "HC3": 1 / (1 - h) ** 2,
        "HC4": (1 - h) ** -np.minimum(4.0, N * h / p),
    }[kind]
    exact = dense.sandwich(dense.scores.T @ (inflation[:, None] * dense.scores))
    assert_allclose(fit.with_covariance(kind).cov, exact, rtol=1e-7, atol=1e-12)


@every_model
@pytest.mark.parametrize(("kind", "power"), [("CR0", 0.0), ("CR1", 0.0), ("CR2", -0.5), ("CR3", -1.0)])
def test_clustered_covariances_by_brute_force(model: str, kind: str, power: float) -> None:
    fit = MODELS[model]()
    factor = 11 / 10 if kind == "CR1" else 1.0
    exact = factor * Dense(fit, PARTS).clustered(DATA["herd"], power)
    assert_allclose(fit.with_covariance(kind, cluster="herd").cov, exact, rtol=1e-7, atol=1e-12)


@every_model
def test_degrees_of_freedom_by_brute_force(model: str) -> None:
    fit = MODELS[model]().with_covariance("CR2", cluster="herd")
    dense = Dense(fit, PARTS)
    exact = [dense.satterthwaite(DATA["herd"], contrast) for contrast in np.eye(5)]
    assert_allclose(fit.reference_df, exact, rtol=1e-7)
    between = np.array([[0.0, 0.0, 0.0, 1.0, -1.0], [1.0, 0.5, 2.0, 0.0, 1.0]])
    assert_allclose(
        fit.contrast_df(between), [dense.satterthwaite(DATA["herd"], c) for c in between], rtol=1e-7
    )


def test_for_equal_weights_the_degrees_of_freedom_are_clubsandwichs() -> None:
    # There A_g = (I - H_gg)^(-1/2) whichever root of the working variance is taken.
    fit = em.glm(FORMULA, DATA).with_covariance("CR2", cluster="herd")
    hat = PARTS @ np.linalg.inv(PARTS.T @ PARTS) @ PARTS.T
    design = np.zeros((11, N))
    for g, herd in enumerate(np.unique(DATA["herd"])):
        inside = DATA["herd"] == herd
        values, vectors = np.linalg.eigh(np.eye(inside.sum()) - hat[np.ix_(inside, inside)])
        rows = vectors / np.sqrt(values) @ vectors.T @ PARTS[inside]
        design[g] = (np.eye(N) - hat)[:, inside] @ rows @ np.linalg.inv(PARTS.T @ PARTS)[:, 1]
    values = np.linalg.eigvalsh(design @ design.T)
    assert_allclose(fit.reference_df[1], values.sum() ** 2 / np.sum(values**2), rtol=1e-8)


@pytest.mark.parametrize("kind", ["CR0", "CR1"])
def test_multiway_covariances_add_and_subtract(kind: str) -> None:
    fit = poisson()
    dense, exact = Dense(fit, PARTS), np.zeros((5, 5))
    ways = [DATA["herd"], DATA["year"].astype(str), DATA["g"]]
    for size in (1, 2, 3):
        for chosen in combinations(ways, size):
            cells = np.unique(["/".join(cell) for cell in zip(*chosen, strict=True)], return_inverse=True)[1]
            count = cells.max() + 1
            factor = count / (count - 1) if kind == "CR1" else 1.0
            exact += (-1) ** (size + 1) * factor * dense.clustered(cells, 0.0)
    values, vectors = np.linalg.eigh(exact)
    assert values[0] < 0, "a third way of three clusters leaves nothing positive definite"
    exact = vectors * np.maximum(values, 0.0) @ vectors.T
    with pytest.warns(em.EtamuWarning, match="3-way .* negative eigenvalues"):
        robust = fit.with_covariance(kind, cluster=["herd", DATA["year"], "g"])
    assert_allclose(robust.cov, exact, rtol=1e-6, atol=1e-10)
    assert robust.clustering.names == ("herd", "<array>", "g")
    assert robust.clustering.counts == (11, 7, 3)
    assert robust.reference_df == 2


def test_two_ways_that_are_one_are_one() -> None:
    fit = poisson()
    assert_allclose(
        fit.with_covariance("CR1", cluster=("herd", "herd")).cov,
        fit.with_covariance("CR1", cluster="herd").cov,
        rtol=1e-10,
    )


@every_model
@pytest.mark.parametrize("lags", [0, 1, 6, N - 1])
def test_autocorrelated_covariances_by_brute_force(model: str, lags: int) -> None:
    fit = MODELS[model]()
    dense, time = Dense(fit, PARTS), np.arange(N)
    kernel = np.maximum(1 - np.abs(time[:, None] - time) / (lags + 1), 0.0)
    exact = dense.sandwich(dense.scores.T @ kernel @ dense.scores)
    robust = fit.with_covariance("HAC", lags=lags)
    assert_allclose(robust.cov, exact, rtol=1e-7, atol=1e-12)
    assert robust.lags == lags
    if lags == 0:
        assert_allclose(robust.cov, fit.with_covariance("HC0").cov, rtol=1e-8, atol=1e-14)


def test_a_row_of_weight_zero_keeps_its_place_in_time() -> None:
    weights = np.where(np.arange(N) % 5 == 2, 0.0, 1.0)
    fit = poisson(variance_weights=weights)
    assert_allclose(
        fit.with_covariance("HAC", lags=3).cov,
        Dense(fit, PARTS).sandwich(_kernel_meat(Dense(fit, PARTS).scores, 3)),
        rtol=1e-7,
        atol=1e-12,
    )


def _kernel_meat(scores: np.ndarray, lags: int) -> np.ndarray:
    time = np.arange(len(scores))
    return scores.T @ np.maximum(1 - np.abs(time[:, None] - time) / (lags + 1), 0.0) @ scores


# --- reference distributions ---


def test_tests_refer_to_the_distribution_of_their_covariance() -> None:
    known, estimated = poisson(), em.glm(FORMULA, DATA)
    for kind in (*ROWWISE, "HAC", "model", "observed"):
        assert known.with_covariance(kind).reference_df == np.inf
        assert estimated.with_covariance(kind).reference_df == N - 5
    for kind in ("CR0", "CR1", "CR3"):
        assert known.with_covariance(kind, cluster="herd").reference_df == 10
    assert known.with_covariance("CR1", cluster=["herd", "year"]).reference_df == 6


@pytest.mark.parametrize("kind", CLUSTERED)
def test_tables_tests_and_intervals_follow(kind: str) -> None:
    fit = poisson().with_covariance(kind, cluster="herd")
    df = fit.reference_df
    assert_allclose(fit.se, np.sqrt(np.diag(fit.cov)), rtol=1e-12)
    assert_allclose(fit.p_values, 2 * stdtr(df, -np.abs(fit.coef / fit.se)), rtol=1e-10)
    half = stdtrit(df, 0.95) * fit.se
    assert_allclose(fit.conf_int(0.9), np.column_stack([fit.coef - half, fit.coef + half]), rtol=1e-9)
    tidy = fit.tidy(level=0.9)
    assert_array_equal(tidy["std_error"], fit.se)
    assert_array_equal(tidy["conf_low"], fit.conf_int(0.9)[:, 0])
    assert_array_equal(tidy["p_value"], fit.p_values)
    text = " ".join(str(fit).split())
    assert "t value" in text
    assert f'with_covariance("{kind}", cluster="herd")' in text
    assert "the 11 clusters of herd" in text


def test_the_old_fit_is_as_it_was() -> None:
    fit = poisson()
    se, text = fit.se.copy(), str(fit)
    robust = fit.with_covariance("CR2", cluster="herd")
    assert robust is not fit
    assert_array_equal(fit.se, se)
    assert str(fit) == text
    assert fit.covariance_kind == "model"
    assert fit.clustering is None
    assert_allclose(robust.with_covariance("model").cov, fit.cov, rtol=1e-9)
    assert robust.with_covariance("model").clustering is None
    assert robust.with_covariance("HC3").reference_df == np.inf


def test_prediction_intervals_take_the_degrees_of_freedom_of_each_row() -> None:
    fit = poisson().with_covariance("CR2", cluster="herd")
    exact = fit.contrast_df(PARTS)
    for rows in (None, DATA, pd.DataFrame(DATA)):
        old = fit.predict(rows, kind="link", interval="confidence", level=0.9)
        assert_allclose(old.upper - old.estimate, stdtrit(exact, 0.95) * old.se, rtol=1e-9)
    missing = DATA | {"x": np.where(np.arange(N) == 3, np.nan, DATA["x"])}
    gone = fit.predict(missing, kind="link", interval="confidence", level=0.9)
    assert np.isnan(gone.upper[3])
    assert_allclose(np.delete(gone.upper, 3), np.delete(old.upper, 3), rtol=1e-12)


def test_prediction_for_sparse_rows_takes_the_same_degrees_of_freedom() -> None:
    fit = em.GLM("poisson").fit(PARTS[:, 1:], DATA["y"]).with_covariance("CR2", cluster=DATA["herd"])
    dense = fit.predict(PARTS[:, 1:], interval="confidence")
    sparse = fit.predict(csr_array(PARTS[:, 1:]), interval="confidence")
    assert_allclose(sparse.upper, dense.upper, rtol=1e-9)


def test_effects_together_take_the_degrees_of_freedom_of_their_sum() -> None:
    fit = poisson().with_covariance("CR2", cluster="herd")
    sentence = fit.interpret(together=["x", "z"], level=0.9)["x + z"]
    both = np.array([0.0, 1.0, 1.0, 0.0, 0.0])
    se, df = np.sqrt(both @ fit.cov @ both), fit.contrast_df(both)
    assert_allclose(np.log(sentence.high / sentence.estimate), stdtrit(df[0], 0.95) * se, rtol=1e-9)


# --- relations ---


@pytest.mark.parametrize("kind", ["HC0", "HC1", "HC2", "HC3", "HC4", "CR0", "CR1", "CR2", "CR3"])
def test_a_frequency_weight_is_that_many_copies(kind: str) -> None:
    counts = draws().integers(1, 4, N)
    copies = taken(DATA, np.repeat(np.arange(N), counts))
    extra = {"cluster": "herd"} if kind in CLUSTERED else {}
    one = poisson(frequency_weights=counts).with_covariance(kind, **extra)
    other = poisson(copies).with_covariance(kind, **extra)
    assert_allclose(one.cov, other.cov, rtol=1e-6, atol=1e-12)
    assert_allclose(one.reference_df, other.reference_df, rtol=1e-7)
    assert_allclose(one.p_values, other.p_values, rtol=1e-6)


@pytest.mark.parametrize("pair", [("CR0", "HC0"), ("CR2", "HC2"), ("CR3", "HC3")])
def test_a_cluster_per_row_is_no_clustering(pair: tuple[str, str]) -> None:
    fit = poisson(variance_weights=WEIGHTS)
    clustered = fit.with_covariance(pair[0], cluster=np.arange(N))
    assert_allclose(clustered.cov, fit.with_covariance(pair[1]).cov, rtol=1e-8, atol=1e-14)


@pytest.mark.parametrize("kind", [*ALONE, *CLUSTERED])
@pytest.mark.parametrize("rows", [1, 7, 50])
def test_chunks_add_to_the_whole(kind: str, rows: int) -> None:
    fit = poisson(variance_weights=WEIGHTS)
    chunked = replace(
        fit, problem=replace(fit.problem, options=replace(fit.problem.options, block_rows=rows, threads=2))
    )
    extra = {"cluster": "herd"} if kind in CLUSTERED else {}
    one, other = fit.with_covariance(kind, **extra), chunked.with_covariance(kind, **extra)
    assert_allclose(other.cov, one.cov, rtol=1e-9, atol=1e-14)
    assert_allclose(other.reference_df, one.reference_df, rtol=1e-9)


@pytest.mark.parametrize("kind", CLUSTERED)
def test_clusters_that_do_not_fit_into_memory_come_in_batches(kind: str, monkeypatch: Any) -> None:
    fit = poisson(frequency_weights=draws().integers(0, 3, N))
    cluster = "herd" if kind in {"CR2", "CR3"} else ["herd", "year"]
    whole = quietly(fit, kind, cluster=cluster)
    contrasts = draws().normal(size=(9, 5))
    df = whole.contrast_df(contrasts)
    monkeypatch.setattr(clusters, "KEPT", 70)
    monkeypatch.setattr(clusters, "SLICE", 2)
    batched = quietly(fit, kind, cluster=cluster)
    assert_allclose(batched.cov, whole.cov, rtol=1e-9, atol=1e-14)
    assert_allclose(batched.contrast_df(contrasts), df, rtol=1e-9)
    assert_allclose(batched.reference_df, whole.reference_df, rtol=1e-9)


@pytest.mark.parametrize("kind", [*ROWWISE, *CLUSTERED])
def test_the_order_of_rows_does_not_matter(kind: str) -> None:
    order = draws().permutation(N)
    extra = {"cluster": "herd"} if kind in CLUSTERED else {}
    one, other = (poisson(data).with_covariance(kind, **extra) for data in (DATA, taken(DATA, order)))
    assert_allclose(other.cov, one.cov, rtol=1e-7, atol=1e-12)
    assert_allclose(other.reference_df, one.reference_df, rtol=1e-7)


def test_names_of_clusters_do_not_matter() -> None:
    fit, codes = poisson(), np.unique(DATA["herd"], return_inverse=True)[1]
    named = fit.with_covariance("CR2", cluster="herd")
    for other in (codes, 100.5 - codes, list(DATA["herd"]), pd.Series(DATA["herd"]), pl.Series(DATA["herd"])):
        assert_allclose(fit.with_covariance("CR2", cluster=other).cov, named.cov, rtol=1e-10, atol=1e-14)


def test_units_of_columns_do_not_matter() -> None:
    scaled = poisson(DATA | {"x": 1e6 * DATA["x"] + 5e6})
    for kind in ("HC3", "CR2"):
        extra = {"cluster": "herd"} if kind == "CR2" else {}
        one, other = poisson().with_covariance(kind, **extra), scaled.with_covariance(kind, **extra)
        assert_allclose(other.se[1] * 1e6, one.se[1], rtol=1e-7)
    assert_allclose(other.reference_df[1:], one.reference_df[1:], rtol=1e-6)


@pytest.mark.parametrize("kind", ["HC2", "HC3", "HC4", "CR2", "CR3"])
def test_nearly_collinear_columns_keep_their_leverages(kind: str) -> None:
    # cond(X) = 1e5: a Gram squares it; the same space in other columns has every digit.
    near = DATA["x"] + 1e-5 * draws().normal(size=N)
    data = DATA | {"near": near, "apart": (near - DATA["x"]) * 1e5}
    extra = {"cluster": "herd"} if kind in CLUSTERED else {}
    ours = em.glm("y ~ x + near", data).with_covariance(kind, **extra)
    theirs = em.glm("y ~ x + apart", data).with_covariance(kind, **extra)
    assert_allclose(ours.se[2] / 1e5, theirs.se[2], rtol=1e-6)


@pytest.mark.parametrize("kind", ["HC3", "CR2", "HAC"])
def test_sparse_columns_have_the_covariance_of_dense_ones(kind: str) -> None:
    extra = {"cluster": DATA["herd"]} if kind == "CR2" else {}
    dense, sparse = (
        em.GLM("poisson").fit(make(PARTS[:, 1:]), DATA["y"]).with_covariance(kind, **extra)
        for make in (np.asarray, csr_array)
    )
    assert_allclose(sparse.cov, dense.cov, rtol=1e-7, atol=1e-12)


def test_a_fixed_effect_per_cluster_is_no_obstacle() -> None:
    fit = em.glm("y ~ x + C(herd)", DATA, "poisson")
    columns = np.column_stack([DATA["herd"] == herd for herd in np.unique(DATA["herd"])]).astype(float)
    dense = Dense(fit, np.column_stack([columns, DATA["x"]]))
    for kind, power in (("CR2", -0.5), ("CR3", -1.0)):
        robust = fit.with_covariance(kind, cluster="herd")
        x = fit.names.index("x")
        assert_allclose(robust.se[x], np.sqrt(dense.clustered(DATA["herd"], power)[-1, -1]), rtol=1e-6)
        if kind == "CR2":
            exact = dense.satterthwaite(DATA["herd"], np.eye(12)[-1])
            assert_allclose(robust.reference_df[x], exact, rtol=1e-6)


def test_aliased_columns_have_neither_error_nor_degrees_of_freedom() -> None:
    with pytest.warns(em.AliasWarning):
        fit = poisson(DATA | {"x": 2.0 * DATA["z"]})
    robust = fit.with_covariance("CR2", cluster="herd")
    aliased = np.array([name in fit.aliased for name in fit.names])
    assert aliased.sum() == 1
    for values in (robust.se, robust.reference_df, robust.p_values, robust.conf_int()[:, 0]):
        assert_array_equal(np.isnan(values), aliased)


def test_a_row_of_leverage_one_is_named() -> None:
    data = DATA | {"g": np.where(np.arange(N) == 17, "only", DATA["g"])}
    fit = poisson(data)
    for kind in ("HC2", "HC3", "HC4"):
        with pytest.warns(em.EtamuWarning, match=r"1 row\(s\) have leverage 1 \(row 17\)"):
            robust = fit.with_covariance(kind)
        without = poisson(taken(data, np.arange(N) != 17)).with_covariance(kind)
        kept = [fit.names.index(name) for name in without.names]
        # HC4 knows n; the others are as if the row, which only its own coefficient sees, were not there.
        assert_allclose(robust.se[kept], without.se, rtol=0.01 if kind == "HC4" else 1e-6)


def test_a_case_of_leverage_one_has_finite_errors_where_r_has_none() -> None:
    fit, _, kept = with_r(LEVERAGE_ONE, "vcovHC")
    with pytest.warns(em.EtamuWarning, match="leverage 1"):
        assert np.all(np.isfinite(fit.with_covariance("HC3").se[kept]))


def test_a_model_without_coefficients_has_an_empty_covariance() -> None:
    fit = em.glm("y ~ 0", DATA, "poisson")
    for kind in (*ALONE, *CLUSTERED):
        extra = {"cluster": "herd"} if kind in CLUSTERED else {}
        robust = fit.with_covariance(kind, **extra)
        assert robust.cov.shape == (0, 0)
        assert robust.p_values.shape == (0,)
        assert str(robust)


# --- doors ---


@pytest.mark.parametrize("kind", ALONE)
def test_the_front_door_takes_every_kind_that_needs_nothing_more(kind: str) -> None:
    asked, changed = poisson(covariance=kind), poisson().with_covariance(kind)
    assert_allclose(asked.cov, changed.cov, rtol=1e-9, atol=1e-14)
    assert asked.covariance_kind == changed.covariance_kind == kind
    assert asked.lags == changed.lags == (4 if kind == "HAC" else None)
    arrays = em.GLM("poisson", covariance=kind).fit(PARTS[:, 1:], DATA["y"])
    assert_allclose(arrays.se, asked.se, rtol=1e-7)
    assert f'covariance="{kind}"' in str(asked)
    assert (f'covariance="{kind}"' in str(changed)) is (kind != "HAC")


def test_the_front_door_says_where_clusters_are_said() -> None:
    with pytest.raises(em.OptionError, match=r"with_covariance\('CR1', cluster="):
        poisson(covariance="CR1")


def test_the_summary_says_how_far_rows_are_correlated() -> None:
    text = " ".join(str(poisson().with_covariance("HAC", lags=3)).split())
    assert 'with_covariance("HAC", lags=3)' in text
    assert "stands correlation over 3 rows" in text
    assert "z value" in text


def test_the_summary_shows_every_degrees_of_freedom() -> None:
    fit = poisson().with_covariance("CR2", cluster="herd")
    low, high = fit.reference_df.min(), fit.reference_df.max()
    assert f"t on {low:.2f} to {high:.2f} degrees of freedom (Satterthwaite)" in " ".join(str(fit).split())


@pytest.mark.parametrize("kind", [*ALONE, *CLUSTERED])
@pytest.mark.parametrize("covariance", [True, False])
def test_a_saved_fit_keeps_its_covariance(kind: str, covariance: bool) -> None:
    extra = {"cluster": ["herd", "year"] if kind in {"CR0", "CR1"} else "herd"} if kind in CLUSTERED else {}
    fit = quietly(poisson(), kind, **extra)
    again = loads(dumps(fit, covariance=covariance))
    for name in ("se", "p_values", "reference_df"):
        assert_array_equal(getattr(again, name), getattr(fit, name))
    assert_array_equal(again.conf_int(), fit.conf_int())
    # Tests of terms need the covariance itself, not standard errors alone.
    terms = None if covariance else False
    assert str(again.summary(terms=terms)) == str(fit.summary(terms=terms))
    with pytest.raises(em.NotAvailableError, match="rows of the data"):
        again.with_covariance("HC0")


def test_a_saved_cr2_predicts_errors_and_says_why_not_intervals() -> None:
    fit = poisson().with_covariance("CR2", cluster="herd")
    again = loads(dumps(fit))
    assert_allclose(again.predict(DATA, se=True).se, fit.predict(DATA, se=True).se, rtol=1e-12)
    with pytest.raises(em.NotAvailableError, match="degrees of freedom of CR2"):
        again.predict(DATA, interval="confidence")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"clusters": {"by"', '"clusters": {"of"'), "of"),
        (('"covariance": "CR1",\n    "lags"', '"covariance": "HC1",\n    "lags"'), "not clustered"),
    ],
)
def test_a_damaged_file_of_clusters_is_refused(change: tuple[str, str], message: str) -> None:
    text = dumps(poisson().with_covariance("CR1", cluster="herd"))
    text = text.replace('"clusters": {\n      "by"', '"clusters": {"by"')
    assert change[0] in text
    with pytest.raises(em.FileError, match=message):
        loads(text.replace(*change))


def test_a_file_older_than_clusters_is_read() -> None:
    text = dumps(poisson())
    older = text.replace(',\n    "lags": null,\n    "clusters": null', "")
    assert older != text
    assert_array_equal(loads(older).se, poisson().se)


# --- refusals ---

holed = DATA["herd"].astype(object)
holed[[4, 40]] = None


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"kind": "HC7"},
            em.OptionError,
            "'HC7' is not known;.* choose one of 'model', 'observed', 'HC0', .*'CR3', 'cluster'",
        ),
        ({"kind": "CR1"}, em.OptionError, "CR1 needs clusters: give cluster="),
        ({"kind": "HC1", "cluster": "herd"}, em.OptionError, "HC1 takes no clusters"),
        ({"kind": "HC1", "lags": 2}, em.OptionError, "HC1 takes no lags"),
        ({"kind": "HAC", "lags": -1}, em.OptionError, "lags is -1; it is a whole number from 0 to 119"),
        ({"kind": "HAC", "lags": 1.5}, em.OptionError, "lags is 1.5"),
        ({"kind": "HAC", "lags": N}, em.OptionError, "lags is 120"),
        ({"kind": "CR2", "cluster": ["herd", "year"]}, em.OptionError, "CR2 is for one way of clustering"),
        ({"kind": "CR1", "cluster": "hurd"}, em.FormulaError, "no such column; did you mean 'herd'"),
        ({"kind": "CR1", "cluster": ["herd", "yeer"]}, em.FormulaError, "did you mean 'year'"),
        (
            {"kind": "CR1", "cluster": np.arange(7)},
            em.DataError,
            "cluster has 7 values and the data have 120 rows",
        ),
        ({"kind": "CR1", "cluster": holed}, em.DataError, r"missing in 2 of the 120 rows used \(row 4, 40\)"),
        ({"kind": "CR1", "cluster": np.ones(N)}, em.DataError, "cluster has one cluster only"),
        ({"kind": "CR1", "cluster": [DATA["herd"], np.ones(N)]}, em.DataError, "has one cluster only"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: dict[str, Any], error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        poisson().with_covariance(**arguments)


def test_a_missing_cluster_is_no_matter_in_a_row_that_is_not_used() -> None:
    x = DATA["x"].copy()
    x[[4, 40]] = np.nan
    with pytest.warns(em.DroppedRowsWarning):
        fit = poisson(DATA | {"x": x, "holed": holed})
    kept = np.delete(np.arange(N), [4, 40])
    whole = poisson(taken(DATA, kept)).with_covariance("CR3", cluster="herd")
    assert_allclose(fit.with_covariance("CR3", cluster="holed").cov, whole.cov, rtol=1e-9)
    late = DATA["herd"].astype(object)
    late[7] = None
    fit = poisson(DATA | {"herd": late})
    with pytest.raises(em.DataError, match=r"cluster 'herd' is missing in 1 .* \(row 7\)"):
        fit.with_covariance("CR1", cluster="herd")


def test_counted_copies_have_no_place_in_time() -> None:
    with pytest.raises(em.OptionError, match="HAC needs one row per point in time"):
        poisson(frequency_weights=np.ones(N)).with_covariance("HAC")


def test_a_fit_that_has_no_information_has_no_error_and_no_exception() -> None:
    data = {
        "y": np.array([0.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
        "x": np.arange(6.0),
        "c": np.array([1, 2, 3, 1, 2, 3]),
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        fit = em.glm("y ~ x", data, "bernoulli")
        for kind in (*ROWWISE, *CLUSTERED, "HAC"):
            extra = {"cluster": "c"} if kind in CLUSTERED else {}
            assert fit.with_covariance(kind, **extra).se.shape == (2,)
