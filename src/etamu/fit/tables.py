"""A fit as tables: coefficients, the fit in one row, and one row per row of the input.

May import: everything below `fit`.
Read next: `etamu.fit.summary`, which prints the first two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.types import Array
from etamu.fit.predict import predict
from etamu.fit.residual_kinds import residuals
from etamu.fit.residuals import KINDS
from etamu.fit.rows import by_row, raw_beta
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


def tidy(fit: FittedModel, level: float | None = None) -> Any:
    """Tabulate the coefficients in the data-frame library that came in.

    Columns term, estimate, std_error, statistic, p_value, and with a level conf_low and conf_high. A model
    fitted to arrays gets a dict of arrays.

    Parameters
    ----------
    level : float, optional
        Probability the interval covers, such as 0.95.

    Examples
    --------
    >>> import etamu as em
    >>> fit = em.glm("y ~ x", {"y": [1.0, 3.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0]}, family="poisson")
    >>> list(fit.tidy(level=0.95))
    ['term', 'estimate', 'std_error', 'statistic', 'p_value', 'conf_low', 'conf_high']
    """
    return native(fit, coefficients_of(fit, level))


def coefficients_of(fit: Any, level: float | None) -> dict[str, Any]:
    """Return the coefficients of a fit of one predictor or several as columns."""
    columns: dict[str, Any] = {
        "term": np.array(fit.names),
        "estimate": fit.coef,
        "std_error": fit.se,
        "statistic": fit.statistic,
        "p_value": fit.p_values,
    }
    if level is not None:
        ends = fit.conf_int(level)
        columns |= {"conf_low": ends[:, 0], "conf_high": ends[:, 1]}
    return columns


def glance(fit: FittedModel) -> Any:
    """Tabulate the fit in one row, in the data-frame library that came in.

    A shape that was estimated adds its estimate and standard error, such as theta and theta_se.
    """
    row = {
        "family": fit.family.name,
        "link": fit.link.name,
        "nobs": fit.nobs,
        "df_resid": fit.df_resid,
        "df_null": fit.df_null,
        "rank": fit.rank,
        "deviance": fit.deviance,
        "null_deviance": fit.null_deviance,
        "pearson_chi2": fit.pearson_chi2,
        "dispersion": fit.dispersion,
        "method": fit.method,
        "loglik": fit.loglik,
        "aic": fit.aic,
        "bic": fit.bic,
        "converged": fit.converged,
        "iterations": fit.iterations,
        "passes": fit.passes,
    }
    for shape in fit.shapes:
        row |= {shape.name: shape.estimate, f"{shape.name}_se": shape.se}
    return native(fit, {name: np.array([value]) for name, value in row.items()})


def augment(fit: FittedModel) -> Any:
    """Tabulate response, fitted mean, eta, residuals and weight, one row per row of the input.

    The response columns are named by the family: y, or successes and trials. The mean and the residuals of
    trials are proportions. A row that was dropped is NaN; `weight` is the product of the weights given.
    """
    columns = response_of(fit)
    columns["fitted"] = np.asarray(predict(fit, None, "mean"))
    beta = raw_beta(fit)
    columns["eta"] = by_row(fit, lambda chunk: etas(chunk, beta))
    columns |= {f"residual_{kind}": residuals(fit, kind) for kind in KINDS}
    return native(fit, columns | weight_of(fit))


def response_of(fit: Any) -> dict[str, Any]:
    """Return the response columns of the rows of the input by name."""
    pairs = zip(fit.family.response, fit.problem.chunk.y, strict=True)
    return {name: _laid_out(fit, values) for name, values in pairs}


def weight_of(fit: Any) -> dict[str, Any]:
    """Return the product of the weights of the rows of the input."""
    total = fit.problem.chunk.weights.total()
    return {"weight": _laid_out(fit, np.ones(len(fit.problem.chunk)) if total is None else total)}


def _laid_out(fit: Any, values: Array) -> Array:
    """Put the rows used where they were in the input, NaN elsewhere."""
    out = np.full(fit.problem.input_rows, np.nan)
    out[fit.problem.chunk.row_ids] = values
    return out


def native(fit: Any, columns: dict[str, Any]) -> Any:
    """Hand columns over in the library of the input; a dict of arrays where there was none."""
    table = fit.problem.table
    return columns if table is None else table.native_table(columns)
