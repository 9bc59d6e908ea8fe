"""Relations that hold of every family with an estimated parameter: turn the data, and the answer turns along.

They run over ESTIMATED of tests/catalogue.py, so that another such family is tested by being listed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.family import catalogue
from etamu.family.distribution import distribution
from etamu.family.family import Family, Unknown
from etamu.fit.shaped import fitted
from tests.catalogue import ESTIMATED

every_family = pytest.mark.parametrize("family", ESTIMATED, ids=str)


def sample(family: Family, seed: int = 1, n: int = 150) -> dict[str, Any]:
    """Draw amounts with zeros, whole ones where the family wants them."""
    rng = np.random.default_rng(seed)
    x, g = rng.uniform(0.0, 2.0, n), rng.choice(["a", "b"], n)
    count = rng.poisson(rng.gamma(1.5, np.exp(0.3 * x) / 1.5))
    y = count.astype(float) if family.support.integer else count * rng.gamma(3.0, 0.3, n)
    return {"x": x, "g": g, "y": y, "k": rng.integers(1, 4, n)}


def same(one: em.Fit, other: em.Fit, tolerance: float = 1e-6) -> None:
    assert abs(one.shape.estimate - other.shape.estimate) <= tolerance * one.shape.se
    assert one.shape.se == pytest.approx(other.shape.se, rel=1e-5)
    np.testing.assert_array_less(np.abs(one.coef - other.coef), tolerance * one.se)
    for name in ("loglik", "aic", "bic", "deviance", "nobs", "parameters"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-8)


@every_family
def test_rows_doubled_are_frequency_weight_two(family: Family) -> None:
    data = sample(family)
    copies = data["k"]
    repeated = {name: np.repeat(column, copies) for name, column in data.items()}
    one = em.glm("y ~ x + g", data, family=family, frequency_weights="k")
    other = em.glm("y ~ x + g", repeated, family=family)
    same(one, other)


@every_family
def test_order_of_rows_does_not_matter(family: Family) -> None:
    data = sample(family)
    order = np.random.default_rng(3).permutation(len(data["y"]))
    same(
        em.glm("y ~ x + g", data, family=family),
        em.glm("y ~ x + g", {name: column[order] for name, column in data.items()}, family=family),
    )


@every_family
def test_a_constant_offset_moves_the_intercept_alone(family: Family) -> None:
    data = sample(family)
    one = em.glm("y ~ x + g", data, family=family)
    other = em.glm("y ~ x + g", data, family=family, offset=np.full(len(data["y"]), 0.7))
    assert other.coef[0] + 0.7 == pytest.approx(one.coef[0], abs=1e-6 * one.se[0])
    assert abs(one.shape.estimate - other.shape.estimate) <= 1e-6 * one.shape.se


@every_family
def test_a_row_of_weight_zero_is_no_row(family: Family) -> None:
    data = sample(family)
    keep = np.arange(len(data["y"])) % 7 != 3
    one = em.glm("y ~ x + g", data, family=family, variance_weights=keep.astype(float))
    same(one, em.glm("y ~ x + g", {name: column[keep] for name, column in data.items()}, family=family))


@every_family
def test_threads_do_not_change_a_bit(family: Family) -> None:
    one = em.glm("y ~ x + g", sample(family), family=family)
    options = replace(one.problem.options, block_rows=20)
    alone, many = (
        fitted(replace(one.problem, options=replace(options, threads=threads))) for threads in (1, 3)
    )
    assert alone.shape.estimate == many.shape.estimate
    assert alone.shape.se == many.shape.se
    np.testing.assert_array_equal(alone.coef, many.coef)
    same(one, many)


@every_family
def test_an_intercept_alone(family: Family) -> None:
    data = sample(family)
    fit = em.glm("y ~ 1", data, family=family)
    assert fit.converged
    assert np.exp(fit.coef[0]) == pytest.approx(data["y"].mean())


@every_family
def test_the_family_of_the_fit_is_whole(family: Family) -> None:
    data = sample(family)
    fit = em.glm("y ~ x", data, family=family.name)
    assert fit.family == family.at(fit.shape.estimate)
    assert fit.family.unknown == ""
    assert np.isfinite(fit.residuals("quantile")).all()
    assert fit.simulate(3, seed=1).shape == (len(data["y"]), 3)
    assert np.asarray(fit.predict({"x": np.array([1.0])}, interval="prediction").lower).shape == (1,)
    assert np.isfinite(fit.conf_int(method="profile")).all()


@every_family
def test_a_family_without_its_parameter_has_no_formulas(family: Family) -> None:
    assert repr(family).endswith("=estimated)")
    assert catalogue.family(str(family)) == family
    with pytest.raises(em.FamilyError, match="is to be estimated"):
        catalogue.unit(family, "log")
    with pytest.raises(em.NotAvailableError, match="has no law until"):
        distribution(family)


def test_what_is_unknown_is_one_thing() -> None:
    assert Unknown() == Unknown()
    assert hash(Unknown()) == hash(Unknown())
    assert np.isnan(Unknown())
