"""A fit of several predictors as tables: its coefficients, and the fit in one row.

May import: everything below `vector`.
Read next: `etamu.vector.summary`, which prints them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from etamu.vector.result import VectorFit


def tidy(fit: VectorFit, level: float | None = None) -> Any:
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
    columns: dict[str, Any] = {
        "predictor": np.array([stated[fit.coordinates.part_of(name)].parameter.name for name in fit.names]),
        "term": np.array(fit.names),
        "estimate": fit.coef,
        "std_error": fit.se,
        "statistic": fit.statistic,
        "p_value": fit.p_values,
    }
    if level is not None:
        ends = fit.conf_int(level)
        columns |= {"conf_low": ends[:, 0], "conf_high": ends[:, 1]}
    return _native(fit, columns)


def glance(fit: VectorFit) -> Any:
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
    return _native(fit, {name: np.array([value]) for name, value in row.items()})


def _native(fit: VectorFit, columns: dict[str, Any]) -> Any:
    table = fit.problem.table
    return columns if table is None else table.native_table(columns)
