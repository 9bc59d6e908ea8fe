"""B-splines and natural splines as numbers: knots, local values, derivatives, constraint maps.

May import: numpy, etamu._base, etamu.data.tabulate.
Read next: `etamu.data.basis`, which settles and replays them.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from etamu._base.errors import DataError, EtamuWarning
from etamu._base.types import Array
from etamu.data.tabulate import quantiles


def augmented(interior: Array, boundary: tuple[float, float], degree: int) -> Array:
    """Repeat each boundary knot degree + 1 times around the interior knots."""
    low, high = boundary
    return np.concatenate([np.full(degree + 1, low), interior, np.full(degree + 1, high)])


def local_values(knots: Array, degree: int, x: Array) -> tuple[NDArray[np.intp], Array]:
    """Evaluate the degree + 1 B-splines that are not zero at each x.

    de Boor's recurrence on the knot interval that holds x; beyond the boundary the first or last interval's
    polynomials go on, which is R's Taylor expansion. Every operation is elementwise, so that a row does not
    depend on its neighbours to the last bit.

    Parameters
    ----------
    knots : (m + degree + 1,) augmented knots.
    degree : at least 0.
    x : (n,) points; NaN gives NaN.

    Returns
    -------
    first : (n,) index of the first of those B-splines.
    values : (degree + 1, n) their values; they sum to one.

    Notes
    -----
    de Boor, *A Practical Guide to Splines* (2001), chapter X, algorithm BSPLVB.

    Examples
    --------
    >>> first, values = local_values(np.array([0.0, 0, 1, 2, 2]), 1, np.array([0.25, 1.5]))
    >>> first.tolist(), values.tolist()
    ([0, 1], [[0.75, 0.5], [0.25, 0.5]])
    """
    first = np.searchsorted(knots[degree + 1 : len(knots) - degree - 1], x, side="right")
    near = [knots[first + offset] for offset in range(1, 2 * degree + 1)]
    values = np.ones((degree + 1, len(x)))
    for order in range(1, degree + 1):
        carried = np.zeros(len(x))
        for below in range(order):
            left, right = near[degree + below - order], near[degree + below]
            share = values[below] / (right - left)
            values[below] = carried + (right - x) * share
            carried = (x - left) * share
        values[order] = carried
    values[0, np.isnan(x)] = np.nan  # degree 0 never looked at x
    return first, values


def dense_values(knots: Array, degree: int, x: Array) -> Array:
    """Evaluate all m B-splines at each x, shape (m, n): one contiguous row per basis function."""
    first, values = local_values(knots, degree, x)
    dense = np.zeros((len(knots) - degree - 1, len(x)))
    points = np.arange(len(x))
    for offset in range(degree + 1):
        dense[first + offset, points] = values[offset]
    dense[:, np.isnan(x)] = np.nan
    return dense


def derivatives(knots: Array, degree: int, x: Array, order: int) -> Array:
    """Differentiate all m B-splines `order` times at a few points, shape (m, n).

    B'_{i,p} = p B_{i,p-1} / (t_{i+p} - t_i) - p B_{i+1,p-1} / (t_{i+p+1} - t_{i+1}), with 0/0 = 0.
    """
    if order == 0:
        return dense_values(knots, degree, x)
    lower = derivatives(knots[1:-1], degree - 1, x, order - 1)
    width = knots[degree + 1 : -1] - knots[1 : -degree - 1]
    rate = np.divide(degree, width, out=np.zeros_like(width), where=width > 0)
    scaled: Array = np.pad(rate[:, None] * lower, ((1, 1), (0, 0)))
    return scaled[:-1] - scaled[1:]


def natural_map(knots: Array, intercept: bool) -> Array:
    """Find the combinations of cubic B-splines whose second derivative is zero at both boundary knots.

    The last m - 2 columns of the complete Q in the Householder QR of the two constraints, as R's `ns`: LAPACK
    and R's LINPACK reflect with the same sign, hence the columns carry R's signs.

    Returns
    -------
    (m, m - 2) with the intercept, (m, m - 3) without: then the first B-spline is left out, its row zero.
    """
    ends = knots[[0, -1]]
    bent = derivatives(knots, 3, ends, 2)
    left_out = 0 if intercept else 1
    orthogonal = np.linalg.qr(bent[left_out:], mode="complete")[0]
    return np.concatenate([np.zeros((left_out, orthogonal.shape[1] - 2)), orthogonal[:, 2:]])


def cardinal_map(knots: Array) -> Array:
    """Find the natural splines that are one at one knot (boundaries included) and zero at all others."""
    places = knots[3:-3]
    natural = natural_map(knots, intercept=True)
    at_knots: Array = dense_values(knots, 3, places).T @ natural
    return np.asarray(np.linalg.solve(at_knots.T, natural.T).T, dtype=np.float64)


def quantile_knots(name: str, x: Array, count: int, boundary: tuple[float, float]) -> Array:
    """Place interior knots at equally spaced quantiles (type 7) of the x within the boundary knots.

    Knots that tie with a boundary knot move an eighth of the way to their neighbour, with a warning, as in R.
    """
    low, high = boundary
    inside = (x >= low) & (x <= high)
    within = x if inside.all() else x[inside]
    if not len(within):
        raise DataError(
            f"{name}: no value of x lies in boundary_knots=({low:g}, {high:g}); give bounds that hold x"
        )
    if count == 0:
        return np.empty(0)
    knots = quantiles(within, np.linspace(0.0, 1.0, count + 2)[1:-1])
    tied = (knots == low, knots == high)
    if tied[0].all() or tied[1].all():
        raise DataError(
            f"{name}: every interior knot falls on the boundary knot {knots[0]:g}, which x takes very often;"
            " ask for a smaller df or give knots="
        )
    if tied[0].any() or tied[1].any():
        warnings.warn(
            f"{name}: x takes the boundary value {knots[0 if tied[0].any() else -1]:g} so often that interior"
            " knots fell on it and were moved inside, as R does; give knots= to place them yourself",
            EtamuWarning,
            stacklevel=2,
        )
        knots[tied[0]] += (knots[~tied[0]].min() - low) / 8
        knots[tied[1]] -= (high - knots[~tied[1]].max()) / 8
    return knots
