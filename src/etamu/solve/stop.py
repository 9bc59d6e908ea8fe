"""The rule of convergence: what must hold on an exact pass before a point may be called the maximum.

May import: numpy, etamu._base, and in this room oracle, direction, factor, search.
Read next: `etamu.solve.loop`, which asks whether to look (`near`) and what was seen (`examine`).

With g the gradient, H the observed information, s the scale, lambda^2 = g'H^-1 g and
rho = max_i sqrt(x_i' H^-1 x_i), a point is the maximum if all of these hold on one exact pass:

1. lambda / sqrt(s) <= 1e-9: no coefficient is further than 1e-9 standard errors from its Newton step;
2. lambda^2 / s <= 1e-10;
3. H is positive definite;
4. c lambda rho <= 1e-7, where the third derivative is bounded by c times the second (c > 0): then the
   maximum exists, is unique, and H is right to 1e-7 (self-concordance: Bach 2010, Electron. J. Stat. 4).

In 1 and 2 the rounding floor counts as arrival: Newton steps on exact passes that no longer halve lambda.

Where c > 0 and passes are dear, one pass less does: if 2 to 4 hold, lambda / sqrt(s) <= 1e-5 and the bound
of what is left after this pass's Newton step, lambda (exp(c lambda rho) - 1), is within 1, the step is taken
and its end is the maximum. What was seen is carried there: the value gains lambda^2 / 2, H changes by 1e-7.
Where no c is known the step before has measured what c would bound: it left a share k of lambda, and as a
Newton step leaves a share that shrinks as lambda does, the next one leaves k^2 of it, not k (Deuflhard 2004,
Newton Methods for Nonlinear Problems, 2.1). The step is taken if k lambda, which is more by 1 / k, is
within 1, and 2 k^2, by which H changes along it, within 1e-7.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from etamu._base.arrow import ArrowFactor
from etamu._base.facts import dataclass, replace
from etamu._base.types import Array, Want
from etamu.solve.direction import FINAL, Direction, Point, in_metric
from etamu.solve.factor import Factor, cholesky, clear, lifted
from etamu.solve.oracle import Local, Oracle, Outcome, Step
from etamu.solve.search import ceiling, rounding

TOLERANCE = 1e-9
"""Largest distance from the maximum, in standard errors."""
DECREMENT = 1e-10
CERTAIN = 1e-7
"""Largest c*lambda*rho at a verified maximum."""
TAKEN = 1e-5
"""Largest Newton step, in standard errors, that is taken without looking at its end."""
GAINS = 0.1
"""A step that is predicted to leave no more than this share of its length is not yet one of rounding."""
AIM = 1e-8
"""Where there is no bound of lambda*rho yet, an exact pass is made no further than this from the maximum."""
LUCKY = 0.1
"""A part of a sum seldom errs by less than this share of what the sum does beyond its second derivative."""
UNTOLD = 1e-8
"""No contraction is trusted below this: rounding might show it."""
RUNAWAY = 0.1
"""c*lambda*rho above this at a small decrement: coefficients grow while the value hardly does."""
POLISH = 1e-6
"""Decrement below which an exact pass is followed by its Newton step, whatever the solver's own rule."""
ALIGNED = 0.9
"""Cosine, in the metric, above which two steps have one direction."""
LINEAR = 0.05
"""Share of the decrement that means linear convergence: Newton's step leaves ((k - 2)/(k - 1))^k of x^k."""
GROWS = 1.2
"""A decrement that grows by more than this along one direction grows because the curvature fades."""
BLOCKED = 1e-6
"""Share of the Newton step that the domain must leave, else its edge is what stops the search."""
JAMMED = 1e-3
"""The same where no step at all gains any more: less of an edge is needed to explain it."""


@dataclass(frozen=True, slots=True)
class Check:
    """What an exact pass showed: the verdict, or the Newton step that should come next.

    A converged verdict with a step means that the maximum is at the step's end.
    """

    decrement: float
    lambda_rho: float
    outcome: Outcome | None = None
    polish: Direction | None = None


def relative(decrement: float, scale: float) -> float:
    """Return decrement / scale; a scale that does not exist counts as 1, zero is small at any scale."""
    if decrement == 0:
        return 0.0
    if math.isnan(scale):
        return decrement
    return decrement / scale if scale > 0 else math.inf


