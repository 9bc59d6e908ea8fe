"""The summary of a fit: a table that reads like R's, as text and as HTML.

May import: everything below `fit`.
Read next: `etamu.fit.numerals` for how its numbers are written, `etamu.fit.tables` for the same as data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.listing import listed
from etamu._base.markup import GLUE, WIDTH, escape, wrap
from etamu.fit.components import PHI, spelled
from etamu.fit.numerals import LEGEND, common, estimates, p_texts, short, stars, statistics
from etamu.fit.problem import METHODS
from etamu.fit.term_tests import term_tests
from etamu.solve.oracle import Outcome

if TYPE_CHECKING:
    from etamu.fit.anova import anova
    from etamu.fit.fitted import FittedModel
else:
    anova = later("etamu.fit.anova", "anova")

MOST_TESTED = 500
"""Coefficients up to which terms are tested without being asked."""

DIGITS = 4
"""Significant digits of the smallest standard error, as R's default."""
PERFECT = 1e-24
"""Share of the null deviance below which a deviance is the rounding of responses that are reproduced."""
ROUNDED = "The fit is perfect: its deviance, phi, standard errors and tests are rounding"

COVARIANCES = {
    "observed": "from the observed information",
    **{f"HC{n}": f"HC{n}, a sandwich that stands a wrong variance function" for n in range(5)},
    "bootstrap": "bootstrap",
    "HAC": "HAC (Newey-West), a sandwich that stands correlation over {lags} rows",
    **{f"CR{n}": f"CR{n}, a sandwich that stands any dependence within {{clusters}}" for n in range(4)},
}
"""What is said where the covariance is not the model's."""


@dataclass(frozen=True, slots=True)
class Summary:
    """A fit summarised; printing it prints the table.

    Parameters
    ----------
    call : str
        The call that makes the fit again.
    heading : str
        Said above the coefficients: which are aliased.
    header : tuple of str
        Column titles, the last one for the stars.
    rows : tuple of (name, cells)
        One row per coefficient, the cells as printed.
    legend : str
        What the stars mean; empty where nothing has any.
    paragraphs : tuple of tuple of str
        What is said below the table, line by line.
    terms : tuple of str
        One test for each term: a title and the lines of its table; empty where none was asked.
    """

    call: str
    heading: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]
    legend: str
    paragraphs: tuple[tuple[str, ...], ...]
    terms: tuple[str, ...] = ()

    def __str__(self) -> str:
        table = "\n".join(_lines(self.header, self.rows)) if self.rows else "  (none)"
        legend = ["---\n" + self.legend] if self.legend else []
        blocks = ["Call:\n" + self.call, self.heading + "\n" + "\n".join([table, *legend])]
        blocks += ["\n".join(self.terms)] if self.terms else []
        return "\n\n".join([*blocks, *("\n".join(paragraph) for paragraph in self.paragraphs)])

    def __repr__(self) -> str:
        return str(self)

    @property
    def html(self) -> str:
        """The summary as one self-contained piece of HTML, every text escaped."""
        right = 'style="text-align: right; font-variant-numeric: tabular-nums"'
        left = 'style="text-align: left"'
        titles = "".join(f"<th {right}>{escape(title)}</th>" for title in self.header[:-1])
        body = "".join(
            f"<tr><th {left}>{escape(name)}</th>"
            + "".join(f"<td {right}>{escape(cell.strip())}</td>" for cell in cells[:-1])
            + f"<td {left}>{escape(cells[-1])}</td></tr>"
            for name, cells in self.rows
        )
        head = f"<thead><tr><th></th>{titles}<th></th></tr></thead>"
        below = "".join(_paragraph_html(lines) for lines in ((self.legend,), *self.paragraphs) if any(lines))
        if self.terms:
            title, *lines = self.terms
            text = "\n".join(map(escape, lines))
            below = f"<p>{escape(title)}</p><pre>{text}</pre>{below}"
        caption = f"<pre>{escape(self.call)}</pre><p>{escape(self.heading)}</p>"
        return f'<div class="etamu-summary">{caption}<table>{head}<tbody>{body}</tbody></table>{below}</div>'

    def _repr_html_(self) -> str:
        return self.html


