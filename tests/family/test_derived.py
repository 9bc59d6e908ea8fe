"""Derived families: right in both tails, the same as the catalogue's, whole in a fit, values that travel."""

from __future__ import annotations

import dataclasses
import pickle
import re

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.family import families as own
from etamu.family import links as every
from etamu.family.check import check_family
from etamu.family.derived import CanonicalDerived, Derived
from etamu.family.program import compiled
from etamu.family.statement import Statement
from etamu.family.unit import Unit
from tests.catalogue import CUBIC, DERIVED, DERIVED_UNITS, SAME, SECANT, SUM, columns, crossed, grid
from tests.samples import FORMULA, sample

pytest.importorskip("sympy")

mp.mp.dps = 15
each = pytest.mark.parametrize("family", DERIVED, ids=repr)
whole = pytest.mark.parametrize("unit", DERIVED_UNITS, ids=repr)
MEANS = (1e-6, 1e-3, 0.3, 0.999, 1.001, 4.0, 50.0, 1e4)


def evaluate(unit, y, eta):
    with np.errstate(all="ignore"):
        value, score, expected = unit.bind(np, "expected")((y,), eta)
        observed = unit.bind(np, "observed")((y,), eta)[2]
    return value, score, expected, observed


# --- every identity, for each of them ---


@each
def test_every_identity_is_confirmed(family) -> None:
    assert len(check_family(family).identities) == 6 + 2 * family.has_density


@each
def test_a_derived_family_is_a_value_that_travels(family) -> None:
    copy = pickle.loads(pickle.dumps(family))
    assert copy == family
    assert hash(copy) == hash(family)
    assert copy.mean == family.mean
    assert family.statement.text in repr(family)
    assert family.statement.text in str(family)


@whole
def test_score_is_the_slope_of_the_value_and_observed_information_that_of_the_score(unit) -> None:
    y, eta = crossed(unit)
    near = (np.abs(eta) <= 5.0) & (np.abs(eta) > 0.1) & (np.abs(eta - 1.0) > 0.05) & (np.abs(y) < 200.0)
    y, eta, step = y[near], eta[near], 1e-5
    above, below = (evaluate(unit, y, eta + shift) for shift in (step, -step))
    _, score, expected, observed = evaluate(unit, y, eta)
    for rise, slope in (((above[0] - below[0]), score), ((below[1] - above[1]), observed)):
        size = np.abs(slope) + np.abs(score) + expected + np.abs(above[0])
        assert np.all(np.abs(rise / (2.0 * step) - slope) <= 2e-6 * size)


@whole
def test_value_is_never_positive_and_information_never_negative(unit) -> None:
    y, eta = crossed(unit)
    value, score, expected, observed = evaluate(unit, y, eta)
    assert np.all(value <= 0.0)
    assert np.all(expected >= 0.0)
    assert not np.any(np.isnan(score))
    if unit.canonical:
        np.testing.assert_array_equal(observed, expected)
    if unit.convex:
        assert np.all(observed >= 0.0)


@whole
def test_slopes_and_starts_are_known(unit) -> None:
    y, _ = crossed(unit)
    for limit in unit.slopes(columns(unit, y)):
        assert not np.any(np.isnan(limit))
    start = unit.start(columns(unit, y), np.ones_like(y))
    assert np.all(unit.domain.contains(start))


# --- right to many digits ---


def exact(family, y, mu):
    """theta, V and the unit deviance in fifty digits, by formulas derived by hand."""
    if family == CUBIC:
        return mp.log1p(1 / mu) - 1 / mu, mu**2 * (1 + mu), _cubic(y, mu)
    if family == SECANT:
        half = y * (mp.atan(y) - mp.atan(mu)) - mp.log((1 + y**2) / (1 + mu**2)) / 2
        return mp.atan(mu), 1 + mu**2, 2 * half
    theta = {}
    for name, at in (("y", y), ("mu", mu)):  # exp(theta) + theta = mu: Lambert's function
        theta[name] = at - mp.lambertw(mp.exp(at)).real if at < 700 else mp.findroot(
            lambda t, at=at: mp.exp(t) + t - at, mp.log(at)
        )  # fmt: skip

    def b(t):
        return mp.exp(t) + t**2 / 2

    half = b(theta["mu"]) - b(theta["y"]) - y * (theta["mu"] - theta["y"])
    return theta["mu"], mp.exp(theta["mu"]) + 1, 2 * half


