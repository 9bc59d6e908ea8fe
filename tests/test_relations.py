"""Relations that hold whatever the numbers are: turn the data, and the answer turns with them.

They run over every pair of the catalogue, so that a new family or link is tested by being listed.
"""

from __future__ import annotations

import os
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import etamu as em
from etamu.family.unit import Unit
from etamu.fit.estimate import estimate
from tests.samples import FITTED, FORMULA, keywords, sample

SCALARS = (
    "deviance",
    "null_deviance",
    "pearson_chi2",
    "dispersion",
    "loglik",
    "aic",
    "bic",
    "nobs",
    "df_resid",
)

every_unit = pytest.mark.parametrize("unit", FITTED, ids=[f"{u.family!r}-{u.link!r}" for u in FITTED])
# One draw per pair in every run, many in the slow group: the pairs themselves are the variety.
several_seeds = settings(
    max_examples=int(os.environ.get("ETAMU_DRAWS", "1")),
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
seeds = st.integers(0, 2**16)


def fit(unit: Unit, data: dict[str, Any], formula: str = FORMULA, **options: Any) -> em.Fit:
    """Fit; a maximum on the boundary of a restricted link is no failure of the relation under test."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.ConvergenceWarning)
        return em.glm(formula, data, **keywords(unit), **options)


def comparable(*fits: em.Fit) -> bool:
    """Relations of estimates are promised where the maximum was found."""
    return all(one.converged for one in fits)


def same(ours: Any, theirs: Any, size: Any, tolerance: float = 1e-7) -> None:
    np.testing.assert_array_less(np.abs(np.asarray(ours) - theirs), tolerance * np.asarray(size) + 1e-300)


def same_scalars(one: em.Fit, other: em.Fit, names: tuple[str, ...] = SCALARS) -> None:
    for name in names:
        np.testing.assert_allclose(
            getattr(one, name), getattr(other, name), rtol=1e-8, atol=1e-8, err_msg=name
        )


@every_unit
def test_the_samples_can_be_fitted(unit: Unit) -> None:
    # If most samples ended outside, every other relation here would hold of nothing.
    assert sum(fit(unit, sample(unit, seed)).converged for seed in range(4)) >= 3


@every_unit
@several_seeds
@given(seed=seeds)
def test_rows_doubled_are_frequency_weight_two(unit: Unit, seed: int) -> None:
    data = sample(unit, seed)
    counts = np.random.default_rng(seed).integers(1, 4, len(data["y"]))
    repeated = {name: np.repeat(column, counts) for name, column in data.items()}
    one, other = fit(unit, data, frequency_weights=counts), fit(unit, repeated)
    if comparable(one, other):
        same(one.coef, other.coef, other.se)
        np.testing.assert_allclose(one.cov, other.cov, rtol=1e-6, atol=1e-12)
        same_scalars(one, other)


@every_unit
@several_seeds
@given(seed=seeds)
def test_order_of_rows_does_not_matter(unit: Unit, seed: int) -> None:
    data = sample(unit, seed)
    order = np.random.default_rng(seed).permutation(len(data["y"]))
    one, other = fit(unit, data), fit(unit, {name: column[order] for name, column in data.items()})
    if comparable(one, other):
        same(one.coef, other.coef, other.se)
        np.testing.assert_allclose(one.predict()[order], other.predict(), rtol=1e-7)
        same_scalars(one, other)


@every_unit
@several_seeds
@given(seed=seeds)
def test_names_of_levels_do_not_matter(unit: Unit, seed: int) -> None:
    data = sample(unit, seed)
    renamed = {"a": "z", "b": "m", "c": "k"}
    other_data = data | {"g": np.array([renamed[level] for level in data["g"]])}
    one, other = fit(unit, data), fit(unit, other_data)
    if comparable(one, other):
        np.testing.assert_allclose(one.predict(), other.predict(), rtol=1e-7)
        same_scalars(one, other)
        # The new reference is c: its contrast with a is minus the old one.
        position = [name.endswith("[T.z]") for name in other.names].index(True)
        same(other.coef[position], -one.coef[one.names.index("C(g)[T.c]")], one.se.max())


@every_unit
@several_seeds
@given(seed=seeds, unit_of_x=st.floats(1e-6, 1e6), zero_of_x=st.floats(-1e3, 1e3))
def test_units_of_a_covariate_move_only_its_coefficient(
    unit: Unit, seed: int, unit_of_x: float, zero_of_x: float
) -> None:
    data = sample(unit, seed)
    one = fit(unit, data)
    other = fit(unit, data | {"x": (data["x"] + zero_of_x) * unit_of_x})
    if comparable(one, other):
        same(other.coef[1] * unit_of_x, one.coef[1], one.se[1])
        same(other.se[1] * unit_of_x, one.se[1], one.se[1])
        same(other.coef[2:], one.coef[2:], one.se[2:])
        np.testing.assert_allclose(one.predict(), other.predict(), rtol=1e-6)


@every_unit
@several_seeds
@given(seed=seeds, moved=st.floats(-3.0, 3.0))
def test_a_constant_offset_moves_the_intercept(unit: Unit, seed: int, moved: float) -> None:
    data = sample(unit, seed)
    one = fit(unit, data)
    other = fit(unit, data, offset=np.full(len(data["y"]), moved))
    if comparable(one, other):
        same(other.coef[0] + moved, one.coef[0], one.se[0])
        same(other.coef[1:], one.coef[1:], one.se[1:])
        same_scalars(one, other)


@every_unit
@several_seeds
@given(seed=seeds)
def test_an_offset_is_a_column_with_coefficient_one(unit: Unit, seed: int) -> None:
    data = sample(unit, seed)
    one = fit(unit, data)
    held = fit(unit, data, formula="y ~ x + C(g)", offset=one.coef[2] * data["z"])
    if comparable(one, held):
        same(held.coef, np.delete(one.coef, 2), np.delete(one.se, 2))


@every_unit
@several_seeds
@given(seed=seeds)
def test_thirteen_chunks_are_one(unit: Unit, seed: int) -> None:
    one = fit(unit, sample(unit, seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.ConvergenceWarning)
        many = estimate(replace(one.problem, options=replace(one.problem.options, block_rows=7)))
    if comparable(one, many):
        same(many.coef, one.coef, one.se, 1e-8)
        same_scalars(one, many)
        for kind in ("response", "working", "pearson", "deviance"):
            # A residual is a difference: it keeps the absolute, not the relative precision of the fit.
            np.testing.assert_allclose(many.residuals(kind), one.residuals(kind), rtol=1e-6, atol=1e-8)


@every_unit
@several_seeds
@given(seed=seeds, threads=st.integers(2, 5))
def test_threads_do_not_change_a_bit(unit: Unit, seed: int, threads: int) -> None:
    one = fit(unit, sample(unit, seed))
    options = replace(one.problem.options, block_rows=20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.ConvergenceWarning)
        alone = estimate(replace(one.problem, options=replace(options, threads=1)))
        many = estimate(replace(one.problem, options=replace(options, threads=threads)))
    assert np.array_equal(alone.coef, many.coef, equal_nan=True)
    assert np.array_equal(alone.cov, many.cov, equal_nan=True)
    assert alone.deviance == many.deviance


@every_unit
@several_seeds
@given(seed=seeds)
def test_every_solver_finds_the_same_maximum(unit: Unit, seed: int) -> None:
    data = sample(unit, seed)
    one = fit(unit, data)
    for solver in ("irls", "lbfgs", "gradient"):
        other = fit(unit, data, solver=solver)
        if comparable(one, other) and unit.convex:
            same(other.coef, one.coef, one.se)


@every_unit
@several_seeds
@given(seed=seeds)
def test_the_score_is_zero_at_the_estimate(unit: Unit, seed: int) -> None:
    data = sample(unit, seed)
    one = fit(unit, data)
    if not comparable(one):
        return
    z = one.working()
    columns = np.column_stack(
        [np.ones(len(data["y"])), data["x"], data["z"], data["g"] == "b", data["g"] == "c"]
    )
    weighted = columns * z.weights[:, None]
    # The working response is eta + the working residual: least squares of it on X gives beta back.
    again = np.linalg.solve(weighted.T @ columns, weighted.T @ z.response)
    same(again, one.coef, one.se, 1e-6)
    score = weighted.T @ one.residuals("working")
    information = np.sqrt(np.diag(weighted.T @ columns))
    assert np.all(np.abs(score) <= 1e-6 * information * np.sqrt(one.dispersion) + 1e-300)


@every_unit
@several_seeds
@given(seed=seeds, factor=st.sampled_from([0.25, 3.0]))
def test_scaling_variance_weights_scales_only_the_dispersion(unit: Unit, seed: int, factor: float) -> None:
    data = sample(unit, seed)
    weights = np.random.default_rng(seed).uniform(0.5, 2.0, len(data["y"]))
    one = fit(unit, data, variance_weights=weights)
    other = fit(unit, data, variance_weights=factor * weights)
    if not comparable(one, other):
        return
    same(other.coef, one.coef, one.se)
    if unit.family.dispersion_known:
        np.testing.assert_allclose(other.se * np.sqrt(factor), one.se, rtol=1e-7)
    else:
        np.testing.assert_allclose(other.se, one.se, rtol=1e-7)
        np.testing.assert_allclose(other.dispersion, factor * one.dispersion, rtol=1e-8)
        np.testing.assert_allclose(other.loglik, one.loglik, rtol=1e-6, atol=1e-6)


@every_unit
@several_seeds
@given(seed=seeds)
def test_a_row_of_weight_zero_is_predicted_and_nothing_else(unit: Unit, seed: int) -> None:
    data = sample(unit, seed)
    keep = np.arange(len(data["y"])) % 7 != 3
    one = fit(unit, data, variance_weights=keep.astype(float))
    other = fit(unit, {name: column[keep] for name, column in data.items()})
    if comparable(one, other):
        same(one.coef, other.coef, other.se)
        same_scalars(one, other)
        predicted = one.predict()
        # A row that was not fitted may lie outside a restricted domain, where there is no mean.
        assert unit.restricted or np.all(np.isfinite(predicted))
        np.testing.assert_allclose(predicted[keep], other.predict(), rtol=1e-7)


@every_unit
@several_seeds
@given(seed=seeds)
def test_prediction_of_the_same_rows_is_the_fitted_value(unit: Unit, seed: int) -> None:
    data = sample(unit, seed)
    # An offset as wide as a restricted domain leaves no room for any coefficient.
    data["z"] = 0.1 * data["z"]
    one = fit(unit, data, offset="z", formula="y ~ x + C(g)")
    np.testing.assert_array_equal(one.predict(), one.predict(data))
    old, new = one.predict(se=True), one.predict(data, se=True)
    np.testing.assert_array_equal(old.se, new.se)


EQUIVARIANT = [
    u
    for u in FITTED
    if u.link.name == "log"
    and u.family.support.interval.upper == np.inf
    and not u.family.support.integer
    and u.family.variance_power is not None
]


@pytest.mark.parametrize("unit", EQUIVARIANT, ids=str)
@several_seeds
@given(seed=seeds, money=st.floats(1e-3, 1e3))
def test_units_of_a_positive_response_move_the_intercept_under_a_log_link(
    unit: Unit, seed: int, money: float
) -> None:
    data = sample(unit, seed)
    one, other = fit(unit, data), fit(unit, data | {"y": data["y"] * money})
    if comparable(one, other):
        same(other.coef[0] - np.log(money), one.coef[0], one.se[0])
        same(other.coef[1:], one.coef[1:], one.se[1:])
        np.testing.assert_allclose(other.se, one.se, rtol=1e-6)


@pytest.mark.parametrize("link", ["logit", "probit", "cloglog", "loglog", "cauchit"])
@several_seeds
@given(seed=seeds)
def test_trials_are_that_many_rows_of_zeros_and_ones(link: str, seed: int) -> None:
    unit = Unit(em.Binomial(), em.glm("y ~ 1", {"y": [0, 1, 1]}, "bernoulli", link).link)
    data = sample(unit, seed, n=40)
    m, s = data["m"].astype(int), data["y"].astype(int)
    rows = np.repeat(np.arange(len(m)), m)
    zeros_and_ones = np.concatenate([np.r_[np.ones(k), np.zeros(t - k)] for k, t in zip(s, m, strict=True)])
    single = {name: data[name][rows] for name in ("x", "z", "g")} | {"y": zeros_and_ones}
    one, other = fit(unit, data), em.glm(FORMULA, single, "bernoulli", link)
    same(one.coef, other.coef, other.se)
    np.testing.assert_allclose(one.cov, other.cov, rtol=1e-6)


CANONICAL = [unit for unit in FITTED if unit.canonical]


@pytest.mark.parametrize("unit", CANONICAL, ids=[f"{u.family!r}-{u.link!r}" for u in CANONICAL])
@several_seeds
@given(seed=seeds)
def test_a_canonical_link_makes_residuals_orthogonal_to_the_columns(unit: Unit, seed: int) -> None:
    # score = X'(y - mu) / phi up to the constant of theta = a + b eta
    data = sample(unit, seed)
    one = fit(unit, data)
    if not comparable(one):
        return
    columns = np.column_stack([np.ones(len(data["y"])), data["x"], data["z"]])
    residual = one.residuals("response") * data.get("m", 1.0)
    size = np.sqrt(columns.T**2 @ residual**2)
    assert np.all(np.abs(columns.T @ residual) <= 1e-7 * size)


def test_a_stated_link_fits_as_the_one_it_states() -> None:
    half_tanh = em.StatedLink(inverse="(1 + tanh(eta)) / 2", link="atanh(2 * mu - 1)", range=(0.0, 1.0))
    unit = Unit(em.Bernoulli(), half_tanh)
    data = sample(unit, 3)
    one, logit = em.glm(FORMULA, data, "bernoulli", half_tanh), em.glm(FORMULA, data, "bernoulli")
    same(2.0 * one.coef, logit.coef, logit.se)
    np.testing.assert_allclose(2.0 * one.se, logit.se, rtol=1e-9)
    np.testing.assert_allclose(one.deviance, logit.deviance, rtol=1e-12)
