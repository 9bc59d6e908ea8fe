"""Terms added and dropped one at a time while AIC or BIC falls: R's step, its path as a value.

May import: everything below `fit`.
Read next: `etamu.fit.drop`, `etamu.fit.add`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from etamu._base.choice import check_choice
from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu.fit.add import additions_of
from etamu.fit.anova import ladder
from etamu.fit.deviance_table import DevianceTable, Kind, columns_of
from etamu.fit.drop import Change, scale_of
from etamu.fit.model_terms import terms_of
from etamu.fit.reduced import WIDER, refuse_reduced
from etamu.fit.reference import refuse_without_likelihood, yardstick
from etamu.fit.scope import Key, Wording, addable, deletable, encoded, keys_of, widened, wording_of
from etamu.fit.term_tests import Row
from etamu.infer import criteria

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel, Model

LEAST_GAIN = 1e-7
"""A criterion that falls by less than this has not fallen (as R)."""


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """The path of a stepwise search; printing it prints every step.

    The p-values, standard errors and intervals of a model chosen on its own data are too good: they take the
    choice for granted.

    Parameters
    ----------
    fit : Fit or VectorFit
        The model at the end.
    criterion : str
        "AIC" or "BIC".
    path : DevianceTable
        One row per model, the first one that of the start.
    candidates : tuple of DevianceTable
        What was looked at in every step, the best first; the last one holds nothing better.
    formulas : tuple of str
        The models of the path.
    """

    fit: Any
    criterion: str
    path: DevianceTable
    candidates: tuple[DevianceTable, ...]
    formulas: tuple[str, ...]

    def __str__(self) -> str:
        """Print the steps as R's step does, and the path below them."""
        blocks = []
        for formula, table in zip(self.formulas, self.candidates, strict=True):
            blocks.append(f"{table.title}\n{formula}\n\n" + str(table).partition("\n\n")[2])
        return "\n\n".join([*blocks, str(self.path)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return "".join(table._repr_html_() for table in (*self.candidates, self.path))

    def frame(self) -> Any:
        """Return the path in the data-frame library that came in."""
        return self.path.frame()


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Where a search may go.

    Parameters
    ----------
    words : Wording
        Every term there could be.
    lower, upper : tuple of Key
        Terms never dropped; terms that may be added.
    backward, forward : bool
    """

    words: Wording
    lower: tuple[Key, ...]
    upper: tuple[Key, ...]
    backward: bool
    forward: bool


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A model one term away: the change in words, the model, and its criterion."""

    label: str
    keys: tuple[Key, ...]
    change: Change
    value: float


def step(
    fit: FittedModel, direction: str | None = None, criterion: str = "aic", *, scope: Any = None
) -> Search:
    """Add and drop terms one at a time while a criterion falls, marginality respected, as R's step.

    Candidates are compared as drop1 and add1 compare them, at the phi of the model at hand; the one chosen is
    fitted, and kept if its own criterion is lower.

    Parameters
    ----------
    fit : Fit
    direction : "both", "backward" or "forward", optional
        Backward without a scope, both with one.
    criterion : "aic" or "bic"
    scope : str, list of str, or (lower, upper), optional
        The largest model, or the smallest and the largest; ``"~ .^2"`` has `.` for the model as it stands.

    Raises
    ------
    OptionError
        If an option is not understood.
    NotAvailableError
        Without a likelihood, under a robust covariance or sampling weights, or for a model fitted to arrays.

    Examples
    --------
    >>> import etamu as em
    >>> cars = em.glm("dist ~ speed + noise", {"dist": [2.0, 4.0, 7.0, 9.0, 8.0, 14.0],
    ...     "speed": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "noise": [0.0, 1.0, 1.0, 0.0, 1.0, 1.0]})
    >>> print(cars.step())
    Start: AIC = 27.338
    dist ~ speed + noise
    <BLANKLINE>
            Df Deviance    AIC
    - noise  1   9.1048 25.529
    <none>       8.8190 27.338
    - speed  1  77.2500 38.359
    ...
    """
    refuse_without_likelihood(fit, "step")
    penalty, title = _penalty(fit, criterion)
    bounds = bounds_of(wording_of(fit), direction, scope)
    here = fit
    rows: list[Row] = [_described(fit, _value(fit, penalty))]
    labels, candidates, formulas = [""], [], [fit.formula]
    while True:
        value = _value(here, penalty)
        found = sorted(_candidates(here, bounds, penalty), key=lambda candidate: candidate.value)
        candidates.append(_table(here, found, value, (title, len(rows) == 1)))
        if not found or not found[0].value < value - LEAST_GAIN:
            break
        moved = _moved(here, bounds.words.only(found[0].keys))
        if not _value(moved, penalty) < value - LEAST_GAIN:
            break
        rows.append(_described(moved, _value(moved, penalty), here))
        labels.append(found[0].label)
        formulas.append(moved.formula)
        here = moved
    titles: dict[str, tuple[str, Kind]] = {
        "df": ("Df", "count"),
        "deviance": ("Deviance", "number"),
        "resid_df": ("Resid. Df", "count"),
        "resid_deviance": ("Resid. Dev", "number"),
        title.lower(): (title, "number"),
    }
    path = DevianceTable(
        f"Stepwise path by {title}",
        (f"First: {fit.formula}", f"Last: {here.formula}"),
        ("Start", *labels[1:]),
        columns_of(rows, titles),
        (),
        fit.problem.table,
    )
    return Search(here, title, path, tuple(candidates), tuple(formulas))


def _penalty(fit: FittedModel, criterion: str) -> tuple[float, str]:
    found = penalty_of(criterion, fit.nobs)
    refuse_reduced(fit, "step", WIDER)
    if math.isnan(fit.aic):
        raise NotAvailableError(f"step needs a likelihood: {fit.likelihood.reason}; use drop1 with F tests")
    return found


def penalty_of(criterion: str, nobs: int) -> tuple[float, str]:
    """Return what a parameter costs, and what the criterion is called.

    Raises
    ------
    OptionError
        If the criterion is not known.
    """
    check_choice("criterion", criterion, ("aic", "bic"))
    return (2.0, "AIC") if criterion == "aic" else (math.log(nobs), "BIC")


def bounds_of(own: Wording, direction: str | None, scope: Any) -> Bounds:
    """Return where a search from a model in words may go.

    Raises
    ------
    OptionError
        If the direction or the scope is not understood.
    """
    check_choice("direction", direction, (None, "both", "backward", "forward"))
    chosen = direction or ("backward" if scope is None else "both")
    lower: str | Iterable[str] | None = None
    upper = scope
    if isinstance(scope, tuple):
        if len(scope) != 2:
            raise OptionError(f"scope has {len(scope)} parts; give the largest model, or (smallest, largest)")
        lower, upper = scope
    words = own if upper is None else widened(own, upper)
    return Bounds(
        words,
        () if lower is None else keys_of(own, lower),
        own.keys() if upper is None else keys_of(own, upper),
        chosen in {"both", "backward"},
        chosen in {"both", "forward"},
    )


def _value(fit: FittedModel, penalty: float) -> float:
    return criteria.aic(fit.loglik, fit.parameters) + (penalty - 2.0) * fit.parameters


def _candidates(fit: FittedModel, bounds: Bounds, penalty: float) -> list[Candidate]:
    present = wording_of(fit).keys()
    changes: list[tuple[str, tuple[Key, ...], Change]] = []
    if bounds.backward:
        changes += _drops(fit, [key for key in deletable(present) if key not in bounds.lower], present)
    if bounds.forward and (new := addable(present, bounds.upper)):
        for key, addition in zip(new, additions_of(fit, bounds.words, new, refit=True), strict=True):
            changes.append((f"+ {addition.change.label}", (*present, key), addition.change))
    scale, value = scale_of(fit, yardstick(fit, None)), _value(fit, penalty)
    out = []
    for label, keys, change in changes:
        sign = -1.0 if label.startswith("-") else 1.0
        rise = scale.of(change.deviance) - scale.of(fit.deviance)
        found = value + rise + sign * penalty * change.df
        out.append(Candidate(label, keys, change, math.inf if math.isnan(found) else found))
    return out


def _drops(
    fit: FittedModel, keys: list[Key], present: tuple[Key, ...]
) -> list[tuple[str, tuple[Key, ...], Change]]:
    if not keys:
        return []
    steps, terms = ladder(fit), {term.factors: term for term in terms_of(fit)}
    out = []
    for key in keys:
        smaller = steps.without([terms[key]])
        change = Change(terms[key].label, fit.rank - smaller.rank, smaller.deviance)
        out.append((f"- {change.label}", tuple(other for other in present if other != key), change))
    return out


def _moved(fit: Model, wording: Wording) -> Model:
    """Fit the model chosen, on the rows of the first."""
    if fit.fitting is None:
        raise NotAvailableError("step needs the rows of the data, and a fit read from a file carries none")
    found: Model = fit.fitting(encoded(fit, wording))
    return found


def _described(fit: FittedModel, value: float, before: FittedModel | None = None) -> Row:
    row: Row = {"resid_df": float(fit.df_resid), "resid_deviance": fit.deviance, "aic": value, "bic": value}
    if before is None:
        return row
    return row | {"df": float(abs(fit.rank - before.rank)), "deviance": abs(fit.deviance - before.deviance)}


def _table(fit: FittedModel, found: list[Candidate], value: float, said: tuple[str, bool]) -> DevianceTable:
    """Set the candidates of one step in a table, the best first, the model itself among them."""
    title, first = said
    none = Candidate("<none>", (), Change("", 0, fit.deviance), value)
    every = sorted([*found, none], key=lambda candidate: candidate.value)
    rows: list[Row] = []
    for candidate in every:
        row: Row = {"deviance": candidate.change.deviance, title.lower(): candidate.value}
        rows.append(row | ({} if candidate is none else {"df": float(candidate.change.df)}))
    titles: dict[str, tuple[str, Kind]] = {
        "df": ("Df", "count"),
        "deviance": ("Deviance", "number"),
        title.lower(): (title, "number"),
    }
    return DevianceTable(
        f"{'Start' if first else 'Step'}: {title} = {value:.5g}",
        (),
        tuple(candidate.label for candidate in every),
        columns_of(rows, titles),
        (),
        fit.problem.table,
    )
