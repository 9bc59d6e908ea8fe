"""The summary of a fit of several predictors: a block of coefficients for each, as text and as HTML.

May import: everything below `vector`.
Read next: `etamu.fit.numerals` for how its numbers are written, `etamu.vector.tables` for the same as data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.markup import WIDTH, escape, wrap
from etamu.fit.numerals import LEGEND, estimates, p_texts, short, stars, statistics
from etamu.solve.oracle import Outcome
from etamu.vector.separation import rest_of

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel

DIGITS = 4
"""Significant digits of the smallest standard error."""

COVARIANCES = {
    "expected": "Covariance: from the expected information",
    "HC0": "Covariance: HC0, a sandwich that stands a wrong variance function",
    "HC1": "Covariance: HC1, a sandwich that stands a wrong variance function",
    "CR0": "Covariance: CR0, a sandwich that stands any dependence within clusters",
    "bootstrap": "Covariance: bootstrap",
    "CR1": "Covariance: CR1, a sandwich that stands any dependence within clusters",
}

Row = tuple[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class VectorSummary:
    """A fit of several predictors summarised; printing it prints the blocks.

    Parameters
    ----------
    call : str
    header : tuple of str
        Column titles, the last one for the stars.
    blocks : tuple of (title, rows)
        One per predictor; a row is a name and its cells as printed.
    legend : str
    paragraphs : tuple of tuple of str
        What is said below, line by line.
    """

    call: str
    header: tuple[str, ...]
    blocks: tuple[tuple[str, tuple[Row, ...]], ...]
    legend: str
    paragraphs: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        rows = [row for _, some in self.blocks for row in some]
        widths = [
            max(len(title), *(len(cells[j]) for _, cells in rows)) for j, title in enumerate(self.header)
        ]
        margin = max(len(name) for name, _ in rows)
        parts = ["Call:\n" + self.call]
        for title, some in self.blocks:
            lines = [title, _line("", self.header, margin, widths)]
            lines += [_line(name, cells, margin, widths) for name, cells in some]
            parts.append("\n".join(lines))
        if self.legend:
            parts[-1] += "\n---\n" + self.legend
        return "\n\n".join([*parts, *("\n".join(lines) for lines in self.paragraphs)])

    def __repr__(self) -> str:
        return str(self)

    @property
    def html(self) -> str:
        """The summary as one self-contained piece of HTML, every text escaped."""
        right = 'style="text-align: right; font-variant-numeric: tabular-nums"'
        left = 'style="text-align: left"'
        titles = "".join(f"<th {right}>{escape(title)}</th>" for title in self.header[:-1])
        body = ""
        for title, rows in self.blocks:
            span = len(self.header) + 1
            body += f'<tr><th colspan="{span}" {left}>{escape(title)}</th></tr>'
            for name, cells in rows:
                numbers = "".join(f"<td {right}>{escape(cell.strip())}</td>" for cell in cells[:-1])
                body += f"<tr><th {left}>{escape(name)}</th>{numbers}<td {left}>{escape(cells[-1])}</td></tr>"
        below = "".join(
            "<p>" + "<br>".join(escape(line.strip()) for line in lines) + "</p>"
            for lines in ((self.legend,), *self.paragraphs)
            if any(lines)
        )
        head = f"<thead><tr><th></th>{titles}<th></th></tr></thead>"
        table = f"<table>{head}<tbody>{body}</tbody></table>"
        return f'<div class="etamu-summary"><pre>{escape(self.call)}</pre>{table}{below}</div>'

    def _repr_html_(self) -> str:
        return self.html


def summary(fit: FittedVectorModel) -> VectorSummary:
    r"""Summarise a fit of several predictors, predictor by predictor.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"taste": [1, 2, 3, 2, 3, 1, 2, 3], "salt": [1.0, 2.0, 4.0, 3.0, 3.0, 2.0, 1.0, 2.0]}
    >>> fit = em.glm("taste ~ salt", data, family=em.Cumulative())
    >>> print("\n".join(str(fit.summary()).splitlines()[3:6]))
    Thresholds (logit P(Y <= j) = threshold - x'beta):
         Estimate Std. Error z value Pr(>|z|)
    1|2    1.8401     1.8821   0.978   0.3282
    """
    letter = "z" if np.isinf(fit.reference_df) else "t"
    p = np.asarray(fit.p_values)
    marks = stars(p)
    numbers = estimates(np.column_stack([fit.coef, fit.se]), DIGITS)
    tests, tails = statistics(fit.statistic, DIGITS), p_texts(p)
    cells = [(*pair, t, tail, mark) for pair, t, tail, mark in zip(numbers, tests, tails, marks, strict=True)]
    blocks: dict[str, list[Row]] = {}
    for name, row in zip(fit.names, cells, strict=True):
        stated = fit.problem.predictors[fit.coordinates.part_of(name)]
        title, short_name = fit.family.heading(stated.parameter, name)
        blocks.setdefault(title, []).append((short_name, row))
    paragraphs = (_outcome(fit), _criteria(fit), _way(fit), tuple(_wrapped(f"Note: {n}") for n in fit.notes))
    return VectorSummary(
        call=_call(fit),
        header=("Estimate", "Std. Error", f"{letter} value", f"Pr(>|{letter}|)", ""),
        blocks=tuple((title, tuple(rows)) for title, rows in blocks.items()),
        legend=LEGEND if any(marks) else "",
        paragraphs=tuple(lines for lines in paragraphs if lines),
    )


def _line(name: str, cells: tuple[str, ...], margin: int, widths: list[int]) -> str:
    numbers = [cell.rjust(width) for cell, width in zip(cells[:-1], widths[:-1], strict=True)]
    return " ".join([name.ljust(margin), *numbers, cells[-1]]).rstrip()


def _call(fit: FittedVectorModel) -> str:
    words = fit.problem.words
    said = [f'"{fit.formula}"', "data", *fit.family.call] if fit.formula else ["X", "y"]
    named = {"offset": words.offset, "exposure": words.exposure, "trials": words.trials}
    said += [f'{word}="{column}"' for word, column in (*named.items(), *words.weights) if column]
    said += [f"{keyword}=<array>" for keyword in words.given]
    right = fit.formula.partition("~")[2].strip()
    main = f"~ {right}" if right else ""
    further = [
        f'"{each.parameter.name}": "{each.formula}"'
        for each in fit.problem.predictors
        if each.formula not in {main, "~ 1", each.parameter.formula}
    ]
    said += [f"predictors={{{', '.join(further)}}}"] if further else []
    door = "glm" if fit.formula else f"GLM({', '.join(fit.family.call)}).fit"
    return "\n".join(wrap(f"{door}({', '.join(said)})", indent="    "))


def _outcome(fit: FittedVectorModel) -> tuple[str, ...]:
    if fit.outcome is Outcome.CONVERGED:
        return ()
    if fit.limit is not None and not fit.limit.count:
        said = f"A parameter is at its end. {rest_of(fit.limit)}"
        return (_wrapped(f"NOT CONVERGED ({fit.outcome.value}). {said}"),)
    if fit.limit is not None:
        said = f"{fit.existence.sentence} {rest_of(fit.limit)}"
        return (_wrapped(f"NOT CONVERGED (infinite). {said}"),)
    return (_wrapped(f"NOT CONVERGED ({fit.outcome.value}). {fit.outcome.advice}"),)


def _criteria(fit: FittedVectorModel) -> tuple[str, ...]:
    said = (COVARIANCES[fit.covariance_kind],) if fit.covariance_kind in COVARIANCES else ()
    if fit.likelihood.reason:
        return (*said, _wrapped(f"No log-likelihood, AIC or BIC: {fit.likelihood.reason}"))
    numbers = [short(value, DIGITS + 1) for value in (fit.loglik, fit.aic, fit.bic)]
    count = f"{fit.parameters} parameter{'s' if fit.parameters != 1 else ''}"
    return (*said, f"Log-likelihood: {numbers[0]} ({count}), AIC: {numbers[1]}, BIC: {numbers[2]}")


def _way(fit: FittedVectorModel) -> tuple[str, ...]:
    tally = fit.problem.tally
    rows = f"{tally.used} of {tally.given} rows used"
    if fit.nobs != tally.used:
        rows += f", standing for {fit.nobs} observations"
    if tally.idle:
        rows += f", {tally.idle} of weight 0"
    steps = f"{fit.iterations} iteration{'s' if fit.iterations != 1 else ''}"
    visits = (
        f"{fit.passes} pass{'es' if fit.passes != 1 else ''} over the rows ({fit.problem.options.solver})"
    )
    return (f"Outcome: {fit.outcome.value}, {steps}, {visits}", _wrapped(f"Rows: {rows}"))


def _wrapped(text: str) -> str:
    return "\n".join(wrap(text, WIDTH)) if len(text) > WIDTH else text
