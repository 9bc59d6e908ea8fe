"""The inversion of a cumulant: closed densities of known laws, and of laws that are shipped nowhere."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import gammaln, loggamma

import etamu as em
from etamu.family import saturated
from etamu.family.contour import Inversion, lattice, law

pytest.importorskip("sympy")

AMOUNTS = np.array([1e-6, 1e-3, 0.1, 0.5, 1.0, 3.0, 20.0, 1e3, 1e6])
COUNTS = np.array([1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0, 400.0])
PHI = 0.5


def secant(y):
    """Generalised hyperbolic secant law (Morris 1982): |Gamma|^2 at theta = 0, tilted to mean y."""
    shape, theta = 1.0 / PHI, np.arctan(y)
    base = (shape - 2.0) * np.log(2.0) + np.log(shape) - np.log(np.pi) - gammaln(shape)
    base = base + 2.0 * loggamma(0.5 * shape * (1.0 + 1j * y)).real
    return base + shape * (y * theta + np.log(np.cos(theta)))


def abel(y):
    """Consul's generalised Poisson law, theta = lambda = y / (1 + y): mean y, variance y (1 + y)^2."""
    e = y / (1.0 + y)
    return np.log(e) + (y - 1.0) * np.log(e + y * e) - e - y * e - gammaln(y + 1.0)


def arcsine(y):
    """Strict arcsine law (Letac and Mora 1990): A(k + 2) = (k^2 + 1) A(k)."""
    logs = [0.0, 0.0]
    for k in range(int(y.max())):
        logs.append(np.log(k * k + 1.0) + logs[k])
    root = y / np.sqrt(1.0 + y * y)
    own = np.array([logs[int(k)] for k in y])
    return own - gammaln(y + 1.0) + y * np.log(root) - np.arcsin(root)


def takacs(y):
    """Inverse binomial law, V = mu (1 + mu)(1 + 2 mu): Catalan's triangle, p = (1 + y) / (1 + 2 y)."""
    p = (1.0 + y) / (1.0 + 2.0 * y)
    own = gammaln(2.0 * y + 1.0) - gammaln(y + 1.0) - gammaln(y + 2.0)
    return own + (y + 1.0) * np.log(p) + y * np.log1p(-p)


CASES = {
    "mu**2": (AMOUNTS, lambda y: saturated.gamma(y, PHI)),
    "mu**3": (AMOUNTS, lambda y: saturated.inverse_gaussian(y, PHI)),
    "1": (np.array([-5.0, 0.0, 1.0]), lambda y: saturated.gaussian(y, PHI)),
    "mu": (COUNTS, saturated.poisson),
    "mu + mu**2/2": (COUNTS, lambda y: saturated.negative_binomial(y, 1.0, 2.0)),
    "1 + mu**2": (np.array([-1e3, -10.0, -1.0, 0.0, 0.3, 5.0, 200.0]), secant),
    "mu*(1 + mu)**2": (COUNTS, abel),
    "mu*(1 + mu**2)": (COUNTS, arcsine),
    "mu*(1 + mu)*(1 + 2*mu)": (COUNTS, takacs),
}


@pytest.mark.parametrize("text", sorted(CASES))
def test_the_inversion_is_the_closed_density(text) -> None:
    y, truth = CASES[text]
    found = em.derive(variance=text, quasi=True).found
    functions = law(text)
    integer = lattice(functions, 1.0)
    assert integer == (y is COUNTS)
    value = Inversion(found, functions, integer).saturated(y, np.full_like(y, 1.0 if integer else PHI))
    assert_allclose(value, truth(y), rtol=0.0, atol=2e-10)


def test_an_even_law_is_known_by_its_variance() -> None:
    for text, even in (("1 + mu**2", True), ("1 + mu + mu**2", False), ("mu**2", False)):
        assert Inversion(em.derive(variance=text, quasi=True).found, law(text), integer=False).even == even


@pytest.mark.parametrize("phi", [0.37, 1.0, 2.5, 8.0])
def test_eleven_digits_are_left_of_an_inversion(phi) -> None:
    y = np.sinh(np.linspace(0.0, 5.0, 60))
    found = em.derive(variance="1 + mu**2", quasi=True).found
    value = Inversion(found, law("1 + mu**2"), integer=False).saturated(y, np.full_like(y, phi))
    # the generalised hyperbolic secant law again, with the log of |Gamma|^2 as its terms lose it far out
    shape, theta = 1.0 / phi, np.arctan(y)
    base = (shape - 2.0) * np.log(2.0) + np.log(shape) - np.log(np.pi) - gammaln(shape)
    truth = base + 2.0 * loggamma(0.5 * shape * (1.0 + 1j * y)).real
    truth = truth + shape * (y * theta + np.log(np.cos(theta)))
    assert_allclose(value, truth, rtol=0.0, atol=2e-11)


@pytest.mark.parametrize("phi", [0.02, 0.3, 4.0])
def test_every_dispersion_is_inverted(phi) -> None:
    found = em.derive(variance="mu**2", quasi=True).found
    value = Inversion(found, law("mu**2"), integer=False).saturated(AMOUNTS, np.full_like(AMOUNTS, phi))
    assert_allclose(value, saturated.gamma(AMOUNTS, phi), rtol=0.0, atol=2e-10)


@pytest.mark.parametrize(
    ("text", "is_one"), [("mu", True), ("2*mu", False), ("mu/2", False), ("mu**2", False)]
)
def test_a_lattice_is_seen_by_its_period(text, is_one) -> None:
    assert lattice(law(text), 1.0) == is_one
