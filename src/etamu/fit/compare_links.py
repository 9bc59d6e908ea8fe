"""The same model under every link its family can have: deviance, AIC, and a test of each link.

May import: everything below `fit`, and `etamu.fit.estimate`.
Read next: `etamu.family.catalogue` for the links there are.
"""

from __future__ import annotations

import math
import re
import textwrap
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from etamu._base.errors import AliasWarning, EtamuError
from etamu._base.facts import dataclass
from etamu._base.markup import WIDTH, escape
from etamu._base.types import Array
from etamu.design.blocks import Dense
from etamu.design.chunk import Chunk, Predictor
from etamu.design.design import Design
from etamu.design.layout import Layout, TermColumns
from etamu.family import catalogue
from etamu.family.link import Link
from etamu.family.unit import Unit
from etamu.fit.numerals import common, p_texts
from etamu.fit.problem import Problem
from etamu.fit.result import Fit
from etamu.fit.rows import by_row, raw_beta, refuse_others
from etamu.fit.shaped import fitted
from etamu.sums import etas

HEADER = ("link", "deviance", "AIC", "link test", "converged")

TESTED = "eta squared"
"""Name of the column the link test adds."""


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link and how the model does under it.

    Parameters
    ----------
    link : str
    deviance, aic : float
        NaN where the link was refused; `aic` also where there is no likelihood.
    p_value : float
        Of the link test: small where eta squared adds to the model; NaN where the test cannot be made.
    converged : bool
    note : str
        Why the link was refused, what its fit warned of, or why there is no test.
    """

    link: str
    deviance: float = math.nan
    aic: float = math.nan
    p_value: float = math.nan
    converged: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class LinkComparison:
    """Links compared, best first; printing it prints a table, iterating yields the rows.

    Parameters
    ----------
    heading : str
    fitted : str
        The link of the fit that was handed in.
    rows : tuple of LinkRow
        By AIC, by deviance where there is none; refused links last.
    notes : tuple of str
    """

    heading: str
    fitted: str
    rows: tuple[LinkRow, ...]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[LinkRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, link: str) -> LinkRow:
        found = next((row for row in self.rows if row.link == link), None)
        if found is None:
            raise KeyError(f"{link!r} was not compared; there are {', '.join(row.link for row in self.rows)}")
        return found

    def __str__(self) -> str:
        lines = [HEADER, *self._cells()]
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEADER))]
        table = [
            "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in lines
        ]
        below = (_wrapped(text) for text in self._said())
        return "\n".join([self.heading, "", *(line.rstrip() for line in table), "", *below])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        right = 'style="text-align: right; font-variant-numeric: tabular-nums"'
        titles = "".join(f"<th>{escape(title)}</th>" for title in HEADER)
        body = "".join(
            f"<tr><th>{escape(line[0])}</th>"
            + "".join(f"<td {right}>{escape(cell.strip())}</td>" for cell in line[1:])
            + "</tr>"
            for line in self._cells()
        )
        below = "".join(f"<p>{escape(text)}</p>" for text in self._said())
        table = f"<table><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>"
        return f'<div class="etamu-links"><p>{escape(self.heading)}</p>{table}{below}</div>'

    def _said(self) -> list[str]:
        """Say what is below the table: the same thing about several links once."""
        by_note: dict[str, list[str]] = {}
        for row in self.rows:
            if row.note:
                by_note.setdefault(row.note, []).append(_shown(row.link))
        return [*(f"{', '.join(links)}: {note}" for note, links in by_note.items()), *self.notes]

    def _cells(self) -> list[tuple[str, ...]]:
        names = [_shown(row.link) + (" *" if row.link == self.fitted else "") for row in self.rows]
        # Two decimals: a difference of AIC below 0.01 tells nothing.
        deviances, aics = (
            [f"{each:.2f}" if abs(each) >= 1.0 else common([each], 3)[0] for each in column]
            for column in ([row.deviance for row in self.rows], [row.aic for row in self.rows])
        )
        tails = p_texts(np.array([row.p_value for row in self.rows]), 2)
        cells = zip(names, deviances, aics, tails, (_converged(row) for row in self.rows), strict=True)
        return [tuple("-" if cell.strip() == "NaN" else cell for cell in line) for line in cells]


def compare_links(fit: Fit, links: Iterable[str | Link] | None = None) -> LinkComparison:
    """Fit the same model to the same rows under each link its family can have.

    The link test adds the square of the fitted eta to the model and tests its coefficient (Wald, z or t as
    the fit): under the right link it has nothing to add. Where the model has a constant the square is taken
    around the average eta, which changes nothing but the rounding.

    Parameters
    ----------
    fit : Fit
    links : list of str or Link, optional
        Links to compare; left out: all that fit the family.

    Returns
    -------
    LinkComparison
        One row per link. A fit that does not converge, or cannot be made, says so in its row. A model with
        an offset or an exposure cannot change its link: the offset is part of eta, on the scale of its link.

    Raises
    ------
    LinkError
        If a link named does not exist.
    NotAvailableError
        If the fit was read from a file, which holds no rows.

    References
    ----------
    Pregibon (1980), Goodness of link tests for generalized linear models, *Applied Statistics* 29, 15-24.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"dead": [6, 13, 18, 28, 52], "n": [59, 60, 62, 56, 63], "dose": [1.7, 1.72, 1.76, 1.78, 1.81]}
    >>> fit = em.glm("dead ~ dose", data, family="binomial", trials="n")
    >>> compare_links(fit, ["logit", "probit", "cloglog"]).rows[0].link
    'cloglog'
    """
    refuse_others(fit, "compare_links")
    fit.problem.attached()
    rows = sorted((_row(fit, link) for link in _candidates(fit, links)), key=_rank)
    notes = ["* the link of the fit handed in; link test: p-value of eta squared added to the model"]
    reason = fit.likelihood.reason
    if math.isnan(fit.aic):
        notes.append(f"no AIC: {reason or 'there is no likelihood'}; the rows are in order of deviance")
    heading = f"Links for {fit.formula or 'the model'} ({fit.family})"
    return LinkComparison(heading, fit.link.name, tuple(rows), tuple(notes))


def _candidates(fit: Fit, links: Iterable[str | Link] | None) -> list[Link]:
    if links is None:
        known = [unit.link for unit in catalogue.pairs([fit.family])]
        extra = [fit.link, fit.family.default_link, fit.family.canonical]
    else:
        known = [catalogue.link(each) if isinstance(each, str) else each for each in links]
        extra = [fit.link]
    return list({link.name: link for link in (*known, *extra)}.values())


def _rank(row: LinkRow) -> tuple[bool, bool, float, str]:
    refused = math.isnan(row.deviance)
    return refused, not row.converged, row.deviance if math.isnan(row.aic) else row.aic, row.link


def _row(fit: Fit, link: Link) -> LinkRow:
    """Fit one link; whatever goes wrong is said in its row."""
    if link == fit.link:
        p_value, note = _tested(fit)
        return LinkRow(link.name, fit.deviance, fit.aic, p_value, fit.converged, _also(_advice(fit), note))
    if reason := _refusal(fit, link):
        return LinkRow(link.name, note=reason)
    try:
        options = replace(fit.problem.options, start=None)
        problem = replace(fit.problem, unit=Unit(fit.family, link), options=options)
        other, warned = _quietly(problem)
    except (EtamuError, np.linalg.LinAlgError) as error:
        return LinkRow(link.name, note=f"no fit: {error}")
    p_value, note = _tested(other)
    return LinkRow(link.name, other.deviance, other.aic, p_value, other.converged, _also(warned, note))


def _refusal(fit: Fit, link: Link) -> str:
    """Say why a model cannot change its link; empty if it can."""
    words, unknown = fit.problem.words, fit.problem.unknown
    if unknown and hasattr(link, unknown):
        return f"refused: it contains {unknown}, which is estimated"
    if words.exposure is not None or "exposure" in words.given:
        return "refused: the exposure needs the log link, where its log is an offset"
    if fit.problem.chunk.predictors[0].offset is not None:
        return f"refused: the offset is stated on the scale of {fit.link.text}, not of {link.text}"
    return ""


def _quietly(problem: Problem) -> tuple[Fit, str]:
    """Fit a problem and return what it warned of instead of warning."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = fitted(problem)
    said = dict.fromkeys(str(each.message) for each in caught if not issubclass(each.category, AliasWarning))
    return fit, "; ".join(said)


