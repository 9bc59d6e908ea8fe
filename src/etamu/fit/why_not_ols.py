"""What least squares would do to the same data: means that cannot be, wrong variances, intervals that lie.

May import: everything below `fit`.
Read next: `etamu.fit.check`, which asks the same of the model itself.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.markup import wrap
from etamu._base.types import Array, Interval
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.family.families import Gaussian
from etamu.family.links import Identity
from etamu.family.unit import Unit
from etamu.fit.components import spelled
from etamu.fit.leverage import bread, lever
from etamu.fit.numerals import short
from etamu.fit.placed import placed
from etamu.fit.problem import Options
from etamu.fit.rows import by_row, raw_beta, refuse_others
from etamu.infer.covariance import Root, filled
from etamu.infer.wald import critical
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel, Model

TENTHS = 10

LEAST, MOST = 1e-140, 1e140
"""Between these squares, and sums of squares over many rows, have all their digits."""
EXACT = 1e-24
"""A residual sum of squares this small beside that of the response is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class WhyNotOls:
    """How least squares of the same columns does on the data; printing it says it in words.

    Parameters
    ----------
    response : str
        What least squares explains: the response, a proportion, or a rate.
    family : str
        The family it is held against.
    fit : Fit
        The least squares.
    possible : Interval
        The means the family can have.
    outside : int
        Fitted values where the family can have no mean; `worst` is the most extreme of them, in row `row`.
    variance : array (10,)
        Variance of its residuals in tenths of its fitted values, lowest first.
    skewness : float
        Of its residuals; 0 for a normal law.
    level : float
    coverage : float
        Share of the responses inside its prediction intervals, and `by_tenth` in tenths of its fitted values.
    impossible : float
        Share of these intervals that reach where no response can be.
    coefficients : dict of str to float
        Probability with which its intervals cover the coefficients of the best line, if the model holds.
    means : float
        The same for intervals of the mean, averaged over the rows.
    """

    response: str
    family: str
    fit: FittedModel
    possible: Interval
    outside: int
    worst: float
    row: int
    variance: Array
    skewness: float
    level: float
    coverage: float
    by_tenth: Array
    impossible: float
    coefficients: dict[str, float]
    means: float

    @property
    def sentences(self) -> tuple[str, ...]:
        """What was found, one sentence for each trouble."""
        return (self._range(), self._spread(), self._shape(), self._intervals(), self._coverage())

    def _range(self) -> str:
        count = len(self.fit.problem.counting())
        where = repr(self.possible)
        if not self.outside:
            return f"Range: all {count:,} fitted values lie in {where}, where a {self.family} mean can be."
        return (
            f"Range: {self.outside:,} of {count:,} fitted values lie outside {where}, where a {self.family} "
            f"mean can be; the worst is {short(self.worst, 3)}, in row {self.row}."
        )

    def _spread(self) -> str:
        low, high = float(np.nanmin(self.variance)), float(np.nanmax(self.variance))
        times = f"{short(high / low, 3)} times the smallest" if low > 0.0 else "beside none at all"
        first, last = (short(self.variance[place], 3) for place in (0, -1))
        return (
            "Variance: least squares takes it to be the same everywhere; in tenths of the fitted value it "
            f"goes from {first} to {last}, and the largest is {times}."
        )

    def _shape(self) -> str:
        return f"Shape: its residuals have skewness {short(self.skewness, 3)}, where a normal law has 0."

    def _intervals(self) -> str:
        low, high = float(np.nanmin(self.by_tenth)), float(np.nanmax(self.by_tenth))
        text = (
            f"Prediction: of its {_percent(self.level)} intervals {_percent(self.coverage)} hold the "
            f"response, from {_percent(low)} to {_percent(high)} by tenths of the fitted value"
        )
        if self.impossible > 0.0:
            text += f"; {_percent(self.impossible)} of them reach where no response can be"
        return f"{text}."

    def _coverage(self) -> str:
        name, least = min(self.coefficients.items(), key=lambda each: each[1])
        other, most = max(self.coefficients.items(), key=lambda each: each[1])
        return (
            f"Intervals: if the {self.family} model holds, its {_percent(self.level)} intervals cover "
            f"between {_percent(least)} ({name}) and {_percent(most)} ({other}) for coefficients, and "
            f"{_percent(self.means)} for the means of the rows, on average."
        )

    def frame(self) -> Any:
        """Tabulate variance and coverage by tenths, in the data-frame library that came in."""
        columns: dict[str, Any] = {
            "tenth": np.arange(1, TENTHS + 1),
            "variance": self.variance,
            "coverage": self.by_tenth,
        }
        table = self.fit.problem.table
        return columns if table is None else table.native_table(columns)

    def __str__(self) -> str:
        head = f"Least squares of {self.response} on the same columns, instead of the {self.family} model"
        return "\n".join([head, "", *("\n".join(wrap(each)) for each in self.sentences)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        items = "".join(f"<li>{escape(each)}</li>" for each in self.sentences)
        head = f"<p>Least squares of {escape(self.response)}</p>"
        return f'<div class="etamu-why-not-ols">{head}<ul>{items}</ul></div>'


def why_not_ols(fit: FittedModel, level: float = 0.95) -> WhyNotOls:
    """Say what least squares of the same columns would do to the data of a fit.

    Parameters
    ----------
    fit : Fit
        Of any family. Trials make least squares explain the proportion, a log link with an offset the rate.
    level : float
        Of the intervals that are looked at.

    Returns
    -------
    WhyNotOls

    Raises
    ------
    NotAvailableError
        If the fit carries no rows, or its columns leave least squares no residual.

    Examples
    --------
    >>> import etamu as em
    >>> y = [0.0, 1.0, 0.0, 2.0, 3.0, 2.0, 6.0, 9.0, 8.0, 20.0, 15.0, 31.0]
    >>> data = {"y": y, "x": [float(k) for k in range(12)]}
    >>> found = em.why_not_ols(em.glm("y ~ x", data, family="poisson"))
    >>> found.outside, round(found.worst, 2)
    (2, -4.59)
    """
    refuse_others(fit, "why_not_ols")
    if not fit.names:
        raise NotAvailableError("the model has no coefficients: least squares would have none either")
    y = np.abs(fit.problem.unit.observed(fit.problem.counting().y)[0])
    if y.any() and not LEAST < y.max() < MOST:
        raise NotAvailableError(
            "squares of the response are beyond float64: count it in units that bring it near 1"
        )
    line = _line(fit)
    exact = line.fit.deviance <= EXACT * float(np.sum(line.copies * line.y**2))
    if line.fit.df_resid <= 0 or exact:
        raise NotAvailableError("the columns fit every row: least squares has no residual to look at")
    ols, s = line.fit, math.sqrt(line.fit.phi.value)
    root = bread(ols)
    numbers = _numbers(ols, root)
    fitted, h = numbers.T
    residual = line.y - fitted
    place = np.minimum(np.argsort(np.argsort(fitted, kind="stable")) * TENTHS // len(fitted), TENTHS - 1)
    copies = line.copies
    z = critical(level, float(ols.df_resid))
    half = z * s * np.sqrt(1.0 + h)
    inside = np.abs(residual) <= half
    mean = fit.family.mean
    beyond = np.maximum(mean.lower - fitted, fitted - mean.upper)
    beyond = np.where((fitted <= mean.lower) | (fitted >= mean.upper), beyond, -math.inf)
    support = fit.family.support.interval
    upper = 1.0 if mean.upper == 1.0 else support.upper
    reaching = (fitted - half < support.lower) | (fitted + half > upper)
    worst = int(np.argmax(beyond))
    cover = _Cover(fit, line, s, critical(level, math.inf))
    centred = residual - np.average(residual, weights=copies)
    moment = partial(np.average, weights=copies)
    return WhyNotOls(
        response=line.name,
        family=spelled(fit.family),
        fit=ols,
        possible=mean,
        outside=int(np.sum(np.isfinite(beyond))),
        worst=float(fitted[worst]),
        row=int(ols.problem.counting().row_ids[worst]),
        variance=_by_tenth(residual**2, place, copies),
        skewness=float(moment(centred**3) / moment(centred**2) ** 1.5),
        level=level,
        coverage=float(np.average(inside, weights=copies)),
        by_tenth=_by_tenth(inside.astype(np.float64), place, copies),
        impossible=float(np.average(reaching, weights=copies)),
        coefficients=cover.coefficients(root),
        means=cover.means(root, h),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Line:
    """Least squares with its response, and what the model says of each row.

    `mu` and `variance` are the mean and the variance of the response of least squares under the model.
    """

    fit: FittedModel
    name: str
    y: Array
    copies: Array
    mu: Array
    variance: Array


def _line(fit: FittedModel) -> _Line:
    problem, unit = fit.problem, fit.problem.unit
    chunk, beta = problem.counting(), raw_beta(fit)
    y, trials = unit.observed(chunk.y)

    def means(block: Chunk) -> Array:
        mean = unit.mean(np, etas(block, beta))
        return np.stack([mean.mu, unit.family.variance(np, mean.mu, mean.complement)], axis=1)

    mu, spread = by_row(fit, means)[chunk.row_ids].T
    variance = fit.phi.value * spread
    if chunk.weights.variance is not None:
        variance = variance / chunk.weights.variance
    name = problem.words.response or "y"
    if trials is not None:
        variance, name = variance / trials, f"{name} over its trials"
    offset = chunk.predictors[0].offset
    if offset is not None and fit.link.name == "log":
        per = np.exp(offset)
        y, mu, variance, name = y / per, mu / per, variance / per**2, f"{name} over its exposure"
    ols = _least_squares(fit, y, chunk)
    copies = chunk.weights.frequency
    return _Line(ols, name, y, np.ones(len(y)) if copies is None else copies, mu, variance)


def _least_squares(fit: Model, y: Array, chunk: Chunk) -> Model:
    """Fit a response by least squares, without offset and without weights but copies."""
    if fit.fitting is None:
        fit.problem.attached()  # raises where there are no rows
        raise NotAvailableError("this fit does not say how to fit another: fit the model again")
    problem = fit.problem
    ready = replace(
        chunk,
        predictors=(Predictor(chunk.predictors[0].design),),
        y=(y,),
        weights=Weights(chunk.weights.frequency),
        cluster=(),
    )
    sample = replace(problem.attached(), chunk=ready, counted=np.ones(len(ready), dtype=bool))
    options = Options(block_rows=problem.options.block_rows, threads=problem.options.threads)
    plain = replace(problem, unit=Unit(Gaussian(), Identity()), sample=sample, options=options, unknown="")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what there is to warn of was said when the model was fitted
        ols: Model = fit.fitting(plain)
    return ols


def _numbers(ols: FittedModel, root: Root) -> Array:
    """Compute fitted value and leverage of each row, (n, 2)."""
    beta, leverage = raw_beta(ols), lever(ols, root)

    def numbers(block: Chunk) -> Array:
        eta = etas(block, beta)
        return np.stack([eta, leverage(block, eta)], axis=1)

    return by_row(ols, numbers)[ols.problem.counting().row_ids]


def _by_tenth(values: Array, place: Any, copies: Array) -> Array:
    with np.errstate(all="ignore"):
        sums = np.bincount(place, values * copies, TENTHS)
        return np.asarray(sums / np.bincount(place, copies, TENTHS))


@dataclass(frozen=True, slots=True, eq=False)
class _Cover:
    """Coverage of the intervals of least squares where the model holds, in large samples.

    Its estimate has the covariance M X'diag(v) X M, v the variances of the model and M = (X'X)^-1, and
    claims s^2 M; the mean of a row is missed by what the best line misses as well.
    """

    model: FittedModel
    line: _Line
    s: float
    z: float

    def coefficients(self, root: Root) -> dict[str, float]:
        """Return the coverage of each coefficient of the best line."""
        ols = self.line.fit
        real = self._real(root)
        claimed = self.s * Root(ols.coordinates.reported(root.matrix)).errors()
        spread = Root(ols.coordinates.reported(real.matrix)).errors()
        shares = _inside(self.z * claimed, np.zeros_like(spread), spread)
        return {
            name: float(share) for name, share in zip(ols.names, shares, strict=True) if not np.isnan(share)
        }

    def means(self, root: Root, h: Array) -> float:
        """Return the coverage of the mean of a row, averaged over the rows."""
        ols, matrix = self.line.fit, self._real(root).covariance()
        raw = ols.coordinates.raw_matrix(matrix)
        ids = ols.problem.counting().row_ids
        spread = np.sqrt(by_row(ols, lambda block: block.predictors[0].design.quadratic(raw))[ids])
        best = _least_squares(self.model, self.line.mu, self.model.problem.counting())
        bias = _numbers(best, root)[:, 0] - self.line.mu
        shares = _inside(self.z * self.s * np.sqrt(h), bias, spread)
        return float(np.average(shares, weights=self.line.copies))

    def _real(self, root: Root) -> Root:
        ols = self.line.fit
        at = placed(ols.problem, ols.problem.counting(), ols.coordinates, ols.beta)
        whole = replace(at.executor.whole, y=(self.line.variance * self.line.copies,))
        executor = replace(at.executor, whole=whole)
        gram = executor.reduce(lambda block: block.predictors[0].design.gram(block.y[0]))
        return filled(root, root.matrix.T @ ols.coordinates.gram(gram) @ root.matrix)


def _inside(half: Array, bias: Array, spread: Array) -> Array:
    """Return P(|N(bias, spread^2)| <= half)."""
    from scipy.special import ndtr

    with np.errstate(all="ignore"):
        return np.asarray(ndtr((half - bias) / spread) - ndtr((-half - bias) / spread))


def _percent(share: float) -> str:
    percent = 100.0 * share
    return f"{percent:.0f} %" if 1.0 <= percent <= 99.0 or percent in {0.0, 100.0} else f"{percent:.3g} %"
