"""Estimated marginal means of several predictors: what is predicted on a grid of levels, averaged.

May import: everything below `vector`.
Read next: `etamu.fit.means`, the same for one predictor, whose grid and weights these are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import NotAvailableError
from etamu._base.types import Array
from etamu.data.encode import encode
from etamu.design.chunk import Predictor
from etamu.fit.estimates import Estimates
from etamu.fit.means import averaging, factors_of, weights_of
from etamu.fit.reference_grid import Combinations, combined, copies_of
from etamu.vector.effects import scene_of, tabulated, variables_of
from etamu.vector.predict import ends_of

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel

WEIGHTS = ("equal", "proportional")


def means(
    fit: FittedVectorModel,
    of: Any,
    by: Any,
    kind: str | None,
    weights: str,
    at: Mapping[str, Any] | None,
    level: float,
) -> Estimates:
    """Average predictions over a grid of all combinations of levels, as `VectorFit.means` describes.

    Raises
    ------
    OptionError
        If a factor or an option is not known.
    NotAvailableError
        If the fit carries no rows, was fitted to a matrix, has aliased coefficients, or is the limit of one
        that does not exist.
    """
    check_choice("weights", weights, WEIGHTS)
    scene, (wanted, groups) = scene_of(fit, kind, level), factors_of(of, by)
    if fit.aliased:
        raise NotAvailableError(
            f"{', '.join(fit.aliased)} have no estimate, and so have means of some cells: drop the columns "
            "that are linear combinations of others"
        )
    variables, problem = variables_of(fit), fit.problem
    grid = combined(variables, problem.table, problem.counting(), dict(at or {}))
    chosen = [grid.axis(name) for name in (*wanted, *groups)]
    shares, labels = weights_of(grid, chosen, weights)
    predictors, said = _placed(fit, grid)
    averages = [scene.over(predictors, np.ascontiguousarray(share)) for share in shares]
    named = [{name: column[row] for name, column in labels.items()} for row in range(len(averages))]
    words = (f"Estimated marginal means of {scene.kind}", *averaging(grid, chosen, weights), *said)
    table = tabulated(scene, words, list(zip(named, averages, strict=True)), level)
    low, high = ends_of(table.estimate, table.std_error, scene.target.scale, level, fit.reference_df)
    return replace(table, conf_low=low, conf_high=high, statistic=None, p_value=None)


def _placed(fit: FittedVectorModel, grid: Combinations) -> tuple[tuple[Predictor, ...], tuple[str, ...]]:
    """Encode the grid for every predictor; an offset stands at its mean, but for the formula's own."""
    chunk = fit.problem.counting()
    keep = np.zeros(fit.problem.input_rows, dtype=bool)
    keep[chunk.row_ids] = True
    weight = copies_of(chunk)
    said: dict[str, None] = {}
    predictors: list[Predictor] = []
    for stated, own in zip(fit.problem.predictors, chunk.predictors, strict=True):
        assert stated.schema is not None
        encoded = encode(stated.schema, grid.frame)
        offset: Array | None = encoded.offset
        if own.offset is not None:
            formula = encode(stated.schema, fit.problem.table, keep).offset
            mean = float(np.average(own.offset - (0.0 if formula is None else formula), weights=weight))
            offset = np.full(len(grid.frame), mean) + (0.0 if offset is None else offset)
            said[f"Offset held at its mean, {mean:.6g}"] = None
        predictors.append(Predictor(encoded.design, offset))
    return tuple(predictors), tuple(said)