def summary(fit: FittedModel, *, terms: bool | str | None = None) -> Summary:
    r"""Summarise a fit as R's `summary.glm` does, and say what R leaves out.

    Parameters
    ----------
    fit : Fit
    terms : None, bool, "Wald", "LR" or "F"
        One test for each term, type II: by Wald from the covariance in force (also True), or by fits without
        the term. None tests by Wald where some term has several coefficients.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> print("\n".join(str(em.glm("y ~ x", data, family="poisson").summary()).splitlines()[3:9]))
    Coefficients:
             Estimate Std. Error z value Pr(>|z|)
    Intercept   0.5331     0.4279   1.246    0.213
    x           0.4391     0.1089   4.031 5.56e-05 ***
    ---
    Signif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1
    """
    letter = "z" if np.all(np.isinf(fit.reference_df)) else "t"
    p = np.asarray(fit.p_values)
    marks = stars(p)
    numbers = estimates(np.column_stack([fit.coef, fit.se]), DIGITS)
    tests = statistics(fit.statistic, DIGITS)
    tails = p_texts(p)
    cells = [(*pair, t, tail, mark) for pair, t, tail, mark in zip(numbers, tests, tails, marks, strict=True)]
    paragraphs = (_outcome(fit), _dispersion(fit), _deviance(fit), _criteria(fit), _way(fit), _notes(fit))
    return Summary(
        call=_call(fit),
        heading=_heading(fit),
        header=("Estimate", "Std. Error", f"{letter} value", f"Pr(>|{letter}|)", ""),
        rows=tuple(zip(fit.names, cells, strict=True)),
        legend=LEGEND if any(marks) else "",
        paragraphs=tuple(lines for lines in paragraphs if lines),
        terms=_terms(fit, terms),
    )


def _terms(fit: FittedModel, asked: Any) -> tuple[str, ...]:
    """Test the terms as asked; unasked only where it tells something, is cheap and can be done."""
    if asked is False:
        return ()
    if asked is None:
        kept = set(fit.coordinates.kept.tolist())
        terms = (range(len(fit.names))[term.columns] for term in fit.problem.layout.terms)
        several = any(len(kept.intersection(term)) > 1 for term in terms)
        varying = isinstance(fit.reference_df, np.ndarray)
        if not several or varying or fit.factor is None or fit.rank > MOST_TESTED:
            return ()
    if asked in {None, True} or str(asked).lower() == "wald":
        table, how = term_tests(fit), "Wald"
    else:
        table, how = anova(fit, 2, str(asked)), str(asked)
    return (f"Terms: {how} tests, each term after all others that do not contain it", *table.body)


def _lines(header: tuple[str, ...], rows: tuple[tuple[str, tuple[str, ...]], ...]) -> list[str]:
    """Set the table; a name too long for the page stands on a line of its own."""
    columns = zip(header, *(cells for _, cells in rows), strict=True)
    widths = [max(map(len, column)) for column in columns]
    room = WIDTH - sum(widths) - len(widths)
    margin = max((len(name) for name, _ in rows if len(name) <= room), default=0)
    lines = [_line("", header, margin, widths)]
    for name, cells in rows:
        if len(name) > room:
            lines.append(name)
        lines.append(_line(name if len(name) <= room else "", cells, margin, widths))
    return lines


def _line(name: str, cells: tuple[str, ...], margin: int, widths: list[int]) -> str:
    numbers = [cell.rjust(width) for cell, width in zip(cells[:-1], widths[:-1], strict=True)]
    return " ".join([name.ljust(margin), *numbers, cells[-1]]).rstrip()


