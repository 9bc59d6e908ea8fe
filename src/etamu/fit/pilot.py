"""The pilot: the model fitted to a sample of the rows, so that the passes over all of them start close.

May import: everything below `fit`.
Read next: `etamu.fit.estimate`, which starts from it; `etamu.solve.pilot` for the steps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from etamu._base.errors import DataError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.family.unit import Unit
from etamu.fit.sample import Sampled
from etamu.fit.start import constant_eta, start
from etamu.objective.likelihood import Likelihood
from etamu.solve.factor import Metric
from etamu.solve.pilot import rough

FIRST = 8
"""The sample is fitted from a start that every eighth of its rows gives, if there are enough of those."""
ENOUGH = 10
"""Rows per column without which a sample says too little."""
STEADY = 200
"""Rows per column from which on the information in the sample may stand for that in all rows."""
CLOSE = 0.05
"""A sample is fitted to this share of the squared distance that sampling leaves anyway, p n / m."""


def size_of(n: int, columns: int, *, coded: bool = False) -> int:
    """Choose how many of n rows to draw: 400 per column, a fortieth at least and a quarter at most.

    Of coded columns a sixteenth: rows cost little there, and rare levels need them.

    Examples
    --------
    >>> size_of(1_600_000, 30), size_of(200_000, 100), size_of(30_000, 500)
    (40000, 40000, 7500)
    >>> size_of(1_600_000, 30, coded=True)
    100000
    """
    return min(n // 4, max(n // (16 if coded else 40), 2 * STEADY * columns))


@dataclass(frozen=True, slots=True, eq=False)
class Piloted:
    """Where the fit of a sample ended.

    Parameters
    ----------
    beta : array
    part : Likelihood, optional
        Of the sample, where that has rows enough to say what the sum over all rows does beyond its second
        derivative.
    """

    beta: Array
    part: Likelihood | None


def pilot(oracle: Likelihood, unit: Unit, sampled: Sampled) -> Piloted | None:
    """Fit a sample roughly; return where it ends, None where it is no help.

    A small ridge, one row's worth, keeps it finite where the sample separates. It starts from the constant
    alone, where there is one, and never goes down: what it finds is at least better than that.
    """
    if len(sampled.chunk) < ENOUGH * oracle.size:
        return None
    beta: Array | None = None
    if len(sampled.chunk) >= FIRST * ENOUGH * oracle.size:
        first = _fitted(oracle, unit, sampled.part(FIRST), None)
        beta = None if first is None else first[0]
    found = _fitted(oracle, unit, sampled, beta)
    if found is None:
        return None
    steady = len(sampled.chunk) >= STEADY * oracle.size
    return Piloted(found[0], _over(oracle, sampled) if steady else None)


def _over(oracle: Likelihood, sampled: Sampled) -> Likelihood:
    return replace(oracle, executor=oracle.executor.over(sampled.chunk), dear=False)


def _fitted(
    oracle: Likelihood, unit: Unit, sampled: Sampled, beta: Array | None
) -> tuple[Array, Metric] | None:
    few = _over(oracle, sampled)
    constant = oracle.coordinates.layout.constant
    eta = None if constant is None else constant_eta(unit, sampled.chunk)
    if beta is None and constant is not None and eta is not None:
        beta = oracle.coordinates.working(constant * eta)
    if beta is None:
        try:
            beta = start(few, unit, sampled.chunk)
        except DataError:
            return None
    strength = np.full(oracle.size, 1.0 / sampled.share)
    if constant is not None:
        strength[constant[oracle.coordinates.kept] != 0.0] = 0.0
    return rough(few, beta, strength, CLOSE * oracle.size / sampled.share)
