"""Every derived family with every link that gives it means: score, information and kernel say the same."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.errors import LinkError
from etamu.family.derived import CanonicalDerived
from etamu.family.program import compiled
from etamu.family.unit import Unit
from tests.catalogue import DERIVED, LINKS

pytest.importorskip("sympy")

MEANS = {(0.0, 1.0): (0.04, 0.3, 0.5, 0.81), (-np.inf, np.inf): (-2.3, -0.4, 0.7, 3.1)}
POSITIVE = (0.03, 0.4, 1.7, 12.0)
STEP = 3e-4


def admitted(family):
    """Return the units of a family: with theta, and with every link whose means it can have."""
    units = []
    for link in (CanonicalDerived(family.statement), *LINKS):
        try:
            units.append(Unit(family, link))
        except LinkError:
            continue
    return units


UNITS = tuple(unit for family in DERIVED for unit in admitted(family))


def rows(unit):
    """Return responses crossed with eta of some means that both the family and the link have."""
    ends = (unit.family.mean.lower, unit.family.mean.upper)
    mu = np.array(MEANS.get(ends, POSITIVE))
    some = mu[unit.link.range.contains(mu)]
    eta = np.asarray(unit.link.link(np, some, 1.0 - some))
    y, eta = np.meshgrid(mu * 1.1 if ends[1] != 1.0 else mu, eta[unit.domain.contains(eta)], indexing="ij")
    return (y.ravel(),), eta.ravel()


def differences(bound, domain, eta):
    """Return d value / d eta and d score / d eta by differences of the fourth order."""
    room = np.minimum(eta - domain.lower, domain.upper - eta)
    step = STEP * np.minimum(1.0 + np.abs(eta), room)
    near, far = ([bound(eta + side * by * step)[:2] for side in (1.0, -1.0)] for by in (1.0, 2.0))
    return [(8.0 * (near[0][k] - near[1][k]) - far[0][k] + far[1][k]) / (12.0 * step) for k in (0, 1)]


@pytest.mark.parametrize("unit", UNITS, ids=repr)
def test_score_information_and_kernel_agree(unit) -> None:
    y, eta = rows(unit)
    assert eta.size
    expected, observed = unit.bind(np, "expected"), unit.bind(np, "observed")
    value, score, fisher = expected(y, eta)
    bend, size = observed(y, eta)[2], np.sqrt(fisher)
    slope, fall = differences(lambda at: observed(y, at), unit.domain, eta)
    assert_allclose(slope / size, score / size, rtol=1e-6, atol=1e-6)
    assert_allclose(-fall / fisher, bend / fisher, rtol=1e-6, atol=1e-6)
    mean = unit.mean(np, eta)
    assert_allclose(fisher, mean.d1**2 / unit.variance(np, eta), rtol=1e-9)  # E(y - mu)^2 = V
    if unit.canonical:
        assert_allclose(bend, fisher, rtol=1e-12)
    at_mean = observed((mean.mu,), eta)  # observed information is affine in y: its mean is that at mu
    assert_allclose(at_mean[2], fisher, rtol=1e-7)
    assert_allclose(at_mean[1] / size, 0.0, atol=1e-7)
    program = compiled(unit)
    if program is not None:
        for mine, theirs in zip(program.run((*y, eta)), (value, score, fisher), strict=True):
            assert_allclose(mine, np.broadcast_to(theirs, eta.shape), rtol=1e-8, atol=1e-11)
