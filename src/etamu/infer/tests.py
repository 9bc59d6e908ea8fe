"""Statistics of tests and their tails: likelihood ratio, F, Wald and score, on numbers alone.

May import: numpy, scipy, `etamu._base`.
Read next: `etamu.infer.adjust` for many tests at once; `etamu.fit.anova` for who asks.
"""

from __future__ import annotations

import math

import numpy as np

from etamu._base import triangles
from etamu._base.facts import dataclass
from etamu._base.kernel import kernel
from etamu._base.types import Array
from etamu.infer.covariance import Root
from etamu.infer.wald import FRACTION

FEW = 100
"""Most degrees of freedom of a hypothesis for which scipy need not be loaded."""

INDEPENDENT = 1e-9
"""A row shorter than this, relatively, once earlier rows are projected out, says nothing new."""


WIDE = 0.1
"""Of rows whose every angle with those before has this sine the squares lose less than two digits."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A statistic and the degrees of freedom it was found on; NaN on 0 degrees of freedom."""

    statistic: float
    df: int


def chi2_tail(statistic: float, df: float) -> float:
    """Compute P(chi2_df > statistic) from the tail itself; NaN on 0 degrees of freedom.

    Examples
    --------
    >>> f"{chi2_tail(1234.5, 1):.4g}"
    '1.939e-270'
    """
    if not df > 0 or math.isnan(statistic):
        return math.nan
    if kernel is not None and df <= FEW and statistic <= 1400.0:
        return float(kernel.chi2_tail(max(float(statistic), 0.0), float(df)))
    from scipy.special import chdtrc

    return float(chdtrc(df, max(statistic, 0.0)))


def f_tail(statistic: float, df: float, df_resid: float) -> float:
    """Compute P(F > statistic), with chi-squared / df in the place of F where `df_resid` is infinite.

    Examples
    --------
    >>> f"{f_tail(31.2058, 1, 28):.4g}"
    '5.604e-06'
    """
    if not df > 0 or math.isnan(statistic) or not df_resid > 0:
        return math.nan
    if math.isinf(df_resid):
        return chi2_tail(statistic * df, df)
    if kernel is not None and df <= FEW and df == int(df) and df_resid <= FRACTION:
        return float(kernel.f_tail(max(float(statistic), 0.0), float(df), float(df_resid)))
    from scipy.special import fdtrc

    return float(fdtrc(df, df_resid, max(statistic, 0.0)))


def wald(rows: Array, estimate: Array, root: Root, given: int = 0) -> Statistic:
    """Test L beta = 0 by (L b)' (L V L')^-1 (L b), beyond what the first `given` rows test already.

    The rows are orthonormalised one after the other in the metric V = C C', so that the statistic is a sum of
    squares, never a difference. What is left after the first rows is the test of the others on the part of
    their space that is V-orthogonal to them, car's type II Wald test.

    Parameters
    ----------
    rows : array (m, p)
        L; rows that depend on earlier ones count no degree of freedom.
    estimate : array (m,)
        L b - r.
    root : Root
        C of the covariance of b.
    given : int

    Examples
    --------
    >>> wald(np.eye(2), np.array([2.0, 3.0]), Root(np.eye(2)))
    Statistic(statistic=13.0, df=2)
    >>> wald(np.eye(2), np.array([2.0, 3.0]), Root(np.eye(2)), given=1)
    Statistic(statistic=9.0, df=1)
    """
    half = rows @ root.matrix
    if not np.all(np.isfinite(half)):
        return Statistic(math.nan, len(rows) - given)
    # Squares of what is far out overflow.
    unit = 2.0 ** (math.frexp(float(np.abs(half).max(initial=0.0)))[1] - 1)
    half, estimate = half / unit, estimate / unit
    if len(half) == 1 and not given:
        length = float(half[0] @ half[0])
        size = float(estimate[0])  # its power would raise where its product is infinite
        return Statistic(size * size / length, 1) if length > 0 else Statistic(math.nan, 0)
    shares = _triangular(half, estimate)
    if shares is not None and len(shares) > given:
        with np.errstate(over="ignore"):
            return Statistic(float(shares[given:] @ shares[given:]), len(shares) - given)
    basis = np.zeros((0, half.shape[1]))
    scores: list[float] = []
    fresh: list[float] = []
    for row, value, place in zip(half, estimate, range(len(rows)), strict=True):
        rest, left = row, float(value)
        for _ in range(2):  # twice is enough (Kahan, Parlett)
            shares = basis @ rest
            rest, left = rest - shares @ basis, left - float(shares @ np.array(scores))
        length = float(np.linalg.norm(rest))
        if not length > INDEPENDENT * float(np.linalg.norm(row)):
            continue
        basis = np.vstack([basis, rest / length])
        scores.append(left / length)
        if place >= given:
            fresh.append(scores[-1])
    return Statistic(float(np.dot(fresh, fresh)) if fresh else math.nan, len(fresh))


def _triangular(half: Array, estimate: Array) -> Array | None:
    """Return the estimate in an orthonormal basis of the rows, by QR; None where some depend on others.

    Of rows at wide angles a product has the same triangle to the last digits.
    """
    if len(half) > half.shape[1]:
        return None
    if (lengths := np.sqrt(np.einsum("ij,ij->i", half, half))).min(initial=math.inf) > 0.0:
        shown = half / lengths[:, None]
        product = triangles.cholesky(shown @ shown.T)
        if product is not None and product.diagonal().min(initial=1.0) > WIDE:
            return triangles.solved(product, estimate / lengths, transposed=True)
    upper: Array = np.asarray(np.linalg.qr(half.T, mode="r"))
    lengths = np.sqrt(np.einsum("ij,ij->j", upper, upper))
    if not np.all(np.abs(upper.diagonal()) > INDEPENDENT * lengths):
        return None
    return triangles.solved(upper, estimate, transposed=True)


def rao(score: Array, information: Array) -> float:
    """Compute the score statistic u' I^-1 u at phi = 1; NaN where I is no metric.

    Examples
    --------
    >>> rao(np.array([2.0, 1.0]), np.diag([4.0, 1.0]))
    2.0
    """
    size = np.sqrt(np.diag(information))
    if not (np.all(np.isfinite(information)) and np.all(size > 0)):
        return math.nan
    upper = triangles.cholesky(information / np.multiply.outer(size, size))
    if upper is None:
        return math.nan
    half = triangles.solved(upper, score / size, transposed=True)
    return float(half @ half)
