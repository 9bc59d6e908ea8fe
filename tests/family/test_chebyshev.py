"""Polynomials in place of a function: right where they are believed, the function where they are not."""

from __future__ import annotations

import numpy as np
from numpy.testing import assert_allclose

from etamu.family.chebyshev import along_line
from etamu.family.conway import Moments, moments

CLOSE = np.full(2, 1e-13)


def counted(function):
    asked = []

    def wrapped(t):
        asked.append(len(t))
        return function(t)

    return wrapped, asked


def test_smooth_functions_are_asked_at_few_places():
    function, asked = counted(lambda t: np.stack([np.exp(t), np.log1p(np.exp(t))]))
    x = np.random.default_rng(0).normal(size=50_000)
    assert_allclose(along_line(function, x, CLOSE), function(x), rtol=1e-12)
    assert sum(asked[:-1]) < 1_000


def test_a_kink_is_found_and_computed_around():
    function, asked = counted(lambda t: np.stack([np.abs(t - 0.3), t]))
    x = np.linspace(-1.0, 1.0, 30_000)
    assert_allclose(along_line(function, x, CLOSE), function(x), atol=1e-12)
    assert sum(asked[:-1]) < 3_000


def test_few_places_are_computed_where_they_are():
    function, asked = counted(lambda t: np.stack([t, t * t]))
    x = np.array([3.0, -700.0, 3.0, 12.5])
    assert np.array_equal(along_line(function, x, CLOSE), function(x))
    assert asked[0] == 4


def test_moments_of_many_counts_are_those_of_each():
    rng = np.random.default_rng(1)
    for log_nu in (np.log(0.02), -0.4, 0.0, 0.9, np.log(12.0)):
        for centre in (0.5, 3.0, 5.5):
            m = rng.normal(centre, 0.4, 900)
            many = moments(np, m, np.full(900, log_nu))
            some = slice(0, 150)
            each = moments(np, m[some], np.full(150, log_nu))  # too few for polynomials
            for name, one, other in zip(Moments._fields, many, each, strict=True):
                loose = name in {"third", "second", "first"}
                size = float(np.max(np.abs(np.asarray(other, dtype=float))))
                assert_allclose(one[some], other, atol=(1e-8 if loose else 1e-11) * size, err_msg=name)
