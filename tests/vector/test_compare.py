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


def refused():
    data = sample()
    one = em.glm("y ~ x", data, em.Cumulative())
    shifted = em.glm("y ~ x", data, em.Cumulative(), offset="o")
    return {
        "not nested": (one, em.glm("y ~ z + o", data, em.Cumulative()), "it lacks x"),
        "another link": (one, em.glm("y ~ x + z", data, em.Cumulative("probit")), "other links"),
        "another family": (one, em.glm("y ~ x + z", data, em.AdjacentCategory()), "other families"),
        "other rows": (one, em.glm("y ~ x + z", data.iloc[1:], em.Cumulative()), "same rows"),
        "other weights": (one, em.glm("y ~ x + z", data, em.Cumulative(), frequency_weights="k"), "weights"),
        "robust": (one.with_covariance("HC1"), one, "believes the model"),
        "one predictor": (one, em.glm("x ~ o", data), "one linear predictor"),
        "offset": (
            em.glm("y ~ x", data, em.Cumulative(), offset="o"),
            em.glm("y ~ x + z", data, em.Cumulative()),
            "an offset",
        ),
    }


@pytest.mark.parametrize("name", refused())
def test_what_cannot_be_compared_is_refused(name):
    one, other, message = refused()[name]
    with pytest.raises(em.NotAvailableError, match=message):
        em.compare(one, other)
    with pytest.raises(em.OptionError, match="leave test= out"):
        em.compare(one, one, test="F") if name != "one predictor" else em.compare(one, one, dispersion=2.0)
