"""What a fit says about the world: effects, contrasts and means; abstract, a part of `Fit`.

May import: everything below `fit`.
Read next: `etamu.fit.effects`, `etamu.fit.means`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from etamu._base.errors import OptionError
from etamu._base.later import later
from etamu.fit.fitted import FittedModel

if TYPE_CHECKING:
    from etamu.fit.check import Checkup, check
    from etamu.fit.deviance_table import DevianceTable
    from etamu.fit.effects import Question, contrasts, effects, slopes
    from etamu.fit.estimates import Estimates, Reading
    from etamu.fit.means import joint_tests, means
    from etamu.fit.pairs import Means, Wish
else:
    check = later("etamu.fit.check", "check")
    Question = later("etamu.fit.effects", "Question")
    contrasts = later("etamu.fit.effects", "contrasts")
    effects = later("etamu.fit.effects", "effects")
    slopes = later("etamu.fit.effects", "slopes")
    Reading = later("etamu.fit.estimates", "Reading")
    Wish = later("etamu.fit.pairs", "Wish")
    joint_tests = later("etamu.fit.means", "joint_tests")
    means = later("etamu.fit.means", "means")


class Explained(FittedModel):
    """Questions about what changes with a variable; abstract, a part of `Fit`."""

    def effects(
        self,
        variables: Any = None,
        *,
        kind: str = "mean",
        by: Any = None,
        data: Any = None,
        level: float = 0.95,
        reference: str | None = None,
    ) -> Estimates:
        """Average the effect of every variable on the mean: average marginal effects.

        For a number the average of the derivative dmu/dx over the rows; for a factor the average difference
        between all rows at a level and all rows at its reference level. Everything else, offset and exposure
        among it, stays as it is in each row. A row counts its frequency times its sampling weight times its
        trials. Standard errors by the delta method from the covariance in force.

        Parameters
        ----------
        variables : str or list of str, optional
            All variables of the model if left out.
        kind : "mean", "link" or "rate"
            A rate is the mean over the exposure.
        by : str or list of str, optional
            Columns in whose groups averages are taken.
        data : table, optional
            Other rows to average over; those of the fit if left out.
        level : float
        reference : None or "z"
            None uses t where phi is estimated.

        Returns
        -------
        Estimates

        Raises
        ------
        OptionError, DataError
            If a variable, an option or the data cannot be used.
        NotAvailableError
            If the model was fitted to a matrix, or carries no rows and none are given.

        Examples
        --------
        >>> import etamu as em
        >>> x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 2.0, 3.0, 4.0, 5.0]
        >>> data = {"y": [0, 1, 0, 0, 1, 1, 0, 1, 1, 0], "x": x, "g": list("aabbabbaba")}
        >>> effects = em.glm("y ~ x + g", data, family="bernoulli").effects()
        >>> effects["contrast"].tolist(), effects["estimate"].round(3).tolist()
        (['slope', 'b - a'], [0.121, -0.268])
        """
        return effects(self, variables, Question(kind, by, data, Reading(level, reference)))

    def slopes(
        self,
        variables: Any = None,
        *,
        kind: str = "mean",
        by: Any = None,
        data: Any = None,
        level: float = 0.95,
        reference: str | None = None,
    ) -> Estimates:
        """Average the derivative of the mean in numeric variables; options as in `effects`.

        A function or a basis of the variable, its interactions and an `offset()` of it move along.
        """
        return slopes(self, variables, Question(kind, by, data, Reading(level, reference)))

    def contrasts(
        self,
        variable: str,
        compare: Any = None,
        measure: str = "difference",
        *,
        kind: str = "mean",
        by: Any = None,
        data: Any = None,
        level: float = 0.95,
        reference: str | None = None,
    ) -> Estimates:
        """Compare the average mean with every row at one value of a variable to that at another.

        Parameters
        ----------
        variable : str
        compare : optional
            For a factor "reference" (each level with the reference, the default), "pairwise", "sequential",
            or (from, to). For a number a step (1 if left out), (from, to), "iqr" or "range".
        measure : "difference", "ratio", "lnratio", "oddsratio" or "lnoddsratio"
            A ratio of averages (a risk ratio for probabilities) has the interval of its logarithm.
        kind, by, data, level, reference
            As in `effects`.

        Examples
        --------
        >>> import etamu as em
        >>> x = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 2.0, 3.0, 4.0, 5.0]
        >>> data = {"y": [0, 1, 0, 0, 1, 1, 0, 1, 1, 0], "x": x, "g": list("aabbabbaba")}
        >>> ratio = em.glm("y ~ x + g", data, family="bernoulli").contrasts("g", measure="ratio")
        >>> ratio["contrast"].tolist(), ratio["estimate"].round(3).tolist()
        (['b / a'], [0.58])
        """
        question = Question(kind, by, data, Reading(level, reference))
        return contrasts(self, variable, compare, measure, question)

    def means(
        self,
        of: Any,
        by: Any = None,
        *,
        scale: str = "response",
        weights: str = "equal",
        at: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Means:
        """Estimate marginal means: predictions on a grid, averaged over the factors not named (as emmeans).

        The grid has every combination of levels, and numbers at their mean over the rows (a number of two
        values counts as a factor). Predictions are averaged on the scale of the link, then mapped.

        Parameters
        ----------
        of : str or list of str
            Factors, as ``"tension"``, ``"tension + wool"`` or ``"tension | wool"``, which groups by wool.
        by : str or list of str, optional
            Factors in whose groups means are compared.
        scale : "response" or "link"
        weights : "equal" or "proportional"
            Whether the levels averaged over count alike, or as often as they occur.
        at : dict, optional
            Values of variables, as ``{"age": [20, 40], "sex": "f"}``.
        **options
            `offset=` a number in place of the mean offset of the rows; `kind="rate"` for means per unit of
            exposure; `bias=` a standard deviation s on the scale of the link that is not in the model: means
            are h + s^2/2 h'', as emmeans' bias.adjust; `level=0.95`; `reference="z"`.

        Returns
        -------
        Means
            Its `pairs()` compares them.

        Raises
        ------
        OptionError
            If a factor or an option is not known.
        NotAvailableError
            If the model was fitted to a matrix, or carries no rows.

        Examples
        --------
        >>> import etamu as em
        >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "g": list("aabbcc"), "x": [1.0, 2, 1, 3, 2, 1]}
        >>> fit = em.glm("y ~ g + x", data, family="poisson")
        >>> fit.means("g")["estimate"].round(2).tolist()
        [2.02, 6.32, 11.64]
        >>> fit.means("g").pairs()["p_adjusted"].round(3).tolist()
        [0.126, 0.004, 0.223]
        """
        known = {"offset": None, "kind": "mean", "bias": 0.0, "level": 0.95, "reference": None}
        unknown = [name for name in options if name not in known]
        if unknown:
            raise OptionError(f"means has no option {unknown[0]!r}; it takes {', '.join(known)}")
        chosen = known | options
        reading = Reading(chosen.pop("level"), chosen.pop("reference"))
        return means(self, of, by, Wish(scale, weights, at, reading=reading, **chosen))

    def joint_tests(self, *, reference: str | None = None) -> DevianceTable:
        """Test each term by contrasts of marginal means, whatever the coding of factors (as emmeans).

        Parameters
        ----------
        reference : None or "chi2"
            None uses F where phi is estimated.
        """
        return joint_tests(self, reference=reference)

    def check(self, seed: int = 0) -> Checkup:
        """Check what the model believes: one finding for each assumption, in words, with what to try next.

        Dispersion (Pearson, Cameron-Trivedi, Dean), zeros of counts, uniformity of quantile residuals,
        outliers, calibration of probabilities (Hosmer-Lemeshow), the link, the variance function and
        collinearity (GVIF). "look" is doubtful or small, "act" is clear and large.

        Parameters
        ----------
        seed : int
            Of the random part of quantile residuals.

        Raises
        ------
        NotAvailableError
            If the fit was read from a file, which carries no rows.

        Examples
        --------
        >>> import etamu as em
        >>> from etamu.datasets import ships
        >>> data = ships().columns
        >>> fit = em.glm("incidents ~ type + built + period", data, family="poisson", exposure="months")
        >>> fit.check()["dispersion"].words
        'the residual variance is 1.69 times what the poisson family says'
        """
        return check(self, seed)
