"""Textbook formulas of every pair in extended precision, and whether a reported optimum is one.

Nothing here asks etamu for a formula: V(mu), links, scores and weights are written out again from McCullagh
and Nelder, in `np.longdouble`, whose exponents reach 1e4932 where that of a double ends at 1e308.

Read next: tests/fuzz/verdict.py, which puts reported coefficients here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np

Wide = np.longdouble
EPS = float(np.finfo(np.float64).eps)
FINE = float(np.finfo(Wide).eps)

ONE = Wide(1)


# --- links: mean, slope, and for means below 1 the slope over mean and over complement ---


@dataclass(frozen=True)
class Point:
    """mu, 1 - mu and dmu / deta, each without subtraction of what is nearly equal."""

    mu: np.ndarray
    complement: np.ndarray
    slope: np.ndarray


def _power(k: float) -> Callable[[np.ndarray], Point]:
    """Return mu = eta^(1/k), the inverse of mu^k."""
    e = ONE / Wide(k)

    def inverse(eta: np.ndarray) -> Point:
        mu = eta**e
        return Point(mu, -np.expm1(e * np.log(eta)), e * eta ** (e - 1))

    return inverse


def _identity(eta: np.ndarray) -> Point:
    return Point(eta, ONE - eta, np.ones_like(eta))


def _log(eta: np.ndarray) -> Point:
    mu = np.exp(eta)
    return Point(mu, -np.expm1(eta), mu)


def _logit(eta: np.ndarray) -> Point:
    mu, complement = ONE / (ONE + np.exp(-eta)), ONE / (ONE + np.exp(eta))
    return Point(mu, complement, mu * complement)


def _wide(number: mpmath.mpf) -> np.longdouble:
    """Round a probability; one below the range of extended precision is 0."""
    return Wide(0) if number < mpmath.mpf("1e-4900") else Wide(mpmath.nstr(number, 22))


def _probit(eta: np.ndarray) -> Point:
    with mpmath.workdps(25):
        half = [mpmath.mpf(str(each)) for each in eta]
        tails = [(mpmath.ncdf(each), mpmath.ncdf(-each), mpmath.npdf(each)) for each in half]
        wide = [[_wide(part) for part in each] for each in tails]
    mu, complement, slope = (np.array(part, dtype=Wide) for part in zip(*wide, strict=True))
    return Point(mu, complement, slope)


def _cloglog(eta: np.ndarray) -> Point:
    hazard = np.exp(eta)
    return Point(-np.expm1(-hazard), np.exp(-hazard), hazard * np.exp(-hazard))


def _loglog(eta: np.ndarray) -> Point:
    turned = _cloglog(-eta)
    return Point(turned.complement, turned.mu, turned.slope)


def _cauchit(eta: np.ndarray) -> Point:
    pi = Wide("3.14159265358979323846264338327950288")

    def tail(at: np.ndarray) -> np.ndarray:  # P(Cauchy < at), small where at is very negative
        return np.where(at < 0, np.arctan(-ONE / np.where(at < 0, at, -ONE)), pi / 2 + np.arctan(at)) / pi

    return Point(tail(eta), tail(-eta), ONE / (pi * (ONE + eta * eta)))


LINKS: dict[str, Callable[[np.ndarray], Point]] = {
    "identity": _identity,
    "log": _log,
    "logit": _logit,
    "probit": _probit,
    "cloglog": _cloglog,
    "loglog": _loglog,
    "cauchit": _cauchit,
    "inverse": _power(-1.0),
    "inverse_squared": _power(-2.0),
    "sqrt": _power(0.5),
}


def inverse_of(link: Any) -> Callable[[np.ndarray], Point]:
    """Find the inverse of a link of the catalogue."""
    if link.name in LINKS:
        return LINKS[link.name]
    if hasattr(link, "theta"):  # canonical of the negative binomial: eta = log(mu / (mu + theta))
        theta = Wide(link.theta)

        def canonical(eta: np.ndarray) -> Point:
            gone = -np.expm1(eta)
            mu = theta * np.exp(eta) / gone
            return Point(mu, ONE - mu, mu / gone)

        return canonical
    return _power(link.k)


# --- families ---

BOUNDED = ("bernoulli", "binomial", "quasibinomial")
POWERS = {"gaussian": 0.0, "poisson": 1.0, "quasipoisson": 1.0, "gamma": 2.0, "inverse_gaussian": 3.0}


def variance(family: Any, mu: np.ndarray) -> np.ndarray:
    """Compute V(mu) of a family whose means are not bounded by 1."""
    if family.name == "negative_binomial":
        return np.asarray(mu + mu * mu / Wide(family.theta))
    return np.asarray(mu ** Wide(power_of(family)))


def power_of(family: Any) -> float:
    """Return the p of a family with V(mu) = mu^p."""
    if family.name == "quasi":
        return float(family.statement.removeprefix("mu^"))
    return float(POWERS.get(family.name, getattr(family, "power", None)))


@dataclass(frozen=True)
class Rows:
    """Rows of positive weight of a problem, in extended precision; trials are 1 where there are none."""

    x: np.ndarray
    y: np.ndarray
    trials: np.ndarray
    weight: np.ndarray
    offset: np.ndarray


@dataclass(frozen=True)
class Seen:
    """Pearson residuals and root working weights of rows, and what rounding may do to the residuals."""

    residual: np.ndarray
    root: np.ndarray
    rounding: np.ndarray


def look(unit: Any, rows: Rows, beta: np.ndarray) -> Seen:
    """Compute sqrt(w) (y - mu) / sqrt(V) and sqrt(w) mu' / sqrt(V) at coefficients.

    The rounding is that of coefficients kept in double precision and of sums in it.
    """
    eta = rows.offset + rows.x @ beta
    blurred = 8 * Wide(EPS) * (np.abs(rows.offset) + np.abs(rows.x) @ np.abs(beta))
    residual, root, size = pearson(unit, rows, eta)
    # Where y and mu are far apart the slope of the value changes faster than its expectation says.
    up, down = (pearson(unit, rows, eta + sign * blurred) for sign in (ONE, -ONE))
    bent = np.abs(up[0] * up[1] - down[0] * down[1]) / np.abs(root)
    change = np.fmax(blurred * np.abs(root), bent)
    # An eta that float64 cannot tell from an end of its domain may stand for any residual.
    inside = unit.domain.contains((eta - blurred).astype(float)) & unit.domain.contains(
        (eta + blurred).astype(float)
    )
    change = np.where(inside, change, Wide(np.inf))
    return Seen(residual, root, change + 8 * Wide(EPS) * size)


def pearson(unit: Any, rows: Rows, eta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute Pearson residuals, root working weights, and the size of what was subtracted."""
    at = inverse_of(unit.link)(eta)
    if unit.family.name in BOUNDED:
        deep = np.sqrt(rows.weight * rows.trials)
        up, down = np.sqrt(at.mu / at.complement), np.sqrt(at.complement / at.mu)
        share = rows.y / rows.trials
        residual = deep * (share * down - (ONE - share) * up)
        root = deep * at.slope / np.sqrt(at.mu * at.complement)
        size = deep * (share * down + (ONE - share) * up)
    else:
        deep = np.sqrt(rows.weight)
        spread = np.sqrt(variance(unit.family, at.mu))
        residual = deep * (rows.y - at.mu) / spread
        root = deep * at.slope / spread
        size = deep * (np.abs(rows.y) + np.abs(at.mu)) / spread
    return residual, root, size


