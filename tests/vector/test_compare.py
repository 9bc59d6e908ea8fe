"""Nested models of several predictors side by side; what is not nested is refused by its rows."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests.vector.test_dispersed import sample as dispersed
from tests.vector.test_relations import FAMILIES, sample


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_the_statistic_is_twice_the_gain_of_likelihood(family):
    data = sample()
    small, large = (em.glm(f"y ~ {right}", data, family) for right in ("x", "x + o"))
    table = em.compare(large, small)
    row = table.row("y ~ x + o")
    np.testing.assert_allclose(row["statistic"], 2.0 * (large.loglik - small.loglik), rtol=1e-12)
    assert row["df"] == large.rank - small.rank
    own = [f"`{name}` = 0" for name in large.names if name.split(":")[-1] == "o"]
    np.testing.assert_allclose(large.test(own, "lr").statistic, row["statistic"], rtol=1e-6)


def test_shared_terms_lie_in_terms_of_their_own():
    data = sample()
    shared = em.glm("y ~ x + z", data, em.Cumulative())
    free = em.glm("y ~ x + z", data, em.Cumulative(nonproportional="~ z"))
    table = em.compare(shared, free)
    assert table["df"][1] == 1.0
    constant, modelled = (em.glm("y ~ x", dispersed(), dispersion=right) for right in ("~ 1", "~ z"))
    assert em.compare(constant, modelled)["p_value"][1] < 0.05


REFUSED = {
    "not nested": "it lacks x",
    "another link": "other links",
    "another family": "other families",
    "other rows": "same rows",
    "other weights": "weights",
    "robust": "believes the model",
    "one predictor": "one linear predictor",
    "offset": "an offset",
}


def other(name):
    data = sample()
    if name == "one predictor":
        return em.glm("x ~ o", data)
    if name == "robust":
        return em.glm("y ~ x + z", data, em.Cumulative()).with_covariance("HC1")
    family = {"another link": em.Cumulative("probit"), "another family": em.AdjacentCategory()}
    formula = "y ~ z + o" if name == "not nested" else "y ~ x + z"
    options = {"frequency_weights": "k"} if name == "other weights" else {}
    rows = data.iloc[1:] if name == "other rows" else data
    return em.glm(formula, rows, family.get(name, em.Cumulative()), **options)


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_compared_is_refused(name):
    one = em.glm("y ~ x", sample(), em.Cumulative(), **({"offset": "o"} if name == "offset" else {}))
    with pytest.raises(em.NotAvailableError, match=REFUSED[name]):
        em.compare(one, other(name))


def test_options_of_one_predictor_are_refused():
    one = em.glm("y ~ x", sample(), em.Cumulative())
    for options in ({"test": "F"}, {"dispersion": 2.0}):
        with pytest.raises(em.OptionError, match="leave test= out"):
            em.compare(one, one, **options)
    with pytest.raises(em.OptionError, match="two models or more"):
        em.compare(one)
