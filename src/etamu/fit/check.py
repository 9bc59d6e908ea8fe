"""Whether a model holds: one finding per assumption, each with a verdict in words and what to try next.

May import: everything below `fit`.
Read next: `etamu.infer.checks` for the statistics, `etamu.fit.check_rows` for what they need of the rows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.fit.check_rows import CheckRows, check_rows, projected
from etamu.fit.leverage import bread
from etamu.fit.model_terms import terms_of
from etamu.fit.numerals import p_texts, short
from etamu.fit.term_tests import heading
from etamu.infer.checks import (
    Score,
    cameron_trivedi,
    dean,
    dean_binomial,
    gvif,
    hosmer_lemeshow,
    kolmogorov,
    studentised_variance,
    two_sided,
)
from etamu.infer.covariance import Root
from etamu.infer.tests import chi2_tail, f_tail

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

Verdict = Literal["fine", "look", "act", "not asked"]

DOUBTFUL, CLEAR = 0.05, 0.001
"""Below the first p-value a finding is worth a look, below the second it is beyond doubt."""

INFLATED = 10.0**0.5
"""GVIF^(1/2df) above this: a standard error more than three times what it would be alone."""

COUNTS = ("poisson", "negative_binomial")


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found.

    Parameters
    ----------
    name : str
    verdict : "fine", "look", "act" or "not asked"
    words : str
        What was found.
    advice : str
        What to try next; empty where nothing need be.
    statistic, p_value, size : float
        NaN where there is none; `size` is the departure in units of its own.
    """

    name: str
    verdict: Verdict
    words: str
    advice: str = ""
    statistic: float = math.nan
    p_value: float = math.nan
    size: float = math.nan

    def __str__(self) -> str:
        return f"{self.words}; {self.advice}" if self.advice else self.words


