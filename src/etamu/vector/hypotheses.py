"""Tests of linear hypotheses about the coefficients of several predictors: Wald, or by the likelihood ratio.

May import: everything below `vector`.
Read next: `etamu.fit.linear_test`, the same for one predictor.
"""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.types import Array
from etamu.fit.hypothesis import hypothesis
from etamu.fit.linear_test import LinearTest
from etamu.infer.covariance import Root
from etamu.infer.tests import chi2_tail, f_tail, wald
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome
from etamu.solve.restricted import Restricted
from etamu.vector.located import located
from etamu.vector.stage import likelihood_of, prepare

if TYPE_CHECKING:
    from etamu.vector.fitted import FittedVectorModel

KINDS = ("wald", "lr")


def hypothesis_test(fit: FittedVectorModel, stated: Any, kind: str = "wald", rhs: Any = None) -> LinearTest:
    """Test L beta = r as `VectorFit.test` describes.

    Raises
    ------
    OptionError
        If a name is no coefficient, the kind is not known, or hypotheses depend on one another.
    NotAvailableError
        If a coefficient is aliased, or a likelihood ratio has no likelihood.
    """
    check_choice("kind", kind, KINDS)
    found = hypothesis(stated, fit.names, rhs)
    lost = [n for j, n in enumerate(fit.names) if n in fit.aliased and found.matrix[:, j].any()]
    if lost:
        raise NotAvailableError(f"the hypothesis names {', '.join(lost)}, which has no estimate")
    matrix = fit.coordinates.hypothesis(found.matrix)
    if fit.limit is not None and np.any(fit.limit.runs(matrix) != 0.0):
        raise NotAvailableError(
            f"the hypothesis is about coefficients that have no finite estimate: {fit.existence.sentence}"
        )
    gap = matrix @ (fit.beta if fit.limit is None else fit.limit.near) - found.rhs
    root = matrix @ fit.root.matrix
    one = wald(matrix, gap, fit.root)
    if one.df < len(matrix):
        raise OptionError(f"the hypotheses depend on one another: {', '.join(found.rows)}; leave some out")
    chi2 = one.statistic if kind == "wald" else _ratio(fit, matrix, gap)
    df = math.inf if kind == "lr" else fit.reference_df
    covariance = "" if fit.covariance_kind == "model" else f"; covariance {fit.covariance_kind}"
    return LinearTest(
        kind=kind,
        hypotheses=found.rows,
        estimate=gap,
        se=Root(root).errors(),
        statistic=chi2 if math.isinf(df) else chi2 / one.df,
        df=one.df,
        df_resid=df,
        p_value=chi2_tail(chi2, one.df) if math.isinf(df) else f_tail(chi2 / one.df, one.df, df),
        heading=(f"Model: {fit.family.name}; response: {fit.problem.words.response}{covariance}",),
        maker=fit.problem.table,
    )


def _ratio(fit: FittedVectorModel, matrix: Array, gap: Array) -> float:
    """Fit under the hypotheses; return twice the loss of log-likelihood."""
    if not math.isfinite(fit.loglik) or not fit.verified:
        raise NotAvailableError(
            "a likelihood ratio needs a likelihood and its verified maximum; use kind='wald'"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the fit itself has said
        oracle = likelihood_of(fit.problem, prepare(fit.problem))
    at = located(fit, oracle)
    # Of a column's unit squares may be no number.
    unit = np.abs(matrix[:, at.kept]).max(axis=1, keepdims=True)
    inner, root, gap = matrix[:, at.kept] / unit, at.root.matrix, gap / unit[:, 0]
    free = np.linalg.svd(inner / np.linalg.norm(inner, axis=1, keepdims=True))[2][len(inner) :].T
    nearest = at.beta - root @ np.linalg.lstsq(inner @ root, gap, rcond=1e-12)[0]
    constrained = Restricted(at.oracle, nearest, free)
    solution = newton(constrained, np.zeros(constrained.size))
    if solution.outcome is not Outcome.CONVERGED:
        raise NotAvailableError(f"the fit under the hypotheses did not converge: {solution.outcome.advice}")
    return max(2.0 * (fit.solution.local.value - solution.local.value), 0.0)