def bound(direction: Direction, oracle: Oracle) -> float:
    """Return the free bound of lambda*rho: x' H^-1 x <= sum_jk e_j |H^-1|_jk e_k for every |x| <= e.

    It needs no pass, and is never larger than sum_j e_j^2 times the largest row sum of |H^-1|. Of the
    levels of a factor, of which a row has one, only the largest term counts. Where the largest x'x is known,
    that times a bound of the largest eigenvalue may be less.
    """
    if direction.covariance is None:
        return math.nan
    form = direction.largest_form(oracle.extent, oracle.groups)
    if math.isfinite(oracle.breadth):
        form = min(form, oracle.breadth * direction.norm)
    return math.sqrt(direction.slope * form)


MANY = 128
"""Beyond this many coordinates the free bound, which inverts H, is left to exact passes."""
LIMIT = 1024
"""Where passes are dear and the step before has shown how short the next one is, H is inverted up to so many:
that costs less than the pass it may save."""
SEVERAL = 64
"""Beyond this many it is left to steps that are near the maximum."""
AWAY = 1e-2
"""Decrement above which a step is not near it."""


def predicted(steps: list[Step], direction: Direction, lambda_rho: float, concordance: float) -> float:
    """Return a prediction of the H-norm of the error that remains after a full step.

    With the observed information and c > 0 it is lambda (exp(c lambda rho) - 1). Else it comes from the
    contraction kappa of the last steps, kappa/(1 - kappa) lambda, not trusted below 1e-8; if kappa itself
    falls superlinearly, the next kappa is extrapolated. Only a prediction: an exact pass verifies it.
    """
    size = math.sqrt(direction.slope)
    guess = math.inf
    if direction.information == "observed" and concordance > 0:
        guess = size * math.expm1(min(concordance * lambda_rho, 700.0))
    past = [math.sqrt(step.decrement) for step in steps[-2:] if step.information != "none"]
    sizes = [*past, size]
    ratios = [after / before if before > 0 else 0.0 for before, after in pairwise(sizes)]
    if ratios and (kappa := ratios[-1]) < 1:
        if direction.information == "surrogate":
            # What a surrogate leaves is a share of what Newton leaves, which goes with the square.
            kappa = kappa**2 if steps[-1].information == "surrogate" else kappa
        elif concordance == 0 and steps[-1].information == "surrogate":
            # So does what Newton leaves, of which a surrogate left the share by which its part errs.
            kappa = min(kappa, kappa**2 / LUCKY)
        elif direction.information == "kept":
            # A metric one step old leaves twice what Newton's own left, and as much again from then on.
            kappa *= 1.0 if steps[-1].information == "kept" else 2.0
        elif len(ratios) == 2 and kappa <= ratios[0] ** 1.5:
            kappa = kappa**1.5 if direction.information != "observed" else kappa**1.9
        guess = min(guess, _geometric(kappa) * size)
    return guess


def _geometric(contraction: float) -> float:
    """Return k + k^2 + ..., what steps that shorten by k each are together, as a share of the last."""
    contraction = max(contraction, UNTOLD)
    return contraction / (1 - contraction)


def _measured(contraction: float, size: float) -> float:
    """Bound what a Newton step leaves by the contraction before it; inf where that shows too little."""
    return _geometric(contraction) * size if 2 * contraction**2 <= CERTAIN else math.inf


def final(oracle: Oracle, direction: Direction) -> Want:
    """Return what the exact pass after a direction's step asks; of many columns, at wide angles, by 48 bits.

    Those are wrong by 1e-14 of the diagonal or so, doubles by 1e-15: where no pivot is small neither verdict
    nor step nor standard errors see it.
    """
    return FINAL | Want.WHOLE if oracle.size > MANY and clear(direction.metric) else FINAL


