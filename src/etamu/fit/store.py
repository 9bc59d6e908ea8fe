"""A fit as a JSON file: statements and numbers, no row of data, no code.

May import: everything below `fit`.
Read next: `etamu.fit.restore`, which reads it.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from etamu._base.errors import DataError, FileError, NotAvailableError
from etamu._base.types import Array
from etamu._base.version import __version__
from etamu.data.saved import from_dict, to_dict
from etamu.data.schema import Schema
from etamu.family.saved import family_to, link_to
from etamu.fit.document import written
from etamu.fit.limit_saved import limit_to
from etamu.fit.problem import Tally, Words
from etamu.solve.oracle import Solution

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

FORMAT = "etamu model"
"""What a file says it is."""

FORMAT_VERSION = 1
"""The version of the format; raised whenever an older etamu could misread a file."""


class Accounted(Protocol):
    """What a problem of one predictor or of several says of its rows."""

    @property
    def tally(self) -> Tally:
        """How many rows there were."""

    @property
    def dropped(self) -> dict[str, int]:
        """Missing values per column."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know."""

    @property
    def words(self) -> Words:
        """How the model is called."""


def save(fit: FittedModel, path: str | Path, *, covariance: bool = True) -> None:
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
    >>> fit = em.glm("y ~ x", {"y": [1.0, 3.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0]}, family="poisson")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     fit.save(f"{folder}/m.json")
    ...     again = em.load(f"{folder}/m.json")
    >>> str(again) == str(fit), (again.cov == fit.cov).all()
    (True, np.True_)
    """
    write_model(path, dumps(fit, covariance=covariance))


def write_model(path: str | Path, text: str) -> None:
    """Write the text of a model, completely or not at all.

    Raises
    ------
    NotAvailableError
        If a name is no Unicode text.
    FileError
        If the file cannot be written.
    """
    try:
        write_text(Path(path), text)
    except TypeError:
        raise FileError(f"{path!r} is no path of a file; give text or a pathlib.Path") from None
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error.strerror or error}") from None
    except UnicodeEncodeError:
        raise NotAvailableError(
            "a name in this model is no Unicode text; rename the column or level"
        ) from None


def dumps(fit: FittedModel, *, covariance: bool = True) -> str:
    """Write a fit as JSON text.

    The factor of the covariance comes last and is left out on request; it has p (p + 1) / 2 numbers of about
    24 bytes, p^2 for a sandwich. Everything else is a line per coefficient and the schema.
    """
    problem = fit.problem
    document = {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "etamu": __version__,
        "formula": fit.formula,
        "family": family_to(fit.family),
        "link": link_to(fit.link),
        "coefficients": [list(row) for row in zip(fit.names, fit.coef, fit.se, strict=True)],
        "fit": _scalars(fit),
        **account_to(problem),
        "options": {
            "dispersion": _number_or_text(problem.options.dispersion),
            "covariance": problem.options.covariance,
            "solver": problem.options.solver,
            "method": problem.options.method,
        },
        "search": search_to(fit.solution),
        "schema": None if problem.schema is None else schema_to(problem.schema),
        "intercept": _intercept(fit),
        "estimate": {
            "kept": fit.coordinates.kept,
            "shift": fit.coordinates.raw_shift,
            "scale": fit.coordinates.raw_scale,
            "beta": fit.beta,
        },
        **({} if fit.limit is None else {"limit": limit_to(fit.limit)}),
        "covariance": factor_to(fit.factor.matrix) if covariance and fit.factor is not None else None,
    }
    if fit.shapes:
        document["shapes"] = [
            [shape.name, shape.estimate, shape.se, shape.family, shape.range.lower, shape.range.upper]
            for shape in fit.shapes
        ]
    return written(document) + "\n"


def account_to(problem: Accounted) -> dict[str, Any]:
    """Write which rows were used, what was noted of them, and how the model is called."""
    tally, words = problem.tally, problem.words
    return {
        "rows": {
            "given": tally.given,
            "used": tally.used,
            "idle": tally.idle,
            "missing": [[name, count] for name, count in problem.dropped.items()],
        },
        "notes": list(problem.notes),
        "words": {
            "response": words.response,
            "offset": words.offset,
            "exposure": words.exposure,
            "trials": words.trials,
            "weights": [list(pair) for pair in words.weights],
            "arrays": list(words.given),
        },
    }


def search_to(search: Solution) -> dict[str, Any]:
    """Write how the search went."""
    return {
        "outcome": search.outcome.value,
        "passes": search.passes,
        "value": search.local.value,
        "scale": search.local.scale,
        "steps": [
            [step.value, step.decrement, step.step, step.lambda_rho, step.length, step.information]
            for step in search.steps
        ],
    }


def _scalars(fit: FittedModel) -> dict[str, Any]:
    likelihood = fit.likelihood
    return {
        "nobs": fit.nobs,
        "df_resid": fit.df_resid,
        "df_null": fit.df_null,
        "deviance": fit.deviance,
        "null_deviance": fit.null_deviance,
        "pearson_chi2": fit.pearson_chi2,
        "dispersion": fit.phi.value,
        "dispersion_kind": fit.phi.kind,
        "loglik": likelihood.value,
        "loglik_dispersion": likelihood.phi,
        "loglik_extra": likelihood.extra,
        "loglik_reason": likelihood.reason,
        "loglik_penalty": likelihood.penalty,
        "covariance": fit.covariance_kind,
        "lags": fit.lags,
        "clusters": _clusters(fit),
    }


def _clusters(fit: FittedModel) -> dict[str, Any] | None:
    clustering = fit.clustering
    if clustering is None:
        return None
    ways = zip(clustering.names, clustering.counts, strict=True)
    return {"by": [list(way) for way in ways], "df": clustering.df}


def _number_or_text(value: str | float | None) -> str | float | None:
    return value if value is None or isinstance(value, str) else float(value)


def _intercept(fit: FittedModel) -> int | None:
    """Say which column of a matrix is the constant; a schema says it itself."""
    layout = fit.problem.layout
    if fit.problem.schema is not None or layout.constant is None:
        return None
    return int(np.flatnonzero(layout.constant)[0])


def schema_to(schema: Schema) -> dict[str, Any]:
    """Write a schema that is known to read back the same."""
    saved = to_dict(schema)
    try:
        same = from_dict(saved) == schema
    except DataError as error:
        raise NotAvailableError(f"this formula cannot be saved: {error}") from None
    if not same:
        raise NotAvailableError("this formula cannot be saved: it does not read back the same")
    return saved


def factor_to(matrix: Array) -> dict[str, Any]:
    """Write a factor, of a triangular one the triangle."""
    below = matrix[np.tril_indices(len(matrix), -1)] if matrix.shape[0] == matrix.shape[1] else np.ones(1)
    if not below.any() and not np.signbit(below).any():
        return {"shape": "upper", "rows": [row[place:] for place, row in enumerate(matrix)]}
    return {"shape": "full", "rows": list(matrix)}


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text beside the file and put it in its place, so that no half of it is ever seen there.

    Raises
    ------
    OSError
        If the folder or the file cannot be written.
    """
    data = text.encode()
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        path.write_bytes(data)  # a pipe or a device has no place to be put into
        return
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise
