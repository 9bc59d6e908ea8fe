"""Columns as they came hold the same model as shifted ones, and are asked for where digits are at stake."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu.fit.stage import likelihood_of, prepare
from etamu.fit.unshifted import blurred, unshifted

DATA = {"x": [2020.0, 2010.0, 1991.0, 2001.0], "y": [1.0, 4.0, 2.0, 2.5]}


def test_columns_as_they_came_hold_the_same_model() -> None:
    fit = em.glm("y ~ x", DATA, family="gamma", link="log")
    stage = prepare(fit.problem)
    plain = unshifted(fit.problem, stage)
    assert not plain.coordinates.raw_shift.any()
    assert stage.coordinates.raw_shift.any()
    there = plain.coordinates.working(stage.coordinates.reported(fit.beta))
    values = [likelihood_of(fit.problem, at) for at in (stage, plain)]
    found = [
        float(o.along(b, b * 0.0, np.zeros(1))[0]) for o, b in zip(values, (fit.beta, there), strict=True)
    ]
    assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_an_ordinary_fit_is_not_asked_for_them() -> None:
    fit = em.glm("y ~ x", DATA, family="gamma", link="log")
    assert not blurred(prepare(fit.problem), fit.solution)
