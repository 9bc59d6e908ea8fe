"""Each printed step is checked: derivatives, inverses, laws and deviances by mpmath, the rest on units."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.family import families as own
from etamu.family.borrowed import Binomial, Quasi, QuasiBinomial, QuasiPoisson, Tweedie
from etamu.family.check import spread
from etamu.family.derivation import CATALOGUE, NOTHING, VARIABLES
from etamu.family.family import Borrowed
from etamu.family.formula import latex_of, read
from etamu.family.unit import Unit, general
from tests.catalogue import DERIVED, SAME

pytest.importorskip("sympy")

FAMILIES = (
    own.Gaussian(), own.Bernoulli(), own.Poisson(), own.Gamma(), own.InverseGaussian(),
    own.NegativeBinomial(theta=2.5), Tweedie(1.5), Tweedie(2.5), Tweedie(2.0), Quasi(-1.0), Quasi("mu^3"),
    Binomial(), QuasiBinomial(), QuasiPoisson(), *DERIVED, *(derived for derived, _ in SAME),
)  # fmt: skip
each = pytest.mark.parametrize("family", FAMILIES, ids=repr)
WORDS = ("exp", "log", "sqrt", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "pi", "loggamma")
NAMES = {name: getattr(mp, name) for name in WORDS}


def compute(text, **values):
    """Compute a formula with mpmath; log(0) times 0 is 0 at the ends of a support."""
    read_back = text if "loggamma" in text else _plain(text)
    return eval(read_back, {"__builtins__": {}}, NAMES | {k: mp.mpf(v) for k, v in values.items()})


def _plain(text):
    read(text, *VARIABLES)  # the small language of families
    return text


def points(family):
    mu = spread(family.mean)[4:-4:6]
    return mu[np.abs(mu) < 20.0]


def theta_of(family, mu):
    return float(family.natural(np, np.array([mu]), np.array([1.0 - mu]))[0])


@each
def test_mean_and_variance_are_the_derivatives_of_the_cumulant(family) -> None:
    formulas = dict(family.derivation().formulas)
    if "b" not in formulas:
        pytest.skip("the cumulant does not close")
    for mu in points(family):
        theta = theta_of(family, mu)
        with mp.workdps(40):
            b, first = (lambda t, name=name: compute(formulas[name], theta=t) for name in ("b", "mean"))
            assert_allclose(float(mp.diff(b, theta)), float(first(theta)), rtol=1e-12, atol=1e-14)
            assert_allclose(
                float(mp.diff(first, theta)), float(compute(formulas["second"], theta=theta)), rtol=1e-12
            )
            assert_allclose(float(first(theta)), mu, rtol=1e-10)


@each
def test_theta_and_the_variance_function_belong_to_the_mean(family) -> None:
    formulas = dict(family.derivation().formulas)
    for mu in points(family):
        if "natural" in formulas:
            with mp.workdps(30):
                slope = mp.diff(lambda m: compute(formulas["natural"], mu=m), mu)
                # dtheta / dmu = 1 / V
                assert_allclose(float(slope * compute(formulas["variance"], mu=mu)), 1.0, rtol=1e-12)
        if "variance" in formulas:
            v = family.variance(np, np.array([mu]), np.array([1.0 - mu]))[0]
            assert_allclose(float(compute(formulas["variance"], mu=mu)), v, rtol=1e-12)
        if {"natural", "mean"} <= set(formulas):
            theta = compute(formulas["natural"], mu=mu)
            assert_allclose(float(compute(formulas["mean"], theta=theta)), mu, rtol=1e-12)


@each
def test_the_printed_deviance_is_the_integral_and_the_number(family) -> None:
    formulas = dict(family.derivation().formulas)
    if "deviance" not in formulas:
        pytest.skip("the deviance does not close")
    mu = points(family)
    for y, m in zip(np.roll(mu, 1), mu, strict=True):
        stated = compute(formulas["deviance"], y=y, mu=m)
        with mp.workdps(20):
            area = 2 * mp.quad(lambda t, y=y: (y - t) / compute(formulas["variance"], mu=t), [m, y])
        assert_allclose(float(stated), float(area), rtol=1e-10)
        assert_allclose(
            float(stated),
            family.deviance(np, np.array([y]), np.array([m]), np.array([1.0 - m]))[0],
            rtol=1e-9,
        )


STATED = [f for f in FAMILIES if len(f.response) == 1 and "carrier" in dict(f.derivation().formulas)]


@pytest.mark.parametrize("family", STATED, ids=repr)
def test_the_printed_density_is_the_density(family) -> None:
    formulas = dict(family.derivation().formulas)
    phi = 1.0 if family.dispersion_known else 0.4
    for y in (1.0, 4.0) if family.mean.upper > 1.0 else (0.0, 1.0):
        for mu in (0.3, 0.8):
            theta = compute(formulas["natural"], mu=mu)
            stated = (y * theta - compute(formulas["b"], theta=theta)) / phi
            stated += compute(formulas["carrier"], y=y, phi=phi)
            arrays = np.array([y]), np.array([mu]), np.array([1.0 - mu])
            ours = family.saturated((arrays[0],), np.array([phi])) - family.deviance(np, *arrays) / (
                2.0 * phi
            )
            assert_allclose(float(stated), ours[0], rtol=1e-11, atol=1e-14)


@each
def test_the_canonical_link_is_theta_up_to_an_affine_map(family) -> None:
    mu = points(family)
    theta = np.array([theta_of(family, m) for m in mu])
    eta = np.asarray(family.canonical.link(np, mu, 1.0 - mu))
    slope, shift = np.polyfit(theta, eta, 1)
    assert_allclose(slope * theta + shift, eta, rtol=1e-8, atol=1e-8)


@each
def test_score_information_and_irls_are_what_is_printed(family) -> None:
    unit = Unit(family, family.default_link)
    mu = points(family)
    eta = np.asarray(unit.link.link(np, mu, 1.0 - mu), dtype=float)
    mean = unit.mean(np, eta)
    y = np.roll(mu, 1)
    v, dv = (part(np, mean.mu, mean.complement) for part in (family.variance, family.dvariance))
    _, score, expected = general(unit, np, "expected")(y, eta)
    assert_allclose(score, (y - mu) / v * mean.d1, rtol=1e-8)
    assert_allclose(expected, mean.d1**2 / v, rtol=1e-9)
    observed = general(unit, np, "observed")(y, eta)[2]
    if unit.canonical:
        # dmu/deta = V up to the factor of the affine map; what is free of y: observed = expected, concave
        ratio = mean.d1 / v
        assert_allclose(ratio, ratio[0], rtol=1e-8)
        np.testing.assert_array_equal(unit.bind(np, "observed")(_rows(family, y), eta)[2],
                                      unit.bind(np, "expected")(_rows(family, y), eta)[2])  # fmt: skip
        assert np.all(expected >= 0.0)
    else:
        assert_allclose(observed, expected - (y - mu) * (mean.d2 / v - dv * mean.d1**2 / v**2), rtol=1e-8)
    working = eta + (y - mu) / mean.d1
    assert_allclose(expected * (working - eta), score, rtol=1e-8)  # X'W z - X'W eta = U


def _rows(family, y):
    return (y,) if len(family.response) == 1 else (3.0 * y, np.full_like(y, 3.0))


def test_one_newton_step_from_the_maximum_stays_and_irls_gives_it_back() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=60)
    y = rng.poisson(np.exp(0.4 + 0.5 * x)).astype(float)
    fit = em.glm("y ~ x", {"x": x, "y": y}, family="poisson")
    X, eta = np.column_stack([np.ones(60), x]), fit.coef[0] + fit.coef[1] * x
    _, score, w = fit.problem.unit.bind(np)((y,), eta)
    step = np.linalg.solve(X.T @ (w[:, None] * X), X.T @ score)
    assert_allclose(step, 0.0, atol=1e-9)
    z = eta + (y - np.exp(eta)) / np.exp(eta)
    assert_allclose(np.linalg.solve(X.T @ (w[:, None] * X), X.T @ (w * z)), fit.coef, rtol=1e-9)


@each
def test_every_step_is_there_as_text_and_as_latex(family) -> None:
    steps = family.derivation()
    titles = [step.title for step in steps.steps]
    assert titles == [
        *("Exponential family", "Cumulant", "Mean", "Variance", "Canonical parameter", "Canonical link"),
        *("Any link", "Log-likelihood", "Score", "Information", "With the canonical link, eta = theta"),
        *("Newton's method", "IRLS (Fisher scoring)", "Deviance"),
    ]
    for title in titles:
        assert title in repr(steps)
    latex = steps.latex
    assert latex.count(r"\[") == latex.count(r"\]") == sum(len(step.latex) for step in steps.steps)
    assert latex.count("{") == latex.count("}")
    assert not any("**" in line for step in steps.steps for line in step.latex)
    assert steps._repr_html_().count("<li>") == len(titles)
    for name, text in steps.formulas:
        assert text in repr(steps), name


def test_what_does_not_close_says_so() -> None:
    text = repr(DERIVED[0].derivation())
    assert f"b(theta): {NOTHING}" in text
    assert "V(mu) = b''((b')^-1(mu)) = mu**2*(mu + 1)" in text


def test_a_family_of_the_users_own_borrows_the_formulas_of_its_kin() -> None:
    class Mine(Borrowed):
        __slots__ = ()
        name = "mine"
        kin = own.Poisson()
        has_density = False

    formulas = dict(Mine().derivation().formulas)
    assert formulas["b"] == "exp(theta)"
    assert "carrier" not in formulas


@pytest.mark.parametrize("name", CATALOGUE)
def test_formulas_of_the_catalogue_print_as_latex(name) -> None:
    for text in CATALOGUE[name][:-1]:
        assert latex_of(
            read(text.replace("p", "1.5").replace("sqrt", "log").replace("ex1.5", "exp"), *VARIABLES, "k")
        )
