"""Trust regions over rows written out, for a value that is a sum over rows and need not be concave.

May import: numpy, etamu._base, and in this room graded, oracle, radius.
Read next: `etamu.solve.loop`, the way up that is tried before this one.

With v_i the value of row i as a function of eta_i = x_i'beta + o_i, u_i its slope and h_i = -v_i'', the
metric is M = X'SX, s_i = max(|h_i|, e_i) with e_i the expected bend: it bounds the curvature on both
sides, so that in its coordinates -1 <= H <= 1. In these small rows keep their digits beside large ones
(`etamu.solve.graded`), and each component is held against its own rounding; coefficients have twice the
precision, so that what cancels in x'beta costs none. The step is the best one within a radius, negative
curvature used (Moré and Sorensen 1983, SIAM J. Sci. Stat. Comput. 4), shorter or longer where that fails by
powers of ten; gains are summed row by row, as differences, and what rounding alone may change is forgiven.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np

from etamu._base.double import Double, single
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.solve.graded import Graded, graded, times
from etamu.solve.oracle import Step
from etamu.solve.radius import CURVED, length_of, within

EPS = float(np.finfo(np.float64).eps)
TOLERANCE = 1e-9
"""Largest distance from the maximum, in standard errors."""
ROUNDED = 8.0
"""A step this many times as long as rounding of eta alone can make it is no step any more."""
STILL = 1e-2
"""Largest share of its distance from the edge, or of 1, that an eta may move where a search has arrived."""
ROOM = 0.9
"""Share of the way to the edge of the domain that a step may go."""
FAST = 0.25
"""Share of its length that Newton's step leaves near a maximum; one that creeps leaves e^-1, or more."""
SHORTER = 0.25
"""A decrement that falls to less than this share is not yet rounding."""
LIMIT = 120
"""Most steps."""
GOOD, POOR = 0.75, 0.1
"""Shares of the promised gain from which the radius doubles, and below which it is halved and more."""
FADED = EPS**4
"""Share of the smallest bend that stands for one of 0."""
TINIEST = float(np.finfo(np.float64).tiny)
PRESSED = 4
"""Steps in a row that the edge may cut where an eta is on it already."""
WORTH = 1e-4
"""Share of the promised gain that a step must bring."""
STAGES = 5
"""Steps of a climb whose components may be shortened one by one, which costs several looks for each."""
COLLAPSED, EXCEEDED = -1.0, 1.0
"""Shares of the promised gain below which a much shorter step is looked for, and above which a longer one."""
SHORTEST = 512
"""A step may be shortened to 4^-512 of itself."""
STRIDE = 32
"""Powers of 4 at a time."""
FARTHEST = 2.0**12
"""And lengthened so many times."""
NOTICED = 0.1
"""Share of the value that doubling a step must bring."""
HALVINGS = 40
"""Times the last doubling is halved to find the maximum that it went beyond."""
SLIGHT = 1e-6
"""Share of its distance from the edge, or of 1, up to which the move of an eta changes no curvature."""


@dataclass(frozen=True, slots=True, eq=False)
class RowValues:
    """What every row has at its eta: value, slope, and the observed and expected bend."""

    value: Array
    slope: Array
    observed: Array
    expected: Array

    @property
    def finite(self) -> bool:
        """Whether every number is."""
        parts = (self.value, self.slope, self.observed, self.expected)
        return all(bool(np.all(np.isfinite(part))) for part in parts)


class Written(Protocol):
    """A sum over rows, its rows written out; attributes are only read."""

    @property
    def rows(self) -> Array:
        """The rows x_i, (n, size)."""

    @property
    def offset(self) -> Array:
        """What is added to x_i'beta, (n,)."""

    @property
    def ends(self) -> tuple[float, float]:
        """The open interval in which every eta has to be."""

    def look(self, eta: Array) -> RowValues:
        """Evaluate every row at its eta."""

    def scale(self, value: float) -> float:
        """Return the unit in which the sum is counted, where it is `value`."""