def near(oracle: Oracle, here: Point, direction: Direction, steps: list[Step], tolerance: float) -> bool:
    """Tell whether the rule may hold after this direction's step, so that the next pass should be exact."""
    decrement = relative(direction.slope, here.local.scale)
    small = direction.slope <= rounding(here)
    if direction.information == "none":
        return small or decrement <= 1e-8
    if not steps and oracle.concordance == 0 and direction.information != "surrogate":
        return True  # a quadratic ends after one step: then this saves a pass; one that is bent is none
    unit = math.sqrt(here.local.scale) if here.local.scale >= 0 else 1.0
    if not small and decrement > DECREMENT and isinstance(direction.metric, Factor):
        # x'H^-1 x >= x_j^2 / H_jj: what even that does not promise needs no inverse to be turned down.
        least = direction.least_reach(oracle.extent)
        if predicted(steps, direction, least, oracle.concordance) > max(TAKEN, tolerance) * unit:
            return False
    worth = oracle.size <= (LIMIT if oracle.dear else MANY)
    lambda_rho = bound(direction, oracle) if worth else math.inf
    error = predicted(steps, direction, lambda_rho, oracle.concordance)
    # Where passes are dear the step from there is taken unseen: then it is enough to arrive within its reach,
    # and while steps still gain, not worth an exact pass to arrive short of it.
    proving = oracle.dear and oracle.concordance > 0
    gains = proving and error <= GAINS * math.sqrt(direction.slope)
    if error <= tolerance * unit or ((small or decrement <= DECREMENT) and not gains):
        return True
    contraction = error / math.sqrt(direction.slope)
    return oracle.dear and _tells(oracle, lambda_rho, contraction, error, unit, tolerance)


def _tells(
    oracle: Oracle, lambda_rho: float, contraction: float, error: float, unit: float, tolerance: float
) -> bool:
    """Tell whether an exact pass so far from the maximum will show that its own step arrives.

    Of the step that leads there: lambda rho where it begins, the share of lambda it leaves, and that itself;
    `unit` is a standard error.
    """
    if oracle.concordance == 0:
        return error <= TAKEN * unit and _measured(contraction, error) <= tolerance * unit
    if lambda_rho == math.inf:
        return error <= AIM * unit
    return error <= TAKEN * unit and oracle.concordance * lambda_rho * contraction <= CERTAIN


def examine(
    oracle: Oracle,
    here: Point,
    checks: list[Check],
    tolerance: float,
    *,
    stuck: bool,
    steps: Sequence[Step] = (),
) -> Check:
    """Judge an exact pass. `stuck` says that the solver's own step from here found no better point."""
    factor = here.local.metric
    newton = None if factor is None else in_metric(here.score, factor, "observed", FINAL)
    if newton is None:
        return _without_maximum(oracle, here, stuck=stuck)
    decrement = relative(newton.slope, here.local.scale)
    check = Check(newton.slope, bound(newton, oracle))
    blocked = decrement > DECREMENT and _blocked(oracle, here, newton, stuck=stuck)
    # Stuck, and Newton's step leads to the edge: the maximum lies on it, or beyond.
    if blocked or (stuck and decrement > tolerance**2 and ceiling(oracle, here.beta, newton.step) < 1):
        return replace(check, outcome=Outcome.BOUNDARY)
    floor = _at_floor(here, newton.slope, checks, stuck=stuck)
    settled = decrement <= DECREMENT or floor
    # Where passes are dear, a first exact pass that proves too little is followed by its Newton step.
    if settled and oracle.concordance * check.lambda_rho > CERTAIN and (checks or not oracle.dear):
        check = replace(check, lambda_rho=_exact(oracle, newton))
    away = _runs_away(oracle.concordance, decrement, check, checks)
    if away or (settled and _marches(oracle, here, newton, checks)):
        return replace(check, outcome=Outcome.INFINITE)
    certain = oracle.concordance * check.lambda_rho <= CERTAIN
    near_enough = decrement <= tolerance**2 and not _crawls(oracle, here, newton, checks)
    if settled and certain and (near_enough or floor):
        return replace(check, outcome=Outcome.CONVERGED)
    short = settled and certain and oracle.dear and decrement <= TAKEN**2
    left = _leaves(oracle.concordance, newton, check, steps) if short else math.inf
    if relative(left**2, here.local.scale) <= tolerance**2:
        return replace(check, outcome=Outcome.CONVERGED, polish=newton)
    return _go_on(here, newton, check, decrement, tried=stuck and _polished(checks), stuck=stuck)


def _go_on(
    here: Point, newton: Direction, check: Check, decrement: float, *, tried: bool, stuck: bool
) -> Check:
    """Send the search on: by a Newton step from here, by the solver's own rule, or home if both failed."""
    if tried:
        return replace(check, outcome=Outcome.STALLED)
    if stuck or decrement <= POLISH or newton.slope <= rounding(here):
        return replace(check, polish=newton)
    return check


