"""A fit of several predictors as a JSON file: statements and numbers, no row of data, no code.

May import: everything below `vector`.
Read next: `etamu.vector.restore`, which reads it, and `etamu.fit.store`, the same for one predictor.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.version import __version__
from etamu.family.catalogue import SEVERAL
from etamu.family.saved import family_to, link_to
from etamu.family.vector import VectorFamily
from etamu.fit.document import written
from etamu.fit.limit_saved import limit_to
from etamu.fit.store import account_to, factor_to, schema_to, search_to, write_model
from etamu.vector.problem import Predicted

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel

FORMAT = "etamu vector model"
"""What a file says it is."""

FORMAT_VERSION = 1
"""The version of the format; raised whenever an older etamu could misread a file."""


def save(fit: FittedVectorModel, path: str | Path, *, covariance: bool = True) -> None:
    """Write a fit to a file, completely or not at all.

    Raises
    ------
    NotAvailableError
        If family, link or schema cannot be stated as plain data.
    FileError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import etamu as em
    >>> data = {"taste": [1, 2, 3, 2, 3, 1, 2, 3], "salt": [1.0, 2.0, 4.0, 3.0, 3.0, 2.0, 1.0, 2.0]}
    >>> fit = em.glm("taste ~ salt", data, family=em.Cumulative())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fit.save(f"{folder}/m.json")
    ...     again = em.load(f"{folder}/m.json")
    >>> str(again) == str(fit), (again.cov == fit.cov).all()
    (True, np.True_)
    """
    write_model(path, dumps(fit, covariance=covariance))


def dumps(fit: FittedVectorModel, *, covariance: bool = True) -> str:
    """Write a fit as JSON text."""
    problem = fit.problem
    schemas = list({id(each.schema): each.schema for each in problem.predictors if each.schema}.values())
    document = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "etamu": __version__,
        "formula": fit.formula,
        "family": vector_family_to(fit.family),
        "coefficients": [list(row) for row in zip(fit.names, fit.coef, fit.se, strict=True)],
        "fit": {
            "nobs": fit.nobs,
            "loglik": fit.likelihood.value,
            "loglik_reason": fit.likelihood.reason,
            "covariance": fit.covariance_kind,
            "clusters": None if fit.clustering is None else list(fit.clustering.counts),
            "by": None if fit.clustering is None else list(fit.clustering.names),
        },
        **account_to(problem),
        "solver": problem.options.solver,
        "search": search_to(fit.solution),
        "schemas": {str(number): schema_to(schema) for number, schema in enumerate(schemas)},
        "predictors": {
            str(number): {
                "formula": each.formula,
                "schema": next((j for j, schema in enumerate(schemas) if schema is each.schema), None),
                **({} if each.schema else {"names": list(each.layout.names), "intercept": constant_of(each)}),
                "hidden": list(each.hidden),
                "offset": each.offset,
                "kept": part.kept,
                "shift": part.raw_shift,
                "scale": part.raw_scale,
            }
            for number, (each, part) in enumerate(zip(problem.predictors, fit.coordinates.parts, strict=True))
        },
        "beta": fit.beta,
        **({} if fit.limit is None else {"limit": limit_to(fit.limit)}),
        "covariance": factor_to(fit.factor.matrix) if covariance and fit.factor is not None else None,
    }
    return written(document) + "\n"


def vector_family_to(family: VectorFamily) -> dict[str, Any]:
    """Write a family of several predictors as its name and settings.

    Raises
    ------
    NotAvailableError
        If it is a class of the user's own, or holds one.
    """
    if family.name not in {*SEVERAL, "location_scale"}:
        raise NotAvailableError(
            f"the family {family.name!r} is a class of your own, which a file cannot hold"
        )
    settings: dict[str, Any] = {}
    for name, value in family.settings.items():
        if hasattr(value, "inverse"):
            settings[name] = {"link": link_to(value)}
        elif hasattr(value, "support"):
            settings[name] = {"family": family_to(value)}
        elif isinstance(value, tuple):
            settings[name] = {"texts": list(value)}
        else:
            settings[name] = value
    return {"name": family.name, "settings": settings}


def constant_of(stated: Predicted) -> int | None:
    """Say which column of a matrix is the constant."""
    constant = stated.layout.constant
    return None if constant is None else int(np.flatnonzero(constant)[0])