@dataclass(frozen=True, slots=True, eq=False)
class Ended:
    """Where a search ended, whether that is a maximum for certain, and how it came there.

    The value and eta are those of coefficients in twice the precision; rounding of eta may change the value
    of a maximum by `noise`.
    """

    exact: Double
    eta: Array
    value: float
    arrived: bool
    steps: tuple[Step, ...]
    noise: float = 0.0

    @property
    def beta(self) -> Array:
        """The leading digits of the coefficients."""
        return self.exact.hi


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """A point, its etas and what every row has there."""

    beta: Double
    eta: Array
    seen: RowValues

    @property
    def value(self) -> float:
        return math.fsum(self.seen.value) if self.seen.finite else -math.inf


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """The value near a point, in coordinates d of which M is the identity: diag(root) X (beta - here) = Q d.

    Each component of Newton's step may be as long as its `floor` from rounding of eta and of slopes alone,
    and `noise` is what rounding may change the value of every row by.

    Parameters
    ----------
    apart : Graded
        sqrt(S) X taken apart.
    score : array (p,)
    information : array (p, p)
        The observed one.
    bends, vectors : arrays (p,), (p, p)
        Its eigenvalues and eigenvectors.
    newton : array (p,), optional
        Newton's step; None where the observed information is no metric.
    floor : array (p,)
    noise : array (n,)
    """

    apart: Graded
    score: Array
    information: Array
    bends: Array
    vectors: Array
    newton: Array | None
    floor: Array
    noise: Array

    @property
    def decrement(self) -> float:
        """The product g' H^-1 g, infinite where H is no metric."""
        return math.inf if self.newton is None else max(float(self.score @ self.newton), 0.0)

    @property
    def beyond(self) -> float:
        """How long Newton's step is beyond what rounding explains of each of its components."""
        if self.newton is None:
            return math.inf
        return length_of(np.maximum(np.abs(self.newton) - ROUNDED * self.floor, 0.0))

    def gain(self, step: Array) -> float:
        """Return what a step d promises."""
        return float(self.score @ step - 0.5 * step @ (self.information @ step))

    def best(self, radius: float) -> Array:
        """Return the best step d within a radius."""
        if self.newton is not None and length_of(self.newton) <= radius:
            return self.newton  # not by eigenvectors, which would mix what is heavy with what is light
        return self.vectors @ within(self.bends, self.vectors.T @ self.score, radius)


def ascend(
    written: Written, start: Array | Double, *, limit: int = LIMIT, tolerance: float = TOLERANCE
) -> Ended:
    """Climb from a point inside the domain until it is a maximum beyond doubt, or no step leads up.

    A maximum: the observed information is positive definite, the Newton step is at most 1e-9 standard errors
    long, the `tolerance`, or as short as rounding makes it, and it changes no eta noticeably.
    """
    here = _place(written, start if isinstance(start, Double) else single(start))
    steps: list[Step] = []
    radius, best, shortest, before = math.inf, None, math.inf, 0.0
    highest, noise, pressed, stages = here, 0.0, 0, STAGES if limit >= LIMIT else 0
    with np.errstate(all="ignore"):  # what is not finite far out is no point to go to
        while len(steps) < limit and (model := _model(written, here, _fine(written, here))) is not None:
            left, scale = model.beyond, max(written.scale(here.value), 0.0)
            # Where a standard error is large a search that creeps to an end of eta is within many of them.
            settled = left == 0.0 or (left <= tolerance * math.sqrt(scale) and left <= FAST * before)
            if settled and _still(written, here, model, _fine(written, here)):
                if not model.decrement < SHORTER * shortest:  # as near as rounding lets it come
                    break
                radius, best, shortest, noise = math.inf, here, model.decrement, math.fsum(model.noise)
            trial = _trial(written, here, model, radius, staged=stages > 0)
            stages -= trial.staged
            steps.append(
                Step(here.value, min(model.decrement, 1e300), math.nan, math.nan, trial.length, "observed")
            )
            radius = trial.radius
            pressed = pressed + 1 if trial.length < 1.0 and _pressed(written, here) else 0
            before = left if trial.there is not None and trial.newton else 0.0
            here = trial.there or here
            highest = here if here.value >= highest.value else highest
            if not radius > 0.0 or pressed >= PRESSED:
                break
    end = best or highest
    return Ended(end.beta, end.eta, end.value, best is not None, tuple(steps), noise)


