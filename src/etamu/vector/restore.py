"""A fit read from a JSON file, of one predictor or of several: checked before it is believed, never code.

May import: everything below `vector`.
Read next: `etamu.vector.store`, which writes it, and `etamu.fit.restore`, the same for one predictor.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import FamilyError
from etamu._base.later import later
from etamu.data.pieces import layout_of, pieces_of
from etamu.data.saved import from_dict
from etamu.data.schema import Schema
from etamu.design.layout import Layout, plain_layout
from etamu.family.catalogue import SEVERAL
from etamu.family.saved import family_from, link_from
from etamu.family.vector import VectorFamily
from etamu.fit.clusters import Clustering
from etamu.fit.document import Place
from etamu.fit.likelihood import LogLikelihood
from etamu.fit.limit_saved import limit_from
from etamu.fit.problem import Options
from etamu.fit.restore import (
    SOLVERS,
    at_place,
    believed,
    coordinates_from,
    factor_from,
    loads,
    read_model,
    solution_from,
    tally_from,
    words_from,
)
from etamu.fit.result import Fit
from etamu.vector.covariance import ALONE, CLUSTERED
from etamu.vector.problem import Predicted, VectorProblem
from etamu.vector.result import VectorFit
from etamu.vector.stage import stacked
from etamu.vector.store import FORMAT, FORMAT_VERSION

if TYPE_CHECKING:
    from etamu.family.location_scale import LocationScale
else:
    LocationScale = later("etamu.family.location_scale", "LocationScale")

SLACK = 1e-9
"""Relative distance by which the table of coefficients may differ from what beta makes of it."""


def load(path: str | Path) -> Fit | VectorFit:
    """Read a fit that `save` wrote.

    It predicts, summarises and tests as the fit it was; what needs the rows of the data again (residuals,
    `augment`, `predict()` without data) raises NotAvailableError. Reading a file runs no code, whoever wrote
    it, and neither does predicting with it.

    Raises
    ------
    FileError
        If the file cannot be read, is damaged, or was written in a newer format; file and place are named.

    Examples
    --------
    >>> load("no such file.json")
    Traceback (most recent call last):
        ...
    etamu._base.errors.FileError: no such file.json: cannot be read: No such file or directory
    """
    text = read_model(path)
    if f'"{FORMAT}"' not in text[:200]:
        return loads(text, str(path))
    return vector_loads(text, str(path))


def vector_loads(text: str, source: str = "model") -> VectorFit:
    """Read a fit of several predictors from the JSON text that `dumps` wrote.

    Raises
    ------
    FileError
        If it is damaged, or was written in a newer format.
    """
    return believed(text, source, FORMAT, FORMAT_VERSION, _fit)


_KEYS = (
    "format", "version", "etamu", "formula", "family", "coefficients", "fit", "rows", "notes", "words",
    "solver", "search", "schemas", "predictors", "beta", "covariance",
    "limit",
)  # fmt: skip


def _fit(document: Place) -> VectorFit:
    document.only(*_KEYS)
    family = at_place(document["family"], vector_family_from, document["family"].object())
    schemas = [_schema(document["schemas"][str(j)]) for j in range(len(document["schemas"].object()))]
    places = document["predictors"]
    count = len(family.parameters)
    if len(places.object()) != count:
        raise places.error(f"there are {len(places.object())} entries where {count} belong")
    predictors, parts = [], []
    for number, parameter in enumerate(family.parameters):
        place = places[str(number)]
        place.only("formula", "schema", "hidden", "offset", "kept", "shift", "scale", "names", "intercept")
        schema, layout = _columns(place, schemas)
        own = Place(
            {
                "kept": place["kept"].value,
                "shift": place["shift"].value,
                "scale": place["scale"].value,
                "beta": [],
            },
            place.source,
            place.way,
        )
        parts.append(coordinates_from(own, layout))
        hidden, offset = place["hidden"].texts(), place["offset"].value is True
        predictors.append(Predicted(parameter, place["formula"].text(), layout, schema, hidden, offset))
    problem = _problem(document, family, tuple(predictors))
    stack = stacked(problem, tuple(parts))
    beta = document["beta"].numbers(stack.size, finite=True)
    scalars = document["fit"]
    scalars.only("nobs", "loglik", "loglik_reason", "covariance", "clusters", "by")
    fit = VectorFit(
        problem=problem,
        coordinates=stack,
        beta=beta,
        factor=factor_from(document["covariance"], stack.size),
        covariance_kind=scalars["covariance"].word(*ALONE, *CLUSTERED, "bootstrap"),
        likelihood=LogLikelihood(scalars["loglik"].number(), 0, 1.0, scalars["loglik_reason"].text()),
        nobs=scalars["nobs"].count(1),
        solution=solution_from(document["search"], beta),
        clustering=_clustering(scalars),
        limit=None if document.get("limit") is None else limit_from(document["limit"], stack.size),
    )
    _check(document["coefficients"], fit)
    return fit


def _columns(place: Place, schemas: list[Schema]) -> tuple[Schema | None, Layout]:
    """Read what the columns of a predictor are: by a schema, or as they stood in a matrix."""
    if place["schema"].value is not None:
        schema = schemas[place["schema"].count(0, len(schemas) - 1)]
        return schema, layout_of(schema, pieces_of(schema))
    names, constant = place["names"].texts(), place["intercept"]
    if not names or len(set(names)) < len(names):
        raise place["names"].error("there are no columns, or two of one name")
    return None, plain_layout(names, None if constant.value is None else constant.count(0, len(names) - 1))


def _schema(place: Place) -> Schema:
    return at_place(place, from_dict, place.object())


def _clustering(scalars: Place) -> Clustering | None:
    if scalars.get("clusters") is None:
        return None
    counts = tuple(place.count(2) for place in scalars["clusters"])
    if not counts:
        raise scalars["clusters"].error("there is no way of clustering")
    return Clustering(scalars["by"].texts(), counts, float(min(counts) - 1))


def _problem(document: Place, family: VectorFamily, predictors: tuple[Predicted, ...]) -> VectorProblem:
    tally, missing = tally_from(document["rows"])
    return VectorProblem(
        family=family,
        predictors=predictors,
        sample=None,
        tally=tally,
        dropped=missing,
        words=words_from(document),
        options=Options(solver=document["solver"].word(*SOLVERS)),
        notes=document["notes"].texts(),
    )


def _check(table: Place, fit: VectorFit) -> None:
    """Refuse a table of coefficients that was edited: it is there to be read, not to be believed."""
    rows = list(table)
    if len(rows) != len(fit.names):
        raise table.error(f"there are {len(rows)} entries where {len(fit.names)} belong")
    near = fit.beta if fit.limit is None else fit.limit.near
    size = float(np.abs(fit.coef[np.isfinite(fit.coef)]).sum()) + float(np.abs(near).sum())
    for row, name, computed in zip(rows, fit.names, fit.coef, strict=True):
        row.parts(3)
        stated_name, stated, _ = row
        value = stated.number()
        same = (
            abs(value - computed) <= SLACK * (size + abs(computed))
            if np.isfinite(computed)
            else repr(value) == repr(float(computed))
        )
        if stated_name.text() != name or not same:
            raise row.error(f"this is not what beta makes of it: {name!r}, {computed!r}")


def vector_family_from(saved: dict[str, Any]) -> VectorFamily:
    """Make the family that `vector_family_to` wrote.

    Raises
    ------
    FamilyError
        If there is no such family, or its settings do not fit it.
    """
    name, settings = saved.get("name"), saved.get("settings")
    known = {**SEVERAL, "location_scale": LocationScale}
    if not isinstance(name, str) or name not in known or not isinstance(settings, dict):
        raise FamilyError(f"{name!r} is no family of several predictors; there are {', '.join(known)}")
    found = {key: _setting(value) for key, value in settings.items()}
    try:
        family: VectorFamily = known[name](**found)
    except TypeError as error:
        raise FamilyError(f"family {name}: {error}") from None
    return family


def _setting(value: Any) -> Any:
    if not isinstance(value, dict):
        if value is not None and type(value) not in {str, bool, int, float}:
            raise FamilyError(f"{value!r} is no setting of a family")
        return value
    if set(value) == {"link"} and isinstance(value["link"], dict):
        return link_from(value["link"])
    if set(value) == {"family"} and isinstance(value["family"], dict):
        return family_from(value["family"])
    if (
        set(value) == {"texts"}
        and isinstance(value["texts"], list)
        and all(type(t) is str for t in value["texts"])
    ):
        return tuple(value["texts"])
    raise FamilyError(f"{value!r} is no setting of a family")
