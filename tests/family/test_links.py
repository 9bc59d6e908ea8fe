"""Every link: right in both tails, its own inverse, verified by its own check, silent."""

from __future__ import annotations

import pickle

import mpmath as mp
import numpy as np
import pytest

from etamu._base.errors import LinkError
from etamu.family import links as every
from etamu.family.check import check_link
from etamu.family.links import CanonicalNegativeBinomial, Power, power_link
from tests.catalogue import ETA, LINKS
from tests.family import reference

EPS = 2.0**-52
ALL = (*LINKS, CanonicalNegativeBinomial(2.0), CanonicalNegativeBinomial(1e-3), Power(3.0))
each_link = pytest.mark.parametrize("link", ALL, ids=str)
ALLOWED = 8.0
"""In units of EPS |f| + what one rounding of eta moves f: exp(-exp(eta)) is known no better than eta is."""


@each_link
def test_mean_complement_and_derivatives_agree_with_arbitrary_precision(link):
    eta = np.array(ETA)
    eta = eta[link.domain.contains(eta)]
    got = link.inverse(np, eta)
    for column, eta_ in enumerate(eta.tolist()):
        with mp.workdps(400):
            exact = reference.inverse(link, mp.mpf(eta_))
            moved = reference.inverse(link, mp.mpf(eta_) * (1 + mp.mpf(EPS)))
            for name, numbers, truth, near in zip(exact._fields, got, exact, moved, strict=True):
                gap = abs(mp.mpf(float(numbers[column])) - truth)
                # 1 - mu of an unbounded mean is a subtraction: only probabilities need all its digits
                size = abs(truth) + (1 if name == "complement" and link.range.upper != 1.0 else 0)
                size += abs(exact.d1) if name == "d2" else 0
                assert gap <= ALLOWED * (mp.mpf(EPS) * size + abs(near - truth)) + 1e-307, (name, eta_)


@each_link
def test_link_undoes_inverse(link):
    eta = np.linspace(-4.0, 4.0, 33) if link.domain.whole else np.geomspace(1e-3, 50.0, 33)
    eta = eta if link.domain.contains(eta[0]) else -eta
    mean = link.inverse(np, eta)
    lost = EPS * (1.0 + np.abs(mean.mu)) / np.abs(mean.d1)
    assert np.all(np.abs(link.link(np, mean.mu, mean.complement) - eta) <= 16 * EPS * np.abs(eta) + 4 * lost)


@pytest.mark.parametrize("link", [each for each in LINKS if each.range.upper == 1.0], ids=str)
def test_link_of_a_tail_keeps_it_if_the_complement_is_given(link):
    for eta in (-30.0, -5.0, 2.0, 3.0, 30.0):
        mean = link.inverse(np, np.array([eta]))
        if mean.mu[0] > 1e-300 and mean.complement[0] > 1e-300:
            np.testing.assert_allclose(link.link(np, mean.mu, mean.complement), [eta], rtol=1e-13)


@each_link
def test_check_link_confirms_every_identity(link):
    report = check_link(link)
    assert link.name in repr(report)
    assert max(error for _, error in report.identities) < 1e-5


@each_link
def test_inverse_is_silent_for_every_finite_eta_of_the_domain_up_to_745(link):
    eta = np.concatenate([np.array([-745.0, -710.0, 710.0, 745.0]), np.array(ETA)])
    eta = eta[link.domain.contains(eta)]
    with np.errstate(all="raise", under="ignore"):
        mean = link.inverse(np, eta)
    assert not any(np.any(np.isnan(part)) for part in mean)


@each_link
def test_links_are_values(link):
    assert pickle.loads(pickle.dumps(link)) == link
    assert hash(link) == hash(pickle.loads(pickle.dumps(link)))
    with pytest.raises((AttributeError, TypeError)):
        link.name = "other"


@each_link
def test_inverse_leaves_its_argument_alone(link):
    eta = np.array([-0.5]) if link.domain.upper == 0.0 else np.array([0.5])
    eta.setflags(write=False)
    link.inverse(np, eta)


def test_probability_and_complement_add_to_one():
    eta = np.linspace(-50.0, 50.0, 501)
    for link in LINKS:
        if link.range.upper == 1.0:
            mean = link.inverse(np, eta)
            np.testing.assert_allclose(mean.mu + mean.complement, 1.0, rtol=4 * EPS)


@pytest.mark.parametrize("k", [0.0, np.nan, np.inf])
def test_power_needs_an_exponent_that_is_finite_and_not_zero(k):
    with pytest.raises(LinkError, match="use the link 'log'"):
        Power(k)


def test_power_link_prefers_the_usual_name():
    assert [power_link(k) for k in (1.0, 0.0, -1.0, -2.0, 0.5)] == [
        every.Identity(),
        every.Log(),
        every.Inverse(),
        every.InverseSquared(),
        every.Sqrt(),
    ]
    assert power_link(0.25) == Power(0.25)


@pytest.mark.parametrize(
    ("k", "named"), [(-1.0, every.Inverse()), (-2.0, every.InverseSquared()), (0.5, every.Sqrt())], ids=str
)
def test_power_of_a_named_link_is_that_link(k, named):
    eta = np.geomspace(0.01, 100.0, 21)
    for mine, theirs in zip(Power(k).inverse(np, eta), named.inverse(np, eta), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-13, atol=1e-13)