def _cubic(y, mu):
    # 2 (1 + y) (x - log(1 + x)), x = (y - mu) / (mu (1 + y))
    x = (y - mu) / (mu * (1 + y))
    return 2 * (1 + y) * (x - mp.log1p(x))


@pytest.mark.parametrize("family", [CUBIC, SECANT, SUM], ids=repr)
def test_theta_variance_and_deviance_agree_with_fifty_digits(family) -> None:
    ys = MEANS if family.mean.lower == 0.0 else (*MEANS, -0.3, -40.0)
    for mu in ys:
        for y in (*ys, mu * 1.1, mu * 1.4, mu * (1 + 1e-9)):
            arrays = np.array([mu]), np.array([1.0 - mu])
            with mp.workdps(50):
                theta, variance, deviance = exact(family, mp.mpf(y), mp.mpf(mu))
                moved = exact(family, mp.mpf(y) * (1 + mp.mpf(2) ** -52), mp.mpf(mu))[2]
            slack = 4.0 * abs(float(moved - deviance))
            assert_allclose(family.natural(np, *arrays)[0], float(theta), rtol=1e-12, atol=1e-15)
            assert_allclose(family.variance(np, *arrays)[0], float(variance), rtol=1e-11)
            found = family.deviance(np, np.array([y]), *arrays)[0]
            assert abs(found - float(deviance)) <= 1e-10 * float(deviance) + slack, (y, mu)


@pytest.mark.parametrize("theta", [-700.0, -40.0, -37.0, -3.0, -0.2, -1e-3, -1e-8])
def test_the_mean_of_a_family_without_a_closed_inverse_is_right_in_both_tails(theta) -> None:
    with mp.workdps(60):

        def gap(w):
            return mp.log1p(mp.exp(-w)) - mp.exp(-w) - theta

        mu = mp.exp(mp.findroot(gap, (-10, 20), solver="bisect", maxsteps=190, verify=False))
        variance = mu**2 * (1 + mu)
    mean = CUBIC.canonical.inverse(np, np.array([theta]))
    assert_allclose(mean.mu[0], float(mu), rtol=1e-12)
    assert_allclose(mean.d1[0], float(variance), rtol=1e-12)
    assert_allclose(mean.d2[0], float(variance * (2 * mu + 3 * mu**2)), rtol=1e-12)


@pytest.mark.parametrize(("derived", "member"), SAME[:4], ids=repr)
def test_the_engine_alone_agrees_with_the_catalogue_in_both_tails(derived, member) -> None:
    alone = Unit(Derived(derived.statement, quasi=True), CanonicalDerived(derived.statement))
    scale = {own.Gamma(): -1.0, own.InverseGaussian(): -2.0}.get(member, 1.0)  # eta = scale * theta
    theta = grid(alone)
    y, theta = (part.ravel() for part in np.meshgrid([0.0, 0.5, 1.0, 7.0], theta, indexing="ij"))
    inside = member.support.contains(y)
    y, theta = y[inside], theta[inside]
    mine = evaluate(alone, y, theta)
    theirs = evaluate(Unit(member, member.canonical), y, scale * theta)
    for power, (ours, built) in enumerate(zip(mine, theirs, strict=True)):
        finite = np.isfinite(built) & (np.abs(built) < 1e290)
        factor = scale ** (0, 1, 2, 2)[power]
        # y - mu has the rounding of mu: near y = mu its square has few digits, and is that small
        assert_allclose(ours[finite], factor * built[finite], rtol=1e-11, atol=1e-15 if power < 2 else 1e-300)


def test_both_tails_of_a_derived_proportion_are_carried() -> None:
    link = CanonicalDerived(SAME[0][0].statement)
    eta = np.array([-700.0, -40.0, 40.0, 700.0])
    for mine, theirs in zip(link.inverse(np, eta), every.Logit().inverse(np, eta), strict=True):
        assert_allclose(mine, theirs, rtol=1e-14)


# --- the families they are ---


@pytest.mark.parametrize(("derived", "member"), SAME, ids=repr)
def test_a_known_family_is_recognised_by_its_variance_and_means(derived, member) -> None:
    assert derived.named == member
    assert (derived.support, derived.canonical) == (member.support, member.canonical)
    assert derived.has_density
    assert derived.dispersion_known == member.dispersion_known
    assert derived.variance_power == member.variance_power


