"""The probability between two neighbouring thresholds of a latent law, with its derivatives in both.

May import: _base, family.link, family.links, family.proportion, family.vector.
Read next: `etamu.family.ordinal`, whose cumulative models are made of these.

P = F(b) - F(a) loses its digits twice by subtraction: in a tail, and between close thresholds. With
g = 1 - F(a) / F(b) it is log P = log F(b) + log g, with the other tail the same the other way round; each
interval is measured from the tail that is nearer, so that g is never small because F is near 1. For the
logistic law g = (1 - e^-(b - a)) (1 - F(a)) exactly.
"""

from __future__ import annotations

from typing import NamedTuple

from etamu._base.types import AnyArray, Namespace
from etamu.family import links as every
from etamu.family.link import Link
from etamu.family.proportion import Ends
from etamu.family.vector import Pairs


class Intervals(NamedTuple):
    """K intervals of the line cut at K - 1 thresholds, (n, K) each.

    `upper` and `lower` are the slopes of log P in the upper and the lower threshold, the bends minus its
    second derivatives, `cross` minus the mixed one; 0 where there is no such threshold.
    """

    log_p: AnyArray
    upper: AnyArray
    lower: AnyArray
    upper_bend: AnyArray
    lower_bend: AnyArray
    cross: AnyArray


class _Side(NamedTuple):
    """log F (or log(1 - F)) at the threshold away from the tail (far) and the one toward it (near)."""

    far: AnyArray
    near: AnyArray
    far_slope: AnyArray
    near_slope: AnyArray
    far_bend: AnyArray
    near_bend: AnyArray


def intervals(xp: Namespace, link: Link, at: AnyArray, ends: Ends) -> Intervals:
    """Return everything about the intervals between increasing thresholds `at`, (n, K - 1).

    Where thresholds do not increase, the numbers mean nothing.
    """
    zero = xp.zeros_like(at[:, :1])
    if at.shape[1] == 1:
        middle = None
    else:
        middle = _between(xp, link, at, ends)
    first, last = slice(0, 1), slice(-1, None)
    columns = (
        (ends.log_mu[:, first], ends.log_complement[:, last]),
        (ends.up[:, first], zero),
        (zero, -ends.down[:, last]),
        (ends.up_bend[:, first], zero),
        (zero, ends.down_bend[:, last]),
        (zero, zero),
    )
    parts = [None] * len(columns) if middle is None else list(middle)
    whole = [
        xp.concat([left, right] if part is None else [left, part, right], axis=1)
        for (left, right), part in zip(columns, parts, strict=True)
    ]
    return Intervals(*whole)


def _between(xp: Namespace, link: Link, at: AnyArray, ends: Ends) -> tuple[AnyArray, ...]:
    """Return the six of the intervals that have both thresholds."""
    a, b = (slice(None), slice(0, -1)), (slice(None), slice(1, None))
    low = ends.log_mu[b] < ends.log_complement[a]  # less mass below the interval's top than above its bottom
    side = _Side(
        *(
            xp.where(low, left, right)
            for left, right in (
                (ends.log_mu[b], ends.log_complement[a]),
                (ends.log_mu[a], ends.log_complement[b]),
                (ends.up[b], ends.down[a]),
                (ends.up[a], ends.down[b]),
                (ends.up_bend[b], ends.down_bend[a]),
                (ends.up_bend[a], ends.down_bend[b]),
            )
        )
    )
    width = at[b] - at[a]
    usable = width > 0.0
    drop = xp.where(usable, side.near - side.far, -1.0)
    drop = xp.where(drop < 0.0, drop, -1e-300)
    share = xp.exp(drop)
    gap = -xp.expm1(drop)
    if link == every.Logit():
        other = xp.where(low, ends.complement[a], ends.mu[b])
        gap = -xp.expm1(-xp.where(usable, width, 1.0)) * other
    log_p = side.far + xp.log(gap)
    ratio = share / gap
    # log P = far + log(1 - e^(near - far)) in the coordinates far and near, then the chain rule
    far = side.far_slope / gap
    near = -side.near_slope * ratio
    both = ratio / gap
    far_bend = side.far_bend / gap + side.far_slope * side.far_slope * both
    near_bend = side.near_slope * side.near_slope * both - side.near_bend * ratio
    cross = -side.far_slope * side.near_slope * both
    upper = xp.where(low, far, -near)
    lower = xp.where(low, near, -far)
    return (
        log_p,
        upper,
        lower,
        xp.where(low, far_bend, near_bend),
        xp.where(low, near_bend, far_bend),
        cross,
    )


def expected(xp: Namespace, m: AnyArray, each: Intervals) -> Pairs:
    """Return m times the expectation of the squared scores: classes apart by more than one never meet."""
    p = m * xp.exp(each.log_p)
    own = times(xp, p, each.upper * each.upper)[:, :-1] + times(xp, p, each.lower * each.lower)[:, 1:]
    return neighbours(own, times(xp, p, each.upper * each.lower)[:, 1:-1])


def neighbours(diagonal: AnyArray, beside: AnyArray) -> Pairs:
    """Return the entries of tridiagonal matrices."""
    k = diagonal.shape[1]
    entries = {(j, j): diagonal[:, j] for j in range(k)}
    return entries | {(j, j + 1): beside[:, j] for j in range(k - 1)}


def times(xp: Namespace, counts: AnyArray, values: AnyArray) -> AnyArray:
    """Return counts * values, 0 where there are none even if the value is infinite."""
    some = counts > 0.0
    return counts * xp.where(some, values, 0.0)
