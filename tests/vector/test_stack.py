"""Coordinates end to end: the same maps by matrices, and a shift that others carry."""

from __future__ import annotations

import numpy as np
import pytest

from etamu.design.coordinates import Coordinates
from etamu.design.layout import plain_layout
from etamu.vector.stack import Stack

SHIFT = np.array([0.0, 5.0, -3.0])
SCALE = np.array([1.0, 2.0, 4.0])


def threshold():
    return Coordinates(plain_layout(("Intercept",), intercept=0), np.arange(1), np.zeros(1), np.ones(1))


def location():
    layout = plain_layout(("Intercept", "x", "z"), intercept=0)
    return Coordinates(layout, np.array([1, 2]), SHIFT, SCALE)


def stacks():
    whole = Coordinates(plain_layout(("Intercept", "x", "z"), intercept=0), np.arange(3), SHIFT, SCALE)
    lost = whole.without(np.array([False, False, True]))
    names = tuple(f"{level}:{name}" for level in "ab" for name in ("Intercept", "x", "z"))
    ordinal = Stack(
        (threshold(), threshold(), location()), ("1|2", "2|3", "x", "z"), np.array([0, 1, 3, 4]), 2
    )
    return [
        Stack((whole, whole), names, np.arange(6)),
        Stack((whole, lost), names, np.arange(6)),
        ordinal,
    ]


every = pytest.mark.parametrize("stack", stacks(), ids=["two", "aliased", "anchored"])


@every
def test_reported_coefficients_come_back(stack):
    beta = np.random.default_rng(0).normal(size=stack.size)
    np.testing.assert_allclose(stack.working(stack.reported(beta)), beta, rtol=1e-13)
    assert np.isnan(stack.reported(beta)).tolist() == (~stack.free).tolist()
    assert stack.size == sum(stack.free) == stack.width - len(stack.aliased)


@every
def test_hypotheses_say_the_same_of_both(stack):
    rng = np.random.default_rng(1)
    beta, rows = rng.normal(size=stack.size), rng.normal(size=(5, stack.width)) * stack.free
    reported = np.nan_to_num(stack.reported(beta))
    np.testing.assert_allclose(stack.hypothesis(rows) @ beta, rows @ reported, rtol=1e-12)


@every
def test_scores_and_information_are_transposes_of_the_map(stack):
    rng = np.random.default_rng(2)
    expand = stack.raw(np.eye(stack.size))
    raw = rng.normal(size=len(expand))
    np.testing.assert_allclose(stack.gathered(raw), expand.T @ raw, rtol=1e-13, atol=1e-13)
    matrix = rng.normal(size=(len(expand), len(expand)))
    symmetric = matrix + matrix.T
    np.testing.assert_allclose(stack.gram(symmetric), expand.T @ symmetric @ expand, rtol=1e-12, atol=1e-12)
    working = stack.gram(symmetric)
    np.testing.assert_allclose(stack.raw_matrix(working), expand @ working @ expand.T, rtol=1e-12, atol=1e-12)


def test_the_shift_of_the_location_is_carried_by_the_thresholds():
    stack = stacks()[2]
    alpha, beta = np.array([-1.0, 2.0]), np.array([0.5, -0.25])
    reported = np.append(alpha, beta)
    row = np.array([7.0, 11.0])
    working = stack.working(reported)
    placed = (row - SHIFT[1:]) / SCALE[1:]
    np.testing.assert_allclose(working[:2] - placed @ working[2:], alpha - row @ beta, rtol=1e-13)
