"""Several hypotheses about one fit at once: each tested, their p-values adjusted together.

May import: everything below `fit`.
Read next: `etamu.infer.adjust` for the adjustments.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import OptionError
from etamu.fit.deviance_table import DevianceTable, TableColumn
from etamu.fit.hypothesis import Hypothesis, hypothesis
from etamu.fit.linear_test import refuse_aliased
from etamu.fit.reference import one_df
from etamu.fit.term_tests import heading
from etamu.infer.adjust import adjust, max_t
from etamu.infer.covariance import Root
from etamu.infer.wald import p_values

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

WORDS = {
    "max-t": "single-step, by the largest of the joint {law} statistics",
    "holm": "Holm",
    "bonferroni": "Bonferroni",
    "sidak": "Sidak",
    "bh": "Benjamini-Hochberg, the share of false alarms",
}


def adjusted(
    fit: FittedModel, stated: Any = None, method: str = "max-t", *, rhs: Any = None, seed: int = 0
) -> DevianceTable:
    """Test several linear hypotheses one by one and adjust their p-values.

    Parameters
    ----------
    fit : Fit
    stated : as for `linear_test`, optional
        All coefficients but the intercept and aliased ones if left out.
    method : "max-t", "holm", "bonferroni", "sidak" or "bh"
        "max-t" knows how the estimates are correlated, and so is the sharpest for the chance of one false
        alarm or more.
    rhs : number or array (m,), optional
    seed : int
        Of the lattice that "max-t" integrates on.

    Raises
    ------
    OptionError
        If a name is no coefficient, or an option is not understood.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "g": list("aabbcc")}
    >>> table = em.glm("y ~ g", data, family="poisson").adjusted()
    >>> table.rows
    ('g[T.b] = 0', 'g[T.c] = 0')
    >>> table["p_value"].round(3).tolist(), table["p_adjusted"].round(3).tolist()
    ([0.039, 0.001], [0.062, 0.002])
    """
    check_choice("method", method, WORDS)
    found = _all(fit) if stated is None else hypothesis(stated, fit.names, rhs)
    refuse_aliased(fit, found)
    matrix = fit.coordinates.hypothesis(found.matrix)
    estimate, half = matrix @ fit.beta, matrix @ fit.root.matrix
    se = Root(half).errors()
    statistic = (estimate - found.rhs) / se
    df = one_df(fit)
    single = p_values(statistic, df)
    unit = half / se[:, None]
    together = max_t(statistic, unit @ unit.T, df, seed=seed) if method == "max-t" else adjust(single, method)
    letter = "z" if math.isinf(df) else "t"
    law = "normal" if math.isinf(df) else f"t({df:g})"
    return DevianceTable(
        "Simultaneous tests of linear hypotheses",
        heading(fit, f"{letter} tests; adjusted: {WORDS[method].format(law=law)}"),
        found.rows,
        (
            TableColumn("estimate", "Estimate", estimate),
            TableColumn("std_error", "Std. Error", se),
            TableColumn("statistic", f"{letter} value", statistic),
            TableColumn("p_value", f"Pr(>|{letter}|)", single, "p"),
            TableColumn("p_adjusted", "adjusted", together, "p"),
        ),
        (),
        fit.problem.table,
    )


def _all(fit: FittedModel) -> Hypothesis:
    known = np.isfinite(fit.coef)
    chosen = [j for j, name in enumerate(fit.names) if name != "Intercept" and known[j]]
    if not chosen:
        raise OptionError("the model has no coefficient besides the intercept: name one")
    return hypothesis(np.eye(len(fit.names))[chosen], fit.names)
