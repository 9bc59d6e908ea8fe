"""A problem set up: shifted and scaled columns, aliases said, an oracle whose value is the fit's."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu._base.types import Want
from etamu.fit.stage import likelihood_of, prepare

RNG = np.random.default_rng(8)
DATA = {"x": RNG.normal(3e3, 2.0, 50), "g": RNG.choice(list("abc"), 50), "y": RNG.poisson(3.0, 50) * 1.0}


@pytest.mark.parametrize("family", ["poisson", "gaussian", "quasipoisson"])
def test_its_oracle_has_the_value_of_the_fit(family: str) -> None:
    fit = em.glm("y ~ x + g", DATA, family=family)
    stage = prepare(fit.problem)
    local = likelihood_of(fit.problem, stage).at(fit.beta, Want.VALUE | Want.SCORE)
    np.testing.assert_allclose(local.value, -0.5 * fit.deviance, rtol=1e-12)
    np.testing.assert_allclose(local.score, 0.0, atol=1e-6)


def test_columns_are_shifted_and_scaled_and_their_coefficients_are_not() -> None:
    fit = em.glm("y ~ x + g", DATA, family="poisson")
    stage = prepare(fit.problem)
    assert stage.coordinates.raw_shift.any()
    np.testing.assert_allclose(stage.coordinates.reported(fit.beta), fit.coef, rtol=1e-12)


def test_columns_that_depend_on_earlier_ones_are_named_and_left_out() -> None:
    data = DATA | {"double": 2.0 * DATA["x"]}
    with pytest.warns(em.AliasWarning, match="double"):
        fit = em.glm("y ~ x + double", data, family="poisson")
    with pytest.warns(em.AliasWarning, match="double"):
        stage = prepare(fit.problem)
    assert stage.coordinates.aliased == ("double",)
    assert stage.coordinates.size == 2
