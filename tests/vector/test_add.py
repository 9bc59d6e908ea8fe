"""add1 of several predictors: each row is the comparison with the model fitted with the term."""

from __future__ import annotations

import pytest
from numpy.testing import assert_allclose

import etamu as em
from tests.vector.test_drop import DATA


def test_add1_is_the_fit_with_the_term():
    keywords = {"family": em.ZeroInflatedPoisson(), "predictors": {"zero": "~ g"}}
    fit = em.glm("n ~ x", DATA, **keywords)
    table = fit.add1("~ . + z + x:z + g")
    assert list(table.rows) == ["<none>", "z", "g"]  # an interaction waits for its main effects
    for term in ("z", "g"):
        larger = em.glm(f"n ~ x + {term}", DATA, **keywords)
        row = table.row(term)
        assert_allclose([row["loglik"], row["aic"]], [larger.loglik, larger.aic], rtol=1e-10)
        assert row["df"] == larger.rank - fit.rank


@pytest.mark.parametrize("family", [em.Multinomial(), em.Cumulative()], ids=str)
def test_add1_of_classes_drops_back_to_the_model(family):
    fit = em.glm("y ~ x", DATA, family=family)
    added, dropped = fit.add1("z").row("z"), em.glm("y ~ x + z", DATA, family=family).drop1().row("z")
    assert_allclose(added["statistic"], dropped["statistic"], rtol=1e-6)
    assert added["df"] == dropped["df"]
