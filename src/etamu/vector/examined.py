"""What can be tested and compared of a fit of several predictors: hypotheses, tables, effects, means.

May import: everything below `vector`.
Read next: `etamu.vector.hypotheses`, `etamu.vector.drop`, `etamu.vector.effects`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from etamu._base.later import later
from etamu.vector.fitted import FittedVectorModel

if TYPE_CHECKING:
    from etamu.fit.deviance_table import DevianceTable
    from etamu.fit.estimates import Estimates
    from etamu.fit.linear_test import LinearTest
    from etamu.fit.step import Search
    from etamu.vector.add import add1
    from etamu.vector.drop import anova, drop1
    from etamu.vector.effects import contrasts, effects
    from etamu.vector.hypotheses import hypothesis_test
    from etamu.vector.means import means
    from etamu.vector.step import step
else:
    add1 = later("etamu.vector.add", "add1")
    anova = later("etamu.vector.drop", "anova")
    contrasts = later("etamu.vector.effects", "contrasts")
    drop1 = later("etamu.vector.drop", "drop1")
    effects = later("etamu.vector.effects", "effects")
    hypothesis_test = later("etamu.vector.hypotheses", "hypothesis_test")
    means = later("etamu.vector.means", "means")
    step = later("etamu.vector.step", "step")


class Examined(FittedVectorModel):
    """Tests, tables of deviance, effects and means; abstract, a part of `VectorFit`."""

    def test(self, hypothesis: Any, kind: str = "wald", *, rhs: Any = None) -> LinearTest:
        """Test linear hypotheses, such as ``"car:km = 0, rail:km = 0"``.

        Parameters
        ----------
        hypothesis : str, list of str, or array (m, coefficients)
        kind : "wald" or "lr"
        rhs : number or array (m,), optional
            The right side where `hypothesis` is a matrix.
        """
        return hypothesis_test(self, hypothesis, kind, rhs)

    def drop1(self, *, scope: str | Iterable[str] | None = None) -> DevianceTable:
        """Say for every term that may be dropped what the model without it is worth, as R's drop1.

        Parameters
        ----------
        scope : labels of terms, optional
            "x", or of another predictor "zero:child".
        """
        return drop1(self, scope=scope)

    def add1(self, scope: str | Iterable[str]) -> DevianceTable:
        """Say for every term of a scope what the model with it in its formula is worth, as R's add1.

        Parameters
        ----------
        scope : str or list of str
            ``"~ . + z + x:z"``, in which `.` is the model as it stands, or labels of terms.
        """
        return add1(self, scope)

    def step(self, direction: str | None = None, criterion: str = "aic", *, scope: Any = None) -> Search:
        """Add and drop terms of the model's formula while AIC or BIC falls, as R's step.

        Parameters
        ----------
        direction : "both", "backward" or "forward", optional
            Backward without a scope, both with one.
        criterion : "aic" or "bic"
        scope : str, list of str, or (lower, upper), optional
            The largest model, or the smallest and the largest; in ``"~ .^2"`` the dot is the model itself.
        """
        return step(self, direction, criterion, scope=scope)

    def anova(self) -> DevianceTable:
        """Analyse the deviance term by term, each added to those before it, as R's anova of one fit."""
        return anova(self)

    def means(
        self,
        of: Any,
        by: Any = None,
        *,
        kind: str | None = None,
        weights: str = "equal",
        at: Mapping[str, Any] | None = None,
        level: float = 0.95,
    ) -> Estimates:
        """Average what is predicted over a grid of all combinations of levels: estimated marginal means.

        Parameters
        ----------
        of : str or list of str
            The factors asked for, "region", or "region | year" within the years.
        by : str or list of str, optional
        kind : str, optional
            As for `predict`: "probabilities" or "mean" if left out, a class, a parameter, or "link".
        weights : "equal" or "proportional"
            How levels of the other factors count.
        at : dict of str to value or list of values, optional
            Where variables are held; numbers at their mean if left out.
        level : float
        """
        return means(self, of, by, kind, weights, at, level)

    def contrasts(
        self,
        variable: str,
        compare: Any = None,
        measure: str = "difference",
        *,
        kind: str | None = None,
        level: float = 0.95,
    ) -> Estimates:
        """Compare the average prediction with every row at one value of a variable to that at another.

        Parameters
        ----------
        variable : str
        compare : optional
            For a factor "reference" (the default), "pairwise", "sequential", or (from, to). For a number a
            step (1 if left out), (from, to), "iqr" or "range".
        measure : "difference", "ratio", "lnratio", "oddsratio" or "lnoddsratio"
            Of averages; odds of probabilities only.
        kind : str, optional
            As for `predict`: "probabilities" or "mean" if left out, a class, a parameter, or "link".
        level : float
        """
        return contrasts(self, variable, compare, measure, kind, level)

    def effects(self, variables: Any = None, *, kind: str | None = None, level: float = 0.95) -> Estimates:
        """Average the effect of every variable on what is predicted: average marginal effects.

        For a number the average over the rows of the derivative; for a factor the average difference between
        all rows at a level and all rows at its reference level. Of classes one effect on each probability;
        they add up to 0. Standard errors by the delta method from the covariance in force.

        Parameters
        ----------
        variables : str or list of str, optional
            All variables of the model if left out.
        kind : str, optional
            As for `predict`: "probabilities" or "mean" if left out, a class, a parameter, or "link".
        level : float
        """
        return effects(self, variables, kind, level)
