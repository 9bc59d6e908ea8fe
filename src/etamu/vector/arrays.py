"""A fit of several predictors from arrays and back to them: how scikit-learn's classes see one.

May import: everything below `vector`.
Read next: `etamu.estimator`, which asks; `etamu.vector.assemble` for the problem itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.types import Array
from etamu.family import catalogue
from etamu.family.family import Family
from etamu.family.vector import VectorFamily
from etamu.fit.arrays import Shape
from etamu.fit.inputs import Keywords
from etamu.fit.problem import Options, check_options
from etamu.vector.assemble import from_arrays, refuse_for_several
from etamu.vector.estimate import estimate
from etamu.vector.result import VectorFit


def of_classes(family: str | Family | VectorFamily) -> Any:
    """Return a family of classes and several linear predictors, None for the binomial.

    Raises
    ------
    OptionError
        If the family has no classes.
    """
    several = catalogue.several(family, None)
    name = several.name if several is not None else family if isinstance(family, str) else family.name
    if name in {"binomial", "bernoulli"} or (several is not None and several.categorical):
        return several
    raise OptionError(
        f"the {name} family has no classes: choose 'binomial', em.Multinomial(), em.Cumulative(), "
        "em.ContinuationRatio() or em.AdjacentCategory(), or use GLMRegressor"
    )


def fitted(
    X: Any, y: Any, family: VectorFamily, keywords: Keywords, options: Options, shape: Shape
) -> VectorFit:
    """Fit columns that have been checked to a response beside them."""
    check_options(options, "raise")
    refuse_for_several(family, options)
    return estimate(from_arrays(X, y, family, keywords, "raise", options, shape, {}))


def slopes(fit: VectorFit) -> Array:
    """Return the coefficients of the columns in the main predictor, 0 where aliased."""
    own = _own(fit, main_only=True)
    return np.array([value for constant, value in next(iter(own.values())) if not constant])


def constant(fit: VectorFit) -> float:
    """Return the coefficient of the column of ones in the main predictor, 0 without one."""
    own = _own(fit, main_only=True)
    return next((value for here, value in next(iter(own.values())) if here), 0.0)


def slopes_by_class(fit: VectorFit, labels: list[str]) -> Array:
    """Return a row of coefficients of the columns per class, 0 for the reference; or the one all share."""
    rows = {
        name: [value for here, value in some if not here] for name, some in _own(fit, main_only=True).items()
    }
    return np.array(_laid_out(fit, rows, labels))


def constants_by_class(fit: VectorFit, labels: list[str]) -> Array:
    """Return the constant of each class, 0 for the reference; the thresholds of an ordinal family."""
    rows = {
        name: [value for here, value in some if here] or [0.0]
        for name, some in _own(fit, main_only=False).items()
    }
    if fit.coordinates.anchored is not None:
        rows.pop(fit.problem.predictors[fit.coordinates.anchored].parameter.name)
    return np.array(_laid_out(fit, rows, labels))[:, 0]


def _laid_out(fit: VectorFit, rows: dict[str, list[float]], labels: list[str]) -> list[list[float]]:
    """Order rows by classes where they are classes, one against a reference."""
    if "reference" not in fit.family.settings:
        return list(rows.values())
    nothing = [0.0] * len(next(iter(rows.values())))
    return [rows.get(label, nothing) for label in labels]


def _own(fit: VectorFit, *, main_only: bool) -> dict[str, list[tuple[bool, float]]]:
    """Return for each predictor its coefficients, 0 where aliased, and which of them are constants."""
    value = np.nan_to_num(fit.coef, posinf=np.inf, neginf=-np.inf)
    own: dict[str, list[tuple[bool, float]]] = {}
    for stated in fit.problem.predictors:
        if stated.parameter.main or not main_only:
            constant_name = fit.family.label(stated.parameter, "Intercept")
            names = fit.predictors[stated.parameter.name]
            own[stated.parameter.name] = [
                (name == constant_name, float(value[fit.names.index(name)])) for name in names
            ]
    return own
