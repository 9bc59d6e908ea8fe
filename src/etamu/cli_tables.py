"""A fit as JSON and as Markdown, for programs and for pages.

May import: numpy, `etamu.fit`, `etamu.vector`.
Read next: `etamu.fit.summary`, the same for people at a terminal.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np

from etamu.fit.numerals import short
from etamu.fit.result import Fit
from etamu.vector.result import VectorFit

COLUMNS = {
    "estimate": "estimate",
    "std_error": "std. error",
    "statistic": "statistic",
    "p_value": "p-value",
    "conf_low": "lower",
    "conf_high": "upper",
}
"""Columns of the table of coefficients, and their headings on a page."""

SCALARS = (
    "nobs", "df_resid", "df_null", "rank", "dispersion", "deviance", "null_deviance", "pearson_chi2",
    "loglik", "aic", "bic", "iterations", "passes",
)  # fmt: skip


LINE = {
    "deviance": "deviance",
    "null_deviance": "null deviance",
    "df_resid": "df",
    "dispersion": "dispersion",
    "loglik": "log-likelihood",
    "aic": "AIC",
    "bic": "BIC",
}
"""Numbers said below the table of a page; of several predictors those that there are."""


def as_json(fit: Fit | VectorFit, level: float) -> str:
    """Write coefficients, scalars, outcome and notes as JSON; a number that does not exist is null."""
    document = {
        "formula": fit.formula,
        "family": fit.family.name,
        **({"link": fit.link.name} if isinstance(fit, Fit) else {}),
        "converged": fit.converged,
        "outcome": fit.outcome.value,
        "level": level,
        "coefficients": _coefficients(fit, level),
        "fit": {name: _number(getattr(fit, name)) for name in SCALARS if hasattr(fit, name)},
        "covariance": fit.covariance_kind,
        "notes": list(fit.notes),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)


def _coefficients(fit: Fit | VectorFit, level: float) -> list[dict[str, Any]]:
    columns = _columns(fit, level)
    return [
        {"term": name, **{column: _number(values[row]) for column, values in columns.items()}}
        for row, name in enumerate(fit.names)
    ]


def _columns(fit: Fit | VectorFit, level: float) -> dict[str, Any]:
    ends = fit.conf_int(level)
    values = (fit.coef, fit.se, fit.statistic, fit.p_values, ends[:, 0], ends[:, 1])
    return dict(zip(COLUMNS, values, strict=True))


def _model(fit: Fit | VectorFit) -> str:
    return str(fit.problem.unit) if isinstance(fit, Fit) else fit.family.name


def _number(value: Any) -> float | int | None:
    plain = value.item() if isinstance(value, np.generic) else value
    if isinstance(plain, float) and not math.isfinite(plain):
        return None
    return plain  # type: ignore[no-any-return]


def as_markdown(fit: Fit | VectorFit, level: float) -> str:
    """Write the table of coefficients and a line of scalars as Markdown."""
    columns = _columns(fit, level)
    percent = f"{100 * level:g} %"
    titles = [f"{percent} {text}" if name.startswith("conf") else text for name, text in COLUMNS.items()]
    lines = [
        f"**{_escaped(fit.formula or 'model')}**: {_model(fit)}, {fit.nobs} observations",
        "",
        "| term | " + " | ".join(titles) + " |",
        "| :-- |" + " --: |" * len(titles),
    ]
    for row, name in enumerate(fit.names):
        cells = [short(float(values[row])) for values in columns.values()]
        lines.append(f"| {_escaped(name)} | " + " | ".join(cells) + " |")
    scalars = {text: getattr(fit, name) for name, text in LINE.items() if hasattr(fit, name)}
    lines += ["", "; ".join(f"{name} {short(float(value), 6)}" for name, value in scalars.items())]
    lines += [f"\n**Not converged** ({fit.outcome.value}): {fit.outcome.advice}"] * (not fit.converged)
    return "\n".join([*lines, *(f"\nNote: {_escaped(note)}" for note in fit.notes)])


def _escaped(text: str) -> str:
    """Keep a name from being read as markup."""
    return "".join("\\" + letter if letter in r"\|*_`[]<>" else letter for letter in text).replace("\n", " ")
