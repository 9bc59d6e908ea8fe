"""Every kind of residual by name: the four basic ones, and those that are made of more than eta.

May import: everything below `fit`.
Read next: `etamu.fit.influence`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.choice import unknown_choice
from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.types import Array, Mask
from etamu.design.chunk import Chunk
from etamu.family.anscombe import anscombe
from etamu.family.distribution import Distribution, distribution
from etamu.fit.influence import influence
from etamu.fit.leverage import bread, counts, lever
from etamu.fit.residuals import KINDS, basic, response, root_precision
from etamu.fit.rows import by_row, raw_beta
from etamu.infer import influence as formulas
from etamu.infer.quantile import normal_scores
from etamu.infer.uniform import LARGEST_SEED, RESIDUAL, uniform
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


def residuals(fit: FittedModel, kind: str, seed: int = 0) -> Any:
    """Compute residuals as `Fit.residuals` describes.

    Raises
    ------
    OptionError
        If the kind is not known, or the seed is not a whole number.
    NotAvailableError
        If residuals of this kind do not exist for the family.
    """
    asked = str(kind).replace("ized", "ised")
    if asked in KINDS:
        return basic(fit, asked)
    if asked == "quantile":
        return _quantile(fit, seed)
    if asked in FURTHER:
        return FURTHER[asked](fit)
    raise unknown_choice("kind", kind, (*KINDS, *FURTHER, "quantile"), ", of residuals")


def partial_residuals(fit: FittedModel, term: str) -> Array:
    """Compute the working residual plus the centred contribution of one term to eta.

    Raises
    ------
    OptionError
        If there is no such term; those there are are named.
    """
    known = _terms(fit)
    if term not in known:
        listed = ", ".join(map(repr, known)) or "none"
        raise OptionError(f"there is no term {term!r}; the terms are {listed}")
    return _partial(fit, (term,))[:, 0]


def _partial_table(fit: FittedModel) -> Any:
    names = _terms(fit)
    if not names:
        raise NotAvailableError("partial residuals are those of terms, and this model has a constant only")
    columns = dict(zip(names, np.ascontiguousarray(_partial(fit, names).T), strict=True))
    table = fit.problem.table
    return columns if table is None else table.native_table(columns)


def _terms(fit: FittedModel) -> tuple[str, ...]:
    """Name the terms that have columns besides the one of ones."""
    layout = fit.problem.layout
    return tuple(
        term.label for term in layout.terms if layout.names[term.columns] not in {(), ("Intercept",)}
    )


def _partial(fit: FittedModel, names: tuple[str, ...]) -> Array:
    """Compute partial residuals of some terms, (n, terms).

    Contributions are centred where there is an intercept (as R), by their mean over the rows that count, each
    as often as its frequency weight says.
    """
    problem, coordinates = fit.problem, fit.coordinates
    columns = {term.label: term.columns for term in problem.layout.terms}
    raw = []
    for name in names:
        only = np.zeros(len(fit.names))
        only[columns[name]] = fit.finite[columns[name]]
        raw.append(coordinates.raw(coordinates.working(only)))

    def contributions(chunk: Chunk) -> Array:
        return np.stack([etas(chunk, each, offset=False) for each in raw], axis=1)

    out = by_row(fit, contributions)
    if "Intercept" in fit.names:
        rows, copies = problem.chunk.row_ids[problem.counted], problem.chunk.weights.frequency
        out = out - np.average(out[rows], axis=0, weights=None if copies is None else copies[problem.counted])
    return out + basic(fit, "working")[:, None]


def _anscombe(fit: FittedModel) -> Array:
    unit, beta = fit.problem.unit, raw_beta(fit)

    def rows(chunk: Chunk) -> Array:
        y, trials = unit.observed(chunk.y)
        with np.errstate(all="ignore"):
            mean = unit.mean(np, etas(chunk, beta))
            residual = anscombe(unit.family, y, mean.mu, mean.complement) * root_precision(chunk)
            return residual if trials is None else residual * np.sqrt(trials)

    return by_row(fit, rows)


def _standardised(fit: FittedModel, base: str) -> Array:
    """Compute r / sqrt(phi (1 - h)) for a basic kind of residual."""
    return formulas.standardised(basic(fit, base), _leverage(fit), fit.phi.value)


def _studentised(fit: FittedModel) -> Array:
    """Compute R's rstudent, over the sigma without the row where phi is estimated, else over sqrt(phi)."""
    if fit.phi.estimated:
        found = influence(fit)
        h, sigma = found.leverage, found.loo_sigma
        return formulas.studentised(basic(fit, "deviance"), basic(fit, "pearson"), h, sigma)
    known = float(np.sqrt(fit.phi.value))
    return formulas.studentised(basic(fit, "deviance"), basic(fit, "pearson"), _leverage(fit), known)


