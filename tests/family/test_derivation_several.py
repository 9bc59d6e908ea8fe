"""Each printed formula of a family of several predictors is that of the family."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.family.derivation_several import LAWS
from tests.catalogue import LINKS as EVERY
from tests.catalogue import NATURAL, VECTORS

LINKS = {link.name: link for link in EVERY}
NAMES = {name: getattr(mp, name) for name in ("exp", "log", "loggamma")}
ETA = np.array([0.4, -0.3, 0.7])


def compute(text, values):
    return float(eval(text, {"__builtins__": {}}, NAMES | values))


def setting(family, eta):
    """The symbols of a law at a point, with Z and lambda of a Conway-Maxwell-Poisson law by hand."""
    law = LAWS[family.name]
    values = {
        law.symbols[each.name]: mp.mpf(float(each.link.inverse(np, np.float64(x)).mu))
        for each, x in zip(family.parameters, eta, strict=True)
    }
    if "nu" in values:
        nu, mu = values["nu"], values["mu"]
        terms = [mp.factorial(j) ** -nu for j in range(150)]
        off = lambda rate: sum((j - mu) * rate**j * w for j, w in enumerate(terms))  # noqa: E731
        values["lambda_"] = mp.findroot(off, mu**nu)
        values["Z"] = sum(values["lambda_"] ** j * w for j, w in enumerate(terms))
    return values


def eta_of(family):
    """A point of the family's domain, in which sqrt links are positive too."""
    return np.abs(ETA[: len(family.parameters)]) if "sqrt" in str(family) else ETA[: len(family.parameters)]


@pytest.mark.parametrize("family", NATURAL, ids=str)
@pytest.mark.parametrize("y", [0.0, 1.0, 4.0])
def test_the_printed_law_is_that_of_the_family(family, y):
    y = 0.1 + 0.2 * y if family.name == "beta" else y
    if not family.support.contains(np.array([y]))[0]:
        pytest.skip("not in the support")
    eta = eta_of(family)
    values = setting(family, eta) | {"y": mp.mpf(y), "m": mp.mpf(6.0)}
    lines = dict(LAWS[family.name].density)
    for name, left in (("p0", "p0 = f(0)"), ("v", "v"), ("M", "M")):
        if left in lines:
            values[name] = mp.mpf(compute(lines[left], values))
    logf = compute(lines.get("log f(y)", "0"), values)
    values["f"] = mp.exp(logf)
    left = "log P(Y = 0)" if y == 0.0 else "log P(Y = y > 0)"
    found = compute(lines.get(left, lines.get("log P(Y = y)", "log(f)")), values)
    rows = (np.array([y]), np.array([6.0])) if "trials" in family.response else (np.array([y]),)
    value = family.bind(np, "observed")(rows, eta[None, :])[0] + family.saturated(rows)
    assert_allclose(value, found, rtol=1e-9)


@pytest.mark.parametrize("family", NATURAL, ids=str)
def test_the_printed_moments_are_those_of_the_family(family):
    law, eta = LAWS[family.name], eta_of(family)
    trials = 6.0 if "trials" in family.response else 1.0
    values = setting(family, eta) | {"m": mp.mpf(trials)}
    lines = dict(law.density)
    for name, left in (("p0", "p0 = f(0)"), ("v", "v"), ("M", "M")):
        if left in lines:
            values[name] = mp.mpf(compute(lines[left], values))
    mean = compute(law.mean, values)
    assert_allclose(family.mean(np, eta[None, :]) * trials, mean, rtol=1e-9)
    if "sum over" in law.variance:
        return
    rows = (np.zeros(1), np.full(1, trials)) if trials > 1.0 else (np.zeros(1),)
    assert_allclose(
        family.variance_of(rows, eta[None, :]) * trials**2, compute(law.variance, values), rtol=1e-9
    )


def _tail(family, off):
    return LINKS[getattr(family.link, "name", family.link)].inverse(np, off).mu


def _cumulative(family, off):
    return np.diff(np.concatenate([[0.0], _tail(family, off), [1.0]]))


def _continued(family, off):
    hazard = _tail(family, off)
    return np.append(hazard, 1.0) * np.concatenate([[1.0], np.cumprod(1.0 - hazard)])


def _adjacent(family, off):
    del family
    p = np.exp(np.append(np.cumsum(off[::-1])[::-1], 0.0))
    return p / p.sum()


PROBABILITIES = {"cumulative": _cumulative, "continuation_ratio": _continued, "adjacent_category": _adjacent}


@pytest.mark.parametrize("family", [each for each in VECTORS if not each.counted], ids=str)
def test_the_printed_probabilities_of_classes_are_those_of_the_family(family):
    k = len(family.parameters)
    eta = np.array([-1.0, 0.2, 1.1, 0.3])[:k]
    steps = {step.title: step for step in family.derivation().steps}
    if family.name == "multinomial":
        assert "p_c = exp(eta_c)/(1 + sum of exp(eta_d))" in steps["Predictors"].lines[1]
        others = np.exp(eta) / (1.0 + np.exp(eta).sum())
        at = family.levels.index(family.reference) if family.reference else 0
        p = np.insert(others, at, 1.0 - others.sum())
    else:
        p = PROBABILITIES[family.name](family, eta[:-1] - eta[-1])
    assert_allclose(family.mean(np, eta[None, :])[0], p, rtol=1e-10)


def test_the_softmax_is_concave_as_printed():
    family = em.Multinomial().among(("a", "b", "c"), counted=True)
    y, eta = (np.array([1.0]), np.array([2.0]), np.array([4.0])), np.array([[0.3, -0.2]])
    p = family.mean(np, eta)[0][1:]
    for information in ("observed", "expected"):
        _, score, curvature = family.bind(np, information)(y, eta)
        assert_allclose(score[0], [2.0 - 7.0 * p[0], 4.0 - 7.0 * p[1]], rtol=1e-12)
        assert_allclose(curvature[0], 7.0 * (np.diag(p) - np.outer(p, p)), rtol=1e-12)


@pytest.mark.parametrize("family", [*NATURAL, *VECTORS, em.Tweedie(), em.NegativeBinomial()], ids=str)
def test_every_family_prints_its_steps(family):
    steps = family.derivation()
    assert len(steps.steps) >= 7
    assert "nan" not in str(steps)
    assert "\\[" in steps.latex
    assert "<li>" in steps._repr_html_()


def test_a_modelled_dispersion_has_steps():
    data = {"y": [1.0, 2.0, 3.0, 5.0, 4.0], "x": [1.0, 2.0, 3.0, 4.0, 5.0]}
    fit = em.glm("y ~ x", data, family="gamma", link="log", dispersion="~ 1")
    assert "phi*V(mu)" in str(fit.family.derivation())
