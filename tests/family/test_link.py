"""What a link is: the defaults of the abstract class, and what every link must keep to be one."""

from __future__ import annotations

import dataclasses
import math

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.types import LINE, AnyArray, Namespace
from etamu.family import links as every
from etamu.family.link import Link, Mean
from tests.catalogue import LINKS


@dataclasses.dataclass(frozen=True, slots=True)
class Sinh(Link):
    """The least a user writes: mu = sinh(eta)."""

    name = "arsinh"
    text = "asinh(mu)"

    def inverse(self, xp: Namespace, eta: AnyArray) -> Mean:
        return Mean(xp.sinh(eta), 1.0 - xp.sinh(eta), xp.cosh(eta), xp.sinh(eta))

    def link(self, xp: Namespace, mu: AnyArray, complement: AnyArray | None = None) -> AnyArray:
        return xp.asinh(mu)


def inside(link: Link) -> np.ndarray:
    """Return values of eta inside the domain whose means lie well inside the range."""
    eta = np.array([-2.3, -1.1, -0.4, 0.35, 0.9, 2.2])
    return eta[link.domain.contains(eta)]


def test_the_least_link_has_the_whole_line_and_claims_nothing() -> None:
    link = Sinh()
    assert (link.domain, link.range) == (LINE, LINE)
    assert link.exponent is None
    assert link.log_concave is False
    assert link.concordance == 0.0
    assert str(link) == "arsinh"


@pytest.mark.parametrize("left_out", ["name", "text", "inverse", "link"])
def test_a_link_without_a_part_cannot_be_made(left_out) -> None:
    parts = {each: Sinh.__dict__[each] for each in ("name", "text", "inverse", "link") if each != left_out}
    incomplete = type("Incomplete", (Link,), parts)
    with pytest.raises(TypeError, match=f"abstract.*'?{left_out}'?"):
        incomplete()


def test_a_link_is_a_frozen_value() -> None:
    assert every.Power(2.0) == every.Power(2.0) != every.Power(3.0)
    assert len({Sinh(), Sinh(), every.Log()}) == 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="k"):
        every.Power(2.0).k = 3.0


@pytest.mark.parametrize("link", [*LINKS, Sinh()], ids=repr)
def test_the_two_maps_undo_each_other(link) -> None:
    eta = inside(link)
    mean = link.inverse(np, eta)
    assert_allclose(link.link(np, mean.mu, mean.complement), eta, rtol=1e-12)
    assert_allclose(link.link(np, mean.mu), eta, rtol=1e-11)
    assert np.all(link.range.contains(mean.mu))


@pytest.mark.parametrize("link", [*LINKS, Sinh()], ids=repr)
def test_the_derivatives_are_those_of_the_map_and_the_complement_is_the_rest(link) -> None:
    """Central differences; Richardson's step from 1e-3 and 2e-3 leaves errors of the fourth order."""
    eta = inside(link)
    mean = link.inverse(np, eta)

    def difference(part: int, step: float) -> np.ndarray:
        return (link.inverse(np, eta + step)[part] - link.inverse(np, eta - step)[part]) / (2.0 * step)

    for part, found in ((0, mean.d1), (2, mean.d2)):
        slope = (4.0 * difference(part, 1e-3) - difference(part, 2e-3)) / 3.0
        assert_allclose(found, slope, rtol=1e-7, atol=1e-8)
    assert_allclose(mean.mu + mean.complement, 1.0, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("link", [*LINKS, Sinh()], ids=repr)
def test_the_map_is_strictly_monotone(link) -> None:
    eta = np.linspace(-3.0, 3.0, 121)
    eta = eta[link.domain.contains(eta)]
    mean = link.inverse(np, eta)
    assert len(set(np.sign(np.diff(mean.mu)))) == 1
    assert np.all(np.sign(mean.d1[1:]) == np.sign(np.diff(mean.mu))) or link.domain != LINE


@pytest.mark.parametrize("link", LINKS, ids=repr)
def test_the_exponent_is_the_power_the_link_is(link) -> None:
    """g(mu) proportional to mu^k means g(2 mu) / g(mu) = 2^k; the logarithm adds log 2 instead."""
    mu = np.array([0.1, 0.2, 0.45])
    first, second = link.link(np, mu), link.link(np, 2.0 * mu)
    if link.exponent is None:
        assert np.ptp(second / first) > 1e-3
        assert np.ptp(second - first) > 1e-3
    elif link.exponent == 0.0:
        assert_allclose(second - first, math.log(2.0), rtol=1e-13)
    else:
        assert_allclose(second / first, 2.0**link.exponent, rtol=1e-13)


@pytest.mark.parametrize("link", [each for each in LINKS if each.log_concave], ids=repr)
def test_log_concave_links_are_concave_in_both_logarithms(link) -> None:
    eta = np.linspace(-6.0, 2.5, 200)
    mean = link.inverse(np, eta)
    for part in (np.log(mean.mu), np.log(mean.complement)):
        assert np.all(np.diff(part, 2) <= 1e-12)


def test_cauchit_does_not_claim_to_be_log_concave() -> None:
    mean = every.Cauchit().inverse(np, np.linspace(-9.0, -3.0, 50))
    assert np.any(np.diff(np.log(mean.mu), 2) > 1e-6)
    assert not every.Cauchit().log_concave
    assert any(each.log_concave for each in LINKS)


@pytest.mark.parametrize(
    ("link", "complement"),
    [
        (every.Logit(), lambda t: 1 / (1 + mp.exp(t))),
        (every.Probit(), lambda t: mp.erfc(t / mp.sqrt(2)) / 2),
        (every.Cauchit(), lambda t: mp.atan2(1, t) / mp.pi),
    ],
    ids=["logit", "probit", "cauchit"],
)
def test_the_complement_keeps_the_tail_that_one_minus_mu_loses(link, complement) -> None:
    eta = np.array([8.5, 20.0, 30.0])
    mean = link.inverse(np, eta)
    with mp.workdps(40):
        expected = [float(complement(mp.mpf(each))) for each in eta]
    assert_allclose(mean.complement, expected, rtol=1e-13)
    assert_allclose(link.link(np, mean.mu, mean.complement), eta, rtol=1e-13)