@dataclass(frozen=True, slots=True, eq=False)
class Checkup:
    """All findings about a fit; printing it prints one line for each.

    Examples
    --------
    >>> import etamu as em
    >>> y = [1.0, 3.0, 4.0, 9.0, 7.0, 16.0, 2.0, 60.0]
    >>> data = {"y": y, "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1.5, 4.5]}
    >>> found = em.glm("y ~ x", data, family="poisson").check()
    >>> found["dispersion"].verdict
    'act'
    >>> found.names[:3]
    ('dispersion', 'Cameron-Trivedi', 'Dean')
    """

    heading: tuple[str, ...]
    findings: tuple[Finding, ...]
    inflation: dict[str, float]
    maker: Any = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the checks."""
        return tuple(finding.name for finding in self.findings)

    def __getitem__(self, name: str) -> Finding:
        """Return one finding.

        Raises
        ------
        OptionError
            If there is no check of that name.
        """
        for finding in self.findings:
            if finding.name == name:
                return finding
        raise OptionError(f"there is no check {name!r}; the checks are {', '.join(self.names)}")

    def frame(self) -> Any:
        """Return the findings in the data-frame library that came in, a dict of arrays without one."""
        texts = ("name", "verdict", "words", "advice")
        columns: dict[str, Any] = {
            each: np.array([getattr(finding, each) for finding in self.findings]) for each in texts
        }
        for each in ("statistic", "p_value", "size"):
            columns[each] = np.array([getattr(finding, each) for finding in self.findings])
        return columns if self.maker is None else self.maker.native_table(columns)

    def __str__(self) -> str:
        margin = max(map(len, self.names))
        lines = [
            f"{each.name.ljust(margin)}  {each.verdict:<9}  {p.rjust(7)}  {each}"
            for each, p in zip(self.findings, self._tails(), strict=True)
        ]
        title = " " * margin + "  verdict        p      "
        return "\n".join(["Check of the fit", "", *self.heading, "", title.rstrip(), *lines])

    def __repr__(self) -> str:
        return str(self)

    def _tails(self) -> list[str]:
        texts = (p_texts(np.array([each.p_value]))[0] for each in self.findings)
        return ["" if text == "NaN" else text for text in texts]

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{title}</th>" for title in ("", "verdict", "p", "in words", "what to try next"))
        body = "".join(
            "<tr>"
            + "".join(
                f'<td style="text-align: left">{escape(text)}</td>'
                for text in (each.name, each.verdict, p, each.words, each.advice)
            )
            + "</tr>"
            for each, p in zip(self.findings, self._tails(), strict=True)
        )
        top = "<br>".join(map(escape, ("Check of the fit", *self.heading)))
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        return f'<div class="etamu-check"><p>{top}</p>{table}</div>'


def check(fit: FittedModel, seed: int = 0) -> Checkup:
    """Check a fit, as `Fit.check` describes.

    Raises
    ------
    NotAvailableError
        If the fit carries no rows.
    """
    if fit.near is not None:  # nothing that is asked depends on units
        return check(fit.near.fit, seed)
    rows = check_rows(fit, seed)
    inflation = _inflation(fit)
    dispersion = _dispersion(fit, rows)
    asked: tuple[Callable[[], tuple[Finding, ...]], ...] = (
        lambda: _existence(fit),
        lambda: dispersion,
        lambda: _zeros(fit, rows),
        lambda: _uniformity(rows),
        lambda: _outliers(fit, rows),
        lambda: _calibration(fit, rows),
        lambda: _link(fit, rows, _excess(dispersion[0])),
        lambda: _variance(fit, rows),
        lambda: _collinearity(inflation),
    )
    findings = tuple(finding for ask in asked for finding in ask())
    lines = [f"{rows.count:,} observations, {fit.rank} coefficients"]
    if rows.sampling:
        lines.append("Sampling weights: p-values believe the model and are a rough guide")
    return Checkup(heading(fit, *lines), findings, inflation, fit.problem.table)


def _graded(p: float, *, large: bool) -> Verdict:
    """Weigh evidence and size: what is beyond doubt but small is worth no more than a look."""
    if math.isnan(p):
        return "not asked"
    if p >= DOUBTFUL:
        return "fine"
    return "act" if p < CLEAR and large else "look"


# --- existence ---


def _existence(fit: FittedModel) -> tuple[Finding, ...]:
    """Say that the estimate is no maximum inside; nothing where it is one."""
    if fit.converged:
        return ()
    known = fit.existence
    if known.outcome == "infinite":
        words = known.sentence.rstrip(".")
        advice = "method='firth', or merge or drop what separates; what follows is about the limit"
    elif known.outcome == "boundary":
        words = known.how.rstrip(".")
        advice = "another link, or a smaller model; standard errors do not exist there"
    elif known.outcome == "local":
        words, advice = known.how.rstrip("."), fit.outcome.advice.partition("; ")[2].rstrip(".")
    else:
        words = f"the search ended early ({fit.outcome.value})"
        advice = fit.outcome.advice.partition("; ")[2].rstrip(".") or fit.outcome.advice.rstrip(".")
    return (Finding("existence", "act", words, advice),)


# --- dispersion ---


def _dispersion(fit: FittedModel, rows: CheckRows) -> tuple[Finding, ...]:
    family = fit.family.name
    if fit.phi.kind != "known":
        words = f"phi = {short(fit.phi.value)} is {_how(fit)} and in every standard error"
        return (Finding("dispersion", "not asked", words),)
    if rows.trials is None and fit.family.mean.upper == 1.0:
        return (Finding("dispersion", "not asked", "single trials have the variance their mean gives them"),)
    ratio = fit.pearson_chi2 / fit.df_resid if fit.df_resid > 0 else math.nan
    p = _pearson_tail(fit, _pearson_variance(fit, rows))
    large = not 1 / 1.2 < ratio < 1.2
    words = f"the residual variance is {short(ratio, 3)} times what the {family} family says"
    first = Finding(
        "dispersion",
        _graded(p, large=large),
        words,
        _spread_advice(fit, ratio, p),
        fit.pearson_chi2,
        p,
        ratio,
    )
    if rows.weighted:
        return (first,)
    if family == "poisson":
        one = cameron_trivedi(rows.y, rows.mu, rows.copies)
        other = dean(rows.y, rows.mu, rows.leverage, rows.copies)
        return (first, _quadratic("Cameron-Trivedi", one), _quadratic("Dean", other))
    if rows.trials is not None:
        score = dean_binomial(rows.y, rows.trials, rows.mu, rows.copies)
        words = f"trials of a row share a correlation of {short(score.size, 2)}"
        advice = (
            "" if not score.p_value < DOUBTFUL else 'family="quasibinomial", or cluster by what they share'
        )
        verdict = _graded(score.p_value, large=abs(score.size) > 0.01)
        return (first, Finding("Dean", verdict, words, advice, score.statistic, score.p_value, score.size))
    return (first,)


def _pearson_tail(fit: FittedModel, variance: float) -> float:
    """Return the two-sided p-value of Pearson's chi-squared, by c chi2_k of its mean df and its variance."""
    df = float(fit.df_resid)
    if not (variance > 0.0 and df > 0.0):
        return math.nan
    scale = variance / (2.0 * df)
    upper = chi2_tail(fit.pearson_chi2 / scale, df / scale)
    return min(1.0, 2.0 * min(upper, 1.0 - upper))


