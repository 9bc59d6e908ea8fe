"""Terms of several predictors added and dropped one at a time while AIC or BIC falls: R's step.

May import: everything below `vector`.
Read next: `etamu.fit.step`, the same for one predictor; `etamu.vector.add`, which fits the models.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from etamu._base.errors import EtamuError
from etamu.fit.deviance_table import DevianceTable, Kind, columns_of
from etamu.fit.scope import Key, Wording, addable, deletable, stated_in
from etamu.fit.step import LEAST_GAIN, Bounds, Search, bounds_of, penalty_of
from etamu.vector.add import restated
from etamu.vector.drop import refuse_without_maximum

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel


class Candidate(NamedTuple):
    """A model one term away, fitted, and its criterion; none where it has no verified maximum."""

    label: str
    fit: FittedVectorModel | None
    value: float


def step(
    fit: FittedVectorModel, direction: str | None = None, criterion: str = "aic", *, scope: Any = None
) -> Search:
    """Add and drop terms of the model's formula one at a time while a criterion falls, as R's step.

    Every candidate is fitted. Formulas of further predictors stay as they are, and so do terms that
    thresholds have too (`nonproportional=`).

    Raises
    ------
    OptionError
        If an option is not understood.
    NotAvailableError
        Without a likelihood or its verified maximum, or for a model fitted to arrays.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1, 2, 3, 2, 1, 3, 2, 1], "x": [0, 1, 2, 3, 4, 5, 1, 2], "z": [1, 1, 0, 0, 1, 0, 1, 0]}
    >>> em.glm("y ~ x + z", data, family=em.Cumulative()).step().fit.formula
    'y ~ 1'
    """
    refuse_without_maximum(fit, "step")
    penalty, title = penalty_of(criterion, fit.nobs)
    bounds = bounds_of(_wording(fit), direction, scope)
    kept = _shared(fit)
    here, path, tables = Candidate("Start", fit, _value(fit, penalty)), [], []
    while here.fit is not None:
        path.append(here)
        found = sorted(_candidates(here.fit, bounds, kept, penalty), key=lambda each: each.value)
        tables.append(_table(here, found, title, first=len(path) == 1))
        if not found or not found[0].value < here.value - LEAST_GAIN:
            break
        here = found[0]
    models = [each.fit for each in path if each.fit is not None]
    rows = [_row(each, before, title) for each, before in zip(path, [None, *path], strict=False)]
    said = (f"First: {fit.formula}", f"Last: {models[-1].formula}")
    labels = tuple(each.label for each in path)
    whole = DevianceTable(
        f"Stepwise path by {title}", said, labels, columns_of(rows, _titles(title)), (), fit.problem.table
    )
    return Search(models[-1], title, whole, tuple(tables), tuple(each.formula for each in models))


def _wording(fit: FittedVectorModel) -> Wording:
    main = next(each for each in fit.problem.predictors if each.parameter.main)
    return stated_in(fit.problem, main.schema)


def _shared(fit: FittedVectorModel) -> frozenset[Key]:
    """Return the terms that thresholds have too."""
    if fit.coordinates.anchored is None:
        return frozenset()
    others = [each for each in fit.problem.predictors if not each.parameter.main]
    labels = (term.label for each in others for term in each.layout.terms if term.label != "Intercept")
    return frozenset(frozenset(label.split(":")) for label in labels)


def _value(fit: FittedVectorModel, penalty: float) -> float:
    return -2.0 * fit.loglik + penalty * fit.parameters


def _candidates(
    fit: FittedVectorModel, bounds: Bounds, kept: frozenset[Key], penalty: float
) -> list[Candidate]:
    own = _wording(fit)
    present = own.keys()
    stay = {*bounds.lower, *kept}
    drops = [key for key in deletable(present) if key not in stay] if bounds.backward else []
    adds = addable(present, bounds.upper) if bounds.forward else ()
    out = [
        _fitted(fit, f"- {own.label(key)}", own.only([each for each in present if each != key]), penalty)
        for key in drops
    ]
    for key in adds:
        wording = bounds.words.only((*present, key), first=present)
        out.append(_fitted(fit, f"+ {bounds.words.label(key)}", wording, penalty))
    return out


def _fitted(fit: FittedVectorModel, label: str, wording: Wording, penalty: float) -> Candidate:
    try:
        found = restated(fit, wording)
    except EtamuError:  # on_separation="error": a model without a maximum is no candidate
        return Candidate(label, None, math.inf)
    if not found.verified:
        return Candidate(label, None, math.inf)
    return Candidate(label, found, _value(found, penalty))


def _titles(title: str) -> dict[str, tuple[str, Kind]]:
    return {"df": ("Df", "count"), "loglik": ("Log-lik.", "number"), title.lower(): (title, "number")}


def _row(each: Candidate, before: Candidate | None, title: str) -> dict[str, float]:
    """Describe a model beside the one it was reached from."""
    if each.fit is None:
        return {}
    row = {"loglik": each.fit.loglik, title.lower(): each.value}
    return row | ({} if before is None or before.fit is None else {"df": _apart(each.fit, before.fit)})


def _apart(fit: FittedVectorModel, other: FittedVectorModel) -> float:
    return float(abs(fit.rank - other.rank))


def _table(here: Candidate, found: list[Candidate], title: str, *, first: bool) -> DevianceTable:
    """Set the candidates of one step in a table, the best first, the model itself among them."""
    none = here._replace(label="<none>")
    every = sorted([*found, none], key=lambda each: each.value)
    rows = [_row(each, None if each is none else here, title) for each in every]
    return DevianceTable(
        f"{'Start' if first else 'Step'}: {title} = {here.value:.5g}",
        (),
        tuple(each.label for each in every),
        columns_of(rows, _titles(title)),
        (),
        None if here.fit is None else here.fit.problem.table,
    )
