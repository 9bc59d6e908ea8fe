"""The Tweedie model with its power estimated by the profile of the likelihood.

May import: everything below `fit`.
Read next: `etamu.fit.power_walk` for one point of the profile, `etamu.fit.power_profile` for its curve.

At each power the coefficients are fitted and phi maximises the exact likelihood; the derivative of the
profile is then that of the likelihood with both held, by the envelope theorem, and its root is found by
secants inside a bracket. The bracket comes from a coarse curve, of a sample of the rows where there are many,
because the likelihood may have several maxima: responses on a lattice, such as whole numbers, give spikes
near power 1.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from functools import partial

import numpy as np

from etamu._base.errors import ConvergenceWarning, DataError, NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.types import Interval
from etamu.execute.threads import worthwhile
from etamu.fit.caller import user_level
from etamu.fit.estimate import conclude
from etamu.fit.power_profile import traced
from etamu.fit.power_walk import Spot, Walk, copies_of, free
from etamu.fit.problem import Problem
from etamu.fit.result import Fit
from etamu.fit.sample import drawn
from etamu.fit.shape import Shape
from etamu.fit.stage import Stage, prepare
from etamu.fit.theta import refuse_nothing

RANGE = Interval(1.01, 1.99, closed_lower=True, closed_upper=True)
"""Powers that are looked at."""
GRID = (1.01, 1.05, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 1.95, 1.99)
SPIKES = 1.15
"""Up to this power a maximum of a response on a lattice is taken for a spike, if there is another."""
SAMPLE = 20_000
"""Rows on which the coarse curve is drawn, at most."""
SETTLED = 1e-8
"""The step in the power, in its standard errors, that is no step any more."""
MOST = 60
APART = 0.03
"""How far from the estimate, in standard errors, the curvature is measured."""


@dataclass(frozen=True, slots=True, eq=False)
class Peak:
    """A maximum of the profile: the spot, the curvature (0 at an end of the range), whether it was found.

    spiked says that a response on a lattice gave a spike near power 1, at this spot or passed over.
    """

    spot: Spot
    curvature: float
    found: bool = True
    spiked: bool = False


def estimate_power(problem: Problem) -> Fit:
    """Fit a Tweedie model and its power by maximum likelihood.

    Raises
    ------
    DataError
        If no row counts, every response is 0, or every response equals its mean.
    NotAvailableError
        Under sampling weights, which make no likelihood of the rows.
    """
    refuse_nothing(problem, "the power")
    if problem.chunk.weights.sampling is not None:
        raise NotAvailableError(
            "the power is estimated by the likelihood of the rows, and sampling weights make none: give it, "
            "Tweedie(power=1.5)"
        )
    with worthwhile(problem.chunk.cells, problem.layout.width):
        stage = prepare(problem)
        walk = Walk(free(problem), stage)
        lattice = bool(np.all(stage.chunk.y[0] == np.floor(stage.chunk.y[0])))
        peak = search(walk, lattice=lattice)
        return _finished(walk, problem, peak)


def search(walk: Walk, *, lattice: bool) -> Peak:
    """Find the highest maximum of the profile: roughly on a sample of the rows, then on all of them."""
    sample = _sample(walk)
    curve = _bracket(walk if sample is None else sample, lattice=lattice)
    if sample is None:
        return replace(_peak(walk, curve.spot, curve.ends, curve.curvature), spiked=curve.spiked)
    rough = _peak(sample, curve.spot, curve.ends, curve.curvature, close=0.01)
    share = float(np.sum(copies_of(walk.stage.chunk)) / np.sum(copies_of(sample.stage.chunk)))
    near = walk.at(rough.spot.t, rough.spot)
    peak = _peak(walk, near, (RANGE.lower, RANGE.upper), rough.curvature * share)
    return replace(peak, spiked=curve.spiked)


def _sample(walk: Walk) -> Walk | None:
    """Draw some rows, where there are many."""
    stage = walk.stage
    if len(stage.chunk) <= 2 * SAMPLE:
        return None
    chunk = drawn(stage.chunk, max(SAMPLE, 100 * stage.coordinates.size)).chunk
    return Walk(walk.problem, Stage(chunk, stage.executor.over(chunk), stage.coordinates, stage.moments))


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The coarse curve's highest place, its neighbours' powers, a curvature there, and `Peak.spiked`."""

    spot: Spot
    ends: tuple[float, float]
    curvature: float
    spiked: bool


