"""Arrays in place of a formula: the same model, predicted, saved and told the same way."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

import etamu as em
from etamu.vector.arrays import constants_by_class, slopes_by_class

N = 200
RNG = np.random.default_rng(9)
X = RNG.normal(size=(N, 3))
Y = np.array(["a", "b", "c"])[np.digitize(X[:, 0] + RNG.logistic(size=N), [-1.0, 1.0])]
DATA = {"y": Y, **{f"x{j}": X[:, j] for j in range(3)}}
FAMILIES = [
    em.Multinomial(),
    em.Multinomial(reference="c"),
    em.Cumulative(levels=("a", "b", "c")),
    em.ContinuationRatio(levels=("a", "b", "c")),
    em.AdjacentCategory(levels=("a", "b", "c")),
]
every = pytest.mark.parametrize("family", FAMILIES, ids=str)


@every
def test_a_matrix_is_the_formula_of_all_its_columns(family, tmp_path):
    fit = em.GLM(family=family).fit(X, Y)
    formula = em.glm("y ~ x0 + x1 + x2", DATA, family=family)
    assert fit.names == formula.names
    assert_allclose(fit.coef, formula.coef, rtol=1e-9)
    assert_allclose(fit.predict(X[:5]), formula.predict()[:5], rtol=1e-10)
    assert_allclose(
        fit.predict(X[:5], interval="confidence").lower, formula.predict(interval="confidence").lower[:5]
    )
    fit.save(tmp_path / "m.json")
    again = em.load(tmp_path / "m.json")
    assert str(again) == str(fit)
    assert_allclose(again.predict(X[:5]), fit.predict(X[:5]))
    name = next(name for name in fit.names if name.endswith("x1"))
    assert "each additional unit of x1" in fit.interpret()[name].sentence
    assert str(fit.summary()).startswith("Call:\nGLM(family=")


def test_sparse_columns_and_tables_are_the_same_model():
    dense = em.GLM(family=em.Multinomial()).fit(X, Y)
    thin = em.GLM(family=em.Multinomial()).fit(sparse.csr_array(X), Y)
    table = em.GLM(family=em.Multinomial()).fit(pd.DataFrame(X, columns=["x0", "x1", "x2"]), Y)
    assert_allclose(thin.coef, dense.coef, rtol=1e-8)
    assert_allclose(table.coef, dense.coef, rtol=1e-8)
    assert_allclose(thin.predict(sparse.csr_array(X[:3])), dense.predict(X[:3]), rtol=1e-8)


def test_a_table_gives_other_predictors_their_columns():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"p": X[:, 0], "q": X[:, 1]})
    counts = rng.poisson(np.exp(table["p"])) * rng.integers(0, 2, N)
    fit = em.GLM(family=em.ZeroInflatedPoisson()).fit(table, counts, predictors={"zero": "~ q"})
    formula = em.glm(
        "n ~ p + q", table.assign(n=counts), family=em.ZeroInflatedPoisson(), predictors={"zero": "~ q"}
    )
    assert fit.names == formula.names
    assert_allclose(fit.coef, formula.coef, rtol=1e-7, atol=1e-8)
    ordinal = em.GLM(family=em.Cumulative(levels=("a", "b", "c"), nonproportional="~ q")).fit(table, Y)
    assert ordinal.names == ("a|b", "a|b:q", "b|c", "b|c:q", "p")


def test_what_a_matrix_cannot_have_is_refused():
    with pytest.raises(em.FormulaError, match="give X as a table"):
        em.GLM(family=em.Cumulative(nonproportional="~ x0", levels=("a", "b", "c"))).fit(X, Y)
    with pytest.raises(em.DataError, match="X has 2 columns and the model was fitted to 3"):
        em.GLM(family=em.Multinomial()).fit(X, Y).predict(X[:, :2])
    with pytest.raises(em.DataError, match="fitted to a matrix of 3 columns"):
        em.GLM(family=em.Multinomial()).fit(X, Y).predict(pd.DataFrame(X))
    with pytest.raises(em.OptionError, match="has one, the mean"):
        em.GLM(family="poisson").fit(X, np.ones(N), predictors={"zero": "~ 1"})


def test_coefficients_by_class_have_zeros_for_the_reference():
    fit = em.GLM(family=em.Multinomial(reference="b")).fit(X, Y)
    assert slopes_by_class(fit, ["a", "b", "c"]).shape == (3, 3)
    assert not slopes_by_class(fit, ["a", "b", "c"])[1].any()
    assert constants_by_class(fit, ["a", "b", "c"])[1] == 0.0
    ordinal = em.GLM(family=FAMILIES[2]).fit(X, Y)
    assert_allclose(constants_by_class(ordinal, ["a", "b", "c"]), ordinal.coef[:2])