# --- projections ---


@dataclass(frozen=True)
class Frame:
    """Orthonormal columns of a matrix, from left to right; `left` is what a column had of its own.

    `left` is relative to the column's length, 0 where the column is 0.
    """

    columns: np.ndarray
    triangle: np.ndarray
    left: np.ndarray


def frame(matrix: np.ndarray, least: float) -> Frame:
    """Orthonormalise columns, twice each; one that keeps less than `least` of its length is left out."""
    found: list[np.ndarray] = []
    left = np.zeros(matrix.shape[1])
    triangle = np.zeros((matrix.shape[1],) * 2, dtype=Wide)
    for j in range(matrix.shape[1]):
        size = np.max(np.abs(matrix[:, j]), initial=Wide(0))
        if not size > 0:
            continue
        column = matrix[:, j] / size
        length = np.sqrt(column @ column)
        for _ in range(2):
            for i, each in enumerate(found):
                along = each @ column
                triangle[i, j] += along * size
                column = column - along * each
        own = np.sqrt(column @ column)
        left[j] = float(own / length)
        if left[j] > least:
            triangle[len(found), j] = own * size
            found.append(column / own)
    columns = np.stack(found, axis=1) if found else np.zeros((len(matrix), 0), dtype=Wide)
    return Frame(columns, triangle, left)


@dataclass(frozen=True)
class Distance:
    """How far coefficients are from the maximum, by one step of scoring.

    Parameters
    ----------
    step : float
        Length of the step in the metric of the information, at phi = 1.
    rounding : float
        How long the step may be from rounding alone.
    pearson : float
        Sum of squared Pearson residuals.
    least : float
        Least share a column of the weighted design has of its own.
    """

    step: float
    rounding: float
    pearson: float
    least: float


def distance(unit: Any, rows: Rows, beta: np.ndarray) -> Distance:
    """Project the residuals on the weighted columns: the step of scoring is as long as the projection."""
    seen = look(unit, rows, beta)
    spanned = frame(rows.x * seen.root[:, None], 0.0)
    along = spanned.columns.T @ seen.residual
    return Distance(
        float(np.sqrt(along @ along)),
        float(np.sqrt(seen.rounding @ seen.rounding)),
        float(seen.residual @ seen.residual),
        float(np.min(spanned.left, initial=1.0)),
    )


def errors(unit: Any, rows: Rows, beta: np.ndarray) -> np.ndarray:
    """Compute the standard error of every eta at phi = 1: X R^-1 = W^-1/2 Q."""
    seen = look(unit, rows, beta)
    spanned = frame(rows.x * seen.root[:, None], 0.0)
    return np.asarray(np.sqrt((spanned.columns**2).sum(axis=1)) / seen.root)