def _leverage(fit: FittedModel) -> Array:
    beta, leverage = raw_beta(fit), lever(fit, bread(fit))
    return by_row(fit, lambda chunk: leverage(chunk, etas(chunk, beta)))


def _quantile(fit: FittedModel, seed: Any) -> Array:
    """Compute Phi^-1 of a uniform point between P(Y < y) and P(Y <= y) (Dunn and Smyth 1996)."""
    if type(seed) is bool or not isinstance(seed, (int, np.integer)) or not 0 <= seed <= LARGEST_SEED:
        raise OptionError(f"seed={seed!r} is not understood; give a whole number from 0 to 2^64 - 1")
    family = fit.family
    if not family.has_density:
        raise NotAvailableError(
            f"quantile residuals need the distribution of the response, and {family} states a variance, "
            "not a distribution: use 'deviance' or 'anscombe' residuals, or a family with a density"
        )
    if fit.phi.value == 0.0:
        raise NotAvailableError("the fit is perfect, phi is 0: no law has a width in which a response lies")
    return by_row(fit, partial(_scores, fit, distribution(family), raw_beta(fit), int(seed)))


def _scores(fit: FittedModel, law: Distribution, beta: Array, seed: int, chunk: Chunk) -> Array:
    unit, family = fit.problem.unit, fit.family
    eta = etas(chunk, beta)
    with np.errstate(all="ignore"):
        mean = unit.mean(np, eta)
        at = {"mu": mean.mu, "dispersion": _spread(fit, chunk)}
        if family.mean.upper == 1.0:
            at["complement"] = mean.complement
        if len(family.response) > 1:
            at["trials"] = chunk.y[1]
        below = response(unit, chunk, eta) <= 0.0
        inner, outer = _tails(law, chunk.y[0], at, below)
        scores = normal_scores(inner, outer, uniform(seed, chunk.row_ids, 1, RESIDUAL)[:, 0], below)
        # A tail below the smallest float, 38 standard deviations out: there the deviance residual is the
        # normal score but for a relative error of its inverse square.
        far = KINDS["deviance"](unit, chunk, eta) / (
            1.0 if family.dispersion_known else np.sqrt(fit.phi.value)
        )
    return np.where(counts(chunk), np.where(np.isinf(scores), far, scores), np.nan)


def _spread(fit: FittedModel, chunk: Chunk) -> Array:
    """Return phi over the variance weight of each row, NaN where there is no positive phi."""
    phi = fit.phi.value if fit.phi.value > 0.0 else np.nan
    precision = chunk.weights.variance
    return np.full(len(chunk), phi) if precision is None else phi / precision


def _tails(law: Distribution, y: Array, at: dict[str, Array], below: Mask) -> tuple[Array, Array]:
    """Compute the tails on both sides of each y: the lower ones where `below`, the upper ones elsewhere."""
    inner, outer = np.full(len(y), np.nan), np.full(len(y), np.nan)
    atom = law.family.support.interval.closed_lower
    for tail, where in ((law.cdf, below), (law.sf, ~below)):
        value, given = y[where], {name: column[where] for name, column in at.items()}
        inner[where] = tail(value, **given)
        if law.discrete:
            outer[where] = tail(value - 1.0, **given)
        else:
            # A continuous law on closed ground has an atom at its lower end, which lies below every mean.
            outer[where] = np.where(atom & (value == 0.0), 0.0, inner[where])
    return inner, outer


FURTHER: dict[str, Callable[[FittedModel], Any]] = {
    "anscombe": _anscombe,
    "standardised": partial(_standardised, base="deviance"),
    "standardised deviance": partial(_standardised, base="deviance"),
    "standardised pearson": partial(_standardised, base="pearson"),
    "studentised": _studentised,
    "partial": _partial_table,
}
"""Kinds that need leverages, laws or coefficients, by name; "quantile" needs a seed too."""
