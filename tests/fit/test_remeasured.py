"""A fit that was made in units near 1 says in the units of the data what a fit in them would say."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests.fit.test_measure import X, Y


@pytest.mark.parametrize("family", ["gaussian", "gamma", "inverse_gaussian"])
def test_what_a_fit_far_out_says_of_its_solution(family: str) -> None:
    size = 2.0**120
    near, far = (em.glm("y ~ x", {"y": Y * s, "x": X}, family=family, link="identity") for s in (1.0, size))
    np.testing.assert_allclose(far.coef, near.coef * size, rtol=1e-12)
    np.testing.assert_allclose(far.cov, near.cov * size**2, rtol=1e-10)
    np.testing.assert_allclose(far.predict(), np.asarray(near.predict()) * size, rtol=1e-12)
    np.testing.assert_allclose(
        far.residuals("response"), np.asarray(near.residuals("response")) * size, rtol=1e-10
    )
    power = 2.0 - (far.family.variance_power or 0.0)
    assert far.null_deviance == pytest.approx(near.null_deviance * size**power, rel=1e-10)
    assert far.pearson_chi2 == pytest.approx(near.pearson_chi2 * size**power, rel=1e-10)
    assert far.aic == pytest.approx(near.aic + 2 * len(Y) * np.log(size), rel=1e-12)
    assert far.solution.local.value == pytest.approx(-far.deviance / 2, rel=1e-12)


@pytest.mark.parametrize("kind", ["model", "observed", "HC0", "HC3"])
def test_a_covariance_asked_far_out_is_that_of_the_near_fit(kind: str) -> None:
    size = 2.0**-240
    near, far = (em.glm("y ~ x", {"y": Y * s, "x": X}, family="gamma", link="identity") for s in (1.0, size))
    assert far.near is not None
    np.testing.assert_allclose(far.with_covariance(kind).se, near.with_covariance(kind).se * size, rtol=1e-10)


def test_of_units_near_1_there_is_nothing_to_say() -> None:
    assert em.glm("y ~ x", {"y": Y, "x": X}).near is None


def test_coefficients_beyond_float64_are_refused_by_name() -> None:
    tiny = {"y": Y * 2.0**-1000, "x": X * 2.0**200}
    with pytest.raises(em.DataError, match="beyond the numbers of float64 in the units of the response: x"):
        em.glm("y ~ x", tiny)
