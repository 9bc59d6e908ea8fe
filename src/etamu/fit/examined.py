"""What can be tested of a fit: hypotheses, tables of deviance, smaller and larger models.

May import: everything below `fit`.
Read next: `etamu.fit.linear_test`, `etamu.fit.anova`, `etamu.fit.step`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from etamu._base.later import later
from etamu.fit.fitted import FittedModel

if TYPE_CHECKING:
    from etamu.fit.add import add1
    from etamu.fit.anova import anova
    from etamu.fit.deviance_table import DevianceTable
    from etamu.fit.drop import drop1
    from etamu.fit.linear_test import LinearTest, linear_test
    from etamu.fit.multiple import adjusted
    from etamu.fit.step import Search, step
    from etamu.fit.term_tests import term_tests
else:
    add1 = later("etamu.fit.add", "add1")
    anova = later("etamu.fit.anova", "anova")
    term_tests = later("etamu.fit.term_tests", "term_tests")
    drop1 = later("etamu.fit.drop", "drop1")
    linear_test = later("etamu.fit.linear_test", "linear_test")
    adjusted = later("etamu.fit.multiple", "adjusted")
    step = later("etamu.fit.step", "step")


class Examined(FittedModel):
    """Tests and tables of deviance; abstract, a part of `Fit`."""

    def test(
        self, hypothesis: Any, kind: str = "wald", *, rhs: Any = None, reference: str | None = None
    ) -> LinearTest:
        """Test linear hypotheses, such as ``"age = 0, C(region)[T.B] = C(region)[T.C]"``.

        Parameters
        ----------
        hypothesis : str, list of str, or array (m, coefficients)
        kind : "wald", "lr" or "score"
        rhs : number or array (m,), optional
            The right side where `hypothesis` is a matrix.
        reference : None or "chi2"
            None uses F where phi is estimated.
        """
        return linear_test(self, hypothesis, kind, rhs=rhs, reference=reference)

    def adjusted(
        self, hypothesis: Any = None, method: str = "max-t", *, rhs: Any = None, seed: int = 0
    ) -> DevianceTable:
        """Test several hypotheses one by one, their p-values adjusted for being several.

        Parameters
        ----------
        hypothesis : as for `test`, optional
            All coefficients but the intercept if left out.
        method : "max-t", "holm", "bonferroni", "sidak" or "bh"
        rhs : number or array (m,), optional
        seed : int
            Of the integration that "max-t" needs.
        """
        return adjusted(self, hypothesis, method, rhs=rhs, seed=seed)

    def terms(self) -> DevianceTable:
        """Tabulate one Wald test per term, against F where phi is estimated."""
        return term_tests(self)

    def anova(
        self,
        type: Any = 1,  # noqa: A002
        test: str | None = None,
        *,
        dispersion: str | float | None = None,
    ) -> DevianceTable:
        """Analyse the deviance term by term, as R's anova (type 1) and car's Anova (types 2 and 3).

        Parameters
        ----------
        type : 1, 2 or 3
        test : "LR", "F", "Wald" or "Rao", optional
            F where phi is estimated and LR where it is known, if left out.
        dispersion : "pearson", "deviance", "ml" or float, optional
            The phi to divide by; that of the fit if left out. The heading says which it was.
        """
        return anova(self, type, test, dispersion=dispersion)

    def drop1(
        self,
        test: str | None = None,
        *,
        scope: str | Iterable[str] | None = None,
        dispersion: str | float | None = None,
    ) -> DevianceTable:
        """Say for every term that may be dropped what the model without it is worth, as R's drop1.

        Parameters
        ----------
        test : "LR", "F" or "Rao", optional
        scope : labels of terms, optional
        dispersion : "pearson", "deviance", "ml" or float, optional
            If left out F divides by deviance / df, as R, everything else by the phi of the fit.
        """
        return drop1(self, test, scope=scope, dispersion=dispersion)

    def add1(
        self, scope: str | Iterable[str], test: str | None = None, *, dispersion: str | float | None = None
    ) -> DevianceTable:
        """Say for every term of a scope what the model with it is worth, as R's add1.

        Parameters
        ----------
        scope : str or list of str
            ``"~ . + z + x:z"``, in which `.` is the model as it stands, or labels of terms.
        test : "LR", "F" or "Rao", optional
        dispersion : "pearson", "deviance" or float, optional
        """
        return add1(self, scope, test, dispersion=dispersion)

    def step(self, direction: str | None = None, criterion: str = "aic", *, scope: Any = None) -> Search:
        """Add and drop terms one at a time while AIC or BIC falls; printing what comes back prints the path.

        Parameters
        ----------
        direction : "both", "backward" or "forward", optional
            Backward without a scope, both with one.
        criterion : "aic" or "bic"
        scope : str, list of str, or (lower, upper), optional
            The largest model, or the smallest and the largest, in which `.` is this model.
        """
        return step(self, direction, criterion, scope=scope)
