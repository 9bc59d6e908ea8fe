"""A fit read from a JSON file: everything is checked before it is believed, and nothing in it is code.

May import: everything below `fit`.
Read next: `etamu.fit.document` for places in the file, `etamu.data.saved` for the schema.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from etamu._base.errors import EtamuError, FileError
from etamu._base.types import Array, Interval
from etamu.data.pieces import layout_of, pieces_of
from etamu.data.saved import from_dict
from etamu.data.schema import Schema
from etamu.design.coordinates import Coordinates
from etamu.design.layout import Layout, plain_layout
from etamu.family.saved import family_from, link_from
from etamu.family.unit import Unit
from etamu.fit.clusters import Clustering
from etamu.fit.document import Place, parsed
from etamu.fit.likelihood import LogLikelihood
from etamu.fit.limit_saved import limit_from
from etamu.fit.phi import Phi
from etamu.fit.problem import ALONE, CLUSTERED, METHODS, Options, Problem, Tally, Words
from etamu.fit.result import Fit
from etamu.fit.shape import Shape
from etamu.fit.store import FORMAT, FORMAT_VERSION
from etamu.infer.covariance import Root
from etamu.solve.oracle import INFORMATIONS, Local, Outcome, Solution, Step

LARGEST = 2**30
"""Largest file read, in bytes: the covariance factor of 10,000 coefficients."""

KEYWORDS = ("offset", "exposure", "trials", "frequency_weights", "variance_weights", "sampling_weights")
SOLVERS = ("newton", "irls", "gradient", "lbfgs")
SHAPES = ("theta", "power", "shape", "lambda")
ESTIMATED = ("negative_binomial", "tweedie")
DISPERSIONS = ("pearson", "deviance", "ml")

Read = TypeVar("Read")


def load(path: str | Path) -> Fit:
    """Read a fit that `Fit.save` wrote.

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
    return loads(read_model(path), str(path))


def read_model(path: str | Path) -> str:
    """Read the text of a model file.

    Raises
    ------
    FileError
        If it cannot be read, is too large, or is no text.
    """
    try:
        with Path(path).open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except TypeError:
        raise FileError(f"{path!r} is no path of a file; give text or a pathlib.Path") from None
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(data) > LARGEST:
        raise FileError(f"{path}: is larger than {LARGEST:,} bytes, which no model is")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: byte {error.start} is no UTF-8 text: this is no model file") from None


def loads(text: str, source: str = "model") -> Fit:
    """Read a fit from the JSON text that `dumps` wrote; errors call it by the name of its source.

    Raises
    ------
    FileError
        If it is damaged, or was written in a newer format.
    """
    return believed(text, source, FORMAT, FORMAT_VERSION, _fit)


def believed(text: str, source: str, form: str, newest: int, read: Callable[[Place], Read]) -> Read:
    """Read a document of a form after its version, and say of everything that goes wrong where it stands.

    Raises
    ------
    FileError
    """
    document = parsed(text, source)
    if not isinstance(document.value, dict) or document.value.get("format") != form:
        raise document.error(f"is no etamu model: its format is not {form!r}")
    version = document["version"].count(1)
    if version > newest:
        writer = document.value.get("etamu")
        by = f" by etamu {writer}" if isinstance(writer, str) and len(writer) < 40 else ""
        raise document.error(
            f"was written{by} in version {version} of the format; this etamu reads up to version "
            f"{newest}: install a newer etamu"
        )
    try:
        with np.errstate(all="ignore"):
            return read(document)
    except FileError:
        raise
    except (EtamuError, IndexError, ValueError) as error:
        raise document.error(str(error)) from None
    except (MemoryError, RecursionError) as error:
        raise document.error(f"asks for more than this machine has ({type(error).__name__})") from None


def _fit(document: Place) -> Fit:
    document.only(*_KEYS)
    unit = _unit(document)
    names, coef, se = _coefficients(document["coefficients"])
    estimate = document["estimate"]
    raw = len(estimate["shift"].parts())
    schema = _schema(document, (len(names), raw))
    layout = _layout(document, schema, names, raw)
    coordinates = coordinates_from(estimate, layout)
    beta = estimate["beta"].numbers(coordinates.size, finite=True)
    limit = None if document.get("limit") is None else limit_from(document["limit"], coordinates.size)
    near = beta if limit is None else limit.near
    _check_coefficients(document["coefficients"], coordinates, near, coef, runs=limit is not None)
    likelihood, scalars = _likelihood(document["fit"]), document["fit"]
    factor = factor_from(document["covariance"], coordinates.size)
    return Fit(
        problem=_problem(document, unit, layout, schema),
        coordinates=coordinates,
        beta=beta,
        factor=factor,
        covariance_kind=scalars["covariance"].word(*ALONE, *CLUSTERED, "bootstrap"),
        phi=Phi(
            scalars["dispersion"].number(),
            scalars["dispersion_kind"].word("known", "given", "pearson", "deviance", "ml", "adjusted"),
        ),
        deviance=scalars["deviance"].number(),
        null_deviance=scalars["null_deviance"].number(),
        pearson_chi2=scalars["pearson_chi2"].number(),
        nobs=scalars["nobs"].count(1),
        df_resid=scalars["df_resid"].count(-(2**31)),
        df_null=scalars["df_null"].count(),
        likelihood=likelihood,
        solution=solution_from(document["search"], beta),
        kept_se=se if factor is None else None,
        clustering=_clustering(scalars, len(names)),
        lags=None if scalars.get("lags") is None else scalars["lags"].count(),
        shapes=() if document.get("shapes") is None else tuple(map(_shape, document["shapes"])),
        limit=limit,
    )


