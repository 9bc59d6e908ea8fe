"""One test of linear hypotheses: Wald at the estimate, the score under them, or both by the likelihood ratio.

May import: everything below `fit`.
Read next: `etamu.fit.hypothesis` for the words, `etamu.solve.restricted` for the constrained fit.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.markup import escape
from etamu._base.types import Array, Want
from etamu.design.coordinates import extent
from etamu.fit.hypothesis import Hypothesis, hypothesis
from etamu.fit.numerals import p_texts, short
from etamu.fit.reference import one_df, refuse_score_test, refuse_without_likelihood, yardstick
from etamu.fit.restrict import bench_of, whole
from etamu.fit.rows import located
from etamu.fit.term_tests import heading
from etamu.infer.covariance import Root
from etamu.infer.tests import chi2_tail, f_tail, rao, wald
from etamu.objective.likelihood import Likelihood
from etamu.solve.newton import newton
from etamu.solve.oracle import Oracle, Outcome
from etamu.solve.restricted import Restricted

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

KINDS = {"wald": "Wald", "lr": "Likelihood-ratio", "score": "Score (Rao)"}

CONSISTENT = 1e-8
"""Relative distance by which hypotheses that say the same may disagree."""


@dataclass(frozen=True, slots=True, eq=False)
class LinearTest:
    """A test of L beta = r; printing it says what was tested and what came out.

    Parameters
    ----------
    kind : "wald", "lr" or "score"
    hypotheses : tuple of str
        Each in words.
    estimate, se : arrays (m,)
        L b - r and its standard error.
    statistic : float
        Chi-squared, or F where phi is estimated.
    df : int
        Independent hypotheses among them.
    df_resid : float
        Degrees of freedom of phi; infinite where the reference is chi-squared.
    p_value : float
    heading : tuple of str
        The model and the phi.
    """

    kind: str
    hypotheses: tuple[str, ...]
    estimate: Array
    se: Array
    statistic: float
    df: int
    df_resid: float
    p_value: float
    heading: tuple[str, ...] = ()
    maker: Any = None

    @property
    def reference(self) -> str:
        """The name of the statistic: "chi2" or "F"."""
        return "chi2" if math.isinf(self.df_resid) else "F"

    def frame(self) -> Any:
        """Return the test as one row in the data-frame library that came in, a dict of arrays without one."""
        row = {
            "hypothesis": ", ".join(self.hypotheses),
            "kind": self.kind,
            "statistic": self.statistic,
            "df": self.df,
            "df_resid": self.df_resid,
            "p_value": self.p_value,
        }
        columns = {name: np.array([value]) for name, value in row.items()}
        return columns if self.maker is None else self.maker.native_table(columns)

    def __str__(self) -> str:
        lines = [f"{KINDS[self.kind]} test of {self._count()}", *self.heading, ""]
        lines += [f"  {text}" for text in self.hypotheses]
        return "\n".join([*lines, "", self._result()])

    def __repr__(self) -> str:
        return str(self)

    def _count(self) -> str:
        many = len(self.hypotheses)
        dependent = "" if many == self.df else f", {self.df} of them independent"
        return f"{many} linear {'hypothesis' if many == 1 else 'hypotheses'}{dependent}"

    def _result(self) -> str:
        tail = p_texts(np.array([self.p_value]))[0]
        p = f"p {tail}" if tail.startswith("<") else f"p = {tail}"
        if self.reference == "F":
            return f"F = {short(self.statistic)} on {self.df} and {self.df_resid:g} df, {p}"
        return f"chi-squared = {short(self.statistic)} on {self.df} df, {p}"

    def _repr_html_(self) -> str:
        rows = "".join(f"<li>{escape(text)}</li>" for text in self.hypotheses)
        top = "<br>".join(map(escape, (f"{KINDS[self.kind]} test of {self._count()}", *self.heading)))
        return f'<div class="etamu-test"><p>{top}</p><ul>{rows}</ul><p>{escape(self._result())}</p></div>'


def linear_test(
    fit: FittedModel, stated: Any, kind: str = "wald", *, rhs: Any = None, reference: str | None = None
) -> LinearTest:
    """Test linear hypotheses about the coefficients.

    With d = L b - r: Wald d' (L V L')^-1 d; LR (D_0 - D) / phi with D_0 the deviance under the hypotheses;
    score u' I^-1 u / phi at that fit. Divided by df and referred to F where phi is estimated.

    Parameters
    ----------
    fit : Fit
    stated : str, list of str, or array (m, coefficients)
        ``"age = 0, C(region)[T.B] = C(region)[T.C]"``, or L.
    kind : "wald", "lr" or "score"
    rhs : number or array (m,), optional
        r of a matrix.
    reference : None or "chi2"
        None uses F where phi is estimated; "chi2" uses chi-squared.

    Raises
    ------
    OptionError
        If a name is no coefficient, the hypotheses contradict one another, or an option is not understood.
    NotAvailableError
        If a coefficient is aliased; for LR and score also under a robust covariance or sampling weights.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> print(em.glm("y ~ x", data, family="poisson").test("x = 0.5"))
    Wald test of 1 linear hypothesis
    Model: poisson, link: log; response: y
    phi = 1 by definition
    <BLANKLINE>
      x = 0.5
    <BLANKLINE>
    chi-squared = 0.31197 on 1 df, p = 0.576
    """
    check_choice("kind", kind, KINDS)
    check_choice("reference", reference, (None, "chi2"))
    found = hypothesis(stated, fit.names, rhs)
    if kind != "wald":
        refuse_without_likelihood(fit, f"test(kind={kind!r})")
    if kind == "score":
        refuse_score_test(fit, "test(kind='score')")
    refuse_aliased(fit, found)
    matrix = fit.coordinates.hypothesis(found.matrix)
    gap = matrix @ fit.beta - found.rhs
    root = matrix @ fit.root.matrix
    tested = wald(matrix, gap, fit.root)
    _refuse_certainty(fit, tested.df)
    _refuse_contradiction(matrix, found, tested.df)
    chi2 = tested.statistic
    if kind != "wald":
        chi2 = _under(fit, matrix, found, kind, tested.df) / fit.dispersion
    df_resid = math.inf if reference == "chi2" else one_df(fit, found.matrix)
    statistic = chi2 if math.isinf(df_resid) else chi2 / tested.df
    tail = chi2_tail(chi2, tested.df) if math.isinf(df_resid) else f_tail(statistic, tested.df, df_resid)
    covariance = "" if fit.covariance_kind == "model" else f"; covariance {fit.covariance_kind}"
    return LinearTest(
        kind=kind,
        hypotheses=found.rows,
        estimate=gap,
        se=Root(root).errors(),
        statistic=statistic,
        df=tested.df,
        df_resid=df_resid,
        p_value=tail,
        heading=heading(fit, yardstick(fit, None).text + covariance),
        maker=fit.problem.table,
    )


def refuse_aliased(fit: FittedModel, found: Hypothesis) -> None:
    """Refuse a hypothesis about a coefficient that has no estimate, or no finite one.

    Raises
    ------
    NotAvailableError
        Naming the aliased coefficients.
    """
    aliased = [name for j, name in enumerate(fit.names) if name in fit.aliased and found.matrix[:, j].any()]
    if aliased:
        raise NotAvailableError(
            f"the hypothesis names {', '.join(aliased)}, which has no estimate: it is a linear combination "
            "of earlier columns"
        )
    if fit.limit is None:
        return
    runs = fit.limit.runs(fit.coordinates.hypothesis(found.matrix))
    lost = [text for text, run in zip(found.rows, runs, strict=True) if run != 0.0]
    if lost:
        raise NotAvailableError(
            f"{', '.join(lost)}: no finite estimate exists (separation; see fit.existence) to be tested; "
            "compare deviances by fit.drop1() or fit.anova(), or see fit.profile()"
        )


def _refuse_contradiction(matrix: Array, found: Hypothesis, df: int) -> None:
    if df == len(matrix):
        return
    solution = np.linalg.lstsq(matrix, found.rhs, rcond=None)[0]
    scale = np.abs(matrix) @ np.abs(solution) + np.abs(found.rhs)
    for row, size, text in zip(matrix @ solution - found.rhs, scale, found.rows, strict=True):
        if abs(row) > CONSISTENT * max(float(size), 1e-300):
            raise OptionError(f"the hypotheses contradict one another: {', '.join(found.rows)} ({text!r})")


def _refuse_certainty(fit: FittedModel, df: int) -> None:
    """Refuse to test against standard errors that are all 0."""
    if not df and fit.phi.value == 0.0:
        raise NotAvailableError(
            "the fit is perfect, phi is 0 and every standard error with it: a hypothesis holds exactly or is "
            "wrong. Give dispersion= a number"
        )


def _under(fit: FittedModel, matrix: Array, found: Hypothesis, kind: str, df: int) -> float:
    """Fit under the hypotheses; return the rise of the deviance, or the score statistic, at phi = 1."""
    oracle, beta, reach = _placed(fit)
    matrix = matrix if fit.limit is None else matrix[:, ~fit.limit.gone]
    free = np.linalg.svd(matrix / np.linalg.norm(matrix, axis=1, keepdims=True))[2][df:].T
    # The nearest point in the metric of the covariance is where Newton's first step would go.
    gap, half = matrix @ beta - found.rhs, matrix @ reach
    nearest = beta - reach @ np.linalg.lstsq(half, gap, rcond=1e-12)[0]
    constrained = Restricted(_climbed(fit, oracle), nearest, free)
    _refuse_outside(constrained, found)
    solution = newton(constrained, np.zeros(constrained.size))
    if solution.outcome is not Outcome.CONVERGED:
        raise NotAvailableError(
            f"the fit under {', '.join(found.rows)} did not converge ({solution.outcome.value}). "
            f"{solution.outcome.advice} A Wald test needs no such fit"
        )
    if kind == "lr":
        return max(-2.0 * solution.local.value - fit.deviance, 0.0)
    return _score(oracle, constrained.lifted(solution.beta))


def _placed(fit: FittedModel) -> tuple[Likelihood, Array, Array]:
    """Return the likelihood, the estimate and the root of its covariance; of a limit, where it is finite."""
    bench = bench_of(fit)
    if fit.limit is None:
        return bench.oracle(whole(fit, bench).coordinates), fit.beta, fit.root.matrix
    at, kept = located(fit), ~fit.limit.gone
    oracle = Likelihood(at.executor, at.unit, at.coordinates, extent(at.coordinates, bench.moments))
    return oracle, fit.limit.beta, fit.root.matrix[kept]


def _climbed(fit: FittedModel, oracle: Likelihood) -> Oracle:
    """Return what is climbed under a hypothesis: the likelihood, penalised where the estimate's is."""
    bench = bench_of(fit)
    return oracle if bench.reduction is None else bench.penalised(bench.reduction)


def _refuse_outside(constrained: Restricted, found: Hypothesis) -> None:
    nothing = np.zeros(constrained.size)
    if not np.isfinite(constrained.along(nothing, nothing, np.zeros(1))[0]):
        raise NotAvailableError(
            f"under {', '.join(found.rows)} no start inside the domain of the link was found; use kind='wald'"
        )


def _score(oracle: Likelihood, beta: Array) -> float:
    total = oracle.sums(beta, Want.SCORE | Want.EXPECTED)
    if total.score is None or total.expected is None:
        return math.nan
    return rao(total.score, total.expected)
