"""Statistics that ask whether a model holds: dispersion, calibration, uniformity, variance, collinearity.

May import: numpy, scipy.special, `etamu._base`, `etamu.infer`.
Read next: `etamu.fit.check`, which asks them of a fit and says what comes out in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.infer.tests import chi2_tail


@dataclass(frozen=True, slots=True)
class Score:
    """A statistic that is standard normal, or chi-squared on `df`, under the model.

    Parameters
    ----------
    statistic : float
    p_value : float
    df : int
        0 for a normal statistic.
    size : float
        How large the departure is, in units of its own.
    """

    statistic: float
    p_value: float
    df: int = 0
    size: float = math.nan


def two_sided(z: float) -> float:
    """Return P(|Z| > |z|).

    Examples
    --------
    >>> round(two_sided(1.959964), 6)
    0.05
    """
    from scipy.special import ndtr

    return float(2.0 * ndtr(-abs(z)))


def cameron_trivedi(y: Array, mu: Array, copies: Array | None = None) -> Score:
    """Regress ((y - mu)^2 - y) / mu on mu: Var = mu + a mu^2, where a Poisson count has a = 0.

    The statistic is the t value of a, normal in large samples; its size is a.

    References
    ----------
    Cameron and Trivedi (1990), Journal of Econometrics 46; R's `AER::dispersiontest(trafo = 2)`.

    Examples
    --------
    >>> print(f"{cameron_trivedi(np.array([0.0, 5.0, 1.0, 9.0]), np.array([2.0, 3.0, 2.0, 6.0])).size:.4f}")
    0.0566
    """
    k = np.ones_like(mu) if copies is None else copies
    some = mu > 0.0  # a row whose mean is 0, and so its count, says nothing
    auxiliary = np.where(some, ((y - mu) ** 2 - y) / np.where(some, mu, 1.0), 0.0)
    square = float(np.sum(k * mu**2))
    if not square > 0.0:
        return Score(math.nan, math.nan, size=math.nan)
    slope = float(np.sum(k * mu * auxiliary)) / square
    residual = auxiliary - slope * mu
    left = float(k.sum()) - 1.0
    variance = float(np.sum(k * residual**2)) / left / square if left > 0 else math.nan
    z = slope / math.sqrt(variance) if variance > 0 else math.nan
    return Score(z, two_sided(z), size=slope)


def dean(y: Array, mu: Array, leverage: Array, copies: Array | None = None) -> Score:
    """Score test of Var = mu + a mu^2 with the fit's own pull taken out, Dean's P'_B.

    sum((y - mu)^2 - y + h mu) / sqrt(2 sum mu^2).

    References
    ----------
    Dean (1992), Journal of the American Statistical Association 87.
    """
    k = np.ones_like(mu) if copies is None else copies
    total = float(np.sum(k * ((y - mu) ** 2 - y + leverage * mu)))
    square = float(np.sum(k * mu**2))
    if not square > 0.0:
        return Score(math.nan, math.nan, size=math.nan)
    z = total / math.sqrt(2.0 * square)
    return Score(z, two_sided(z), size=total / square)


def dean_binomial(y: Array, trials: Array, p: Array, copies: Array | None = None) -> Score:
    """Score test of more than binomial variation, Var = m p q (1 + (m - 1) rho); its size is rho.

    sum(((y - m p)^2 + p (y - m p) - y q) / (p q)) / sqrt(2 sum m (m - 1)).

    References
    ----------
    Dean (1992), Journal of the American Statistical Association 87.
    """
    k = np.ones_like(p) if copies is None else copies
    several = (trials > 1.0) & (p > 0.0) & (p < 1.0)
    k, y, m, p = (each[several] for each in (k, y, trials, p))
    q, gap = 1.0 - p, y - m * p
    with np.errstate(all="ignore"):
        total = float(np.sum(k * (gap**2 + p * gap - y * q) / (p * q)))
    pairs = float(np.sum(k * m * (m - 1.0)))
    if not pairs > 0.0:
        return Score(math.nan, math.nan)
    z = total / math.sqrt(2.0 * pairs)
    return Score(z, two_sided(z), size=total / pairs)


def hosmer_lemeshow(y: Array, trials: Array, p: Array, groups: int = 10) -> Score:
    """Compare successes with their expectation in groups of like fitted probabilities.

    sum (O - E)^2 / (E (1 - E / N)) on groups - 2 degrees of freedom; groups are cut at the quantiles of p, as
    in R's `ResourceSelection::hoslem.test`. Its size is the largest |O - E| / N.

    References
    ----------
    Hosmer and Lemeshow (1980).

    Examples
    --------
    >>> p = np.repeat([0.2, 0.5, 0.8], 10)
    >>> y = np.r_[np.repeat([1.0, 0.0], [4, 6]), np.repeat([1.0, 0.0], 5), np.repeat([1.0, 0.0], [8, 2])]
    >>> print(round(hosmer_lemeshow(y, np.ones(30), p, groups=3).statistic, 3))
    2.5
    """
    edges = np.unique(np.quantile(p, np.linspace(0.0, 1.0, groups + 1)))
    if len(edges) < 4:
        return Score(math.nan, math.nan)
    place = np.clip(np.searchsorted(edges, p, side="left") - 1, 0, len(edges) - 2)
    count, observed, expected = (np.bincount(place, each) for each in (trials, y, trials * p))
    full = count > 0
    count, observed, expected = count[full], observed[full], expected[full]
    with np.errstate(all="ignore"):
        terms = (observed - expected) ** 2 / (expected * (1.0 - expected / count))
    statistic = float(np.sum(np.where(observed == expected, 0.0, terms)))
    df = len(count) - 2
    size = float(np.max(np.abs(observed - expected) / count))
    return Score(statistic, chi2_tail(statistic, df), df, size)


def studentised_variance(squares: Array, along: Array, copies: Array | None = None) -> Score:
    """Ask whether squared residuals rise or fall with a variable: n R^2 on 1 degree of freedom.

    The studentised form of the test of Breusch and Pagan, which believes no fourth moment. Its size is the
    correlation.

    References
    ----------
    Koenker (1981), Journal of Econometrics 17.
    """
    k = np.ones_like(along) if copies is None else copies
    n = float(k.sum())
    centre = float(np.sum(k * along)) / n
    x = along - centre
    if not np.max(np.abs(x), initial=0.0) > 1e-10 * abs(centre):
        return Score(math.nan, math.nan)
    z = squares - np.sum(k * squares) / n
    spread = float(np.sum(k * x**2)) * float(np.sum(k * z**2))
    if not spread > 0.0:
        return Score(math.nan, math.nan)
    correlation = float(np.sum(k * x * z)) / math.sqrt(spread)
    statistic = n * correlation**2
    return Score(statistic, chi2_tail(statistic, 1), 1, correlation)


def kolmogorov(scores: Array) -> Score:
    """Compare scores with the standard normal law by the largest distance of distribution functions.

    The p-value is that of a law known beforehand, in large samples (Stephens' correction for n); with
    estimated coefficients it is on the safe side. Its size is the distance.

    Examples
    --------
    >>> from scipy.special import ndtri
    >>> found = kolmogorov(ndtri((np.arange(100) + 0.5) / 100))
    >>> round(found.size, 4), round(found.p_value, 4)
    (0.005, 1.0)
    """
    from scipy.special import kolmogorov as tail
    from scipy.special import ndtr

    n = len(scores)
    if not n:
        return Score(math.nan, math.nan)
    below = ndtr(np.sort(scores))
    steps = np.arange(n + 1) / n
    distance = float(max(np.max(steps[1:] - below), np.max(below - steps[:-1])))
    root = math.sqrt(n)
    statistic = (root + 0.12 + 0.11 / root) * distance
    return Score(statistic, float(tail(statistic)), size=distance)


def gvif(covariance: Array, groups: Sequence[Sequence[int]]) -> Array:
    """Compute generalised variance inflation of groups of coefficients, the constant left out.

    det R_aa det R_bb / det R, R the correlation of the coefficients, a the group and b the others.

    References
    ----------
    Fox and Monette (1992), Journal of the American Statistical Association 87; R's `car::vif`.

    Examples
    --------
    >>> print(gvif(np.array([[1.0, 0.6], [0.6, 1.0]]), [[0], [1]]).round(4))
    [1.5625 1.5625]
    """
    size = np.sqrt(np.diag(covariance))
    correlation = covariance / np.multiply.outer(size, size)
    every = np.arange(len(correlation))
    whole = _log_det(correlation)
    out = []
    for group in groups:
        others = np.setdiff1d(every, group)
        parts = _log_det(correlation[np.ix_(group, group)]) + _log_det(correlation[np.ix_(others, others)])
        out.append(math.exp(min(parts - whole, 700.0)))
    return np.array(out)


def _log_det(matrix: Array) -> float:
    return float(np.linalg.slogdet(matrix)[1]) if len(matrix) else 0.0