def _pressed(written: Written, here: _Place) -> bool:
    """Tell whether some eta is so near an end that float64 could not tell it from there by far."""
    lower, upper = written.ends
    gap = np.minimum(here.eta - lower, upper - here.eta)
    return bool(np.any(gap <= STILL * blur(written, here.beta.hi)))


def at_rest(written: Written, beta: Array, *, creeps: bool = False) -> bool:
    """Tell whether coefficients are a maximum as nearly as float64 can hold them.

    Where one is known to exist an eta may still creep, by steps that are far within its standard error.
    """
    with np.errstate(all="ignore"):
        here = _place(written, single(beta))
        model = _model(written, here, blur(written, beta))
        if model is None:
            return False
        near = model.beyond <= TOLERANCE * math.sqrt(max(written.scale(here.value), 0.0))
        return near and (creeps or _still(written, here, model, blur(written, beta)))


def _place(written: Written, beta: Double) -> _Place:
    """Look at a point; what cancels in x'beta + offset costs no digits."""
    eta = (times(written.rows, beta) + single(written.offset)).hi
    return _Place(beta, eta, written.look(eta))


def _moved(written: Written, here: _Place, step: Double, length: float) -> _Place:
    """Look at the end of so much of a step."""
    return _place(written, here.beta + step.times(length))


def blur(written: Written, beta: Array) -> Array:
    """Return what rounding to float64 may change in every eta."""
    return np.asarray(EPS * (np.abs(written.rows) @ np.abs(beta) + np.abs(written.offset)))


def _fine(written: Written, here: _Place) -> Array:
    """Return what rounding may change in every eta of coefficients in twice the precision."""
    return np.asarray(EPS * np.abs(here.eta) + EPS * blur(written, here.beta.hi))


def _still(written: Written, here: _Place, model: _Model, rounding: Array) -> bool:
    """Tell whether Newton's step leaves every eta where it is.

    One that creeps to an end of eta never does: it moves by 1 toward an infinite end of an exponential
    tail, else by a share of what is left or has been gone.
    """
    if model.newton is None:
        return False
    change = np.abs(times(written.rows, model.apart.coefficients(model.newton)).hi)
    (lower, upper), eta = written.ends, here.eta
    gap = np.minimum(eta - lower, upper - eta)
    room = np.where(np.isfinite(gap), STILL * gap, np.maximum(STILL, STILL**3 * np.abs(eta)))
    return bool(np.all(change <= room + ROUNDED * rounding))


def _model(written: Written, here: _Place, rounding: Array) -> _Model | None:
    """Factorise the metric at a point and look at the information in it; None where that is not finite.

    `rounding` is what it may change in every eta.
    """
    if not here.seen.finite:
        return None
    seen = here.seen
    size = np.maximum(np.abs(seen.observed), seen.expected)
    if not np.any(size > 0.0):
        return None
    # A row whose bends have underflown still has to be moved by something, and to hold nothing back.
    size = np.where(size > 0.0, size, max(FADED * float(np.min(size[size > 0.0])), TINIEST))
    root = np.sqrt(size)
    apart = graded(written.rows, root)
    if apart is None or not np.all(np.isfinite(apart.lean)):
        return None
    order, lean = apart.order, apart.lean
    bend, pull = (seen.observed / size)[order], (seen.slope / root)[order]
    information, score = lean.T @ (bend[:, None] * lean), lean.T @ pull
    if not np.all(np.isfinite(information)):
        return None
    bends, vectors = np.linalg.eigh(information)
    noise = np.abs(seen.slope) * rounding + 4.0 * EPS * np.abs(seen.value) + size * rounding**2
    lost = np.abs(lean).T @ ((root * rounding)[order] + EPS * np.abs(pull))
    newton, floor = None, np.full(len(score), math.inf)
    if bends[0] > CURVED:
        inverse = np.linalg.inv(information)
        newton, floor = inverse @ score, np.abs(inverse) @ lost
    return _Model(apart, score, information, bends, vectors, newton, floor, noise)


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """Where a step led, None if back; its share of what was wanted, the next radius, what kind it is."""

    there: _Place | None
    length: float
    radius: float
    newton: bool
    staged: bool = False


