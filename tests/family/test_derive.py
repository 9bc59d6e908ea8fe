"""The door: what is derived is verified first, and what is no family is refused with the reason."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import etamu as em
from etamu.family.derived import CanonicalDerived
from etamu.family.statement import Statement

pytest.importorskip("sympy")

BAD = {
    "cumulant": {
        "theta**4": "not strictly convex: b'' is 0 at theta = 0",
        "exp(theta)/0": "divides by zero",
        "theta**3": r"not convex: b'' changes its sign at theta = 0",
        "-theta**2": "not convex: b'' is not positive at theta = 0",
        "sin(theta)": "not convex",
        "2*theta": "is linear: nothing would vary",
        "log(cosh(theta))": r"has means in \(-1, 1\).*use \(y \+ 1\) / 2 as the response",
        "5*log(1 + exp(theta))": r"has means in \(0, 5\).*use y / 5 as",
        "log(1 + exp(theta) + exp(2*theta) + exp(5*theta))": r"has means in \(0, 5\).*use y / 5 as",
        "exp(x)": "uses 'x', which is not allowed: it may use theta",
        "exp(theta": "cannot be read",
        "gamma(theta)": r"uses 'gamma\(theta\)', which is not allowed",
    },
    "variance": {
        "-mu": "is not positive at mu = 0.5",
        "mu - 2": "is not positive at mu = 0.5; if means live elsewhere, state their interval",
        "theta": "uses 'theta', which is not allowed: it may use mu",
        "mu - mu**2 + 1": "has means in",
        "2 + sin(mu)": "V turns too often or has no digits",
        "mu*log(1 + mu)": "grow more slowly than a logarithm",
        "mu**2*log(1 + 1/mu)": "V is neither a power nor an exponential of mu",
        "1e-200*mu": "no number of a reasonable size.*a factor of a variance may be left out, for phi",
        "(1 + mu)**64": r"has means in \(-1, inf\)",
        "mu**1e10": "too high a power",
        "mu*(1 - mu)*(0.5 - mu)**2": "is not positive at mu = 0.5",
    },
}
INJECTED = (
    "__import__('os').system('true')",
    "mu.__class__",
    "(lambda: mu)()",
    "[x for x in (1,)]",
    "open('x')",
    "mu if mu else 1",
    "exp(mu, 2)",
    "f'{mu}'",
    "mu[0]",
    "(a := mu)",
    "'mu'",
    "True",
    "mu @ mu",
    "9**9**9**9 * mu",
    "((mu + 1)**60)**60",
    "exp(exp(exp(mu)))",
    "mu + " * 200 + "mu",
    "(" * 60 + "mu" + ")" * 60 + "**" * 0 + " + 1" * 60,
)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in BAD.items() for text in texts])
def test_what_is_no_family_is_refused_with_the_reason(kind, text) -> None:
    with pytest.raises(em.FamilyError, match=BAD[kind][text]):
        em.derive(**{kind: text})


@pytest.mark.parametrize(
    ("given", "theta", "mean"),
    [
        ({"cumulant": "exp(1000*theta)"}, 0.002, 1000.0 * np.exp(2.0)),
        ({"variance": "mu**60"}, -(0.9**-59.0) / 59.0, 0.9),
        ({"variance": "mu**64"}, -(1.1**-63.0) / 63.0, 1.1),
        ({"variance": "mu**1.01"}, None, 2.0),
        ({"variance": "mu*(1 + 1e-12*mu)"}, np.log(2e-12), 2.0),
        ({"variance": "mu*(1 + mu)**20"}, None, 2.0),
    ],
    ids=str,
)
def test_steep_statements_that_mean_something_are_families(given, theta, mean) -> None:
    family = em.derive(**given)
    own = family.natural(np, np.array([mean]), np.array([1.0 - mean]))
    if theta is not None:
        np.testing.assert_allclose(own, theta, rtol=1e-12)
    back = family.canonical.inverse(np, family.canonical.link(np, np.array([mean]))).mu
    np.testing.assert_allclose(back, mean, rtol=1e-7)


def test_a_cumulant_whose_digits_cancel_far_out_is_a_family_of_proportions() -> None:
    family = em.derive(cumulant="log(1 + exp(theta) + exp(2*theta) + exp(5*theta))/5", quasi=True)
    assert repr(family.support) == "numbers in [0, 1]"
    theta = np.array([-300.0, -1.0, 0.0, 2.0, 90.0])
    mean = family.canonical.inverse(np, theta)
    e = np.exp(-np.abs(theta))
    small = (e + 2.0 * e**2 + 5.0 * e**5) / (1.0 + e + e**2 + e**5) / 5.0
    rest = (3.0 * e**3 + 4.0 * e**4 + 5.0 * e**5) / (1.0 + e**3 + e**4 + e**5) / 5.0
    np.testing.assert_allclose(
        np.minimum(mean.mu, mean.complement)[[0, 1, 3, 4]],
        np.where(theta < 0.0, small, rest)[[0, 1, 3, 4]],
        rtol=1e-13,
    )


@pytest.mark.parametrize("text", INJECTED)
def test_a_formula_is_read_and_never_run(text) -> None:
    with pytest.raises(em.FamilyError, match="formula"):
        em.derive(variance=text)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "cumulant= or from variance=, one of the two"),
        ({"cumulant": "exp(theta)", "variance": "mu"}, "one of the two"),
        ({"cumulant": "exp(theta)", "mean": (0, 1)}, "mean= goes with variance="),
        ({"variance": "mu", "theta": (0, 1)}, "theta= goes with cumulant="),
        ({"variance": "mu", "mean": (1, 0)}, "the lower end first"),
        ({"variance": "mu", "mean": 3}, r"it is \(lower, upper\)"),
        ({"variance": 3.0}, "as text, not from 3.0"),
        ({"variance": "mu*(1 - mu)", "mean": (0, float("inf"))}, "a variance is positive at every mean"),
        ({"cumulant": "theta**3", "theta": (-1, 1)}, "is not convex: b'' is -"),
    ],
    ids=str,
)
def test_a_statement_is_one_formula_and_its_interval(given, words) -> None:
    with pytest.raises(em.FamilyError, match=words):
        em.derive(**given)


def test_an_interval_may_be_stated() -> None:
    half = em.derive(cumulant="theta**3", theta=(0, float("inf")))
    assert (half.mean.lower, half.mean.upper) == (0.0, float("inf"))
    negative = em.derive(variance="mu**2", mean=(float("-inf"), 0))
    assert repr(negative.support) == "numbers in (-inf, 0)"


def test_a_link_may_be_stated_by_name_or_value() -> None:
    assert em.derive(variance="mu**2 * (1 + mu)", link="log").default_link.name == "log"
    power = em.Power(0.5)
    family = em.derive(variance="mu**2 * (1 + mu)", link=power)
    assert family.default_link == power
    assert family.canonical == CanonicalDerived(Statement("variance", "mu**2 * (1 + mu)"))
    with pytest.raises(em.LinkError, match="unknown link"):
        em.derive(variance="mu", link="logg")


def test_a_response_off_the_support_is_named() -> None:
    with pytest.raises(em.DataError, match="needs positive numbers, but the response 'y' is 0 in row 2"):
        em.glm("y ~ 1", {"y": [1.0, 2.0, 0.0]}, family=em.derive(variance="mu**2 * (1 + mu)", link="log"))


def test_without_sympy_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "sympy", None)
    with pytest.raises(em.NotAvailableError, match=r"pip install 'etamu\[derive\]'"):
        em.derive(variance="mu + mu**4/7")