def remaining(local: Local) -> tuple[Array, float]:
    """Return the Newton step left at a point and its decrement; no step, and NaN, where there is none."""
    if local.score is None or local.metric is None:
        return np.zeros(()), math.nan
    with np.errstate(all="ignore"):
        step = local.metric.solve(local.score)
        return step, float(local.score @ step)


def measured(local: Local) -> bool:
    """Tell whether the step left at a maximum is seen to be short, not only explained by rounding."""
    return relative(abs(remaining(local)[1]), local.scale) <= TOLERANCE**2


def _leaves(concordance: float, newton: Direction, check: Check, steps: Sequence[Step]) -> float:
    """Bound what the Newton step from an exact pass leaves: as is proven, or as the step before has shown."""
    size = math.sqrt(newton.slope)
    if concordance > 0:
        return size * math.expm1(concordance * check.lambda_rho)
    last = steps[-1] if steps else None
    if last is None or last.information == "none" or last.length != 1.0 or not last.decrement > 0.0:
        return math.inf
    return _measured(size / math.sqrt(last.decrement), size)


def landed(here: Point, newton: Direction) -> Point:
    """Return the end of a step so short that what was seen where it began is carried there."""
    local, step = here.local, newton.step
    score = None if local.observed is None else here.score - local.observed @ step
    return Point(here.beta + step, local.carried(local.value + 0.5 * newton.slope, score))


def _polished(checks: list[Check]) -> bool:
    """Tell whether the last check sent the search on by a Newton step."""
    return bool(checks) and checks[-1].polish is not None


def _at_floor(here: Point, decrement: float, checks: list[Check], *, stuck: bool) -> bool:
    """Tell whether rounding, not the distance to the maximum, decides the size of the step.

    A Newton step that does not halve lambda (quarter the decrement) shows it: one where the decrement
    is small, two where it is only as small as the rounding of the value. Not so where lambda falls while
    steps keep their direction: rounding has none, and a maximum far away is approached like this.
    """
    small = relative(decrement, here.local.scale) <= DECREMENT
    if stuck:
        return small or decrement <= rounding(here)
    if _strides(here, decrement, checks):
        return False
    sizes = [check.decrement for check in checks[-2:] if check.polish is not None] + [decrement]
    same = sum(after > before / 4 for before, after in pairwise(sizes))
    return (small and same >= 1) or (same >= 2 and decrement <= rounding(here))


def _strides(here: Point, decrement: float, checks: list[Check]) -> bool:
    """Tell whether the last Newton step and the next one go the same way, the next one shorter, or longer."""
    last = checks[-1] if checks else None
    observed = here.local.observed
    if last is None or last.polish is None or observed is None or not decrement > 0.0:
        return False
    if last.decrement <= decrement <= GROWS * last.decrement:
        return False
    step = last.polish.step
    length = max(float(step @ (observed @ step)), 0.0)  # rounding may make the square of nothing negative
    return float(step @ here.score) > ALIGNED * math.sqrt(length * decrement)


def _marches(oracle: Oracle, here: Point, newton: Direction, checks: list[Check]) -> bool:
    """Tell whether Newton steps at a small decrement go on and on, each as long as the one before.

    Towards a maximum they shrink, quadratically where it is regular; towards infinity they stay as long as
    they were (an exponential tail) or grow (a power). This needs no bound of the third derivative.
    """
    if oracle.concordance > 0 or len(checks) < 2:
        return False
    steps = [check.polish.step for check in checks[-2:] if check.polish is not None] + [newton.step]
    if len(steps) < 3 or any(relative(c.decrement, here.local.scale) > POLISH for c in checks[-2:]):
        return False
    sizes = [float(oracle.extent @ np.abs(step)) for step in steps]
    longest = [np.abs(oracle.extent * step).argmax() for step in steps]
    same = all(step[longest[0]] * steps[0][longest[0]] > 0 for step in steps)
    return same and all(after > ALIGNED * before for before, after in pairwise(sizes))