def _bracket(walk: Walk, *, lattice: bool) -> Curve:
    """Draw the coarse curve and look where it is highest."""
    middle = len(GRID) // 2
    spots = {middle: walk.at(GRID[middle], sloped=False)}
    for sign in (1, -1):
        near = spots[middle]
        for k in range(middle + sign, len(GRID) if sign > 0 else -1, sign):
            falling = k in {0, len(GRID) - 1} and spots[k - sign].loglik < spots[k - 2 * sign].loglik
            if falling and not lattice:
                break  # the ends are dear, and nothing rises towards them
            try:
                near = spots[k] = walk.at(GRID[k], near, sloped=False)
            except DataError:  # phi has no maximum so far out
                break
    tops = [
        k for k, spot in spots.items()
        if all(spot.loglik >= spots[other].loglik for other in (k - 1, k + 1) if other in spots)
    ]  # fmt: skip
    apart = [k for k in tops if GRID[k] > SPIKES]
    best = max((apart if lattice and apart else tops), key=lambda k: spots[k].loglik)
    low, high = max(best - 1, min(spots)), min(best + 1, max(spots))
    curvature = 0.0
    if low < best < high:
        slopes = [
            (spots[one].loglik - spots[other].loglik) / (GRID[one] - GRID[other])
            for one, other in ((best, low), (high, best))
        ]
        curvature = 2.0 * (slopes[0] - slopes[1]) / (GRID[high] - GRID[low])
    spiked = lattice and len(apart) < len(tops)
    return Curve(walk.at(GRID[best], spots[best]), (GRID[low], GRID[high]), curvature, spiked)


def _peak(
    walk: Walk, spot: Spot, bracket: tuple[float, float], curvature: float, close: float = SETTLED
) -> Peak:
    """Find the root of the profile's score by secants inside a bracket, from a spot and a curvature there."""
    low, high = bracket
    for _ in range(MOST):
        step = spot.gain / curvature if curvature > 0.0 else math.copysign(0.02, spot.gain)
        if curvature > 0.0 and abs(step) * math.sqrt(curvature) <= close:
            return Peak(spot, _curvature(walk, spot, curvature) if close == SETTLED else curvature)
        low, high = (spot.t, high) if spot.gain > 0.0 else (low, spot.t)
        if spot.t in {RANGE.lower, RANGE.upper} and (low == RANGE.upper or high == RANGE.lower):
            return Peak(spot, 0.0)
        t = spot.t + step
        if not low < t < high:
            edge = (high if step > 0.0 else low) in {RANGE.lower, RANGE.upper}
            t = (high if step > 0.0 else low) if edge else 0.5 * (low + high)
        if t == spot.t:
            # The bracket has closed on no root: where a fit did not converge, its score misleads.
            return Peak(spot, curvature, found=False)
        beyond = walk.at(t, spot)
        slope = (spot.gain - beyond.gain) / (beyond.t - spot.t)
        if slope > 0.0:
            curvature = slope
        spot = beyond
    return Peak(spot, curvature, found=False)


def _curvature(walk: Walk, spot: Spot, rough: float) -> float:
    """Measure how fast the profile's score falls at its root."""
    away = min(APART / math.sqrt(rough), spot.t - 1.0 - 0.005, 1.995 - spot.t)
    ahead, behind = walk.at(spot.t + away, spot), walk.at(spot.t - away, spot)
    return (behind.gain - ahead.gain) / (2.0 * away)


def _finished(walk: Walk, asked: Problem, peak: Peak) -> Fit:
    """Make the Fit at the maximum, and state the power."""
    spot, notes = peak.spot, []
    if peak.curvature == 0.0:
        notes.append(
            f"the likelihood of the power is highest at the end of the range, {spot.t:g}: "
            + ("Poisson or NegativeBinomial()" if spot.t < 1.5 else "Gamma(), or a power above 2,")
            + " may describe these responses better"
        )
    if not peak.found:
        notes.append("the maximum over the power was not found to full accuracy")
    if peak.spiked:
        notes.append(
            "every response is a whole number, and the likelihood of a Tweedie density then has spurious "
            "maxima near power 1: look at fit.shape.profile(), and consider a family of counts"
        )
    for note in notes:
        warnings.warn(note, ConvergenceWarning, stacklevel=user_level())
    problem = replace(asked, unit=walk.unit(spot.t), notes=(*asked.notes, *notes))
    error = 1.0 / math.sqrt(peak.curvature) if peak.curvature > 0.0 else math.nan
    tracing = partial(traced, problem, spot, error, (RANGE.lower, RANGE.upper))
    shape = Shape("power", spot.t, error, "tweedie", RANGE, tracing)
    fit = conclude(problem, walk.stage, spot.solution)
    return replace(fit, likelihood=replace(fit.likelihood, extra=fit.likelihood.extra + 1), shapes=(shape,))