def _call(fit: FittedModel) -> str:
    """Write the call that makes this fit, one line or wrapped."""
    words, options = fit.problem.words, fit.problem.options
    asked = next((shape.family for shape in fit.shapes if shape.family), spelled(fit.family))
    model = [f'family="{asked}"', f'link="{fit.link.name}"']
    named = {"offset": words.offset, "exposure": words.exposure, "trials": words.trials}
    data = [f'{word}="{column}"' for word, column in (*named.items(), *words.weights) if column]
    data += [f"{keyword}=<array>" for keyword in words.given]
    choices = [] if options.method == "ml" else [f"method={_quoted(options.method)}"]
    if options.dispersion is not None:
        choices.append(f"dispersion={_quoted(options.dispersion)}")
    if options.on_separation != "warn":
        choices.append(f"on_separation={_quoted(options.on_separation)}")
    if options.covariance is not None:
        choices.append(f"covariance={_quoted(options.covariance)}")
    if options.precision != "double":
        choices.append(f"precision={_quoted(options.precision)}")
    if fit.formula:
        call = "glm(" + _listed(['"' + fit.formula + '"', "data", *model, *data, *choices]) + ")"
    else:
        plain = [] if "Intercept" in fit.names else ["intercept=False"]
        call = f"GLM({_listed([*model, *choices])}).fit({_listed(['X', 'y', *plain, *data])})"
    call += _with_covariance(fit)
    return "\n".join(wrap(call, indent="    "))


def _with_covariance(fit: FittedModel) -> str:
    """Write the call that gave the covariance, where it was not the one that fitted."""
    made = fit.replicates
    if made is not None:
        options = [f"scheme={_quoted(made.scheme)}", f"replications={made.asked}", f"seed={made.seed}"]
        ways = () if fit.clustering is None else fit.clustering.names
        options += [f"cluster={name if name == '<array>' else _quoted(name)}" for name in ways]
        return f".with_covariance({_listed([_quoted('bootstrap'), *options])})"
    if fit.clustering is not None:
        names = [name if name == "<array>" else _quoted(name) for name in fit.clustering.names]
        cluster = names[0] if len(names) == 1 else f"[{', '.join(names)}]"
        return f".with_covariance({_listed([_quoted(fit.covariance_kind), f'cluster={cluster}'])})"
    if fit.covariance_kind == "HAC" and fit.problem.options.covariance != "HAC":
        return f".with_covariance({_listed([_quoted('HAC'), f'lags={fit.lags}'])})"
    return ""


def _listed(arguments: list[str]) -> str:
    """Write arguments so that lines break between them only, where they fit on one."""
    return ", ".join(_glued(argument) for argument in arguments)


def _glued(argument: str) -> str:
    return argument.replace(" ", GLUE) if len(argument) <= WIDTH - 8 else argument


def _quoted(value: str | float) -> str:
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


def _heading(fit: FittedModel) -> str:
    if not fit.aliased:
        return "Coefficients:"
    names = listed(fit.aliased)
    what = "is a linear combination" if len(fit.aliased) == 1 else "are linear combinations"
    return _wrapped(f"Coefficients: ({len(fit.aliased)} aliased, NaN: {names} {what} of earlier columns)")


def _outcome(fit: FittedModel) -> tuple[str, ...]:
    if fit.outcome is Outcome.CONVERGED:
        return ()
    if fit.limit is not None:
        said = f"{fit.existence.sentence} What is finite is the limit."
        return (_wrapped(f"NOT CONVERGED (infinite). {said}"),)
    return (_wrapped(f"NOT CONVERGED ({fit.outcome.value}). {fit.outcome.advice}"),)