_KEYS = (
    "format", "version", "etamu", "formula", "family", "link", "coefficients", "fit", "rows", "notes",
    "words", "options", "search", "schema", "intercept", "estimate", "covariance",
    "shapes",
    "limit",
)  # fmt: skip


def _shape(place: Place) -> Shape:
    """Read a shape that was estimated; a file without one says nothing of it."""
    place.parts(6)
    name, estimate, error, family, low, high = place
    return Shape(
        name.word(*SHAPES),
        estimate.number(),
        error.number(),
        family.word("", *ESTIMATED),
        Interval(low.number(), high.number()),
    )


def _unit(document: Place) -> Unit:
    family, link = document["family"], document["link"]
    parts = at_place(family, family_from, family.object()), at_place(link, link_from, link.object())
    return at_place(link, Unit, *parts)


def at_place(place: Place, read: Callable[..., Read], *arguments: Any) -> Read:
    """Call a reader, and say where it refused."""
    try:
        return read(*arguments)
    except EtamuError as error:
        raise place.error(str(error)) from None


def _coefficients(table: Place) -> tuple[tuple[str, ...], Array, Array]:
    names, coef, se = [], [], []
    for row in table:
        row.parts(3)
        name, estimate, error = row
        names.append(name.text())
        coef.append(estimate.number())
        se.append(error.number())
    return tuple(names), np.array(coef, dtype=np.float64), np.array(se, dtype=np.float64)


def _schema(document: Place, size: tuple[int, int]) -> Schema | None:
    place = document["schema"]
    if place.value is None:
        return None
    return at_place(place, from_dict, place.object(), size)


def _layout(document: Place, schema: Schema | None, names: tuple[str, ...], raw: int) -> Layout:
    place = document["intercept"]
    if schema is None:
        if raw != len(names):
            raise document["estimate"]["shift"].error(f"there are {raw} entries where {len(names)} belong")
        if len(set(names)) < len(names):
            raise document["coefficients"].error("two coefficients have the same name")
        return plain_layout(names, None if place.value is None else place.count(0, len(names) - 1))
    if place.value is not None:
        raise place.wrong("null, because the schema says it,")
    if schema.names != names:
        number = next(n for n, pair in enumerate(zip(schema.names, names, strict=True)) if len(set(pair)) > 1)
        raise document["coefficients"].error(
            f"coefficient {number} is {names[number]!r}, but the schema makes {schema.names[number]!r}"
        )
    return layout_of(schema, pieces_of(schema))


def coordinates_from(estimate: Place, layout: Layout) -> Coordinates:
    """Read the coordinates of one predictor."""
    estimate.only("kept", "shift", "scale", "beta")
    kept = [place.count(0, layout.width - 1) for place in estimate["kept"]]
    if any(left >= right for left, right in pairwise(kept)):
        raise estimate["kept"].error("the columns do not rise")
    scale = estimate["scale"].numbers(layout.raw_width, finite=True)
    if not (scale > 0.0).all():
        raise estimate["scale"].error("a scale is not positive")
    shift = estimate["shift"].numbers(layout.raw_width, finite=True)
    return Coordinates(layout, np.array(kept, dtype=np.intp), shift, scale)


def _check_coefficients(
    table: Place, coordinates: Coordinates, beta: Array, stated: Array, *, runs: bool
) -> None:
    """Refuse a table of coefficients that was edited: it is there to be read, not to be believed.

    Another machine may round the sum behind the intercept otherwise, hence the slack.
    """
    computed = coordinates.reported(beta)
    parts = np.abs(coordinates.shift[coordinates.kept] * beta / coordinates.scale[coordinates.kept])
    slack = 1e-9 * (np.abs(computed) + parts.sum())
    finite = np.isfinite(stated)  # what runs away has an infinity or NaN in its place
    wrong = finite & (np.isnan(computed) | (np.abs(stated - computed) > slack))
    if not runs:
        wrong |= np.isnan(stated) != np.isnan(computed)
        wrong |= np.isinf(stated)
    for number in np.flatnonzero(wrong)[:1]:
        raise table.error(
            f"coefficient {number} is {stated[number]!r}, but estimate.beta makes it {computed[number]!r}: "
            "one of them was changed"
        )


