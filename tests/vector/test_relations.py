"""Relations of models of several predictors: turn the data, and the answer turns with them."""

from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import etamu as em

N = 240
FAMILIES = [
    em.Multinomial(),
    em.Cumulative(),
    em.Cumulative("cloglog"),
    em.Cumulative("cauchit"),
    em.Cumulative(nonproportional="~ z"),
    em.ContinuationRatio("probit"),
    em.AdjacentCategory(),
]
every = pytest.mark.parametrize("family", FAMILIES, ids=[str(f) for f in FAMILIES])


def sample(seed=0, far=0.0):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=N), rng.choice(["p", "q"], N)
    latent = 0.8 * x + 0.5 * (z == "q") + rng.logistic(size=N)
    y = np.array(["low", "middle", "high"], dtype=object)[np.digitize(latent, [-0.5, 1.0])]
    return pd.DataFrame(
        {
            "y": pd.Categorical(y, categories=["low", "middle", "high"], ordered=True),
            "x": x + far,
            "z": z,
            "k": rng.integers(0, 4, N),
            "w": rng.uniform(0.5, 2.0, N),
            "o": rng.normal(size=N),
        }
    )


def ordinal():
    return em.glm("y ~ x + z", sample(), em.Cumulative())


def multinomial():
    return em.glm("y ~ x + z", sample(), em.Multinomial())


def fit(family, data, formula="y ~ x + z", **options):
    return em.glm(formula, data, family=family, **options)


def same(one, other, tolerance=1e-8):
    assert one.converged
    assert other.converged
    assert one.names == other.names
    np.testing.assert_allclose(one.coef, other.coef, atol=tolerance * float(other.se.max()), rtol=tolerance)
    np.testing.assert_allclose(one.se, other.se, rtol=10 * tolerance)


@every
def test_the_order_of_rows_does_not_matter(family):
    data = sample()
    same(fit(family, data.sample(frac=1.0, random_state=1)), fit(family, data))


@every
def test_a_frequency_weight_is_so_many_rows(family):
    data = sample()
    weighted = fit(family, data, frequency_weights="k")
    copies = fit(family, data.loc[data.index.repeat(data["k"])])
    same(weighted, copies)
    for name in ("nobs", "loglik", "aic", "bic"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(copies, name), rtol=1e-10)
    for kind in ("HC0", "HC1"):
        np.testing.assert_allclose(
            weighted.with_covariance(kind).se, copies.with_covariance(kind).se, rtol=1e-8
        )


@every
def test_counts_per_row_are_so_many_rows_of_a_class(family):
    data = sample()
    table = pd.crosstab([data["z"], data["x"].round()], data["y"]).reset_index()
    table.columns = [str(name) for name in table.columns]
    rows = table.melt(["z", "x"], ["low", "middle", "high"], "y", "n")
    rows["y"] = pd.Categorical(rows["y"], categories=["low", "middle", "high"], ordered=True)
    counts = fit(family, table, "cbind(low, middle, high) ~ x + z")
    classes = fit(family, rows, frequency_weights="n")
    same(counts, classes)


@every
def test_units_of_a_column_change_its_coefficients_alone(family):
    data = sample()
    other = fit(family, data.assign(x=1000.0 * data["x"]))
    own = fit(family, data)
    factor = np.array([1000.0 if name.split(":")[-1] == "x" else 1.0 for name in own.names])
    np.testing.assert_allclose(factor * other.coef, own.coef, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(other.loglik, own.loglik, rtol=1e-12)


@pytest.mark.parametrize("unit", [1e-200, 1e200], ids=str)
def test_units_whose_squares_are_no_numbers_change_no_test(unit):
    family = em.Multinomial()
    data = sample()
    own, other = fit(family, data), fit(family, data.assign(x=unit * data["x"]))
    factor = np.array([unit if name.split(":")[-1] == "x" else 1.0 for name in own.names])
    np.testing.assert_allclose(factor * other.se, own.se, rtol=1e-9)
    np.testing.assert_allclose(other.p_values, own.p_values, rtol=1e-8)
    ends = [each.conf_int(method="profile") for each in (other, own)]
    np.testing.assert_allclose(factor[:, None] * ends[0], ends[1], rtol=1e-6)
    np.testing.assert_allclose(other.drop1()["p_value"], own.drop1()["p_value"], rtol=1e-6)


@every
def test_a_column_far_from_zero_loses_no_digits(family):
    near, far = fit(family, sample()), fit(family, sample(far=2.0**20))
    slopes = [j for j, name in enumerate(near.names) if "x" in name or "z" in name]
    np.testing.assert_allclose(far.coef[slopes], near.coef[slopes], rtol=1e-5)
    np.testing.assert_allclose(far.loglik, near.loglik, rtol=1e-9)
    np.testing.assert_allclose(far.predict(), near.predict(), rtol=1e-5)


@every
def test_probabilities_add_to_one_and_to_the_classes(family):
    data = sample()
    one = fit(family, data)
    p = one.predict()
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-13)
    if family.canonical or family.name == "multinomial":
        np.testing.assert_allclose(p.sum(axis=0), data["y"].value_counts(sort=False), rtol=1e-9)
    asked = one.predict(interval="confidence")
    assert np.all((asked.lower > 0.0) & (asked.lower < p) & (p < asked.upper) & (asked.upper < 1.0))
    assert set(one.predict(kind="class")) <= {"low", "middle", "high"}


