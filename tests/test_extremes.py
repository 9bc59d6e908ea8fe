"""Units decide nothing: responses, weights, columns and offsets far out give the fit near 1, mapped.

Powers of ten are used, so that the mapping itself rounds: 1e-10 of a coefficient or its error is allowed.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import etamu as em

RNG = np.random.default_rng(5)
N = 40
X = RNG.integers(-2000, 2000, N) / 1024
Z = RNG.integers(0, 1024, N) / 1024
W = RNG.uniform(0.5, 2.0, N)
MEAN = np.exp(1 + 0.3 * X + 0.5 * Z)
POSITIVE = RNG.gamma(3.0, MEAN / 3.0)
ZEROS = np.where(RNG.random(N) < 0.2, 0.0, POSITIVE)
COUNTS = RNG.poisson(MEAN).astype(float)
BINARY = (RNG.random(N) < 1 / (1 + np.exp(-X))).astype(float)
CLOSE = 1e-10

EXPONENTS = {"identity": 1.0, "log": 0.0, "inverse": -1.0, "inverse_squared": -2.0, "sqrt": 0.5}
CLOSED = [
    ("gaussian", "identity"),
    ("gaussian", "log"),
    ("gaussian", "inverse"),
    ("gaussian", "sqrt"),
    ("gamma", "log"),
    ("gamma", "inverse"),
    ("gamma", "identity"),
    ("gamma", "sqrt"),
    ("inverse_gaussian", "log"),
    ("inverse_gaussian", "identity"),
    ("inverse_gaussian", "inverse_squared"),
    ("tweedie(1.5)", "log"),
    ("tweedie(1.5)", "identity"),
    ("quasipoisson", "log"),
    ("quasipoisson", "identity"),
    ("quasipoisson", "sqrt"),
]
KNOWN = [
    ("poisson", "log"),
    ("poisson", "sqrt"),
    ("bernoulli", "logit"),
    ("bernoulli", "probit"),
    ("bernoulli", "cauchit"),
]
RESPONSES = {
    "poisson": COUNTS,
    "bernoulli": BINARY,
    "tweedie(1.5)": ZEROS,
    "quasipoisson": ZEROS,
}


BEYOND = "ignore:phi is (above|below):etamu.EtamuWarning"
"""Gaussian phi goes with the square of the response."""


def fitted(family: str, link: str, *, response: float = 1.0, weight: float = 1.0, **changed: Any) -> Any:
    y = RESPONSES.get(family, POSITIVE) * response
    columns = {"y": y, "x": X, "z": Z, "w": W * weight} | changed
    return em.glm("y ~ x + z", columns, family=family, link=link, variance_weights="w")


@functools.cache
def plain(family: str, link: str) -> Any:
    return fitted(family, link)


def assert_same(ours: Any, theirs: Any, errors: Any) -> None:
    assert np.all(np.abs(ours - theirs) <= CLOSE * (np.abs(theirs) + errors)), (ours, theirs)


@pytest.mark.filterwarnings(BEYOND)
@pytest.mark.parametrize("size", [1e-300, 1e-20, 1e150, 1e300])
@pytest.mark.parametrize(("family", "link"), CLOSED)
def test_the_unit_of_the_response(family: str, link: str, size: float) -> None:
    exponent = EXPONENTS[link]
    if abs(exponent * np.log10(size)) > 300:
        return  # the coefficients themselves are beyond float64
    base, fit = plain(family, link), fitted(family, link, response=size)
    times = np.float64(size) ** exponent
    moved = np.array([np.log(size) if exponent == 0 else 0.0, 0.0, 0.0])
    assert fit.converged
    assert_same(fit.coef, base.coef * times + moved, base.se * times)
    np.testing.assert_allclose(fit.se, base.se * times, rtol=1e-9)
    np.testing.assert_allclose(fit.p_values[1:], base.p_values[1:], rtol=1e-6)
    dense = N if family == "gaussian" else np.count_nonzero(RESPONSES.get(family, POSITIVE))
    if np.isfinite(base.loglik):
        assert fit.loglik == pytest.approx(base.loglik - dense * np.log(size), rel=1e-9)
    power = fit.family.variance_power
    with np.errstate(over="ignore", under="ignore"):
        spread = np.float64(size) ** (2.0 - power)
        expected = base.dispersion * spread
    if np.isfinite(expected) and expected > 1e-290:
        assert fit.dispersion == pytest.approx(expected, rel=1e-9)
        assert fit.deviance == pytest.approx(base.deviance * spread, rel=1e-9)


@pytest.mark.parametrize("size", [1e-250, 1e-20, 1e250])
@pytest.mark.parametrize(("family", "link"), CLOSED + KNOWN)
def test_the_unit_of_the_weights(family: str, link: str, size: float) -> None:
    base, fit = plain(family, link), fitted(family, link, weight=size)
    known = fit.family.dispersion_known
    assert fit.converged
    assert_same(fit.coef, base.coef, base.se)
    np.testing.assert_allclose(fit.se, base.se / np.sqrt(size) if known else base.se, rtol=1e-9)
    assert fit.deviance == pytest.approx(base.deviance * size, rel=1e-9)
    if known:
        assert fit.loglik == pytest.approx(base.loglik * size, rel=1e-9)
    elif np.isfinite(base.loglik):
        assert fit.loglik == pytest.approx(base.loglik, rel=1e-9)


@pytest.mark.parametrize("size", [1e-100, 1e12])
@pytest.mark.parametrize(("family", "link"), CLOSED + KNOWN)
def test_the_unit_of_a_column(family: str, link: str, size: float) -> None:
    base, fit = plain(family, link), fitted(family, link, x=X * size)
    unit = np.array([1.0, 1.0 / size, 1.0])
    assert fit.converged
    assert_same(fit.coef, base.coef * unit, base.se * unit)
    np.testing.assert_allclose(fit.se, base.se * unit, rtol=1e-8)
    assert fit.deviance == pytest.approx(base.deviance, rel=1e-9)


@pytest.mark.parametrize("start", [2024.0, 1.7e9], ids=["years", "seconds since 1970"])
@pytest.mark.parametrize(("family", "link"), CLOSED + KNOWN)
def test_where_a_column_begins(family: str, link: str, start: float) -> None:
    """X + start is exact: X has ten binary places."""
    base, fit = plain(family, link), fitted(family, link, x=X + start)
    assert fit.converged
    assert_same(fit.coef[1:], base.coef[1:], base.se[1:])
    np.testing.assert_allclose(fit.se[1:], base.se[1:], rtol=1e-8)
    assert fit.deviance == pytest.approx(base.deviance, rel=1e-9)
    assert fit.coef[0] == pytest.approx(base.coef[0] - start * base.coef[1], rel=1e-9)


@pytest.mark.parametrize("common", [-745.0, -700.0, -40.0, 40.0, 690.0])
@pytest.mark.parametrize(
    ("family", "link"),
    [
        ("poisson", "log"),
        ("gamma", "log"),
        ("bernoulli", "logit"),
        ("bernoulli", "probit"),
        ("gaussian", "identity"),
    ],
)
def test_a_common_part_of_the_offset(family: str, link: str, common: float) -> None:
    columns = {"y": RESPONSES.get(family, POSITIVE), "x": X, "z": Z, "o": Z / 2, "far": Z / 2 + common}
    near, far = (em.glm("y ~ x", columns, family=family, link=link, offset=name) for name in ("o", "far"))
    assert far.converged
    assert_same(far.coef[1:], near.coef[1:], near.se[1:])
    assert far.coef[0] == pytest.approx(near.coef[0] - common, abs=1e-10 * abs(common))
    np.testing.assert_allclose(far.se, near.se, rtol=1e-9)
    assert far.deviance == pytest.approx(near.deviance, rel=1e-9)
    assert far.null_deviance == pytest.approx(near.null_deviance, rel=1e-9)


@pytest.mark.parametrize("size", [1e9, 1e12, 1e15])
@pytest.mark.parametrize(
    ("family", "link"), [("poisson", "log"), ("poisson", "identity"), ("negative_binomial(2)", "log")]
)
def test_large_counts(family: str, link: str, size: float) -> None:
    mean = size * (2 + X / 4)
    y = np.round(mean + np.sqrt(mean) * RNG.normal(size=N))
    fit = em.glm("y ~ x", {"y": y, "x": X}, family=family, link=link)
    assert fit.converged
    score = fit.working()
    assert abs(
        np.sum(score.weights * score.response - score.weights * fit.predict(kind="link"))
    ) <= 1e-3 * np.sum(score.weights * fit.se[0])


def test_a_dispersion_beyond_float64_is_said_to_be_infinite_and_errors_stay_right() -> None:
    with pytest.warns(em.EtamuWarning, match="phi is above the largest"):
        fit = fitted("gaussian", "identity", response=1e300)
    assert fit.dispersion == np.inf
    assert fit.deviance == np.inf
    assert np.all(np.isfinite(fit.se))
    assert np.all(np.isfinite(fit.conf_int(0.95)))
    assert "Residual deviance: Inf" in str(fit.summary())


@pytest.mark.filterwarnings(BEYOND)
def test_a_start_is_in_the_units_of_the_data() -> None:
    base = plain("gaussian", "identity")
    again = em.glm(
        "y ~ x + z",
        {"y": POSITIVE * 1e200, "x": X, "z": Z, "w": W},
        variance_weights="w",
        start=base.coef * 1e200,
    )
    assert_same(again.coef, base.coef * 1e200, base.se * 1e200)


def test_a_given_dispersion_is_in_the_units_of_the_data() -> None:
    base = em.glm("y ~ x", {"y": POSITIVE, "x": X}, dispersion=2.0)
    far = em.glm("y ~ x", {"y": POSITIVE * 1e100, "x": X}, dispersion=2e200)
    np.testing.assert_allclose(far.se, base.se * 1e100, rtol=1e-12)
    assert far.loglik == pytest.approx(base.loglik - N * np.log(1e100), rel=1e-12)


FAR = [
    ("gaussian", "identity", 1e-300),
    ("gaussian", "identity", 1e300),
    ("gamma", "inverse", 1e-300),
    ("gamma", "inverse", 1e300),
    ("inverse_gaussian", "log", 1e300),
    ("tweedie(1.5)", "log", 1e-300),
    ("quasipoisson", "log", 1e300),
]


@pytest.mark.filterwarnings(BEYOND)
@pytest.mark.parametrize(("family", "link", "size"), FAR)
def test_what_is_asked_later_is_asked_in_units_near_one(family: str, link: str, size: float) -> None:
    base, fit = plain(family, link), fitted(family, link, response=size)
    times = np.float64(size) ** EXPONENTS[link]
    moved = np.array([np.log(size) if EXPONENTS[link] == 0 else 0.0, 0.0, 0.0])
    robust = fit.with_covariance("HC3")
    np.testing.assert_allclose(robust.se, base.with_covariance("HC3").se * times, rtol=1e-8)
    profiled = base.conf_int(method="profile") * times + moved[:, None]
    np.testing.assert_allclose(fit.conf_int(method="profile"), profiled, rtol=1e-8)
    for kind in ("drop1", "anova"):
        asked = "F" if kind == "drop1" else 2
        ours, theirs = getattr(fit, kind)(asked), getattr(base, kind)(asked)
        np.testing.assert_allclose(ours["p_value"], theirs["p_value"], rtol=1e-7)
    assert fit.test("x").p_value == pytest.approx(base.test("x").p_value, rel=1e-7)
    assert fit.check()["variance"].p_value == pytest.approx(base.check()["variance"].p_value, rel=1e-5)
    if family != "quasipoisson":
        np.testing.assert_allclose(fit.simulate(2, seed=3), base.simulate(2, seed=3) * size, rtol=1e-7)
    new = {"x": [0.1], "z": [0.2]}
    errors = base.predict(new, kind="link", se=True).se * times
    np.testing.assert_allclose(fit.predict(new, kind="link", se=True).se, errors, rtol=1e-8)


def test_the_table_of_a_fit_far_out_says_its_units() -> None:
    with pytest.warns(em.EtamuWarning, match="phi is below the smallest"):
        fit = fitted("gaussian", "identity", response=1e-300)
    assert "Response counted in 2^-996" in str(fit.drop1())
    near = plain("gaussian", "identity").drop1(dispersion="pearson")
    np.testing.assert_allclose(fit.drop1(dispersion="pearson")["p_value"], near["p_value"], rtol=1e-8)


@pytest.mark.parametrize("y", [2.0 * np.arange(8.0) + 1.0, np.zeros(8)], ids=["a line", "zeros"])
def test_a_perfect_fit_has_answers_or_says_why_not(y: Any) -> None:
    fit = em.glm("y ~ x + z", {"y": y, "x": np.arange(8.0), "z": Z[:8]})
    assert fit.dispersion == 0.0
    needed = bool(y.any())
    for table in (fit.drop1(), fit.anova(2)):
        assert "the fit is perfect" in str(table)
        assert table.row("x")["p_value"] == 0.0 if needed else np.isnan(table.row("x")["p_value"])
        assert np.isnan(table.row("z")["p_value"])
    for question in (lambda: fit.test("x"), lambda: fit.residuals("quantile")):
        with pytest.raises(em.NotAvailableError, match="the fit is perfect"):
            question()
    np.testing.assert_array_equal(fit.simulate(1)[:, 0], fit.predict())
    ends = fit.predict(interval="prediction")
    np.testing.assert_array_equal(ends.lower, ends.upper)


@pytest.mark.parametrize("size", [1e-290, 1e300])
def test_a_column_whose_squares_are_beyond_float64(size: float) -> None:
    base, fit = plain("poisson", "log"), fitted("poisson", "log", x=X * size)
    unit = np.array([1.0, 1.0 / size, 1.0])
    assert_same(fit.coef, base.coef * unit, base.se * unit)
    np.testing.assert_allclose(fit.se, base.se * unit, rtol=1e-8)


def test_a_column_that_hardly_varies_is_refused_by_name() -> None:
    with pytest.raises(em.DataError, match="column 'x' varies by less than 1e-300"):
        fitted("poisson", "log", x=X * 1e-310)


@pytest.mark.filterwarnings("ignore::etamu.ConvergenceWarning")
def test_weights_over_six_hundred_decades_are_heard_of_in_our_words_alone() -> None:
    weight = 10.0 ** np.linspace(-300, 300, 10)
    counts = np.array([2.0, 3, 1, 4, 2, 5, 3, 4, 2, 8])
    data = {"y": counts, "x": np.arange(10.0), "w": weight}
    assert em.glm("y ~ x", data, family="poisson", variance_weights="w").nobs == 10


def test_there_are_no_standard_errors_on_an_edge() -> None:
    data = {"y": np.array([0.0, 0, 1, 0, 2, 1, 4, 3, 7, 9]), "x": np.arange(1.0, 11.0)}
    with pytest.warns(em.ConvergenceWarning, match="boundary of the domain"):
        fit = em.glm("y ~ x", data, family="poisson", link="identity")
    assert fit.coef == pytest.approx([-0.6, 0.6], rel=1e-8)
    assert np.isnan(fit.se).all()
    assert np.isnan(fit.p_values).all()


@pytest.mark.parametrize("size", [1e-200, 1e200])
@pytest.mark.parametrize(("family", "link"), [("gaussian", "identity"), ("poisson", "log")])
def test_what_is_asked_later_of_a_column_far_out(family: str, link: str, size: float) -> None:
    base, fit = plain(family, link), fitted(family, link, x=X * size)
    unit = np.array([1.0, 1.0 / size, 1.0])
    with pytest.warns(em.EtamuWarning, match="the variance of x is beyond"):
        assert fit.cov[0, 0] == pytest.approx(base.cov[0, 0], rel=1e-8)
    intervals = base.conf_int(method="profile") * unit[:, None]
    np.testing.assert_allclose(fit.conf_int(method="profile"), intervals, rtol=1e-8)
    one, other = fit.profile("x"), base.profile("x")
    assert one.se == pytest.approx(other.se / size, rel=1e-8)
    np.testing.assert_allclose(one.values, other.values / size, rtol=1e-8)
    assert fit.test("x = 0").se[0] == pytest.approx(base.test("x = 0").se[0] / size, rel=1e-8)
    np.testing.assert_allclose(fit.adjusted()["p_value"], base.adjusted()["p_value"], rtol=1e-7)
    for name, times in (("estimate", unit[1:]), ("std_error", unit[1:]), ("p_value", 1.0)):
        np.testing.assert_allclose(fit.effects()[name], base.effects()[name] * times, rtol=1e-7)
    assert fit.check()["collinearity"].size == pytest.approx(base.check()["collinearity"].size, rel=1e-8)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_coefficients_beyond_float64_are_refused_by_name(size: float) -> None:
    x = np.arange(8.0)
    data = {"y": size * (2.0 + x + np.cos(3.0 * x)), "x": x}
    with pytest.raises(em.DataError, match="float64 in the units of the response: Intercept, x; count the"):
        em.glm("y ~ x", data, family="inverse_gaussian")  # 1 / mu^2


@pytest.mark.filterwarnings("ignore::etamu.EtamuWarning")
@pytest.mark.parametrize("weight", [1e-308, 5e-324])
def test_weights_over_all_decades_have_a_likelihood_or_a_reason(weight: float) -> None:
    x = np.arange(8.0)
    weights = np.r_[weight, 1e308, np.ones(6)]
    fit = em.glm("y ~ x", {"y": np.cos(x), "x": x}, variance_weights=weights)
    assert np.isfinite(fit.loglik) or "float64" in fit.likelihood.reason


@pytest.mark.parametrize("family", ["poisson", "gamma"])
@pytest.mark.parametrize("far", [750.0, 1e4])
def test_offsets_on_both_sides_whose_means_overflow_have_a_start(family: str, far: float) -> None:
    x = np.arange(8.0) % 3
    y = np.array([1.0, 3.0, 2.0, 5.0, 4.0, 6.0, 8.0, 7.0])
    offset = np.where(np.arange(8) % 2, far, -far)
    fit = em.glm("y ~ x", {"y": y, "x": x}, family=family, link="log", offset=offset)
    assert fit.converged
    eta = np.c_[np.ones(8), x] @ fit.coef + offset
    score = y - np.exp(eta) if family == "poisson" else y * np.exp(-eta) - 1.0
    np.testing.assert_allclose(np.c_[np.ones(8), x].T @ score, 0.0, atol=1e-8)


def test_an_offset_beyond_what_sums_hold_is_refused_by_row() -> None:
    data = {"y": [1.0, 2.0, 4.0], "x": [0.0, 1.0, 2.0]}
    with pytest.raises(em.DataError, match=r"offset must be within \+-1e\+300, but row 1 holds 1e\+308"):
        em.glm("y ~ x", data, offset=[0.0, 1e308, 0.0])
