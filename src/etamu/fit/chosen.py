"""As many rows as there are coefficients, whose etas stand for the coefficients.

With P such rows, X beta = A theta for theta = X_P beta and A = X X_P^-1, which is worked out in fractions.
What cancels in x'beta does not cancel there, heavy rows do not move with light ones, and an eta that is held
at the end of its domain is one coordinate.

May import: everything below `fit`.
Read next: `etamu.fit.active`, which climbs there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from etamu._base.double import Double, single
from etamu._base.facts import dataclass
from etamu._base.rational import dot, exact, independent, inverse, product, rounded
from etamu._base.types import Array, Mask
from etamu.objective.written import Written
from etamu.solve.graded import graded, times
from etamu.solve.trust import EPS, TINIEST, Ended, blur

CANCELS = 64.0
"""Times its distance from an end, or 1, that the terms of an eta may be."""
HEAVIEST = 1e300
"""A row that weighs more than a number says weighs so much."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """Rows whose etas stand for the coefficients.

    Parameters
    ----------
    place : integers (p,)
    inverse : fractions (p, p)
        Of these rows.
    rows : Written
        All rows in terms of these.
    plain : booleans (n,)
        Rows whose terms are numbers of float64: a chosen one is a term itself.
    """

    place: NDArray[np.intp]
    inverse: list[list[Fraction]]
    rows: Written
    plain: Mask

    def holds(self, ended: Ended, cancels: float) -> bool:
        """Tell whether no eta is so much less than its terms that their rounding is a share of it.

        An eta that is an end of its domain, to the last of twice as many digits, is held there.
        """
        theta, (lower, upper) = ended.exact.hi, self.rows.ends
        gap = np.minimum(ended.eta - lower, upper - ended.eta)
        room = np.where(np.isfinite(gap), gap, np.maximum(np.abs(ended.eta), 1.0))
        at = times(self.rows.rows, ended.exact) + single(self.rows.offset)
        held = np.isin(at.hi, self.rows.ends) & (at.lo == 0.0)
        return bool(np.all(held | self.plain | (blur(self.rows, theta) <= cancels * EPS * room)))

    def coefficients(self, theta: Double, offset: Array) -> Array:
        """Return the coefficients of etas, rounded once."""
        digits = zip(exact(theta.hi), exact(theta.lo), exact(offset[self.place]), strict=True)
        own = [hi + lo - shift for hi, lo, shift in digits]
        return rounded([dot(row, own) for row in self.inverse])


def chosen(rows: Written, eta: Array, first: Sequence[int] = ()) -> Chosen | None:
    """Choose some rows, and then those that weigh most and are independent; None where columns are not."""
    size = weights(rows, eta)
    apart = graded(rows.rows, np.sqrt(size))
    if apart is None:
        return None
    every, shifts = [exact(row) for row in rows.rows], exact(rows.offset)
    order = [*first, *(int(i) for i in apart.order if i not in first)]
    place = np.array(order)[independent([every[i] for i in order])]
    back = inverse([every[i] for i in place])
    if back is None:
        return None
    terms, own = product(every, back), [shifts[i] for i in place]
    left = [shift - dot(row, own) for shift, row in zip(shifts, terms, strict=True)]
    offset, matrix = rounded(left), np.stack([rounded(row) for row in terms])
    exactly = zip(matrix, offset, terms, left, strict=True)
    plain = [exact(row) == term and float(shift) == rest for row, shift, term, rest in exactly]
    return Chosen(place, back, replace(rows, rows=matrix, offset=offset), np.array(plain))


def weights(rows: Written, eta: Array) -> Array:
    """Return how much every row weighs at some etas: next to nothing where that is no number."""
    seen = rows.look(eta)
    with np.errstate(all="ignore"):
        size = np.maximum(np.abs(seen.observed), seen.expected)
        return np.where(size > 0.0, np.clip(size, TINIEST, HEAVIEST), TINIEST)