@pytest.mark.parametrize(("derived", "member"), SAME, ids=repr)
def test_every_number_of_a_fit_is_that_of_the_catalogue(derived, member) -> None:
    data = sample(Unit(member, every.Log() if member.mean.upper > 1.0 else every.Logit()), 3)
    for link in (None, "log" if member.mean.upper > 1.0 else "probit"):
        formula, chosen = ("y ~ z", member.canonical) if link is None else (FORMULA, link)
        mine, theirs = (em.glm(formula, data, family=f, link=chosen) for f in (derived, member))
        assert_allclose(mine.coef, theirs.coef, rtol=1e-10)
        assert_allclose(mine.cov, theirs.cov, rtol=1e-10)
        names = ("deviance", "null_deviance", "pearson_chi2", "loglik", "aic", "bic", "dispersion")
        for name in names:
            assert_allclose(getattr(mine, name), getattr(theirs, name), rtol=1e-10, err_msg=name)
        assert_allclose(mine.residuals("quantile"), theirs.residuals("quantile"), rtol=1e-8)


@pytest.mark.parametrize(("derived", "member"), SAME[:4], ids=repr)
def test_the_engine_alone_fits_as_the_catalogue_does(derived, member) -> None:
    link = "logit" if member.mean.upper == 1.0 else "log"
    data = sample(Unit(member, every.Log() if link == "log" else every.Logit()), 3)
    alone = Derived(derived.statement, quasi=True)
    mine, theirs = (em.glm(FORMULA, data, family=f, link=link, dispersion="pearson") for f in (alone, member))
    assert np.all(np.abs(mine.coef - theirs.coef) <= 1e-9 * theirs.se)
    assert_allclose(mine.cov, theirs.cov, rtol=1e-10)
    assert_allclose([mine.deviance, mine.pearson_chi2], [theirs.deviance, theirs.pearson_chi2], rtol=1e-10)
    assert np.isnan(mine.loglik)


# --- every number of a fit ---

KINDS = ("response", "pearson", "deviance", "working", "anscombe", "standardised", "studentised", "quantile")
QUESTIONS = {
    **{name: (lambda fit, name=name: getattr(fit, name)) for name in (
        "coef", "se", "statistic", "p_values", "cov", "nobs", "df_resid", "df_null", "rank", "dispersion",
        "deviance", "null_deviance", "pearson_chi2", "loglik", "aic", "bic", "iterations", "passes")},
    **{name: (lambda fit, name=name: getattr(fit, name)()) for name in (
        "tidy", "glance", "augment", "influence", "working", "effects", "slopes", "anova", "drop1",
        "interpret", "joint_tests", "components")},
    **{kind: (lambda fit, kind=kind: fit.residuals(kind)) for kind in KINDS},
    "partial residuals": lambda fit: fit.partial_residuals("x"),
    "summary": lambda fit: re.findall(
        r"-?\d+\.?\d*(?:e[-+]\d+)?", str(fit.summary()).replace(SAME[0][0].statement.text, "")
    ),
    "wald": lambda fit: fit.conf_int(0.9),
    "profile intervals": lambda fit: fit.conf_int(method="profile"),
    "profile": lambda fit: fit.profile("x"),
    "mean": lambda fit: fit.predict(NEW, se=True, interval="confidence"),
    "linear predictor": lambda fit: fit.predict(NEW, kind="link", se=True, interval="confidence"),
    "terms": lambda fit: fit.predict(NEW, kind="terms"),
    "means": lambda fit: fit.means("g"),
    "contrasts": lambda fit: fit.contrasts("g"),
    "test": lambda fit: fit.test("x = 0"),
    "ratio test": lambda fit: fit.test("x = 0", kind="lr"),
    "score test": lambda fit: fit.test("x = 0", kind="score"),
    "add1": lambda fit: fit.add1("g:x"),
    "simulate": lambda fit: fit.simulate(3, seed=4),
    "robust": lambda fit: fit.with_covariance("HC3").se,
    "observed": lambda fit: fit.with_covariance("observed").cov,
}  # fmt: skip
NEW = {"x": [0.3, -0.4], "g": ["a", "c"]}


def numbers(found):
    """Return every number in an answer, whatever it is made of."""
    if isinstance(found, str):
        try:
            return [float(found)]
        except ValueError:
            return []
    if found is None or isinstance(found, bool | np.bool_) or callable(found):
        return []
    if isinstance(found, dict):
        return [each for part in found.values() for each in numbers(part)]
    if isinstance(found, np.ndarray) and found.dtype.kind in "fiu":
        return found.astype(float).ravel().tolist()
    if isinstance(found, int | float | np.number):
        return [float(found)]
    if dataclasses.is_dataclass(found):
        names = [each.name for each in dataclasses.fields(found) if each.name not in ("fit", "problem")]
        return [each for name in names for each in numbers(getattr(found, name))]
    if hasattr(found, "to_dict") and not isinstance(found, type):
        return numbers(found.to_dict())
    return [each for part in found for each in numbers(part)] if hasattr(found, "__iter__") else []