def _tested(fit: Fit) -> tuple[float, str]:
    """Make Pregibon's link test in one extra fit; return the p-value, or NaN and why there is none."""
    if not fit.converged:
        return math.nan, ""
    try:
        larger, _ = _quietly(_with_square(fit))
    except (EtamuError, np.linalg.LinAlgError) as error:
        return math.nan, f"no link test: {error}"
    if TESTED in larger.aliased:
        return math.nan, "no link test: eta squared is a linear combination of the columns"
    if not larger.converged:
        return math.nan, f"no link test: the fit with eta squared ended {larger.outcome.value}"
    p_value = float(larger.p_values[-1])
    return p_value, "no link test: it has no standard error" if math.isnan(p_value) else ""


def _with_square(fit: Fit) -> Problem:
    """Add eta squared to a problem as its last column, starting from the estimate."""
    problem, beta = fit.problem, raw_beta(fit)
    eta = by_row(fit, lambda chunk: etas(chunk, beta))[problem.chunk.row_ids]
    centre = float(eta[problem.counted].mean()) if problem.layout.constant is not None else 0.0
    chunk = problem.chunk
    design = chunk.predictors[0].design
    size = float(np.abs(eta - centre).max(initial=0.0)) or 1.0  # its unit is nobody's, and may be 1e300
    blocks = (*design.blocks, Dense((((eta - centre) / size) ** 2,)))
    predictor = Predictor(Design(blocks, design.length), chunk.predictors[0].offset)
    longer = Chunk((predictor,), chunk.y, chunk.weights, chunk.row_ids, chunk.cluster)
    start = np.append(fit.finite, 0.0)
    return replace(
        problem,
        sample=replace(problem.attached(), chunk=longer),
        layout=_longer(problem.layout),
        options=replace(problem.options, start=start),
        schema=None,
    )


def _longer(layout: Layout) -> Layout:
    """Add one plain column at the end of a layout."""
    width, raw = layout.width, layout.raw_width
    constant: Array | None = None if layout.constant is None else np.append(layout.constant, 0.0)
    return Layout(
        (*layout.names, TESTED),
        (*layout.terms, TermColumns(TESTED, slice(width, width + 1))),
        np.append(layout.dense_reported, width),
        np.append(layout.dense_raw, raw),
        layout.parts,
        raw + 1,
        constant,
    )


def _shown(link: str) -> str:
    """Shorten the decimals of a power."""
    return re.sub(r"(\.\d{4})\d+", r"\1", link)


def _wrapped(text: str) -> str:
    return "\n".join(
        textwrap.wrap(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    )


def _advice(fit: Fit) -> str:
    return "" if fit.converged else fit.outcome.advice


def _also(*notes: str) -> str:
    return "; ".join(note for note in notes if note)


def _converged(row: LinkRow) -> str:
    if math.isnan(row.deviance):
        return "-"
    return "yes" if row.converged else "NO"
