"""The negative binomial likelihood of coefficients and log alpha at once, alpha = 1/theta, as an oracle.

Newton's method on all of them takes the few passes that it takes where theta is known, each with one more for
the derivatives in alpha: the alternation of `etamu.fit.theta` fits the coefficients at every alpha. It serves
where it climbs from nearby; towards the Poisson limit log alpha runs away, and the alternation decides.

May import: everything below `fit`.
Read next: `etamu.fit.theta_climb`, whose points it ends at.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array, Want
from etamu.fit.overdispersion import Bend
from etamu.fit.stage import likelihood_of
from etamu.fit.theta_climb import Climb, Point
from etamu.objective.likelihood import Likelihood
from etamu.solve.newton import newton
from etamu.solve.oracle import Before, Local, Outcome, Solution
from etamu.solve.surrogate import surrogate

MOST = 12
"""Steps after which a climb from nearby has not been one."""
WIDEST = 300
"""So many coefficients at most: their information is written out as one matrix."""
BENT = Want.SCORE | Want.EXPECTED | Want.OBSERVED | Want.CURVATURE


@dataclass(frozen=True, slots=True, eq=False)
class Joint(Before):
    """The log-likelihood over (beta, log alpha), with the terms that alpha alone changes.

    Parameters
    ----------
    oracle : Likelihood
        Of the coefficients, at any alpha.
    climb : Climb
    """

    oracle: Likelihood
    climb: Climb

    @property
    def size(self) -> int:
        """Number of working coefficients, and one."""
        return self.oracle.size + 1

    @property
    def extent(self) -> Array:
        """As the coefficients', log alpha as if it were the coefficient of a constant."""
        return np.append(self.oracle.extent, 1.0)

    @property
    def breadth(self) -> float:
        """As the coefficients', and one."""
        return self.oracle.breadth + 1.0

    @property
    def groups(self) -> NDArray[np.intp] | None:
        """As the coefficients'; log alpha stands alone."""
        groups = self.oracle.groups
        return None if groups is None else np.append(groups, groups.max(initial=-1) + 1)

    def girth(self) -> float:
        """As the coefficients', and one."""
        return self.oracle.girth() + 1.0

    def longest(self, covariance: Array) -> float:
        """Bound the largest x' covariance x: (x, 0) and (0, 1) by themselves, twice their sum together."""
        wide = np.asarray(covariance)
        return 2.0 * (self.oracle.longest(wide[:-1, :-1]) + float(wide[-1, -1]))

    def at(self, beta: Array, want: Want) -> Local:
        """Evaluate at (beta, log alpha): one pass, and one more where a slope is wanted."""
        alpha = _alpha(beta)
        seen = self._over(alpha).at(beta[:-1], want)
        value = seen.value + self._apart(alpha)
        if not want & BENT or not math.isfinite(value):
            return replace(seen, value=value)
        bend = self.climb.look(alpha, beta[:-1])
        fall = -(alpha * alpha * bend.slope + alpha * bend.score)
        cross = -alpha * bend.cross
        score = None if seen.score is None else np.append(seen.score, alpha * bend.score)
        # Coefficients and theta are orthogonal: the expected information has nothing between them.
        return replace(
            seen,
            value=value,
            score=score,
            expected=_bordered(seen.expected, np.zeros_like(cross), fall),
            observed=_bordered(seen.observed, cross, fall),
        )

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        """Evaluate the value at beta + t step for every t; alpha differs, so each is a pass."""
        return np.array([self.at(beta + t * step, Want.VALUE).value for t in ts])

    def point(self, ended: Solution, passes: int) -> Point:
        """Return the end of a climb as the fit of the coefficients at its alpha, with the derivatives."""
        alpha, local, inner = _alpha(ended.beta), ended.local, slice(None, -1)
        assert local.score is not None
        assert local.observed is not None
        assert local.expected is not None
        gain = float(local.score[-1])
        slope = -(float(local.observed[-1, -1]) + gain) / (alpha * alpha)
        own = Local(
            local.value - self._apart(alpha),
            local.scale,
            local.score[inner],
            local.expected[inner, inner],
            local.observed[inner, inner],
            local.beside,
        )
        passes += 2 * ended.passes  # each with one more for alpha
        solution = Solution(ended.beta[inner], own, ended.outcome, ended.steps, passes)
        return Point(
            alpha, solution, Bend(gain / alpha, slope, -local.observed[inner, -1] / alpha), local.value
        )

    def _over(self, alpha: float) -> Likelihood:
        return replace(self.oracle, unit=self.climb.unit(alpha))

    def _apart(self, alpha: float) -> float:
        """Sum the part of the log-likelihood that the coefficients do not change, over the tally."""
        counts = self.climb.counts
        saturated = self.climb.unit(alpha).family.saturated((counts.y,), np.ones(len(counts.y)))
        return float(counts.number @ saturated)


def joint_of(climb: Climb) -> Joint:
    """State the joint likelihood of the rows of a climb."""
    return Joint(likelihood_of(climb.problem, climb.stage), climb)


def together(climb: Climb, alpha: float, beta: Array, passes: int, part: Climb | None) -> Point | None:
    """Climb in coefficients and log alpha at once, from nearby; None where passes cost little or it fails.

    Parameters
    ----------
    climb : Climb
    alpha : float
    beta : array
    passes : int
        Made so far.
    part : Climb, optional
        Of a sample of the rows, scaled to stand for all.
    """
    oracle, start = joint_of(climb), np.append(beta, math.log(alpha))
    usual = climb.problem.options.solver == "newton" and not climb.stage.doubtful
    if not (usual and oracle.dear) or oracle.restricted or oracle.size > WIDEST:
        return None
    if part is None:
        ended = newton(oracle, start, limit=MOST)
    else:
        ended = surrogate(oracle, start, joint_of(part), limit=MOST)
    return oracle.point(ended, passes) if ended.outcome is Outcome.CONVERGED else None


def _alpha(beta: Array) -> float:
    return math.exp(min(float(beta[-1]), 700.0))


def _bordered(matrix: Array | None, cross: Array, corner: float) -> Array | None:
    """Add a last row and column to a matrix."""
    if matrix is None:
        return None
    inner = np.asarray(matrix)
    return np.block([[inner, cross[:, None]], [cross[None, :], np.full((1, 1), corner)]])