@every
def test_new_rows_are_predicted_as_the_old_ones(family):
    data = sample()
    one = fit(family, data, offset="o")
    np.testing.assert_allclose(one.predict(data.drop(columns="y")), one.predict(), rtol=1e-13)
    some = one.predict(data.iloc[:7].drop(columns="y"), se=True)
    np.testing.assert_allclose(some.se, one.predict(se=True).se[:7], rtol=1e-12)
    gap = data.iloc[:3].assign(x=[0.0, np.nan, 1.0])
    assert np.isnan(one.predict(gap)).any(axis=1).tolist() == [False, True, False]


@every
def test_standard_errors_of_probabilities_are_the_delta_method(family):
    data = sample()
    one = fit(family, data)
    asked = one.predict(se=True)
    step = 1e-5
    slopes = []
    for j in range(len(one.names)):
        ends = []
        for sign in (-1.0, 1.0):
            beta = one.coef.copy()
            beta[j] += sign * step * one.se[j]
            ends.append(replace(one, beta=one.coordinates.working(beta)))
        slopes.append((ends[1].predict() - ends[0].predict()) / (2.0 * step * one.se[j]))
    gradient = np.stack(slopes, axis=-1)
    numeric = np.sqrt(np.einsum("ncj,jk,nck->nc", gradient, one.cov, gradient))
    np.testing.assert_allclose(asked.se, numeric, rtol=1e-6)


@every
def test_an_offset_is_a_column_with_coefficient_one(family):
    data = sample()
    with_offset = fit(family, data, offset="o")
    free = fit(family, data, "y ~ x + z + o")
    held = free.test([f"{name} = 1" for name in free.names if name.split(":")[-1] == "o"], "lr")
    np.testing.assert_allclose(2.0 * (free.loglik - with_offset.loglik), held.statistic, rtol=1e-6)


@every
def test_a_constant_offset_moves_intercepts_alone(family):
    data = sample().assign(o=700.0)
    moved, own = fit(family, data, offset="o"), fit(family, data)
    slopes = [j for j, name in enumerate(own.names) if "x" in name or "z" in name]
    np.testing.assert_allclose(moved.coef[slopes], own.coef[slopes], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(moved.loglik, own.loglik, rtol=1e-10)


@every
def test_the_wald_test_of_a_coefficient_is_its_statistic(family):
    one = fit(family, sample())
    name = one.names[-1]
    np.testing.assert_allclose(one.test(f"`{name}` = 0").statistic, one.statistic[-1] ** 2, rtol=1e-10)
    np.testing.assert_allclose(one.test(f"`{name}` = 0").p_value, one.p_values[-1], rtol=1e-8)


@every
@pytest.mark.parametrize("solver", ["irls", "lbfgs"])
def test_every_solver_finds_the_same(family, solver):
    data = sample()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.ConvergenceWarning)
        other = fit(family, data, solver=solver)
    np.testing.assert_allclose(other.loglik, fit(family, data).loglik, rtol=1e-9)


def test_the_reference_changes_coefficients_and_not_one_probability():
    data = sample()
    one, other = (fit(em.Multinomial(reference=name), data) for name in ("low", "high"))
    np.testing.assert_allclose(one.predict(), other.predict(), rtol=1e-9)
    np.testing.assert_allclose(one.loglik, other.loglik, rtol=1e-13)
    np.testing.assert_allclose(one.coef[3:], -other.coef[:3], rtol=1e-7)


