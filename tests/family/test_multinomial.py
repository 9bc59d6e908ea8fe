"""The softmax against 50 digits, and what the multinomial family promises beside it."""

from __future__ import annotations

import itertools

import mpmath
import numpy as np
import pytest

import etamu as em
from etamu.family.multinomial import softmax

GRID = (-700.0, -40.0, -37.0, -1.0, 0.0, 0.3, 5.0, 37.0, 40.0, 700.0)


def exact(scores):
    with mpmath.workdps(50):
        weights = [mpmath.e ** mpmath.mpf(z) for z in scores]
        total = mpmath.fsum(weights)
        rest = [mpmath.fsum(weights[:c] + weights[c + 1 :]) / total for c in range(len(weights))]
        p = [w / total for w in weights]
        logs = [mpmath.log1p(-r) if r < 0.5 else mpmath.log(q) for q, r in zip(p, rest, strict=True)]
        return tuple([float(x) for x in each] for each in (p, logs, rest))


def test_probabilities_logarithms_and_complements_keep_their_digits():
    scores = np.array([(0.0, *pair) for pair in itertools.product(GRID, GRID)])
    ours = softmax(np, scores)
    theirs = [np.array(each) for each in zip(*map(exact, scores), strict=True)]
    for mine, true in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(mine, true, rtol=1e-14, atol=1e-307)


def test_information_of_a_nearly_certain_class_is_not_zero():
    family = em.Multinomial().among(("a", "b", "c"))
    _, score, information = family.bind(np)((np.array([1.0]),), np.array([[40.0, 0.0]]))
    trace = 2.0 * np.exp(-40.0)
    np.testing.assert_allclose(score[0, 0], trace, rtol=1e-14)
    np.testing.assert_allclose(information[0, 0, 0], trace, rtol=1e-14)


@pytest.mark.parametrize("counted", [False, True], ids=["classes", "counts"])
def test_its_information_in_parts_is_the_one_written_out(counted):
    rng = np.random.default_rng(2)
    family = em.Multinomial().among(tuple("abcdef"), counted=counted)
    eta = rng.normal(size=(30, 5)) * 20.0
    y = tuple(rng.poisson(2.0, (6, 30)).astype(float)) if counted else (rng.integers(0, 6, 30).astype(float),)
    value, score, information = family.bind(np)(y, eta)
    ours, slope, parts = family.bind_in_parts(np)(y, eta)
    np.testing.assert_array_equal(ours, value)
    np.testing.assert_array_equal(slope, score)
    outer = -parts.factor[:, :, None] * parts.factor[:, None, :]
    whole = np.where(np.eye(5, dtype=bool), parts.diagonal[:, :, None], outer)
    np.testing.assert_allclose(whole, information, rtol=1e-14, atol=1e-300)


def test_its_loss_is_softmax_cross_entropy():
    rng = np.random.default_rng(0)
    z, y = rng.normal(size=(50, 4)), rng.integers(0, 4, 50)
    value, gradient, hessian = em.loss(em.Multinomial())(
        y.astype(float), z[:, 1:] - z[:, :1], 2.0 * np.ones(50)
    )
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(value, -2.0 * np.log(p[np.arange(50), y]), rtol=1e-13)
    np.testing.assert_allclose(gradient, 2.0 * (p - np.eye(4)[y])[:, 1:], atol=1e-13)
    shape = p[:, 1:, None] * (np.eye(3) - p[:, None, 1:])
    np.testing.assert_allclose(hessian, 2.0 * shape, atol=1e-13)


def test_its_loss_of_two_classes_is_binary_cross_entropy():
    eta, y = np.array([-40.0, -1.0, 0.0, 3.0, 700.0]), np.array([1.0, 0.0, 1.0, 1.0, 0.0])
    ours = em.loss("multinomial")(y, eta[:, None])
    theirs = em.loss("bernoulli", "logit")(y, eta)
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.squeeze(one), other, rtol=1e-14)


@pytest.mark.parametrize("levels", [(), ("only",)])
def test_one_class_is_refused(levels):
    with pytest.raises(em.OptionError, match="two classes or more"):
        em.Multinomial().among(levels)


def test_a_reference_that_is_no_class_is_refused():
    with pytest.raises(em.OptionError, match=r"'z' is no class.*'a', 'b'"):
        em.Multinomial(reference="z").among(("a", "b"))
