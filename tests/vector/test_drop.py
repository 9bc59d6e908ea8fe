"""drop1 of several predictors: each row is the comparison with the model fitted without the term."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em

N = 250
RNG = np.random.default_rng(5)
X, Z = RNG.normal(size=N), RNG.normal(size=N)
DATA = {
    "y": np.digitize(X + 0.3 * Z + RNG.logistic(size=N), [-1.0, 1.0]),
    "x": X,
    "z": Z,
    "g": np.array(list("uvw"))[RNG.integers(0, 3, N)],
    "n": RNG.poisson(np.exp(0.5 + 0.3 * X)) * RNG.integers(0, 2, N),
}


@pytest.mark.parametrize(
    "family",
    [em.Multinomial(), em.Cumulative(), em.ContinuationRatio("cloglog"), em.AdjacentCategory()],
    ids=str,
)
def test_a_row_is_the_comparison_with_the_model_without_the_term(family):
    fit = em.glm("y ~ x + z + g", DATA, family=family)
    table = fit.drop1()
    for term, rest in (("x", "z + g"), ("z", "x + g"), ("g", "x + z")):
        smaller = em.glm(f"y ~ {rest}", DATA, family=family)
        row = table.row(term)
        assert_allclose(row["loglik"], smaller.loglik, rtol=1e-9)
        assert_allclose(row["aic"], smaller.aic, rtol=1e-9)
        assert row["df"] == fit.rank - smaller.rank


def test_terms_of_other_predictors_have_their_name_and_interactions_are_kept():
    fit = em.glm("n ~ x * z", DATA, family=em.ZeroInflatedPoisson(), predictors={"zero": "~ g"})
    table = fit.drop1()
    assert list(table.rows) == ["<none>", "x:z", "zero:g"]
    smaller = em.glm("n ~ x * z", DATA, family=em.ZeroInflatedPoisson())
    assert_allclose(table.row("zero:g")["loglik"], smaller.loglik, rtol=1e-8)
    assert list(fit.drop1(scope="zero:g").rows) == ["<none>", "zero:g"]
    with pytest.raises(em.OptionError, match="there is no term 'q' to drop; there are 'x:z', 'zero:g'"):
        fit.drop1(scope=["q"])


def test_terms_with_coefficients_at_each_threshold_are_dropped_from_all():
    fit = em.glm("y ~ x + z", DATA, family=em.Cumulative(nonproportional="~ z"))
    assert fit.drop1().row("z")["df"] == 2.0


@pytest.mark.parametrize("family", [em.Multinomial(), em.Cumulative(nonproportional="~ z")], ids=str)
def test_anova_adds_one_term_after_the_other(family):
    table = em.glm("y ~ x + z + x:z", DATA, family=family).anova()
    assert list(table.rows) == ["NULL", "x", "z", "x:z"]
    models = [em.glm(f"y ~ {right}", DATA, family=type(family)()) for right in ("1", "x")]
    models += [em.glm(f"y ~ {right}", DATA, family=family) for right in ("x + z", "x + z + x:z")]
    assert_allclose(table["loglik"], [model.loglik for model in models], rtol=1e-9)
    assert_allclose(table["aic"], [model.aic for model in models], rtol=1e-9)
    assert table["df"][1:].tolist() == np.diff([model.rank for model in models]).tolist()
    gains = 2.0 * np.diff([model.loglik for model in models])
    assert_allclose(table["statistic"][1:], gains, rtol=1e-6, atol=1e-8)


def test_what_cannot_be_added_is_refused():
    fit = em.glm("y ~ x", DATA, family=em.Cumulative())
    with pytest.raises(em.FormulaError, match="has no term to add"):
        fit.add1("~ . + x")
    with pytest.raises(em.EtamuError, match="q"):
        fit.add1("q")
    matrix = em.GLM(family=em.Cumulative()).fit(X[:, None], DATA["y"])
    with pytest.raises(em.NotAvailableError, match="needs a formula"):
        matrix.add1("z")


def test_a_term_that_another_predictor_has_too_may_be_dropped_from_each():
    rng = np.random.default_rng(4)
    x = rng.normal(size=200)
    data = {"x": x, "y": rng.gamma(2.0, np.exp(0.3 * x) / 2.0)}
    fit = em.glm("y ~ x", data, family="gamma", link="log", dispersion="~ x")
    table = fit.drop1()
    assert table.rows == ("<none>", "x", "dispersion:x")
    smaller = em.glm("y ~ 1", data, family="gamma", link="log", dispersion="~ x")
    np.testing.assert_allclose(table["loglik"][1], smaller.loglik, rtol=1e-9)


def test_a_fit_that_was_read_from_a_file_has_no_rows_for_tables(tmp_path):
    fit = em.glm("y ~ x", {"y": [1, 2, 3, 2, 1, 3], "x": [0, 1, 2, 3, 4, 5]}, family=em.Cumulative())
    fit.save(tmp_path / "fit.json")
    again = em.load(tmp_path / "fit.json")
    for table in (again.drop1, again.anova):
        with pytest.raises(em.NotAvailableError, match="rows of the data"):
            table()