def _crawls(oracle: Oracle, here: Point, newton: Direction, checks: list[Check]) -> bool:
    """Tell whether the last Newton step left more of the decrement than one near a regular maximum does.

    Where the value is as flat as a power of the distance, on an edge at which the mean has no slope or at an
    end of eta, every step leaves the same share of it, and a short step is no sign of having arrived.
    """
    last = checks[-1] if checks else None
    if oracle.concordance > 0 or last is None or last.polish is None:
        return False
    shrinks = LINEAR * last.decrement < newton.slope < last.decrement
    return shrinks and _strides(here, newton.slope, checks)


def _runs_away(concordance: float, decrement: float, check: Check, checks: list[Check]) -> bool:
    """Tell whether lambda*rho fails to fall at a small decrement: then no finite maximum is near.

    Near a finite maximum Newton squares lambda*rho. Where the value rises for ever, lambda*rho stays:
    at 1 for an exponential tail, slowly falling for faster tails, which is why two failures to halve
    are enough at any size.
    """
    if concordance == 0 or decrement > DECREMENT or concordance * check.lambda_rho <= CERTAIN:
        return False
    history = [past.lambda_rho for past in checks[-2:]] + [check.lambda_rho]
    kept = sum(after > before / 2 for before, after in pairwise(history))
    return kept >= 2 or (kept >= 1 and concordance * check.lambda_rho > RUNAWAY)


def _blocked(oracle: Oracle, here: Point, newton: Direction, *, stuck: bool) -> bool:
    """Tell whether the edge of the domain, not a maximum inside it, ends the search.

    The Newton step of the observed information is cut to nothing, and either no step moves at all or
    the expected information, which grows without end towards such an edge, sees no gain left.
    """
    if not oracle.restricted or oracle.reach(here.beta, newton.step) > (JAMMED if stuck else BLOCKED):
        return False
    return stuck or _fisher_decrement(here) <= DECREMENT


def _fisher_decrement(here: Point) -> float:
    """Return the decrement/scale in the metric of the expected information, inf if that is no metric."""
    factor = None if here.local.expected is None else cholesky(here.local.expected)
    fisher = None if factor is None else in_metric(here.score, factor, "expected", FINAL)
    return math.inf if fisher is None else relative(fisher.slope, here.local.scale)


def _without_maximum(oracle: Oracle, here: Point, *, stuck: bool) -> Check:
    """Judge an exact pass whose observed information is not positive definite."""
    metric = _any_metric(here)
    direction = in_metric(here.score, metric, "expected", FINAL)
    if direction is None:
        return Check(math.nan, math.nan, Outcome.STALLED if stuck else None)
    check = Check(direction.slope, math.nan)
    small = relative(direction.slope, here.local.scale) <= DECREMENT
    bent = None if here.local.observed is None else lifted(here.local.observed)
    newton = None if bent is None else in_metric(here.score, bent, "observed", FINAL)
    if _blocked(oracle, here, newton or direction, stuck=stuck):
        return replace(check, outcome=Outcome.BOUNDARY)
    if not (small or stuck):
        return check
    if oracle.concordance > 0:
        check = replace(check, lambda_rho=_exact(oracle, direction))
        if oracle.concordance * check.lambda_rho > RUNAWAY and small:
            return replace(check, outcome=Outcome.INFINITE)
    still = small or direction.slope <= rounding(here)
    return replace(check, outcome=Outcome.STATIONARY if still else Outcome.STALLED)


def _any_metric(here: Point) -> Factor | ArrowFactor:
    """Return the expected information if it is positive definite, else the observed one made so."""
    expected, observed = here.local.expected, here.local.observed
    factor = None if expected is None else cholesky(expected)
    if factor is not None:
        return factor
    matrix = observed if observed is not None else expected
    if matrix is None:
        raise TypeError("the oracle was asked for the information and returned None")
    return lifted(matrix)


def _exact(oracle: Oracle, direction: Direction) -> float:
    """Return lambda*rho, which costs a pass; where p^2 per row is much, a bound by |x|^2 if that will do."""
    if direction.covariance is None:
        return math.nan
    if oracle.dear and math.isfinite(direction.norm):
        bounded = math.sqrt(direction.slope * direction.norm * oracle.girth())
        if oracle.concordance * bounded <= CERTAIN:
            return bounded
    return math.sqrt(direction.slope * max(oracle.longest(np.asarray(direction.covariance)), 0.0))
