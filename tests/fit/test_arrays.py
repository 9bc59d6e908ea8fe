"""A matrix or a table without a formula is the same model as the formula of its columns."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

import etamu as em
from etamu.family.unit import Unit
from tests.samples import FITTED, keywords, sample

SCALARS = (
    "deviance", "null_deviance", "pearson_chi2", "dispersion", "loglik", "aic", "bic", "nobs", "df_resid",
    "df_null",
)  # fmt: skip
N = 240


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    """Whole and halved numbers, exact in every numeric type, far from zero so that shifting matters."""
    rng = np.random.default_rng(20)
    a, b = rng.integers(100, 120, N).astype(float), rng.integers(-3, 4, N).astype(float)
    y = rng.poisson(np.exp(0.05 * (a - 110.0) + 0.2 * b)).astype(float)
    years = rng.uniform(0.5, 2.0, N)
    g, t = rng.choice(["u", "v", "w"], N), rng.choice(["p", "q"], N)
    return {"a": a, "b": b, "g": g, "t": t, "flag": rng.random(N) < 0.4, "years": years, "y": y}


def matrix(data: dict[str, Any]) -> np.ndarray:
    return np.column_stack([data["a"], data["b"]])


def assert_same_fit(one: em.Fit, other: em.Fit, rtol: float = 1e-12) -> None:
    scale = np.maximum(np.abs(other.coef), other.se)
    assert np.all(np.abs(one.coef - other.coef) <= rtol * scale)
    np.testing.assert_allclose(one.se, other.se, rtol=1e-9)
    for name in SCALARS:
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9, err_msg=name)
    np.testing.assert_allclose(one.predict(), other.predict(), rtol=1e-10)


@pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
def test_an_array_fit_is_the_formula_fit(unit: Unit) -> None:
    rows = sample(unit, seed=3)
    options = keywords(unit)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.ConvergenceWarning)  # a maximum may lie on a boundary
        formula = em.glm("y ~ x + z", rows, **options)
        again = {"trials": rows["m"]} if "trials" in options else {}
        model = em.GLM(options["family"], options.get("link"))
        fit = model.fit(np.column_stack([rows["x"], rows["z"]]), rows["y"], names=["x", "z"], **again)
    assert fit.names == formula.names
    np.testing.assert_allclose(fit.coef, formula.coef, rtol=1e-13, atol=1e-13)
    assert fit.deviance == pytest.approx(formula.deviance, rel=1e-13)


def read_only(X: np.ndarray) -> np.ndarray:
    X = X.copy()
    X.flags.writeable = False
    return X


class Tensor:
    """Numbers as a tensor of PyTorch holds them: `size` is a method."""

    def __init__(self, X: np.ndarray) -> None:
        self.numbers, self.shape, self.ndim = X, X.shape, X.ndim

    def __len__(self) -> int:
        return len(self.numbers)

    def size(self) -> tuple[int, ...]:
        return self.shape

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numbers, dtype=dtype)


FORMS: dict[str, Any] = {
    "float64": np.array,
    "float32": lambda X: X.astype(np.float32),
    "float16": lambda X: X.astype(np.float16),
    "longdouble": lambda X: X.astype(np.longdouble),
    "big-endian": lambda X: X.astype(">f8"),
    "int64": lambda X: X.astype(np.int64),
    "int8": lambda X: X.astype(np.int8),
    "Fortran order": np.asfortranarray,
    "read-only": read_only,
    "strided": lambda X: np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
    "backwards": lambda X: X[::-1].copy()[::-1],
    "lists": lambda X: X.tolist(),
    "tensor": Tensor,
    "csr array": sparse.csr_array,
    "csc array": sparse.csc_array,
    "coo array": sparse.coo_array,
    "csr matrix": sparse.csr_matrix,
    "csc matrix": sparse.csc_matrix,
    "int32 csr": lambda X: sparse.csr_array(X.astype(np.int32)),
    "float32 csc": lambda X: sparse.csc_array(X.astype(np.float32)),
    "pandas": lambda X: pd.DataFrame(X, columns=["a", "b"]),
    "polars": lambda X: pl.DataFrame(X, schema=["a", "b"]),
    "pyarrow": lambda X: pa.table({"a": X[:, 0], "b": X[:, 1]}),
    "dict": lambda X: {"a": X[:, 0], "b": X[:, 1]},
}


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_the_numbers_changes_nothing(data: dict[str, Any], form: str) -> None:
    formula = em.glm("y ~ a + b", data, family="poisson")
    X = FORMS[form](matrix(data))
    fit = em.GLM("poisson").fit(X, data["y"])
    # A sparse column is not shifted: columns far from zero then cost digits of the condition number.
    assert_same_fit(fit, formula, rtol=1e-9 if sparse.issparse(X) else 1e-12)
    new, plain = FORMS[form](matrix(data)[:7]), formula.predict(se=True)
    predicted = fit.predict(new, se=True)
    np.testing.assert_allclose(predicted.estimate, plain.estimate[:7], rtol=1e-9)
    np.testing.assert_allclose(predicted.se, plain.se[:7], rtol=1e-8)


def test_matrices_give_the_same_bits_whatever_their_layout(data: dict[str, Any]) -> None:
    formula = em.glm("y ~ a + b", data, family="poisson")
    for form in ("float64", "read-only", "strided", "backwards", "int64"):
        fit = em.GLM("poisson").fit(FORMS[form](matrix(data)), data["y"])
        assert fit.coef.tobytes() == formula.coef.tobytes(), form


@pytest.mark.parametrize("fitted", ["float64", "csr array"])
@pytest.mark.parametrize("asked", ["float64", "csr array", "csc matrix"])
def test_dense_and_sparse_rows_predict_alike(data: dict[str, Any], fitted: str, asked: str) -> None:
    X = matrix(data)
    fit = em.GLM("poisson").fit(FORMS[fitted](X), data["y"])
    expected = em.glm("y ~ a + b", data, family="poisson").predict(se=True)
    predicted = fit.predict(FORMS[asked](X), se=True)
    np.testing.assert_allclose(predicted.estimate, expected.estimate, rtol=1e-9)
    np.testing.assert_allclose(predicted.se, expected.se, rtol=1e-7)


def test_dense_and_sparse_rows_predict_alike_where_a_column_is_aliased(data: dict[str, Any]) -> None:
    X = np.column_stack([matrix(data), data["a"] + data["b"]])
    with pytest.warns(em.AliasWarning, match="x2"):
        fit = em.GLM("poisson").fit(X, data["y"])
    assert np.isnan(fit.coef[3])
    dense, thin = (fit.predict(rows, se=True) for rows in (X, sparse.csr_array(X)))
    np.testing.assert_allclose(thin.estimate, dense.estimate, rtol=1e-9)
    np.testing.assert_allclose(thin.se, dense.se, rtol=1e-7)


def test_a_sparse_design_is_never_written_out(monkeypatch: pytest.MonkeyPatch, data: dict[str, Any]) -> None:
    X = sparse.csr_array(matrix(data))
    widths = []
    whole = sparse.csr_array.toarray
    monkeypatch.setattr(
        sparse.csr_array,
        "toarray",
        lambda self, *a, **k: (widths.append(self.shape), whole(self, *a, **k))[1],
    )
    fit = em.GLM("poisson").fit(X, data["y"])
    fit.predict(X, se=True)
    assert N not in {rows for rows, _ in widths}


@pytest.mark.parametrize(
    "library", [pd.DataFrame, pl.DataFrame, pa.table, dict], ids=["pandas", "polars", "pyarrow", "dict"]
)
def test_a_table_is_the_formula_of_its_columns(data: dict[str, Any], library: Any) -> None:
    X = library({name: data[name] for name in ("a", "g", "t", "flag", "years")})
    formula = em.glm("y ~ a + g + t + flag", data, family="poisson", exposure="years")
    fit = em.GLM("poisson").fit(X, data["y"], exposure="years")
    assert fit.names == formula.names == ("Intercept", "a", "g[T.v]", "g[T.w]", "t[T.q]", "flag[T.True]")
    assert fit.coef.tobytes() == formula.coef.tobytes()
    assert np.array_equal(fit.predict(X), formula.predict(data))
    assert type(fit.tidy()) is type(X)


def test_declared_levels_keep_their_order_and_new_ones_are_refused(data: dict[str, Any]) -> None:
    levels = pd.Categorical(data["g"], categories=["w", "v", "u", "never"])
    X = pd.DataFrame({"a": data["a"], "g": levels})
    with pytest.warns(em.DroppedLevelsWarning, match="never"):
        fit = em.GLM("poisson").fit(X, data["y"])
    assert fit.names == ("Intercept", "a", "g[T.v]", "g[T.u]")
    new = pd.DataFrame({"a": [101.0, 102.0], "g": ["u", "z"]})
    with pytest.raises(em.DataError, match="column 'g' has the level 'z' in row 1"):
        fit.predict(new)
    assert np.isnan(fit.predict(new, unseen="nan")).tolist() == [False, True]


def test_without_an_intercept_the_first_factor_has_every_level(data: dict[str, Any]) -> None:
    X = {"g": data["g"], "a": data["a"]}
    fit = em.GLM("poisson").fit(X, data["y"], intercept=False)
    assert fit.names == ("g[u]", "g[v]", "g[w]", "a")
    assert_same_fit(fit, em.glm("y ~ 0 + g + a", data, family="poisson"))


@pytest.mark.parametrize("make", [np.array, sparse.csr_array], ids=["dense", "sparse"])
def test_the_intercept_is_a_column(data: dict[str, Any], make: Any) -> None:
    X = matrix(data)
    formula = em.glm("y ~ 0 + a + b", data, family="poisson")
    assert_same_fit(em.GLM("poisson").fit(make(X), data["y"], intercept=False), formula)
    with_ones = em.GLM("poisson").fit(make(np.column_stack([np.ones(N), X])), data["y"], intercept=False)
    formula = em.glm("y ~ a + b", data, family="poisson")
    np.testing.assert_allclose(with_ones.coef, formula.coef, rtol=1e-9)


def test_no_column_at_all_is_the_constant_model(data: dict[str, Any]) -> None:
    fit = em.GLM("poisson").fit(np.zeros((N, 0)), data["y"])
    assert fit.names == ("Intercept",)
    assert fit.coef[0] == pytest.approx(np.log(data["y"].mean()), rel=1e-12)


@pytest.mark.parametrize(
    "make", [np.array, sparse.csr_array, pd.DataFrame], ids=["dense", "sparse", "pandas"]
)
def test_missing_values_are_dropped_counted_and_said(data: dict[str, Any], make: Any) -> None:
    X, y = matrix(data), data["y"].copy()
    X[3, 0] = X[5, 0] = X[5, 1] = y[7] = np.nan
    names = [str(name) for name in pd.DataFrame(X).columns] if make is pd.DataFrame else ["x0", "x1"]
    with pytest.warns(em.DroppedRowsWarning, match=rf"3 of 240.*{names[0]} \(2\), {names[1]} \(1\), y \(1\)"):
        fit = em.GLM("poisson").fit(make(X), y)
    assert np.flatnonzero(np.isnan(fit.predict())).tolist() == [3, 5, 7]
    keep = np.setdiff1d(np.arange(N), [3, 5, 7])
    clean = em.glm("y ~ a + b", {name: data[name][keep] for name in ("a", "b", "y")}, family="poisson")
    assert_same_fit_of_rows(fit, clean)
    with pytest.raises(em.DataError, match="3 of 240 rows have missing values, the first is row 3"):
        em.GLM("poisson", missing="raise").fit(make(X), y)


def assert_same_fit_of_rows(fit: em.Fit, clean: em.Fit) -> None:
    np.testing.assert_allclose(fit.coef, clean.coef, rtol=1e-9)
    assert fit.nobs == clean.nobs


def test_new_rows_with_gaps_predict_nothing_there_alone(data: dict[str, Any]) -> None:
    fit = em.GLM("poisson").fit(matrix(data), data["y"])
    new = matrix(data)[:3]
    new[1, 0] = np.nan
    for X in (new, sparse.csr_array(new)):
        predicted = fit.predict(X, se=True)
        assert (
            np.isnan(predicted.estimate).tolist() == np.isnan(predicted.se).tolist() == [False, True, False]
        )


def test_keywords_travel_with_arrays(data: dict[str, Any]) -> None:
    X, w = matrix(data), np.arange(N) % 4
    given = {"exposure": data["years"], "offset": 0.1 * data["b"]}
    formula = em.glm("y ~ a + b", data, family="poisson", **given, frequency_weights=w)
    fit = em.GLM("poisson").fit(X, data["y"], **given, frequency_weights=w)
    assert_same_fit(fit, formula)
    part = {name: values[:5] for name, values in given.items()}
    np.testing.assert_allclose(fit.predict(X[:5], **part), formula.predict()[:5], rtol=1e-12)
    with pytest.raises(em.DataError, match=r"(offset|exposure) was given as an array"):
        fit.predict(X[:5])
    with pytest.raises(em.DataError, match="offset has 240 values and the data have 5 rows"):
        fit.predict(X[:5], exposure=part["exposure"], offset=given["offset"])


def test_trials_predict_counts_of_new_rows(data: dict[str, Any]) -> None:
    trials = np.full(N, 9.0)
    successes = np.minimum(data["y"], 9.0)
    fit = em.GLM("binomial").fit(matrix(data), successes, trials=trials)
    count = fit.predict(matrix(data)[:4], kind="count", trials=[1, 2, 3, 4])
    np.testing.assert_allclose(count, fit.predict()[:4] * [1, 2, 3, 4], rtol=1e-12)


def test_the_response_may_be_a_factor_and_keeps_its_name(data: dict[str, Any]) -> None:
    some = pd.Series(np.where(data["y"] > 1, "some", "few"), name="claims")
    fit = em.GLM("binomial").fit(matrix(data), some)
    assert_same_fit(fit, em.glm("c ~ a + b", data | {"c": data["y"] > 1}, family="binomial"))
    assert fit.problem.words.response == "claims"
    with pytest.raises(em.DataError, match=r"'claims'.*holds 'few'|'claims' is text"):
        em.GLM("poisson").fit(matrix(data), some)


def test_a_start_and_a_covariance_are_honoured(data: dict[str, Any]) -> None:
    formula = em.glm("y ~ a + b", data, family="poisson", covariance="HC1")
    fit = em.GLM("poisson", covariance="HC1").fit(matrix(data), data["y"], start=formula.coef)
    np.testing.assert_allclose(fit.se, formula.se, rtol=1e-9)
    assert fit.iterations <= formula.iterations


def test_a_column_of_a_table_named_by_a_keyword_is_no_predictor(data: dict[str, Any]) -> None:
    X = pd.DataFrame({"a": data["a"], "w": np.arange(N) % 3})
    fit = em.GLM("poisson").fit(X, data["y"], frequency_weights="w")
    assert fit.names == ("Intercept", "a")
    assert "frequency_weights" in str(fit)


@pytest.mark.parametrize("thin", [False, True])
def test_a_fit_whose_rows_the_kernel_has_seen_travels(thin: bool) -> None:
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(200, 3)), rng.poisson(1.0, 200).astype(float)
    fit = em.GLM("poisson").fit(sparse.csr_array(x) if thin else x, y)
    rows = fit.problem.chunk
    assert (rows.compiled is None) == (rows.predictors[0].design.compiled is None)
    for other in (pickle.loads(pickle.dumps(fit)), copy.deepcopy(fit)):
        assert np.array_equal(other.coef, fit.coef)
        assert np.array_equal(other.predict(x), fit.predict(x))
        assert np.array_equal(other.residuals(), fit.residuals())
