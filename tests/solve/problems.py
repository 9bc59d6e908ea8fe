"""Small analytic oracles for the solver tests: rows x, a function of eta per row, and known answers.

May import: numpy, etamu._base, etamu.solve.
Read next: `test_matrix.py`, which lets every solver climb every one of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from etamu._base.types import Array, Want
from etamu.solve.oracle import Local

Row = Callable[[Array, Array], tuple[Array, Array, Array, Array]]
"""(eta, y) -> value, score, expected, observed information, all per row."""


@dataclass(frozen=True)
class Rows:
    """An oracle that is a sum over rows of a function of eta = x'beta."""

    x: Array
    y: Array
    row: Row
    concordance: float = 0.0
    lower: float = -math.inf
    upper: float = math.inf
    dispersed: bool = False
    noise: float = 0.0
    dear: bool = False
    wide: bool = False
    groups: None = None
    breadth: float = math.inf
    coarse: bool = False  # curvature with few digits, as a fast oracle may give it
    asked: list[str] = field(default_factory=list)

    @property
    def size(self) -> int:
        return self.x.shape[1]

    @property
    def restricted(self) -> bool:
        return math.isfinite(self.lower) or math.isfinite(self.upper)

    @property
    def extent(self) -> Array:
        return np.abs(self.x).max(axis=0, initial=0.0)

    def inside(self, eta: Array) -> bool:
        return bool(np.all((eta > self.lower) & (eta < self.upper)))

    def value(self, beta: Array) -> float:
        eta = self.x @ beta
        if not self.inside(eta):
            return -math.inf
        with np.errstate(all="ignore"):
            total = float(self.row(eta, self.y)[0].sum())
        if not math.isfinite(total):
            return -math.inf
        return total + self.noise * math.sin(1e6 * float(beta.sum())) * np.finfo(float).eps * abs(total)

    def at(self, beta: Array, want: Want) -> Local:
        self.asked.append("at:" + "|".join(sorted(flag.name or "" for flag in want)))
        if not self.inside(self.x @ beta):
            return Local(-math.inf)
        with np.errstate(all="ignore"):
            _, score, expected, observed = self.row(self.x @ beta, self.y)
            value = self.value(beta)
            spare = max(len(self.y) - self.size, 1)
            bend = (self.x.T * observed) @ self.x
            if self.coarse and Want.OBSERVED not in want:
                bend = bend.astype(np.float32).astype(np.float64)
                bend *= 1.0 + 0.004 * (Want.COARSE in want)
            return Local(
                value,
                -2.0 * value / spare if self.dispersed else 1.0,
                self.x.T @ score if Want.SCORE in want else None,
                (self.x.T * expected) @ self.x if Want.EXPECTED in want else None,
                bend if want & (Want.CURVATURE | Want.OBSERVED) else None,
            )

    def along(self, beta: Array, step: Array, ts: Array) -> Array:
        self.asked.append("along")
        return np.array([self.value(beta + t * step) for t in ts])

    def reach(self, beta: Array, step: Array) -> float:
        eta, slope = self.x @ beta, self.x @ step
        with np.errstate(all="ignore"):
            edge = np.where(slope > 0, (self.upper - eta) / slope, (self.lower - eta) / slope)
        return float(np.min(edge, where=slope != 0, initial=math.inf))

    def girth(self) -> float:
        self.asked.append("girth")
        return float((self.x**2).sum(axis=1).max())

    def longest(self, covariance: Array) -> float:
        self.asked.append("longest")
        return float(np.einsum("ij,jk,ik->i", self.x, covariance, self.x).max())