def factor_from(place: Place, size: int) -> Root | None:
    """Read the factor of a covariance, None where it was left out."""
    if place.value is None:
        return None
    place.only("shape", "rows")
    shape = place["shape"].word("upper", "full")
    rows = place["rows"]
    rows.parts(size)
    if shape == "full":
        width = len(next(iter(rows)).parts()) if size else 0
        return Root(np.array([row.numbers(width) for row in rows]).reshape(size, width))
    matrix = np.zeros((size, size))
    for number, row in enumerate(rows):
        matrix[number, number:] = row.numbers(size - number)
    return Root(matrix)


def _likelihood(scalars: Place) -> LogLikelihood:
    scalars.only(
        "nobs", "df_resid", "df_null", "deviance", "null_deviance", "pearson_chi2", "dispersion",
        "dispersion_kind", "loglik", "loglik_dispersion", "loglik_extra", "loglik_reason", "covariance",
        "lags", "clusters", "loglik_penalty",
    )  # fmt: skip
    return LogLikelihood(
        scalars["loglik"].number(),
        scalars["loglik_extra"].count(0, 2),
        scalars["loglik_dispersion"].number(),
        scalars["loglik_reason"].text(),
        math.nan if scalars.get("loglik_penalty") is None else scalars["loglik_penalty"].number(),
    )


def _clustering(scalars: Place, size: int) -> Clustering | None:
    """Read by what a covariance is clustered; a file older than clusters says nothing of them."""
    kind = scalars["covariance"].value
    clustered = kind in CLUSTERED
    if scalars.get("clusters") is None:
        if clustered:
            raise scalars["covariance"].error("the clusters of a clustered covariance are missing")
        return None
    place = scalars["clusters"]
    if not clustered and kind != "bootstrap":
        raise place.wrong("null, because the covariance is not clustered,")
    place.only("by", "df")
    names, counts = [], []
    for way in place["by"]:
        way.parts(2)
        name, count = way
        names.append(name.text())
        counts.append(count.count(2))
    if not names:
        raise place["by"].error("there is no way of clustering")
    satterthwaite = kind == "CR2"
    df = place["df"].numbers(size) if satterthwaite else place["df"].number()
    return Clustering(tuple(names), tuple(counts), df)


def _problem(document: Place, unit: Unit, layout: Layout, schema: Schema | None) -> Problem:
    tally, missing = tally_from(document["rows"])
    return Problem(
        unit=unit,
        layout=layout,
        sample=None,
        tally=tally,
        dropped=missing,
        schema=schema,
        words=words_from(document),
        options=_options(document["options"]),
        notes=document["notes"].texts(),
    )


def tally_from(rows: Place) -> tuple[Tally, dict[str, int]]:
    """Read how many rows there were, and the missing values of each column."""
    rows.only("given", "used", "idle", "missing")
    given = rows["given"].count(1)
    used = rows["used"].count(0, given)
    missing = {}
    for place in rows["missing"]:
        place.parts(2)
        name, count = place
        missing[name.text()] = count.count(0, given)
    return Tally(given, used, rows["idle"].count(0, given - used)), missing


def words_from(document: Place) -> Words:
    """Read how the model is called."""
    words = document["words"]
    words.only("response", "offset", "exposure", "trials", "weights", "arrays")
    weights = []
    for place in words["weights"]:
        place.parts(2)
        kind, column = place
        weights.append((kind.word(*KEYWORDS[3:]), column.text()))
    return Words(
        words["response"].text(),
        document["formula"].text(),
        _name(words["offset"]),
        _name(words["exposure"]),
        _name(words["trials"]),
        given=tuple(place.word(*KEYWORDS) for place in words["arrays"]),
        weights=tuple(weights),
    )


def _name(place: Place) -> str | None:
    return None if place.value is None else place.text()


def _options(options: Place) -> Options:
    options.only("dispersion", "covariance", "solver", "method")
    dispersion, covariance = options["dispersion"], options["covariance"]
    phi: str | float | None = dispersion.value
    if isinstance(phi, str):
        phi = dispersion.word(*DISPERSIONS)
    elif phi is not None:
        phi = dispersion.number()
    kind = None if covariance.value is None else covariance.word(*ALONE)
    method = "ml" if options.get("method") is None else options["method"].word(*METHODS)
    return Options(phi, kind, options["solver"].word(*SOLVERS), method=method)


def solution_from(search: Place, beta: Array) -> Solution:
    """Read how the search went."""
    search.only("outcome", "passes", "value", "scale", "steps")
    outcome = Outcome(search["outcome"].word(*(member.value for member in Outcome)))
    steps = tuple(map(_step, search["steps"]))
    local = Local(search["value"].number(), search["scale"].number())
    return Solution(beta, local, outcome, steps, search["passes"].count())


def _step(place: Place) -> Step:
    place.parts(6)
    value, decrement, step, lambda_rho, length, information = place
    return Step(
        value.number(),
        decrement.number(),
        step.number(),
        lambda_rho.number(),
        length.number(),
        information.word(*INFORMATIONS),
    )
