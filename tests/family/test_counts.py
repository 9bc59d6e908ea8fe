"""Count laws in natural coordinates: digits at large shapes, zeros cut off, draws of rare counts."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.family.counts import NegativeBinomialLaw, PoissonLaw, first_event
from etamu.family.saturated import poisson

LAW = NegativeBinomialLaw()


@pytest.mark.parametrize("log_theta", [-20.0, 0.0, 23.0, 40.0])
@pytest.mark.parametrize("y", [0.0, 3.0, 1e9, 1e15])
def test_differences_of_gamma_functions_keep_their_digits(y, log_theta):
    m = 1.0 if y < 10.0 else float(np.log(1.1 * y))
    rows, t = (np.array([y]),), (np.array([m]), np.array([log_theta]))
    value, score, information = LAW.kernel(np, "observed")(rows, t)
    with mp.workdps(120):
        mu, theta, h = mp.exp(m), mp.exp(log_theta), mp.mpf(10) ** -30

        def log_p(move=0):
            shape = theta * mp.exp(move * h)
            rise = mp.loggamma(y + shape) - mp.loggamma(shape) - mp.loggamma(mp.mpf(y) + 1)
            return rise - shape * mp.log1p(mu / shape) - y * mp.log1p(shape / mu)

        exact = log_p()
        slope = (log_p(1) - log_p(-1)) / (2 * h)
        bend = -(log_p(1) + log_p(-1) - 2 * exact) / h**2
    # m and log theta are rounded: y and the smaller of y and theta say what that moves
    floor = 1e-15 * (1.0 + min(y, np.exp(min(log_theta, 40.0))))
    assert abs(value[0] + poisson(rows[0])[0] - exact) <= 2e-13 * abs(exact) + floor
    assert abs(score[1][0] - slope) <= 1e-11 * abs(slope) + 20 * floor
    assert abs(information[1, 1][0] - bend) <= 1e-10 * abs(bend) + 40 * floor


def test_the_shape_has_nothing_to_say_where_it_is_infinite():
    y, m = np.array([0.0, 2.0, 30.0]), np.log([0.4, 3.0, 20.0])
    nb = LAW.kernel(np, "observed")((y,), (m, np.full(3, 700.0)))
    plain = PoissonLaw().kernel(np, "observed")((y,), (m,))
    assert_allclose(nb.value, plain.value, rtol=1e-12)
    assert_allclose(nb.score[0], plain.score[0], rtol=1e-12)
    assert_allclose(nb.information[0, 0], plain.information[0, 0], rtol=1e-12)
    assert not np.any(np.abs(nb.score[1]) > 1e-15)


def test_the_probability_of_zero_is_that_of_the_kernel():
    m, s = np.array([-30.0, 0.5, 6.0]), np.array([2.0, -1.0, 8.0])
    for law, t in ((PoissonLaw(), (m,)), (LAW, (m, s))):
        zero, at = law.nothing(np, t), law.kernel(np, "observed")((np.zeros(3),), t)
        assert_allclose(-zero.value, at.value, rtol=1e-13)
        for own, other in zip(zero.score, at.score, strict=True):
            assert_allclose(-own, other, rtol=1e-12)
        for key, entry in zero.information.items():
            assert_allclose(entry, at.information[key], rtol=1e-11, atol=1e-30)


def test_a_rare_count_that_is_positive_is_one_and_its_score_is_relatively_right():
    t = (np.array([-30.0]),)
    at = PoissonLaw().truncated(np, "observed")((np.ones(1),), t)
    mu = np.exp(-30.0)
    assert_allclose(at.score[0], -mu / 2.0, rtol=1e-12)
    assert_allclose(at.information[0, 0], mu / 2.0, rtol=1e-12)
    draws = PoissonLaw().sample_positive(np.random.default_rng(0), (np.full(1000, -30.0),))
    assert np.all(draws == 1.0)


def test_first_events_come_before_the_unit_of_time_ends():
    rate = np.repeat([1e-12, 0.5, 40.0], 2000)
    drawn = first_event(np.random.default_rng(0), rate)
    assert np.all((drawn >= 0.0) & (drawn <= rate))
    assert_allclose(np.mean(drawn[:2000] / rate[:2000]), 0.5, atol=0.03)
    assert_allclose(np.mean(drawn[4000:]), 1.0, atol=0.1)
