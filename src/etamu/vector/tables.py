"""A fit of several predictors as tables: its coefficients, and the fit in one row.

May import: everything below `vector`.
Read next: `etamu.vector.summary`, which prints them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.types import Array
from etamu.fit.tables import coefficients_of, native, response_of, weight_of
from etamu.vector.predict import predict
from etamu.vector.residuals import residuals

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel


def tidy(fit: FittedVectorModel, level: float | None = None) -> Any:
    """Tabulate the coefficients in the data-frame library that came in.

    Columns predictor, term, estimate, std_error, statistic, p_value, and with a level conf_low and conf_high;
    a dict of arrays for a fit that was read from a file.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"way": ["bus", "car", "car", "rail", "bus", "rail"], "km": [1.0, 2.0, 4.0, 3.0, 3.0, 1.0]}
    >>> table = em.glm("way ~ km", data, family=em.Multinomial()).tidy()
    >>> table["predictor"].tolist()
    ['car', 'car', 'rail', 'rail']
    """
    stated = fit.problem.predictors
    name = np.array([stated[fit.coordinates.part_of(name)].parameter.name for name in fit.names])
    return native(fit, {"predictor": name, **coefficients_of(fit, level)})


def glance(fit: FittedVectorModel) -> Any:
    """Tabulate the fit in one row, in the data-frame library that came in."""
    row = {
        "family": fit.family.name,
        "nobs": fit.nobs,
        "df_resid": fit.df_resid,
        "rank": fit.rank,
        "deviance": fit.deviance,
        "loglik": fit.loglik,
        "aic": fit.aic,
        "bic": fit.bic,
        "converged": fit.converged,
        "iterations": fit.iterations,
        "passes": fit.passes,
    }
    return native(fit, {name: np.array([value]) for name, value in row.items()})


def augment(fit: FittedVectorModel) -> Any:
    """Tabulate response, what is predicted and residuals, one row per row of the input.

    Of classes the class or the counts, a probability each ("p_bus"), and the most probable class; else the
    mean and the parameters. A row that was dropped is NaN; `weight` is the product of the weights given.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"way": ["bus", "car", "car", "rail", "bus", "rail"], "km": [1.0, 2.0, 4.0, 3.0, 3.0, 1.0]}
    >>> list(em.glm("way ~ km", data, family=em.Multinomial()).augment())
    ['class', 'p_bus', 'p_car', 'p_rail', 'fitted', 'residual_quantile', 'weight']
    """
    columns = response_of(fit)
    if fit.family.categorical:
        p = predict(fit, None, kind="probabilities")
        levels: tuple[str, ...] = fit.family.settings["levels"]
        if "class" in columns:
            columns["class"] = _labels(columns["class"], levels)
        columns |= {f"p_{level}": np.asarray(p)[:, j] for j, level in enumerate(levels)}
        columns["fitted"] = predict(fit, None, kind="class")
    else:
        columns["fitted"] = predict(fit, None)
        names = [each.parameter.name for each in fit.problem.predictors]
        columns |= {name: predict(fit, None, kind=name) for name in names if name != "mean"}
    if not (fit.family.categorical and len(fit.problem.chunk.y) > 1):
        columns["residual_quantile"] = residuals(fit)
    return native(fit, columns | weight_of(fit))


def _labels(codes: Array, levels: tuple[str, ...]) -> Any:
    """Return classes by name, None where a row was dropped."""
    known = ~np.isnan(codes)
    out = np.full(len(codes), None, dtype=object)
    out[known] = np.array(levels, dtype=object)[codes[known].astype(np.intp)]
    return out
