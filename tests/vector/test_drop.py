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