@pytest.fixture(scope="module")
def twins():
    rng = np.random.default_rng(8)
    x, g = rng.normal(size=120), rng.choice(["a", "b", "c"], 120)
    y = (rng.random(120) < 1.0 / (1.0 + np.exp(-0.4 - 0.8 * x + 0.5 * (g == "b")))).astype(float)
    derived, member = SAME[0]
    assert (derived.statement.kind, member.name) == ("cumulant", "bernoulli")
    return tuple(em.glm("y ~ x + g", {"x": x, "g": g, "y": y}, family=each) for each in (derived, member))


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_bernoulli_derived_from_its_cumulant_answers_as_the_built_in_does(twins, question) -> None:
    mine, theirs = (numbers(QUESTIONS[question](fit)) for fit in twins)
    assert theirs
    assert_allclose(mine, theirs, rtol=1e-10, atol=1e-13)


def test_a_saved_bernoulli_derived_from_its_cumulant_comes_back_the_same(twins, tmp_path) -> None:
    for fit in twins:
        fit.save(tmp_path / "fit.json")
        back = em.load(tmp_path / "fit.json")
        assert back.family == fit.family
        for question in ("coef", "cov", "loglik", "mean", "linear predictor"):
            assert_allclose(numbers(QUESTIONS[question](back)), numbers(QUESTIONS[question](fit)), rtol=1e-14)


# --- end to end ---


@pytest.mark.parametrize(
    ("family", "link"),
    [(CUBIC, "log"), (CUBIC, None), (SECANT, None), (SECANT, "identity"), (SUM, None)],
    ids=repr,
)
def test_a_family_shipped_nowhere_fits_predicts_has_residuals_and_is_saved(family, link, tmp_path) -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(-0.5, 0.5, 300)
    noise = x + rng.normal(0, 0.3, 300)
    if family.mean.lower == 0.0:
        noise = rng.gamma(8.0, 1 / 8, 300) * np.exp(0.3 * x)
    fit = em.glm("y ~ x", {"x": x, "y": noise}, family=family, link=link)
    assert fit.converged
    mu = fit.predict()
    if fit.problem.unit.canonical:
        assert_allclose(np.sum(mu), np.sum(noise), rtol=1e-9)  # the score equation of the constant
    interval = fit.predict({"x": [0.1]}, interval="confidence")
    assert interval.lower[0] < interval.estimate[0] < interval.upper[0]
    for kind in ("response", "pearson", "deviance", "working", "studentised", "anscombe"):
        assert np.all(np.isfinite(fit.residuals(kind)))
    if family.has_density:
        assert np.isfinite(fit.loglik)
        assert abs(np.std(fit.residuals("quantile")) - 1.0) < 0.3
    else:
        with pytest.raises(em.NotAvailableError, match="not a distribution"):
            fit.residuals("quantile")
    fit.save(tmp_path / "fit.json")
    back = em.load(tmp_path / "fit.json")
    assert (back.family, back.link) == (fit.family, fit.link)
    assert_allclose(back.predict({"x": [0.1]}), fit.predict({"x": [0.1]}), rtol=1e-15)
    assert family.statement.text in str(fit.summary())


@whole
def test_the_kernel_runs_what_numpy_runs(unit) -> None:
    program = compiled(unit)
    if program is None:
        pytest.skip("no kernel here")
    y, eta = crossed(unit)
    moderate = (np.abs(eta) < 30.0) & (np.abs(y) < 1e4)
    y, eta = y[moderate], eta[moderate]
    with np.errstate(all="ignore"):
        plain = unit.bind(np)((y,), eta)
    for mine, theirs in zip(program.run((y, eta)), plain, strict=True):
        assert_allclose(mine, np.broadcast_to(theirs, eta.shape), rtol=1e-8, atol=1e-12)


def test_statements_of_one_family_are_not_links_of_another() -> None:
    other = CanonicalDerived(Statement("cumulant", "exp(theta)"))
    unit = Unit(CUBIC, other)  # a log link in all but name: the general formula serves
    log = Unit(CUBIC, every.Log())
    y, eta = np.array([0.5, 2.0]), np.array([0.1, 0.4])
    for mine, theirs in zip(evaluate(unit, y, eta), evaluate(log, y, eta), strict=True):
        assert_allclose(mine, theirs, rtol=1e-13)