def _how(fit: FittedModel) -> str:
    return "given" if fit.phi.kind == "given" else "estimated"


def _pearson_variance(fit: FittedModel, rows: CheckRows) -> float:
    """Return the variance of Pearson's chi-squared at estimated coefficients.

    In an exponential family a squared Pearson residual has variance 2 + V'' + V'^2 / V, and its covariance
    with the score is V' mu' / V, of which the coefficients take out their share (McCullagh 1985; Osius and
    Rojek 1992 for binomial counts). For large means that is 2 df.
    """
    family, mu = fit.family, rows.mu
    step = 1e-4 * np.maximum(np.abs(mu), 1e-3)
    with np.errstate(all="ignore"):
        value = family.variance(np, mu, rows.complement)
        first = family.dvariance(np, mu, rows.complement)
        ahead, behind = (family.dvariance(np, mu + h, rows.complement - h) for h in (step, -step))
        excess = (ahead - behind) / (2.0 * step) + first**2 / value
        if rows.trials is not None:
            excess = excess / rows.trials
        pulled = projected(fit, rows.copies_or_ones * first * rows.slope / value)
    pulled = rows.root.T @ pulled
    total = float(np.sum(rows.copies_or_ones * (2.0 + excess))) - float(pulled @ pulled)
    return total if math.isfinite(total) else math.nan


def _spread_advice(fit: FittedModel, ratio: float, p: float) -> str:
    if math.isnan(p) or p >= DOUBTFUL:
        return ""
    if ratio < 1.0:
        return "standard errors are too large: with_covariance('HC3'), and look for copies of rows"
    remedy = {
        "poisson": 'family="quasipoisson" or em.NegativeBinomial()',
        "binomial": 'family="quasibinomial"',
        "negative_binomial": "a smaller theta",
    }.get(fit.family.name, 'dispersion="pearson"')
    return f"{remedy}, a missing variable, or with_covariance('HC3')"


def _quadratic(name: str, score: Score) -> Finding:
    words = f"Var = mu + a mu^2 with a = {short(score.size, 3)}, where a poisson count has 0"
    advice = ""
    if score.p_value < DOUBTFUL:
        advice = (
            f"em.NegativeBinomial({short(1.0 / score.size, 3)})"
            if score.size > 0
            else "with_covariance('HC3')"
        )
    verdict = _graded(score.p_value, large=abs(score.size) > 0.05)
    return Finding(name, verdict, words, advice, score.statistic, score.p_value, score.size)


# --- zeros, residuals ---


def _zeros(fit: FittedModel, rows: CheckRows) -> tuple[Finding, ...]:
    """Compare the zeros there are with those expected; coefficients take out their share of the variance."""
    if fit.family.name not in COUNTS or rows.zero is None or rows.weighted:
        return ()
    k, p = rows.copies_or_ones, rows.zero
    observed, expected = float(np.sum(k * (rows.y == 0.0))), float(np.sum(k * p))
    pulled = rows.root.T @ projected(fit, k * p * rows.score_at_zero)
    variance = float(np.sum(k * p * (1.0 - p))) - float(pulled @ pulled)
    z = (observed - expected) / math.sqrt(variance) if variance > 0 else math.nan
    tail = two_sided(z) if not math.isnan(z) else math.nan
    ratio = observed / expected if expected > 0 else math.inf
    words = f"{observed:,.0f} zeros, where the model expects {expected:,.1f}"
    advice = ""
    if tail < DOUBTFUL:
        advice = (
            "em.NegativeBinomial(), or model whether there is any apart from how many"
            if observed > expected
            else "the zeros may be missing from the data: see how they were collected"
        )
    verdict = _graded(tail, large=not 0.95 < ratio < 1.05)
    return (Finding("zeros", verdict, words, advice, z, tail, ratio),)


