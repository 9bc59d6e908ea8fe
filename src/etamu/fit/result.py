"""The Fit: what came out of a problem, frozen; methods orchestrate, numbers happen in functions.

May import: everything below `fit`.
Read next: `etamu.fit.predict`, `etamu.fit.residuals`, `etamu.fit.tables`, `etamu.fit.summary`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from etamu._base.errors import NotAvailableError, OptionError
from etamu._base.types import Array
from etamu.design.coordinates import Coordinates
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.fit.add import add1
from etamu.fit.anova import anova, term_tests
from etamu.fit.clusters import Clustering
from etamu.fit.components import Components, components
from etamu.fit.covariance import varying_df, with_covariance
from etamu.fit.deviance_table import DevianceTable
from etamu.fit.drop import drop1
from etamu.fit.influence import Influence, influence
from etamu.fit.interpret import Interpretation, interpret
from etamu.fit.likelihood import LogLikelihood
from etamu.fit.linear_test import LinearTest, linear_test
from etamu.fit.multiple import adjusted
from etamu.fit.phi import Phi
from etamu.fit.predict import Prediction, predict
from etamu.fit.problem import Problem
from etamu.fit.profile import Profile, interval_df, on_scale, profile, profile_intervals
from etamu.fit.residual_kinds import partial_residuals, residuals
from etamu.fit.simulate import simulate
from etamu.fit.step import Search, step
from etamu.fit.store import save
from etamu.fit.summary import Summary, summary
from etamu.fit.tables import augment, glance, tidy
from etamu.fit.terms import Terms
from etamu.fit.working import Working, working
from etamu.infer import criteria
from etamu.infer.covariance import Root
from etamu.infer.wald import interval, p_values
from etamu.solve.oracle import Outcome, Solution, Step


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted generalized linear model.

    Arrays of coefficients are float64 in the order of `names`; an aliased coefficient is NaN and
    named in `aliased`. Everything that can be asked of a fit is an attribute or a method; nothing
    of it changes.

    Parameters
    ----------
    problem : Problem
        The model and its rows.
    coordinates : Coordinates
        How working coefficients become reported ones.
    beta : array
        Working coefficients at the maximum.
    factor : Root, optional
        Factor of their covariance, dispersion included; None for a fit saved without it.
    covariance_kind : str
        "model", "observed", "HC0", …, "HC4", "HAC", "CR0", …, "CR3".
    phi : Phi
    deviance, null_deviance, pearson_chi2 : float
    nobs, df_resid, df_null : int
    likelihood : LogLikelihood
    solution : Solution
        What the solver returned, with its trace.
    kept_se : array, optional
        Standard errors of a fit saved without its factor.
    clustering : Clustering, optional
        By what the covariance is clustered.
    lags : int, optional
        How far rows are taken to be correlated, for HAC.
    fitting : callable, optional
        How another problem becomes a Fit; None for a fit read from a file.

    Examples
    --------
    >>> import etamu as em
    >>> fit = em.glm("y ~ x", {"y": [1.0, 3.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0]}, family="poisson")
    >>> fit.names
    ('Intercept', 'x')
    >>> fit.coef.round(4)
    array([0.2057, 0.6574])
    """

    problem: Problem
    coordinates: Coordinates
    beta: Array
    factor: Root | None
    covariance_kind: str
    phi: Phi
    deviance: float
    null_deviance: float
    pearson_chi2: float
    nobs: int
    df_resid: int
    df_null: int
    likelihood: LogLikelihood
    solution: Solution
    kept_se: Array | None = None
    clustering: Clustering | None = None
    lags: int | None = None
    fitting: Callable[[Problem], Fit] | None = None

    # What the model is

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients, in the order of the formula."""
        return self.problem.layout.names

    @property
    def family(self) -> Family:
        """How the response varies around its mean."""
        return self.problem.unit.family

    @property
    def link(self) -> Link:
        """The map between mean and linear predictor."""
        return self.problem.unit.link

    @property
    def formula(self) -> str:
        """The formula as it was given; empty for a model fitted to arrays."""
        return self.problem.words.formula

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know: dropped rows and levels, aliased columns."""
        return self.problem.notes

    # The estimate

    @cached_property
    def coef(self) -> Array:
        """Coefficients, NaN where a column is aliased."""
        return self.coordinates.reported(self.beta)

    @property
    def root(self) -> Root:
        """Factor of the covariance of the working coefficients, dispersion included.

        Raises
        ------
        NotAvailableError
            If the fit was saved without it.
        """
        if self.factor is None:
            raise NotAvailableError(
                "this needs the covariance, which was left out when the fit was saved: save it with "
                "covariance=True, or fit again"
            )
        return self.factor

    @cached_property
    def se(self) -> Array:
        """Standard errors."""
        if self.factor is None and self.kept_se is not None:
            return self.kept_se
        return np.sqrt(self.reported_root.variances())

    @cached_property
    def reported_root(self) -> Root:
        """A factor C of the covariance of the reported coefficients, cov = C C'."""
        return Root(self.coordinates.reported(self.root.matrix))

    @property
    def cov(self) -> Array:
        """Covariance of the coefficients, multiplied out when asked; NaN where a column is aliased."""
        return self.reported_root.covariance()

    @cached_property
    def statistic(self) -> Array:
        """Coefficient over standard error: z where phi is known, t where it is estimated."""
        with np.errstate(all="ignore"):
            return self.coef / self.se

    @property
    def p_values(self) -> Array:
        """Two-sided p-values of `statistic`."""
        return p_values(self.statistic, self.reference_df)

    @property
    def reference_df(self) -> Array | float:
        """Degrees of freedom of the reference distribution; infinite for the normal.

        Clusters less one for a clustered covariance, and an array, one for each coefficient, for CR2.
        """
        if self.clustering is not None:
            return self.clustering.df
        return float(self.df_resid) if self.phi.estimated else math.inf

    def contrast_df(self, combinations: Array) -> Array | float:
        """Return the reference degrees of freedom of linear combinations of the coefficients.

        Parameters
        ----------
        combinations : array (m, names)
            Rows L of L beta.

        Returns
        -------
        float, or array (m,) for CR2
        """
        degrees = varying_df(self)
        if degrees is None:
            return self.reference_df
        return degrees(self.coordinates.hypothesis(np.atleast_2d(combinations)))

    @property
    def rank(self) -> int:
        """Number of coefficients that are not aliased."""
        return self.coordinates.size

    @property
    def aliased(self) -> tuple[str, ...]:
        """Names of columns that are linear combinations of earlier ones."""
        return self.coordinates.aliased

    @property
    def dispersion(self) -> float:
        """The dispersion phi that the standard errors contain."""
        return self.phi.value

    # The criteria

    @property
    def loglik(self) -> float:
        """Complete log-likelihood, NaN where there is none."""
        return self.likelihood.value

    @property
    def parameters(self) -> int:
        """Parameters the likelihood counts: the rank, and phi where it was estimated in it."""
        return self.rank + self.likelihood.extra

    @property
    def aic(self) -> float:
        """Akaike's criterion, -2 loglik + 2 parameters."""
        return criteria.aic(self.loglik, self.parameters)

    @property
    def bic(self) -> float:
        """Schwarz's criterion, -2 loglik + parameters log(nobs)."""
        return criteria.bic(self.loglik, self.parameters, self.nobs)

    # The way there

    @property
    def outcome(self) -> Outcome:
        """How the search for the maximum ended; `outcome.advice` says what to do."""
        return self.solution.outcome

    @property
    def converged(self) -> bool:
        """Whether the maximum was verified."""
        return self.solution.outcome is Outcome.CONVERGED

    @property
    def iterations(self) -> int:
        """Steps the solver took."""
        return len(self.solution.steps)

    @property
    def passes(self) -> int:
        """Passes over the rows the solver made."""
        return self.solution.passes

    @property
    def trace(self) -> tuple[Step, ...]:
        """Value, decrement, step and lambda-rho of each iteration."""
        return self.solution.steps

    # What can be asked

    def with_covariance(self, kind: str, cluster: Any = None, lags: int | None = None) -> Fit:
        """Return the same fit with another covariance, which its tables, tests and intervals follow.

        Parameters
        ----------
        kind : str
            ``"model"`` or ``"observed"`` believe the model; ``"HC0"`` to ``"HC4"`` only its mean, rows being
            independent; ``"CR0"`` to ``"CR3"`` clusters of rows (``"cluster"`` is CR1); ``"HAC"`` rows that
            depend on their neighbours in the order of the data. CR2 tests with Satterthwaite's df.
        cluster : column name, array, or tuple or list of these, optional
            Clusters of the rows; several for multi-way clustering, which is defined for CR0 and CR1.
        lags : int, optional
            How far HAC looks; floor(4 (n / 100)^(2/9)) if left out.

        Raises
        ------
        OptionError, FormulaError, DataError
            If the kind is not known, lacks or cannot use `cluster` or `lags`, or the clusters cannot be used.
        NotAvailableError
            If the fit was read from a file, which carries no rows.

        Examples
        --------
        >>> import etamu as em
        >>> x, farm = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], ["a", "a", "b", "b", "c", "c"]
        >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": x, "farm": farm}
        >>> fit = em.glm("y ~ x", data, family="poisson")
        >>> fit.with_covariance("HC3").se.round(3)
        array([0.279, 0.068])
        >>> fit.with_covariance("CR2", cluster="farm").reference_df.round(2)
        array([1.2 , 1.26])
        """
        return with_covariance(self, kind, cluster, lags)

    def conf_int(
        self, level: float = 0.95, *, method: str = "wald", reference: str | None = None, scale: str = "link"
    ) -> Array:
        """Compute intervals of the coefficients, (names, 2).

        Parameters
        ----------
        level : float
        method : "wald" or "profile"
            Estimate and standard error; or where the deviance, minimised over the other coefficients, has
            risen by phi times the squared critical value. A profile end that does not exist is infinite.
        reference : None or "z"
            None uses t where phi is estimated; "z" uses the normal, as R's confint.
        scale : "link", "ratio" or "response"
            As they stand; e^end, a ratio of means (log), odds (logit) or hazards (cloglog); or the inverse of
            the link, for coefficients that are themselves an eta, such as an intercept.

        Raises
        ------
        OptionError
            If an option is not understood.
        NotAvailableError
            If there is no likelihood to profile: sampling weights, a robust covariance, no verified maximum.
        """
        if method not in {"wald", "profile"}:
            raise OptionError(f"method {method!r} is not known; choose 'wald' or 'profile'")
        df = interval_df(self, level, reference)
        if method == "wald":
            return on_scale(self.problem.unit, interval(self.coef, self.se, level, df), scale)
        return on_scale(self.problem.unit, profile_intervals(self, level, reference), scale)

    def profile(
        self, combination: str | Sequence[float] | Array, level: float = 0.95, *, reference: str | None = None
    ) -> Profile:
        """Trace the profile likelihood of a coefficient or of any linear combination.

        Parameters
        ----------
        combination : str or array (names,)
            A coefficient by name, or what each coefficient is multiplied by.
        level : float
        reference : None or "z"
            As in `conf_int`.

        Returns
        -------
        Profile
            The interval, how its ends were found, and the curve of the signed root deviance.

        Examples
        --------
        >>> import etamu as em
        >>> data = {"y": [0.0, 0.0, 1.0, 0.0, 1.0, 1.0], "x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
        >>> print(em.glm("y ~ x", data, family="bernoulli").profile("x"))
        x 1.21403, 0.95 profile interval -0.0658187 to 4.15923
        """
        return profile(self, combination, level, reference)

    def predict(self, data: Any = None, kind: str = "mean", **options: Any) -> Array | Prediction | Terms:
        """Predict for new data, or for the rows of the input where no data are given.

        Parameters
        ----------
        data : data frame or dict of arrays, or a matrix where the fit had one, optional
        kind : "mean", "link", "count", "rate" or "terms"
            The mean of the response (a proportion for trials), eta, mean times trials, mean per exposure, or
            what each term contributes to eta.
        **options
            `se=True`, `interval="confidence"` (of the mean) or `"prediction"` (of the next response) with
            `level=0.95`, `unseen="error" | "nan" | "reference"`, and `offset=`, `exposure=`, `trials=` where
            they were given as arrays.

        Returns
        -------
        array; Prediction where `se` or `interval` is asked; Terms for kind="terms"
            With the length of the input; NaN where a value needed is missing.
        """
        return predict(self, data, kind, **options)

    def simulate(self, n: int = 1, seed: int = 0) -> Array:
        """Draw responses from the fitted model, (rows of the input, n), NaN where a row was dropped.

        Draw k of row i depends on (seed, i, k) and the fit alone. The variance is phi V(mu) / w with w the
        variance weight; draws for trials are counts; a frequency weight does not enter, a row is one copy.

        Parameters
        ----------
        n : int
            Draws per row.
        seed : int

        Raises
        ------
        NotAvailableError
            If the family states a variance and no law.

        Examples
        --------
        >>> import etamu as em
        >>> fit = em.glm("y ~ x", {"y": [1.0, 3.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0]}, family="poisson")
        >>> fit.simulate(2, seed=1)
        array([[ 3.,  0.],
               [ 3.,  1.],
               [ 3.,  4.],
               [11.,  8.]])
        """
        return simulate(self, n, seed)

    def residuals(self, kind: str = "deviance", *, seed: int = 0) -> Any:
        """Compute residuals with the input's length, NaN where a row was dropped.

        Parameters
        ----------
        kind : str
            "response" y - mu; "working" (y - mu) g'(mu); "pearson" (y - mu) sqrt(w / V); "deviance"
            sign(y - mu) sqrt(w d); "anscombe" sqrt(w) (A(y) - A(mu)) / V^(1/6), A the integral of V^(-1/3);
            "standardised" (also "standardised pearson") r / sqrt(phi (1 - h)); "studentised", over the sigma
            without the row; "quantile", standard normal under the model whatever the family; "partial", a
            table with the working residual plus the centred contribution of each term. w is the variance
            weight times the trials, h the leverage.
        seed : int
            Chooses the random part of quantile residuals where a response has atoms; each row has its own.

        Returns
        -------
        array (n,), or for "partial" a table in the library of the input (a dict of arrays where there was
        none)

        Raises
        ------
        OptionError
            If the kind is not known.
        NotAvailableError
            If the family states no distribution ("quantile").

        Examples
        --------
        >>> import etamu as em
        >>> fit = em.glm("y ~ x", {"y": [1.0, 3.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0]}, family="poisson")
        >>> fit.residuals("studentised").round(3)
        array([-0.29 ,  0.506, -0.323,  0.155])
        """
        return residuals(self, kind, seed)

    def partial_residuals(self, term: str) -> Array:
        """Compute the working residual plus the centred contribution of a term, (n,): R's type="partial"."""
        return partial_residuals(self, term)

    def influence(self) -> Influence:
        """Compute leverage, Cook's distance, DFFITS and what else leaving one row out would change."""
        return influence(self)

    def working(self) -> Working:
        """Return working response and weights: one weighted least squares of z on X gives beta back."""
        return working(self)

    def components(self) -> Components:
        """State the three components: linear predictor, link, and variance function."""
        return components(self)

    def interpret(
        self,
        units: Mapping[str, str] | None = None,
        together: Iterable[str] | None = None,
        level: float = 0.95,
    ) -> Interpretation:
        """Say in words what the coefficients mean, one sentence each, with its interval.

        Parameters
        ----------
        units : dict of str to str, optional
            What a numeric column counts, as ``{"age": "year"}``.
        together : list of str, optional
            Effects to compose, as ``["water", "fertilizer"]``.
        level : float
        """
        return interpret(self, units, together, level)

    # Tests

    def test(
        self, hypothesis: Any, kind: str = "wald", *, rhs: Any = None, reference: str | None = None
    ) -> LinearTest:
        """Test linear hypotheses, such as ``"age = 0, C(region)[T.B] = C(region)[T.C]"``.

        Parameters
        ----------
        hypothesis : str, list of str, or array (m, names)
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

    def summary(self) -> Summary:
        """Summarise the fit as a table that reads like R's."""
        return summary(self)

    def tidy(self, level: float | None = None) -> Any:
        """Tabulate the coefficients, one row each, in the data-frame library that came in."""
        return tidy(self, level)

    def glance(self) -> Any:
        """Tabulate the fit in one row."""
        return glance(self)

    def augment(self) -> Any:
        """Tabulate fitted values and residuals, one row per row of the input."""
        return augment(self)

    def save(self, path: str | Path, *, covariance: bool = True) -> None:
        """Write the fit to a JSON file that `etamu.load` reads, without any row of the data.

        It does hold what the model knows of them: names of levels, knots, means and spreads of columns.

        Parameters
        ----------
        path : str or Path
        covariance : bool
            Whether the factor of the covariance goes along, p (p + 1) / 2 numbers of some 24 bytes (p^2
            for a sandwich): 5 kB for 20 coefficients, 12 MB for 1000. Without it standard errors, tests and
            intervals of coefficients stay; `cov` and standard errors of predictions are lost.

        Raises
        ------
        NotAvailableError
            If family or link are code of your own, which a file cannot hold.
        FileError
            If the file cannot be written.
        """
        save(self, path, covariance=covariance)

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary().html
