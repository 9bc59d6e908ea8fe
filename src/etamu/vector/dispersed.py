"""Models of the dispersion: by maximum likelihood, or by REML, adjusted for the coefficients of the mean.

May import: everything below `vector`.
Read next: `etamu.family.location_scale`, the family they are of.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import replace
from functools import partial

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import ConvergenceWarning
from etamu._base.types import Array
from etamu.design.chunk import Chunk
from etamu.family.location_scale import LocationScale
from etamu.family.unit import Unit
from etamu.fit.caller import user_level
from etamu.fit.likelihood import LogLikelihood
from etamu.infer.covariance import Root, root_of_information
from etamu.vector.estimate import estimate
from etamu.vector.problem import VectorProblem
from etamu.vector.result import VectorFit
from etamu.vector.rows import by_row, eta_of

METHODS = ("ml", "reml")
ROUNDS = 100
SETTLED = 1e-10
"""Change of the leverages in a round that ends the search."""

VANISHED = 46.0
"""A log-dispersion this far below the largest, 1e-20 of it, is one that runs to minus infinity."""

REASON = (
    "REML estimates of the dispersion maximise a likelihood that the coefficients of the mean are taken out "
    "of; for AIC fit with dispersion_method='ml'"
)


def dispersed(unit: Unit, formula: str, method: str) -> LocationScale:
    """Return the family whose mean is a unit's and whose dispersion follows a formula.

    Raises
    ------
    OptionError
        If the method is not known.
    FamilyError
        If the family has no dispersion to model.
    """
    check_choice("dispersion_method", method, METHODS)
    return LocationScale(unit.family, unit.link, formula, adjusted=method == "reml")


def estimate_dispersed(problem: VectorProblem) -> VectorFit:
    """Fit mean and dispersion together, by REML where the family is adjusted.

    With leverages h of the mean at the current dispersions REML solves sum z (d / phi - 1 + h) = 0, the score
    of log f + h log(phi) / 2 for fixed h. Each round solves this and takes the leverages anew; where they
    settle the score of the adjusted profile likelihood is 0.

    References
    ----------
    Smyth and Verbyla (1999), Environmetrics 10, equations 3 to 5.
    """
    if not problem.family.settings["adjusted"]:
        return _checked(estimate(problem))
    leverage = np.zeros(len(problem.chunk))
    fit, start = None, problem.options.start
    for _ in range(ROUNDS):
        chunk = replace(problem.chunk, y=(problem.chunk.y[0], leverage))
        options = replace(problem.options, start=start)
        stated = replace(problem, sample=replace(problem.attached(), chunk=chunk), options=options)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore" if fit is not None else "default")
            fit = estimate(stated)
        new = _leverages(fit)
        moved = float(np.max(np.abs(new - leverage), initial=0.0))
        leverage, start = new, fit.coef
        if moved <= SETTLED or not fit.converged:
            break
    else:
        message = f"the leverages of REML did not settle in {ROUNDS} rounds: look at the dispersion's formula"
        warnings.warn(message, ConvergenceWarning, stacklevel=user_level())
    assert fit is not None
    unknown = LogLikelihood(math.nan, 0, math.nan, REASON)
    return _checked(replace(fit, likelihood=unknown, fitting=estimate_dispersed))


def _checked(fit: VectorFit) -> VectorFit:
    """Say where the search went if it did not converge because a dispersion runs to 0."""
    if fit.converged:
        return fit
    scale = by_row(fit, lambda chunk: eta_of(chunk, fit.coordinates.raw(fit.beta))[:, 1:])[:, 0]
    low = np.flatnonzero(scale < np.nanmax(scale) - VANISHED)
    if len(low):
        message = (
            f"the dispersion goes to 0 in {len(low)} rows (the first is row {low[0]}), which the mean fits "
            "exactly: their likelihood has no bound; leave out of dispersion= what tells them apart"
        )
        warnings.warn(message, ConvergenceWarning, stacklevel=user_level())
    return fit


def _leverages(fit: VectorFit) -> Array:
    """Compute the leverage of each row in the fit of the mean, its variance the fitted one."""
    information = fit.solution.local.expected
    at = fit.coordinates.blocks[0]
    if information is None:
        return np.zeros(len(fit.problem.chunk))
    root = root_of_information(np.asarray(information)[at, at])
    every = by_row(fit, partial(_leverage, fit=fit, root=root))
    return np.asarray(every[fit.problem.chunk.row_ids])


def _leverage(chunk: Chunk, fit: VectorFit, root: Root) -> Array:
    part = fit.coordinates.parts[0]
    with np.errstate(all="ignore"):
        eta = eta_of(chunk, fit.coordinates.raw(fit.beta))
        weight = fit.problem.family.bind(np, "expected")(chunk.y, eta)[2][:, 0, 0]
    white = part.rows(chunk.predictors[0].design) @ root.matrix
    return np.asarray(weight * np.einsum("ij,ij->i", white, white))
