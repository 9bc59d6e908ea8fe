"""A Fit in the hands of other packages: what they call a model, made of one.

May import: everything below; the packages themselves only when they are asked for.
Read next: `etamu.fit.effects`, which needs no other package.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.types import Array
from etamu.fit.result import Fit
from etamu.fit.scene import schema_of, variables_of


def for_marginaleffects(fit: Fit, data: Any) -> Any:
    """Make a model of a fit that the package `marginaleffects` accepts.

    Its `predictions`, `slopes` and `comparisons`, averages and plots then take predictions from the fit, so
    that offset and exposure are in them, and standard errors from the covariance of the fit (`vcov="HC3"` and
    the like ask the fit for another). Its derivatives are numerical and it predicts every row
    once per coefficient, unlike `Fit.effects`.

    Parameters
    ----------
    fit : Fit
        Fitted to a formula or a table.
    data : Polars or pandas table
        The rows of the fit.

    Returns
    -------
    marginaleffects.classes.ModelAbstract

    Raises
    ------
    NotAvailableError
        If the package is not installed, or the fit was made from a matrix.
    """
    try:
        import polars as pl
        from marginaleffects.classes import ModelAbstract, ModelVault
    except ImportError as error:
        raise NotAvailableError(
            f"this needs the package marginaleffects ({error}): pip install marginaleffects"
        ) from None
    schema_of(fit)
    kept = np.array([name not in fit.aliased for name in fit.names])
    words = fit.problem.words
    beside = [words.offset, words.exposure, words.trials, *(column for _, column in words.weights)]
    variables = [variable.name for variable in variables_of(fit)]
    table = _with_levels(pl, pl.DataFrame(data), fit)
    needed = [*variables, *(name for name in beside if name)]
    table = table.drop_nulls([name for name in needed if name in table.columns])

    class FitModel(ModelAbstract):  # type: ignore[misc]  # the package has no types
        """The fit as marginaleffects sees it."""

        def get_predict(self, params: Array, newdata: Any) -> Any:
            """Predict the mean of rows at other coefficients."""
            mean = np.asarray(at(fit, kept, params).predict(newdata))
            rows = np.arange(len(mean), dtype=np.int32)
            return pl.DataFrame({"rowid": rows, "estimate": mean})

        def get_exog(self, newdata: Any) -> Any:
            """Hand rows on as they are: the fit knows how to read them."""
            return newdata

        def get_vcov(self, vcov: Any = True) -> Array | None:  # noqa: FBT002  # the package's signature
            """Return the covariance in force, or of the kind that is named."""
            return covariance(fit, kept, vcov)

    vault = ModelVault(
        coef=fit.coef[kept],
        coefnames=np.array(fit.names)[kept],
        formula=f"{words.response} ~ {' + '.join(variables) or '1'}",
        modeldata=table,
        package="etamu",
        variable_names=[words.response, *variables],
    )
    return FitModel(fit, vault)


def at(fit: Fit, kept: Any, params: Array) -> Fit:
    """Return the same model with other coefficients, those that are not aliased being given."""
    reported = np.zeros(len(fit.names))
    reported[kept] = np.asarray(params, dtype=np.float64).ravel()
    return replace(fit, beta=fit.coordinates.working(reported))


def covariance(fit: Fit, kept: Any, kind: Any) -> Array | None:
    """Return the covariance of the coefficients that are not aliased; None where none is wanted.

    Parameters
    ----------
    fit : Fit
    kept : booleans (names,)
    kind : bool, str or array
        Whether any, which kind, or the matrix itself.
    """
    if kind is False or kind is None:
        return None
    if kind is True:
        return fit.cov[np.ix_(kept, kept)]
    if isinstance(kind, str):
        return fit.with_covariance(kind).cov[np.ix_(kept, kept)]
    matrix = np.asarray(kind, dtype=np.float64)
    size = int(np.sum(kept))
    if matrix.shape != (size, size):
        raise OptionError(f"vcov has shape {matrix.shape}; the fit has {size} coefficients with an estimate")
    return matrix


def _with_levels(pl: Any, table: Any, fit: Fit) -> Any:
    """Declare the levels of the fit, in its order, which the package wants of text."""
    for variable in variables_of(fit):
        if variable.levels and variable.numbers is None and table[variable.name].dtype != pl.Boolean:
            column = pl.col(variable.name).cast(pl.String).cast(pl.Enum(list(variable.levels)))
            table = table.with_columns(column)
    return table