def _uniformity(rows: CheckRows) -> tuple[Finding, ...]:
    if rows.scores is None:
        words = "the family states a variance and no distribution"
        return (Finding("uniformity", "not asked", words),)
    score = kolmogorov(rows.scores)
    words = f"quantile residuals are {short(score.size, 2)} from the normal law at most"
    advice = "" if not score.p_value < DOUBTFUL else "another family, or a QQ plot of residuals('quantile')"
    verdict = _graded(score.p_value, large=score.size > 0.05)
    return (Finding("uniformity", verdict, words, advice, score.statistic, score.p_value, score.size),)


def _outliers(fit: FittedModel, rows: CheckRows) -> tuple[Finding, ...]:
    kind = "quantile" if rows.scores is not None else "studentised"
    scores = np.abs(rows.scores if rows.scores is not None else rows.studentised)
    n = int(np.sum(np.isfinite(scores)))
    if not n:
        return (Finding("outliers", "not asked", "no row has a residual"),)
    place = int(np.nanargmax(scores))
    largest = float(scores[place])
    p = min(1.0, n * two_sided(largest))
    bound = _bound(n)
    beyond = int(np.sum(scores > bound))
    words = f"the largest {kind} residual is {short(largest, 3)}, in row {rows.label(fit, place)}"
    advice = "" if p >= DOUBTFUL else f"{beyond} beyond {bound:.1f}: look at influence().top()"
    return (Finding("outliers", _graded(p, large=True), words, advice, largest, p, float(beyond)),)


def _bound(n: int) -> float:
    """Return the size that one of n normal numbers exceeds with probability 0.05."""
    from scipy.special import ndtri

    return float(-ndtri(0.5 * DOUBTFUL / n))


def _calibration(fit: FittedModel, rows: CheckRows) -> tuple[Finding, ...]:
    if fit.family.name not in {"bernoulli", "binomial"}:
        return ()
    trials = np.ones_like(rows.mu) if rows.trials is None else rows.trials
    k = rows.copies_or_ones
    score = hosmer_lemeshow(k * rows.y, k * trials, rows.mu)
    if math.isnan(score.p_value):
        words = "too few different probabilities for groups (Hosmer-Lemeshow)"
        return (Finding("calibration", "not asked", words),)
    words = f"in tenths of fitted probability the share is off by {short(score.size, 2)} at most"
    advice = (
        "" if score.p_value >= DOUBTFUL else "interactions, a curve in a number (bs, ns), or another link"
    )
    verdict = _graded(score.p_value, large=score.size > 0.02)
    return (Finding("calibration", verdict, words, advice, score.statistic, score.p_value, score.size),)


# --- link, variance, collinearity ---


def _excess(dispersion: Finding) -> float:
    """Return by how much the variance exceeds a known phi, 1 where that is in doubt."""
    told = dispersion.verdict in {"look", "act"} and dispersion.size > 1.0
    return dispersion.size if told else 1.0


