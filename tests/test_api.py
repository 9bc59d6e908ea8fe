"""The doors: what a model says of itself, what it refuses, and that nothing is left on it by a fit."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

import etamu as em

X = np.array([[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 0.0], [4.0, 1.0], [5.0, 2.0]])
y = np.array([1.0, 2.0, 4.0, 3.0, 7.0, 9.0])
ODD = np.array([1.0, 2.0, np.inf, 3.0, 7.0, 9.0])


def test_a_model_is_a_value() -> None:
    model = em.GLM(family="poisson", covariance="HC0")
    assert model == em.GLM("poisson", covariance="HC0")
    assert hash(model) == hash(em.GLM("poisson", covariance="HC0"))
    assert pickle.loads(pickle.dumps(model)) == model
    assert eval(repr(model), {"GLM": em.GLM}) == model
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.family = "gamma"  # type: ignore[misc]


def test_a_fit_leaves_nothing_on_the_model() -> None:
    model = em.GLM("poisson")
    first, second = model.fit(X, y), model.fit(X[:, :1], y)
    assert len(first.names) == 3
    assert len(second.names) == 2
    assert model == em.GLM("poisson")


def test_the_array_is_not_changed() -> None:
    before = X.copy()
    em.GLM("poisson").fit(X, y).predict(X)
    assert np.array_equal(X, before)


def test_family_and_link_are_names_or_values() -> None:
    named = em.GLM("gamma", "log").fit(X, y)
    assert named.coef.tobytes() == em.GLM(em.Gamma(), link="log").fit(X, y).coef.tobytes()
    assert named.coef == pytest.approx(em.GLM(em.Tweedie(power=2), "log").fit(X, y).coef, rel=1e-10)


def test_the_summary_writes_the_call() -> None:
    shown = str(em.GLM("poisson", covariance="HC0").fit(X, y, intercept=False, offset=y))
    call = " ".join(shown.partition("Coefficients")[0].split())
    assert call == (
        'Call: GLM(family="poisson", link="log", covariance="HC0").fit(X, y, intercept=False, offset=<array>)'
    )


def test_names_of_columns_are_taken_or_given() -> None:
    assert em.GLM().fit(X, y).names == ("Intercept", "x0", "x1")
    assert em.GLM().fit(X, y, names=["age", "dose"]).names == ("Intercept", "age", "dose")
    assert em.GLM().fit(pd.DataFrame(X, columns=["my age", "np.log(x)"]), y).names == (
        "Intercept", "my age", "np.log(x)",
    )  # fmt: skip


def test_a_fit_of_arrays_survives_a_pickle() -> None:
    fit = em.GLM("poisson").fit(X, y)
    assert pickle.loads(pickle.dumps(fit)).predict(X).tobytes() == fit.predict(X).tobytes()


def test_tables_of_a_fit_to_a_matrix_are_dicts_of_arrays() -> None:
    fit = em.GLM("poisson").fit(X, y)
    assert isinstance(fit.tidy(), dict)
    assert fit.augment()["y"].tolist() == y.tolist()


fit = em.GLM().fit

REFUSALS: dict[str, tuple[type[em.EtamuError], list[str], Any]] = {
    "one dimension": (em.DataError, ["one dimension", "reshape"], lambda: fit(y, y)),
    "no rows": (em.DataError, ["no rows"], lambda: fit(X[:0], y[:0])),
    "a table without rows": (em.DataError, ["no rows"], lambda: fit({"a": []}, [])),
    "another length": (em.DataError, ["y", "6", "5 rows"], lambda: fit(X[:5], y)),
    "two-dimensional response": (em.DataError, ["'y'", "2 dimensions"], lambda: fit(X, X)),
    "a name as response": (em.DataError, ["y is 'y'", "formula"], lambda: fit({"a": y, "y": y}, "y")),
    "no response": (em.DataError, ["y is None"], lambda: fit(X, None)),
    "infinite response": (em.DataError, ["'y'", "row 2", "inf"], lambda: fit(X, ODD)),
    "objects": (em.DataError, ["object", "astype"], lambda: fit(X.astype(object), y)),
    "a column called Intercept": (
        em.DataError, ["'Intercept'", "rename"], lambda: fit({"Intercept": y}, y)),
    "nothing to fit": (
        em.DataError, ["no columns", "intercept=False"], lambda: fit(X[:, :0], y, intercept=False)),
    "names of a table": (em.OptionError, ["names=", "matrix"], lambda: fit({"a": y}, y, names=["b"])),
    "start of another length": (em.OptionError, ["2 numbers", "3"], lambda: fit(X, y, start=[0.0, 1.0])),
    "weights without a kind": (em.OptionError, ["frequency_weights"], lambda: fit(X, y, weights=y)),
    "sample weights": (em.OptionError, ["sampling_weights"], lambda: fit(X, y, sample_weight=y)),
    "an unknown keyword": (em.OptionError, ["GLM.fit", "ofset"], lambda: fit(X, y, ofset=y)),
    "a column name for a matrix": (
        em.FormulaError, ["offset='a'", "no such column"], lambda: fit(X, y, offset="a")),
    "an unknown solver": (em.OptionError, ["solver='sgd'", "newton"], lambda: em.GLM(solver="sgd").fit(X, y)),
    "more columns": (
        em.DataError, ["1 columns", "fitted to 2", "x0, x1"], lambda: fit(X, y).predict(X[:, :1])),
    "a table for a matrix": (
        em.DataError, ["matrix of 2", "to_numpy"], lambda: fit(X, y).predict({"x0": y, "x1": y})),
    "a matrix for a table": (em.DataError, ["ndarray", "table"], lambda: fit({"a": y}, y).predict(X)),
    "infinite new rows": (
        em.DataError, ["'x1'", "row 0", "inf"], lambda: fit(X, y).predict([[1.0, np.inf]])),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSALS)
def test_bad_input_is_refused_by_name(case: str) -> None:
    kind, words, call = REFUSALS[case]
    with pytest.raises(kind) as caught:
        call()
    for word in words:
        assert word in str(caught.value), str(caught.value)