def _trial(written: Written, here: _Place, model: _Model, radius: float, *, staged: bool) -> _Trial:
    """Try the best step within the radius, cut before the edge; a shorter or longer one if that fails."""
    parts = model.best(radius)
    whole = parts is model.newton
    step, length, room = _cut(written, here, model, parts)
    there, agreement = _tried(written, here, model, parts, step, length)
    if staged := staged and agreement < POOR and whole and len(parts) > 1:
        parts, whole = _staged(written, here, model, parts), False
        step, length, room = _cut(written, here, model, parts)
        there, agreement = _tried(written, here, model, parts, step, length)
        if agreement >= WORTH and not _same(there, here):
            return _Trial(there, length, math.inf, newton=False, staged=True)
    if agreement < COLLAPSED:
        length = _shorter(lambda t: _tried(written, here, model, parts, step, t)[1] >= POOR, length)
        there, agreement = _tried(written, here, model, parts, step, length)
        if agreement >= WORTH and not _same(there, here):
            return _Trial(there, length, math.inf, newton=False)  # this metric's radius says nothing there
    elif agreement > EXCEEDED and length == 1.0:
        there, length = _longer(written, here, step, there, room)
    size = length * length_of(parts)
    if agreement < POOR or length < POOR:
        radius = 0.25 * size if agreement < POOR else 2.0 * size
    elif agreement > GOOD:
        radius = max(radius, 2.0 * size) if math.isfinite(radius) else radius
    taken = agreement >= WORTH and not _same(there, here)
    whole = whole and length == 1.0
    radius = radius if taken else min(radius, 0.25 * size)
    return _Trial(there if taken else None, length, radius, whole, staged)


def _cut(written: Written, here: _Place, model: _Model, parts: Array) -> tuple[Double, float, float]:
    """Return a step in coefficients, how much of it is tried, and how much the edge leaves."""
    step = model.apart.coefficients(parts)
    room = ROOM * _reach(here.eta, times(written.rows, step).hi, written.ends)
    return step, min(1.0, room), room


def _staged(written: Written, here: _Place, model: _Model, newton: Array) -> Array:
    """Shorten each component of Newton's step as its own rows ask, the heaviest first.

    Where sizes of rows differ by many powers of ten heavy rows want all of their step, and light ones may be
    sent where their exponential or power is of another size. So much of a component is taken as keeps its
    promise.
    """

    def gained(parts: Array) -> tuple[float, float, float]:
        step, length, _ = _cut(written, here, model, parts)
        return (*_gained(written, here, model, step, length)[1:], model.gain(length * parts))

    def keeps(share: float, alone: Array, taken: Array, before: tuple[float, float, float]) -> bool:
        more, noise, promised = gained(taken + share * alone)
        return _share(more - before[0], noise, promised - before[2]) >= POOR

    taken, before = np.zeros_like(newton), (0.0, 0.0, 0.0)
    for k in range(len(newton)):
        alone = np.where(np.arange(len(newton)) == k, newton, 0.0)
        good = partial(keeps, alone=alone, taken=taken, before=before)
        taken = taken + (1.0 if good(1.0) else _shorter(good, 1.0)) * alone
        before = gained(taken)
    return taken


def _same(one: _Place, other: _Place) -> bool:
    return np.array_equal(one.beta.hi, other.beta.hi) and np.array_equal(one.beta.lo, other.beta.lo)