def least_squares(eta: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Value -(y - eta)^2 / 2."""
    one = np.ones_like(eta)
    return -0.5 * (y - eta) ** 2, y - eta, one, one


def logistic(eta: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Value y eta - log(1 + e^eta), in the form that cancels nothing."""
    sign = 1 - 2 * y
    tail = 1 / (1 + np.exp(-sign * eta))  # probability of the other answer
    variance = 1 / (2 + np.exp(eta) + np.exp(-eta))
    return -np.logaddexp(0, sign * eta), -sign * tail, variance, variance


def poisson_log(eta: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Half a Poisson deviance, negative, mean e^eta."""
    mu = np.exp(eta)
    positive = np.where(y > 0, y, 1.0)
    value = -(np.where(y > 0, y * (np.log(positive) - eta), 0.0) - (y - mu))
    return value, y - mu, mu, mu


def gamma_inverse(eta: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Half a gamma deviance, negative, mean 1/eta, eta > 0."""
    ratio = y * eta
    value = -(ratio - 1 - np.log(ratio))
    return value, 1 / eta - y, 1 / eta**2, 1 / eta**2


def gamma_log(eta: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Half a gamma deviance, negative, mean e^eta: expected and observed information differ."""
    ratio = y * np.exp(-eta)
    return -(ratio - 1 - np.log(ratio)), ratio - 1, np.ones_like(eta), ratio


def cauchit(eta: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Binary answers, probability 1/2 + arctan(eta)/pi: not concave."""
    side = np.where(y > 0, 1.0, -1.0) * eta
    tail = np.arctan2(1.0, -side) / math.pi  # = 1/2 + arctan(side)/pi, right in the tail
    density = 1 / (math.pi * (1 + eta**2))
    slope = density / tail
    other = np.arctan2(1.0, side) / math.pi
    bend = -2 * side / (1 + eta**2)  # density' / density
    score = np.where(y > 0, 1.0, -1.0) * slope
    return np.log(tail), score, density**2 / (tail * other), slope**2 - slope * bend


def log_binomial(eta: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Binary answers, probability e^eta, eta < 0."""
    mu, rest = np.exp(eta), -np.expm1(eta)
    odds = mu / rest
    no = y == 0
    value = np.where(no, np.log(rest), eta)
    return value, np.where(no, -odds, 1.0), odds, np.where(no, odds / rest, 0.0)


def poisson_identity(eta: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Half a Poisson deviance, negative, mean eta > 0."""
    positive = np.where(y > 0, y, 1.0)
    value = -(np.where(y > 0, y * np.log(positive / eta), 0.0) - (y - eta))
    return value, y / eta - 1, 1 / eta, y / eta**2


def loglog_tail(eta: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Binary answers, probability 1 - exp(-e^eta): its upper tail is faster than any exponential."""
    full = np.exp(eta)
    rate = np.minimum(full, 700.0)
    yes = np.where(rate < 1e-5, eta - rate / 2, np.log(-np.expm1(-np.maximum(rate, 1e-300))))
    some = np.maximum(rate, 1e-5)
    ratio = np.where(rate < 1e-5, 1 - rate / 2, some / np.expm1(some))
    bend = ratio * np.where(rate < 1e-5, rate / 2, some / -np.expm1(-some) - 1)
    return (
        np.where(y > 0, yes, -full),
        np.where(y > 0, ratio, -full),
        rate * ratio,
        np.where(y > 0, bend, full),
    )


def hill(eta: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """Value -(eta^2 - 1)^2: a minimum at 0 between two maxima; the expected information is a made-up 4."""
    return -((eta**2 - 1) ** 2), -4 * eta * (eta**2 - 1), np.full_like(eta, 4.0), 12 * eta**2 - 4


def features(rows: int, columns: int, seed: int = 1) -> Array:
    """A constant and standard normal columns."""
    rng = np.random.default_rng(seed)
    return np.column_stack([np.ones(rows), rng.normal(size=(rows, columns - 1))])


def draw(seed: int = 2) -> np.random.Generator:
    return np.random.default_rng(seed)


def binary(x: Array, beta: Array, seed: int = 3) -> Array:
    return (draw(seed).random(len(x)) < 1 / (1 + np.exp(-x @ beta))).astype(float)


BETA = np.array([0.3, -0.5, 0.2])
X = features(120, 3)


def maxima() -> dict[str, tuple[Rows, Array]]:
    """Problems with a finite interior maximum, each with a start."""
    zero = np.zeros(3)
    counts = draw().poisson(np.exp(X @ BETA)).astype(float)
    near = np.column_stack([X, X[:, 2] + 1e-4 * draw(9).normal(size=len(X))])
    times = draw().gamma(3.0, 1 / 3, size=len(X))
    slopes = np.column_stack([np.ones(120), draw(5).random((120, 2))])
    rates = 1 / (slopes @ np.array([1.0, 0.5, 2.0]))
    units = np.array([1.0, 1e-5, 1e5])
    return {
        "quadratic": (Rows(X, X @ BETA + draw().normal(size=120), least_squares, dispersed=True), zero),
        "perfect": (Rows(X, X @ BETA, least_squares, dispersed=True), zero),
        "logistic": (Rows(X, binary(X, BETA), logistic, 1.0), zero),
        "poisson": (Rows(X, counts, poisson_log, 1.0), zero),
        "gamma log": (Rows(X, times * np.exp(X @ BETA), gamma_log, 1.0, dispersed=True), zero),
        "perfect gamma": (Rows(X, np.exp(X @ BETA), gamma_log, 1.0, dispersed=True), zero),
        "gamma inverse": (
            Rows(slopes, times * rates, gamma_inverse, lower=0.0, dispersed=True),
            np.array([1.0, 0.0, 0.0]),
        ),
        "poisson identity": (
            Rows(slopes, draw().poisson(1 / rates).astype(float), poisson_identity, lower=0.0),
            np.array([2.0, 0.0, 0.0]),
        ),
        "log binomial": (
            Rows(
                slopes,
                (draw(4).random(120) < np.exp(-0.4 - slopes[:, 1])).astype(float),
                log_binomial,
                1.0,
                upper=0.0,
            ),
            np.array([-1.0, 0.0, 0.0]),
        ),
        "cauchit": (Rows(X, binary(X, 2 * BETA), cauchit, 1.0), zero),
        "complementary": (Rows(X, binary(X, BETA), loglog_tail, 1.0), zero),
        "badly scaled": (Rows(X * units, binary(X, BETA), logistic, 1.0), zero),
        "nearly collinear": (Rows(near, binary(X, BETA), logistic, 1.0), np.zeros(4)),
        "wide": (Rows(features(60, 20), binary(features(60, 20), np.zeros(20)), logistic, 1.0), np.zeros(20)),
        "constant": (Rows(X, np.full(120, 3.0), poisson_log, 1.0), zero),
        "huge counts": (
            Rows(X, np.rint(1e12 * np.exp(X @ BETA) * times), poisson_log, 1.0, noise=8.0),
            np.array([27.0, 0.0, 0.0]),
        ),
        "huge value": (Rows(X, 3e6 * draw().normal(size=120) + X @ BETA, least_squares, noise=8.0), zero),
        "far start": (Rows(X, counts, poisson_log, 1.0), np.array([5.0, 2.0, -2.0])),
        "at the maximum": (Rows(np.ones((4, 1)), np.array([0.0, 1.0, 0.0, 1.0]), logistic, 1.0), np.zeros(1)),
        "coarse curvature": (Rows(X, binary(X, BETA), logistic, 1.0, coarse=True), zero),
        "nothing to fit": (Rows(np.ones((4, 0)), np.ones(4), logistic, 1.0), np.zeros(0)),
    }


LINE = np.column_stack([np.ones(8), np.arange(8.0) - 3.5])
STEP = (LINE[:, 1] > 0).astype(float)


def others() -> dict[str, tuple[Rows, Array]]:
    """Problems without a finite interior maximum, each with a start."""
    zero = np.zeros(2)
    half = np.where(np.arange(8) == 3, 1.0, STEP)  # the two middle rows share x below
    shared = np.column_stack([np.ones(8), np.where(np.arange(8) == 4, -0.5, LINE[:, 1])])
    groups = np.column_stack([np.ones(9), np.repeat([0.0, 1.0, 0.0], 3), np.repeat([0.0, 0.0, 1.0], 3)])
    return {
        "separated": (Rows(LINE, STEP, logistic, 1.0), zero),
        "quasi-separated": (Rows(shared, np.where(np.arange(8) == 4, 0.0, half), logistic, 1.0), zero),
        "separated, fast tail": (Rows(LINE, STEP, loglog_tail, 1.0), zero),
        "separated, slow tail": (Rows(LINE, STEP, cauchit, 1.0), zero),
        "a group of zeros": (
            Rows(groups, np.array([1.0, 2, 3, 4, 2, 1, 0, 0, 0]), poisson_log, 1.0),
            np.zeros(3),
        ),
        "all zeros": (Rows(LINE, np.zeros(8), poisson_log, 1.0), zero),
        "edge": (
            Rows(LINE, np.array([0.0, 0, 0, 1, 0, 1, 1, 1]), log_binomial, 1.0, upper=0.0),
            np.array([-1.0, 0.0]),
        ),
        "edge, zeros": (
            Rows(LINE, np.array([0.0, 0, 0, 0, 9, 12, 14, 21]), poisson_identity, lower=0.0),
            np.array([7.0, 0.0]),
        ),
        "edge, all ones": (Rows(LINE, np.ones(8), log_binomial, 1.0, upper=0.0), np.array([-1.0, 0.1])),
        "cut quadratic": (Rows(LINE, 3.0 + 0 * STEP, least_squares, upper=1.0), zero),
        "outside": (Rows(LINE, STEP, log_binomial, 1.0, upper=0.0), np.array([1.0, 0.0])),
        "saddle": (Rows(np.ones((3, 1)), np.zeros(3), hill), np.zeros(1)),
        "collinear": (Rows(LINE[:, [0, 1, 1]], 1.0 - STEP, least_squares), np.zeros(3)),
    }


def broad(shared: float, shift: float = 0.0) -> tuple[Rows, Array]:
    """Return a Poisson model of 60 columns that have some of one number in common, and its start."""
    rng = np.random.default_rng(60)
    x = (1.0 - shared) * rng.standard_normal((2000, 60)) + shared * rng.standard_normal((2000, 1))
    y = rng.poisson(np.exp(0.1 * x.sum(axis=1))).astype(np.float64)
    return Rows(x, y, poisson_log, concordance=1.0, coarse=True), np.full(60, shift)