def _link(fit: FittedModel, rows: CheckRows, excess: float) -> tuple[Finding, ...]:
    """Test whether eta^2 belongs in the model, by its score at the estimate (Pregibon 1980).

    Where the variance exceeds what the family says, the score varies by as much more.
    """
    k = rows.total
    centre = float(np.sum(k * rows.eta) / np.sum(k))
    column = rows.eta - centre
    scale = float(np.max(np.abs(column), initial=0.0))
    if not scale > 1e-10 * max(1.0, abs(centre)):
        return (Finding("link", "not asked", "eta is the same in every row"),)
    column = (column / scale) ** 2
    gain = float(np.sum(k * rows.score * column))
    size = float(np.sum(k * rows.information * column**2))
    pulled = rows.root.T @ projected(fit, k * rows.information * column)
    left = size - float(pulled @ pulled)
    if not left > 1e-10 * size or not fit.phi.value > 0.0:
        return (Finding("link", "not asked", "the model already has a curve in eta"),)
    z = gain / (math.sqrt(left) * math.sqrt(fit.phi.value * excess))
    df = float(fit.df_resid) if fit.phi.estimated else math.inf
    p = f_tail(z**2, 1, df)
    way = "bends up" if gain > 0 else "bends down"
    if p >= DOUBTFUL:
        return (Finding("link", "fine", "eta^2 adds nothing", "", z, p, gain / left),)
    words = f"the mean {way} against eta on the {fit.link.name} link"
    advice = "em.compare_links(fit), or a curve in a number (bs, ns, log)"
    return (Finding("link", _graded(p, large=True), words, advice, z, p, gain / left),)


def _variance(fit: FittedModel, rows: CheckRows) -> tuple[Finding, ...]:
    if fit.family.name == "bernoulli" or fit.df_resid <= 0:
        return ()
    score = studentised_variance(rows.pearson**2, rows.eta, rows.copies)
    if math.isnan(score.p_value):
        return (Finding("variance", "not asked", "eta is the same in every row"),)
    order = np.argsort(rows.eta, kind="stable")
    fifth = max(len(order) // 5, 1)
    low, high = (float(np.mean(rows.pearson[part] ** 2)) for part in (order[:fifth], order[-fifth:]))
    words = (
        f"residuals over V(mu) vary by {short(low, 3)} where eta is low and {short(high, 3)} where it is high"
    )
    advice = ""
    if score.p_value < DOUBTFUL:
        advice = "a family with another V(mu) (em.Tweedie, em.Quasi), or with_covariance('HC3')"
    ratio = high / low if low > 0 else math.inf
    verdict = _graded(score.p_value, large=not 2 / 3 < ratio < 1.5)
    return (Finding("variance", verdict, words, advice, score.statistic, score.p_value, ratio),)


def _inflation(fit: FittedModel) -> dict[str, float]:
    """Compute GVIF^(1/2df) of every term, from the model's information."""
    kept = fit.coordinates.kept
    root: Array = fit.coordinates.reported(bread(fit).matrix)[kept]
    names = [fit.names[j] for j in kept]
    place = [j for j, name in enumerate(names) if name != "Intercept"]
    length = Root(root).errors()[:, None]
    root = root / np.where(length > 0.0, length, 1.0)  # only correlations matter, and they fit float64
    covariance = (root @ root.T)[np.ix_(place, place)]
    where = {int(kept[j]): number for number, j in enumerate(place)}
    groups = {}
    for term in terms_of(fit):
        columns = [where[column] for column in term.columns if column in where]
        # A coefficient that runs away has no standard error to be inflated.
        columns = [column for column in columns if covariance[column, column] > 0.0]
        if columns:
            groups[term.label] = columns
    if len(groups) < 2 or not np.all(np.isfinite(covariance)):
        return {}
    used = [column for columns in groups.values() for column in columns]
    places = {column: number for number, column in enumerate(used)}
    groups = {name: [places[column] for column in columns] for name, columns in groups.items()}
    values = gvif(covariance[np.ix_(used, used)], list(groups.values()))
    return {
        name: float(value ** (0.5 / len(columns)))
        for (name, columns), value in zip(groups.items(), values, strict=True)
    }


def _collinearity(inflation: dict[str, float]) -> tuple[Finding, ...]:
    if not inflation:
        return (Finding("collinearity", "not asked", "one term at most"),)
    term, largest = max(inflation.items(), key=lambda each: each[1])
    words = f"{term} has standard errors {short(largest, 3)} times what they were alone, GVIF^(1/2df)"
    verdict: Verdict = "fine" if largest < INFLATED else "look" if largest < 10.0 else "act"
    advice = "" if verdict == "fine" else "drop or merge terms that say the same; predictions do not suffer"
    return (Finding("collinearity", verdict, words, advice, size=largest),)