def _tried(
    written: Written, here: _Place, model: _Model, parts: Array, step: Double, length: float
) -> tuple[_Place, float]:
    """Look at the end of so much of a step, and return the share of the promised gain that it brings."""
    there, gained, noise = _gained(written, here, model, step, length)
    return there, _share(gained, noise, model.gain(length * parts))


def _gained(
    written: Written, here: _Place, model: _Model, step: Double, length: float
) -> tuple[_Place, float, float]:
    """Look at the end of so much of a step; return the gain, and what rounding may change it by.

    A row that hardly moves gains what its slope says: the difference of its values would be rounding, larger
    than all that light rows gain.
    """
    there, seen = _moved(written, here, step, length), here.seen
    if not there.seen.finite:
        return there, -math.inf, 0.0
    move = length * times(written.rows, step).hi
    lower, upper = written.ends
    gap = np.minimum(np.minimum(here.eta - lower, upper - here.eta), 1.0)
    slight = np.abs(move) <= SLIGHT * gap
    gains = there.seen.value - seen.value
    gains = np.where(slight, move * (seen.slope - 0.5 * move * seen.observed), gains)
    return there, math.fsum(gains), float(model.noise[~slight].sum())


def _share(gained: float, noise: float, promised: float) -> float:
    """Return what share of the promised gain was brought, rounding forgiven where it is all that is left."""
    if not (math.isfinite(gained) and promised > 0.0):
        return -math.inf
    forgiven = noise if promised <= noise else 0.0
    return (gained + forgiven) / (promised + forgiven)


def _shorter(good: Callable[[float], bool], length: float) -> float:
    """Return about the longest good length below one that loses more than it promised, by bisection.

    Where information has all but vanished a step is too long by any power of ten; of one that is too short
    what it brings is no number any more.
    """
    least, most = 1, 1
    while most < SHORTEST and not good(length * 0.25**most):
        least, most = most + 1, min(most + min(most, STRIDE), SHORTEST)
    while least < most:
        middle = (least + most) // 2
        least, most = (least, middle) if good(length * 0.25**middle) else (middle + 1, most)
    return length * 0.25**most


def _longer(written: Written, here: _Place, step: Double, there: _Place, room: float) -> tuple[_Place, float]:
    """Double a step that brought more than it promised, while what is left of the value falls noticeably.

    Where the value is an exponential Newton's step is 1 of its eta, however many hundreds there are to go.
    """
    length = 1.0
    while 2.0 * length <= min(room, FARTHEST):
        farther = _moved(written, here, step, 2.0 * length)
        if not farther.value - there.value > NOTICED * abs(farther.value):
            break
        there, length = farther, 2.0 * length
    if length > 1.0 and not _rises(written, there, step):
        length = _highest(lambda t: _rises(written, _moved(written, here, step, t), step), length)
        there = _moved(written, here, step, length)
    return there, length


def _rises(written: Written, place: _Place, step: Double) -> bool:
    """Tell whether the value still rises at a place along a step."""
    slopes = place.seen.slope * times(written.rows, step).hi
    return not np.all(np.isfinite(slopes)) or math.fsum(slopes) > 0.0


def _highest(rises: Callable[[float], bool], length: float) -> float:
    """Look for the maximum along a step between half a length and a length that is beyond it.

    Beyond it information may have vanished, and no step leads back.
    """
    short, far = 0.5 * length, length
    for _ in range(HALVINGS):
        middle = 0.5 * (short + far)
        short, far = (middle, far) if rises(middle) else (short, middle)
    return far


def _reach(eta: Array, change: Array, ends: tuple[float, float]) -> float:
    """Return the largest share of a step that keeps every eta inside."""
    with np.errstate(all="ignore"):
        down = np.where(change < 0.0, (ends[0] - eta) / change, math.inf)
        up = np.where(change > 0.0, (ends[1] - eta) / change, math.inf)
    return float(min(down.min(initial=math.inf), up.min(initial=math.inf)))