def _dispersion(fit: FittedModel) -> tuple[str, ...]:
    name = fit.family.name if any(shape.family for shape in fit.shapes) else spelled(fit.family)
    family = f"Dispersion parameter for {name} family"
    how = PHI.get(fit.phi.kind)
    value = short(fit.dispersion)
    lines = [f"{family}: {value} ({how})" if how else f"{family} taken to be {value}"]
    if fit.method != "ml":
        lines.append(_wrapped(f"Method: {METHODS[fit.method]}"))
    lines += [f"{shape}, by maximum likelihood" for shape in fit.shapes]
    if fit.covariance_kind in COVARIANCES:
        lines.append(_wrapped(f"Covariance: {_covariance(fit)}"))
    return tuple(lines)


def _covariance(fit: FittedModel) -> str:
    text = COVARIANCES[fit.covariance_kind]
    if fit.replicates is not None:
        count, made = len(fit.replicates.beta), fit.replicates
        text = f"bootstrap ({made.scheme}), {count:,} of {made.asked:,} replications, seed {made.seed}"
    if fit.clustering is None:
        return text.format(lags=fit.lags) if fit.lags is not None else text
    ways = zip(fit.clustering.names, fit.clustering.counts, strict=True)
    clusters = " and ".join(f"the {count} clusters of {name}" for name, count in ways)
    df = np.unique(fit.reference_df)
    if df.size == 1:
        return f"{text.format(clusters=clusters)}; t on {short(df[0])} degrees of freedom"
    df = df[~np.isnan(df)]
    between = f"{df[0]:.2f} to {df[-1]:.2f}" if df.size else "unknown"
    return f"{text.format(clusters=clusters)}; t on {between} degrees of freedom (Satterthwaite)"


def _deviance(fit: FittedModel) -> tuple[str, ...]:
    deviances = common([fit.null_deviance, fit.deviance], DIGITS + 1)
    df = common([fit.df_null, fit.df_resid], 7)
    titles = ("    Null deviance:", "Residual deviance:")
    lines = tuple(
        f"{title} {deviance}  on {count}  degrees of freedom"
        for title, deviance, count in zip(titles, deviances, df, strict=True)
    )
    perfect = fit.phi.estimated and 0.0 < fit.deviance <= PERFECT * fit.null_deviance
    return (*lines, *([_wrapped(ROUNDED)] if perfect else []))


def _criteria(fit: FittedModel) -> tuple[str, ...]:
    if fit.likelihood.reason:
        return (_wrapped(f"No log-likelihood, AIC or BIC: {fit.likelihood.reason}"),)
    count = f"{fit.parameters} parameter{'s' if fit.parameters != 1 else ''}"
    numbers = [short(value, DIGITS + 1) for value in (fit.loglik, fit.aic, fit.bic)]
    return (f"Log-likelihood: {numbers[0]} ({count}), AIC: {numbers[1]}, BIC: {numbers[2]}",)


def _way(fit: FittedModel) -> tuple[str, ...]:
    problem = fit.problem
    steps = f"{fit.iterations} iteration{'s' if fit.iterations != 1 else ''}"
    visits = f"{fit.passes} pass{'es' if fit.passes != 1 else ''} over the rows ({problem.options.solver})"
    tally = problem.tally
    rows = f"{tally.used} of {tally.given} rows used"
    if fit.nobs != tally.used:
        rows += f", standing for {fit.nobs} observations"
    if tally.idle:
        rows += f", {tally.idle} of weight 0"
    if problem.dropped and not fit.notes:
        rows += "; missing: " + ", ".join(f"{name} ({count})" for name, count in problem.dropped.items())
    return (f"Outcome: {fit.outcome.value}, {steps}, {visits}", _wrapped(f"Rows: {rows}"))


def _notes(fit: FittedModel) -> tuple[str, ...]:
    return tuple(_wrapped(f"Note: {note}") for note in fit.notes)


def _wrapped(text: str) -> str:
    return "\n".join(wrap(text))


def _paragraph_html(lines: tuple[str, ...]) -> str:
    return "<p>" + "<br>".join(escape(line.strip()) for line in lines) + "</p>"