def test_two_classes_are_the_binary_models():
    data = sample()
    data["y"] = data["y"].cat.rename_categories({"middle": "m"}).astype(str).replace({"m": "high"})
    order = pd.Categorical(data["y"], categories=["low", "high"], ordered=True)
    binary = em.glm("h ~ x + z", data.assign(h=(data["y"] == "high")), family="bernoulli")
    multinomial = fit(em.Multinomial(reference="low"), data)
    np.testing.assert_allclose(multinomial.coef, binary.coef, rtol=1e-10)
    np.testing.assert_allclose(multinomial.se, binary.se, rtol=1e-9)
    for family in (em.Cumulative(), em.ContinuationRatio(), em.AdjacentCategory()):
        ordinal = fit(family, data.assign(y=order))
        np.testing.assert_allclose(ordinal.coef * [-1.0, 1.0, 1.0], binary.coef, rtol=1e-8)
        np.testing.assert_allclose(ordinal.loglik, binary.loglik, rtol=1e-12)


def test_the_order_turned_round_turns_the_signs():
    data = sample()
    turned = data.assign(y=data["y"].cat.reorder_categories(["high", "middle", "low"], ordered=True))
    one, other = fit(em.Cumulative(), data), fit(em.Cumulative(), turned)
    np.testing.assert_allclose(one.coef[2:], -other.coef[2:], rtol=1e-8)
    np.testing.assert_allclose(one.coef[:2], -other.coef[1::-1], rtol=1e-8)


def test_terms_of_their_own_at_each_threshold_leave_the_shared_part():
    one = fit(em.Cumulative(nonproportional="~ z"), sample())
    assert one.names == ("low|middle", "low|middle:z[T.q]", "middle|high", "middle|high:z[T.q]", "x")
    two = em.Cumulative(nonproportional="~ x + z")
    free = fit(two, sample(), "y ~ x + z")
    assert len(free.names) == 6
    assert free.loglik >= one.loglik


def test_quantile_residuals_are_normal_and_draws_follow_the_model():
    data = sample()
    one = fit(em.Cumulative(), data)
    residuals = one.residuals(seed=3)
    assert abs(residuals.mean()) < 0.15
    assert abs(residuals.std() - 1.0) < 0.15
    drawn = one.simulate(400, seed=1)
    for c in range(3):
        np.testing.assert_allclose((drawn == c).mean(axis=1), one.predict()[:, c], atol=0.12)


def test_clusters_of_one_row_are_hc0():
    data = sample().assign(row=np.arange(N))
    one = fit(em.Multinomial(), data)
    np.testing.assert_allclose(
        one.with_covariance("CR0", cluster="row").cov, one.with_covariance("HC0").cov, rtol=1e-9
    )


def test_sandwiches_are_those_of_the_textbook():
    data = sample()
    one = fit(em.Multinomial(), data)
    design = np.column_stack([np.ones(N), data["x"], data["z"] == "q"])
    rest = (np.eye(3)[data["y"].cat.codes] - one.predict())[:, 1:]
    scores = (rest[:, :, None] * design[:, None, :]).reshape(N, 6)
    bread = one.cov
    np.testing.assert_allclose(one.with_covariance("HC0").cov, bread @ scores.T @ scores @ bread, rtol=1e-8)
    hc1 = N / (N - 6) * bread @ scores.T @ scores @ bread
    np.testing.assert_allclose(one.with_covariance("HC1").cov, hc1, rtol=1e-8)
    groups = np.stack([scores[data["k"] == k].sum(axis=0) for k in range(4)])
    cr1 = 4 / 3 * bread @ groups.T @ groups @ bread
    clustered = one.with_covariance("CR1", cluster="k")
    np.testing.assert_allclose(clustered.cov, cr1, rtol=1e-7, atol=1e-12)
    assert clustered.reference_df == 3.0


def test_draws_of_a_row_depend_on_the_seed_and_the_row_alone():
    data = sample()
    for one in (fit(em.Cumulative(), data), em.glm("x ~ o", data, dispersion="~ z")):
        np.testing.assert_array_equal(one.simulate(3, seed=5)[:, :2], one.simulate(2, seed=5))
        assert not np.array_equal(one.simulate(1, seed=5), one.simulate(1, seed=6))


@every
@pytest.mark.parametrize(("scale", "shift"), [(2.0**40, 0.0), (2.0**-40, 0.0), (16.0, 2000.0)])
def test_the_units_of_a_column_change_nothing(family, scale, shift):
    """A year, or a column near 1e12: probabilities, likelihood and z values are the same to 1e-10."""
    data = sample()
    data["x"] = np.round(data["x"] * 1024.0) / 1024.0  # so that the shift is exact
    one, other = fit(family, data), fit(family, data.assign(x=data["x"] * scale + shift))
    np.testing.assert_allclose(other.predict(), one.predict(), rtol=1e-10, atol=1e-13)
    np.testing.assert_allclose(other.loglik, one.loglik, rtol=1e-12)
    at = [name.endswith("x") for name in one.names]
    np.testing.assert_allclose((other.coef / other.se)[at], (one.coef / one.se)[at], rtol=1e-8)
