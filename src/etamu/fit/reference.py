"""Which phi a test divides by, which distribution it refers to, and which tests a fit allows at all.

May import: everything below `fit`.
Read next: `etamu.fit.anova`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.choice import unknown_choice
from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.types import Array
from etamu.fit.components import PHI, spelled
from etamu.fit.covariance import contrast_df
from etamu.fit.numerals import short
from etamu.fit.phi import Phi, estimated_phi
from etamu.fit.problem import check_options
from etamu.fit.rows import raw_beta

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel
    from etamu.fit.reduced import refuse_reduced, refuse_unpenalised
    from etamu.fit.restrict import Bench
else:
    refuse_reduced = later("etamu.fit.reduced", "refuse_reduced")
    refuse_unpenalised = later("etamu.fit.reduced", "refuse_unpenalised")

MODEL_BASED = ("model", "observed")
"""Covariances that believe the model; any other is a sandwich or a resampling."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """A phi, how it came about, and the degrees of freedom it was estimated on.

    Parameters
    ----------
    phi : Phi
    df : float
        Infinite where phi is known or given.
    """

    phi: Phi
    df: float

    @property
    def value(self) -> float:
        """The number a deviance is divided by."""
        return self.phi.value

    def ratio(self, deviance: float, df: float = 1.0) -> float:
        """Divide a difference of deviances by its df and phi: infinite after a perfect fit, where phi is 0.

        Examples
        --------
        >>> Yardstick(Phi(2.0, "pearson"), 5.0).ratio(12.0, 3.0)
        2.0
        >>> Yardstick(Phi(0.0, "pearson"), 5.0).ratio(12.0, 3.0)
        inf
        """
        if self.value > 0.0:
            return deviance / df / self.value
        return math.inf if deviance > 0.0 else math.nan

    @property
    def text(self) -> str:
        """Phi in words, for the heading of a table."""
        if self.phi.kind == "known":
            return "phi = 1 by definition"
        how = PHI.get(self.phi.kind, "given")
        if self.value == 0.0:
            return f"phi = 0 ({how}): the fit is perfect"
        if math.isinf(self.df):
            return f"phi = {short(self.value)} ({how})"
        return f"phi = {short(self.value)} ({how}, on {self.df:g} df)"


def yardstick(fit: FittedModel, asked: str | float | None, bench: Bench | None = None) -> Yardstick:
    """Find the phi a table uses: that of the fit, or as `dispersion=` asks.

    Raises
    ------
    OptionError
        If `dispersion` is neither None, "pearson", "deviance", "ml" nor a positive number.
    """
    phi = fit.phi
    if asked is not None:
        options = replace(fit.problem.options, dispersion=asked)
        check_options(options, "drop")
        problem = replace(fit.problem, options=options)
        needs_rows = asked == "ml"
        chunk = bench.chunk if needs_rows and bench is not None else None
        if needs_rows and chunk is None:
            raise OptionError("dispersion='ml' needs the rows; give a number, 'pearson' or 'deviance'")
        phi = estimated_phi(
            problem,
            chunk,  # type: ignore[arg-type]  # only "ml" looks at the rows
            raw_beta(fit),
            deviance=fit.deviance,
            chi2=fit.pearson_chi2,
            df=fit.df_resid,
        )
    return Yardstick(phi, float(fit.df_resid) if phi.estimated else math.inf)


def chosen_test(test: str | None, known: dict[str, str], *, estimated: bool) -> str:
    """Read `test=`, whatever its case; None means F where phi is estimated and LR where it is known.

    Raises
    ------
    OptionError
        If the test is not known.
    """
    if test is None:
        return "F" if estimated else "LR"
    found = known.get(str(test).lower())
    if found is None:
        raise unknown_choice("test", test, known.values())
    return found


def refuse_f(fit: FittedModel, stick: Yardstick) -> None:
    """Refuse an F test where phi is known or given, so that nothing stands in its denominator.

    Raises
    ------
    OptionError
        Naming the family and the remedy.
    """
    if stick.phi.estimated:
        return
    reason = "phi was given" if stick.phi.kind == "given" else f"the {spelled(fit.family)} family has phi = 1"
    raise OptionError(
        f"an F test needs an estimated phi, and {reason}: use test='LR', or dispersion='pearson' to estimate "
        "it"
    )


def refuse_without_likelihood(fit: FittedModel, what: str) -> None:
    """Refuse a test made of deviances or of the model's information where these do not hold.

    Raises
    ------
    NotAvailableError
        Under a robust covariance or sampling weights, and for estimates of reduced bias that maximise no
        penalised likelihood; names the remedy.
    """
    sample = fit.problem.sample
    weighted = sample is not None and sample.chunk.weights.sampling is not None
    if weighted or "sampling_weights" in {*fit.problem.words.given, *dict(fit.problem.words.weights)}:
        raise NotAvailableError(
            f"{what} needs a likelihood of the rows, and sampling weights make none: use a Wald test, "
            "fit.test(...) or anova(type=3, test='Wald')"
        )
    if fit.covariance_kind not in MODEL_BASED:
        raise NotAvailableError(
            f"{what} believes the model's variance function, and this fit has the robust covariance "
            f"{fit.covariance_kind}, which does not: use a Wald test, fit.test(...) or "
            "anova(type=3, test='Wald'), or fit with the model's covariance"
        )
    if fit.problem.options.method != "ml":
        refuse_unpenalised(fit, what)


def refuse_score_test(fit: FittedModel, what: str) -> None:
    """Refuse Rao's test at an estimate where the score of the likelihood is not zero.

    Raises
    ------
    NotAvailableError
        Naming the remedy.
    """
    if fit.problem.options.method != "ml":
        refuse_reduced(fit, what, "the score of the likelihood is not zero there: use 'LR' or a Wald test")


def one_df(fit: FittedModel, contrast: Array | None = None) -> float:
    """Return the degrees of freedom of the reference distribution, where there is one number for them.

    Parameters
    ----------
    fit : Fit
    contrast : array (m, coefficients), optional
        What is tested; under CR2 a single contrast has degrees of freedom of its own.

    Raises
    ------
    NotAvailableError
        Under CR2 for several contrasts at once, whose degrees of freedom differ.
    """
    df = fit.reference_df
    if not isinstance(df, np.ndarray):
        return df
    if contrast is None or len(contrast) != 1:
        raise NotAvailableError(
            f"under {fit.covariance_kind} degrees of freedom differ from contrast to contrast: test one "
            "contrast at a time, or use with_covariance('CR1', cluster=...)"
        )
    return float(np.asarray(contrast_df(fit, contrast)).ravel()[0])
