"""Which way an eta may run without losing any value: what decides whether a maximum exists.

May import: numpy, _base, family.program, family.unit.
Read next: `etamu.solve.recession`, which looks for a direction that all observations allow.

The value of a row is minus half its deviance. Toward an infinite end of eta it loses nothing if the row's
score never points away from that end: for a concave unit this says that its slope at the end is 0, and that
is s+ = 0 or s- = 0 of the recession condition (Rockafellar 1970, section 27). For a unit that is not
concave, such as a proportion with a cauchit link, it says that the row's value rises all the way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array, Mask
from etamu.family.program import scores
from etamu.family.unit import Unit

SMALL = 1 << 12
"""Counts below this are decided once per value, not once per row."""
_FAR = (350.0, 700.0, 1e15, 1e30, 1e100, 1e250)
LINE = (*(-far for far in _FAR), -35.0, -8.0, -4.0, -1.0, 0.0, 1.0, 4.0, 8.0, 35.0, *_FAR)
"""Where a score is looked at whose eta may be any number, the ends included."""
HALF = (
    1e-300,
    1e-100,
    1e-30,
    1e-15,
    1e-8,
    1e-4,
    1e-2,
    0.1,
    1.0,
    10.0,
    1e2,
    1e4,
    1e8,
    1e15,
    1e30,
    1e100,
    1e300,
)
"""The same for an eta on one side of an end."""
FEW = 5
"""Fewer finite means than these at such places are too few to tell how a row's score goes."""


def may_run(unit: Unit, y: tuple[Array, ...]) -> NDArray[np.int8]:
    """Tell which way each row may run: 1 up, -1 down, 0 nowhere, 2 both ways (a row without a say).

    Examples
    --------
    >>> from etamu.family.families import Poisson
    >>> from etamu.family.links import Log
    >>> may_run(Unit(Poisson(), Log()), (np.array([0.0, 3.0]),)).tolist()
    [-1, 0]
    """
    if not len(y[0]):
        return np.zeros(0, dtype=np.int8)
    if len(y) == 2 and y[1].strides == (0,) and y[1][0] == 1.0:
        return may_run(unit.alone, y[:1])
    first = y[0]
    whole = len(y) == 1 and len(first) > SMALL and first.min() >= 0.0 and first.max() < SMALL
    if whole and np.array_equal(first, np.floor(first)):
        return _ways(unit, (np.arange(first.max() + 1.0),))[first.astype(np.intp)]
    return _ways(unit, y)


def anyone_may_run(unit: Unit) -> bool:
    """Tell whether some eta is infinite at all; if not, no direction is."""
    return not (np.isfinite(unit.domain.lower) and np.isfinite(unit.domain.upper))


def _ways(unit: Unit, y: tuple[Array, ...]) -> NDArray[np.int8]:
    up, down = _never_against(unit, y)
    if np.isfinite(unit.domain.upper):
        up[:] = False
    if np.isfinite(unit.domain.lower):
        down[:] = False
    return (up * (1 + down.astype(np.int8)) - (down & ~up)).astype(np.int8)


def _never_against(unit: Unit, y: tuple[Array, ...]) -> tuple[Mask, Mask]:
    """Tell whose score is nowhere negative, and whose nowhere positive."""
    at = scores(unit, y)
    up = np.ones(len(y[0]), dtype=bool)
    down = up.copy()
    with np.errstate(all="ignore"):
        for eta in _places(unit):
            score = at(eta)
            up &= ~(score < 0.0)
            down &= ~(score > 0.0)
    return up, down


def _places(unit: Unit) -> tuple[float, ...]:
    domain = unit.domain
    if domain.whole:
        return LINE
    from_end = (
        tuple(domain.lower + far for far in HALF)
        if np.isfinite(domain.lower)
        else tuple(domain.upper - far for far in HALF)
    )
    return (*from_end, *_of_means(unit, from_end))


def _of_means(unit: Unit, places: tuple[float, ...]) -> tuple[float, ...]:
    """Return the etas of means of every size, if the link is so steep that decades of eta pass over them.

    Under mu = eta^500 nearly every decade of eta has a mean of 0 or infinity, whose score tells nothing.
    """
    with np.errstate(all="ignore"):
        mean = unit.link.inverse(np, np.array(places))[0]
        if np.count_nonzero(np.isfinite(mean) & (mean != 0.0)) >= FEW:
            return ()
        etas = np.asarray(unit.link.link(np, np.array(HALF)))
    return tuple(etas[np.isfinite(etas) & unit.domain.contains(etas)].tolist())


def falls_for_ever(unit: Unit, y: tuple[Array, ...]) -> bool:
    """Tell whether the value of every row falls without end wherever its eta may not run.

    If not, as for a Gaussian response with log link, rows can be given up at a price that is bounded, and
    overlap does not show that there is a maximum.
    """
    bound = unit.bind(np)
    ways = may_run(unit, y)
    with np.errstate(all="ignore"):
        for side, end in ((1, unit.domain.upper), (-1, unit.domain.lower)):
            shut = (ways != side) & (ways != 2)
            if np.isfinite(end) or not shut.any():
                continue
            near, far = (bound(y, np.full(len(y[0]), side * place))[0][shut] for place in (1e15, 1e300))
            if np.any(np.isfinite(far) & (far >= near * (1.0 + 1e-9))):
                return False
    return True


def bounded_bend(unit: Unit) -> bool:
    """Tell whether the information of a row that may run is never larger than its score.

    Then lambda rho < 1 proves that a finite maximum exists: corrected by the Newton step, the scores at a
    point are weights with which the rows add up to zero, each on its side (Stiemke 1915).
    """
    log = unit.link.exponent == 0.0
    return unit.convex and unit.domain.whole and (log or (unit.canonical and unit.concordance <= 1.0))
