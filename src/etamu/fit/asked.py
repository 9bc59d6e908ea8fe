"""What a fit can be asked: intervals, predictions, residuals, influence, words; each a door to a function.

May import: everything below `fit`.
Read next: `etamu.fit.examined` for hypotheses, `etamu.fit.result` for the facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from etamu._base.choice import check_choice
from etamu._base.errors import OptionError
from etamu._base.later import later
from etamu._base.types import Array
from etamu.fit.components import Components, components
from etamu.fit.covariance import contrast_df, with_covariance
from etamu.fit.fitted import FittedModel
from etamu.infer.wald import interval

if TYPE_CHECKING:
    from etamu.fit.bootstrap import bootstrap, replicated_intervals, resampling
    from etamu.fit.influence import Influence, influence
    from etamu.fit.interpret import Interpretation, interpret
    from etamu.fit.predict import Prediction, predict
    from etamu.fit.profile import Profile, interval_df, on_scale, profile, profile_intervals
    from etamu.fit.residual_kinds import partial_residuals, residuals
    from etamu.fit.simulate import simulate
    from etamu.fit.terms import Terms
    from etamu.fit.working import Working, working
else:
    bootstrap = later("etamu.fit.bootstrap", "bootstrap")
    replicated_intervals = later("etamu.fit.bootstrap", "replicated_intervals")
    resampling = later("etamu.fit.bootstrap", "resampling")
    influence = later("etamu.fit.influence", "influence")
    interpret = later("etamu.fit.interpret", "interpret")
    predict = later("etamu.fit.predict", "predict")
    interval_df = later("etamu.fit.profile", "interval_df")
    on_scale = later("etamu.fit.profile", "on_scale")
    profile = later("etamu.fit.profile", "profile")
    profile_intervals = later("etamu.fit.profile", "profile_intervals")
    partial_residuals = later("etamu.fit.residual_kinds", "partial_residuals")
    residuals = later("etamu.fit.residual_kinds", "residuals")
    simulate = later("etamu.fit.simulate", "simulate")
    working = later("etamu.fit.working", "working")


METHODS = ("wald", "profile", "percentile", "basic", "bca")
"""How intervals of coefficients are made."""


class Asked(FittedModel):
    """Questions about the estimate and its rows; abstract, a part of `Fit`."""

    def with_covariance(
        self, kind: str, cluster: Any = None, lags: int | None = None, **bootstrap_options: Any
    ) -> Self:
        """Return the same fit with another covariance, which its tables, tests and intervals follow.

        Parameters
        ----------
        kind : str
            ``"model"`` or ``"observed"`` believe the model; ``"HC0"`` to ``"HC4"`` only its mean, rows being
            independent; ``"CR0"`` to ``"CR3"`` clusters of rows (``"cluster"`` is CR1); ``"HAC"`` rows that
            depend on their neighbours in the order of the data. CR2 tests with Satterthwaite's df.
            ``"bootstrap"`` fits the model again and again.
        cluster : column name, array, or tuple or list of these, optional
            Clusters of the rows; several for multi-way clustering, which is defined for CR0 and CR1.
        lags : int, optional
            How far HAC looks; floor(4 (n / 100)^(2/9)) if left out.
        **bootstrap_options
            Of "bootstrap": `scheme="pairs"` (rows), `"cluster"` (with `cluster`), `"parametric"` (responses
            drawn from the fit) or `"fractional"` (exponential weights, of clusters where they are given);
            `replications=1000`, `seed=0`, `progress=False`. A replication is a function of the seed and its
            number alone. `conf_int(method="percentile")`, "basic" and "bca" use the replications.

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
        if kind != "bootstrap":
            if bootstrap_options:
                raise OptionError(f"{kind} takes no {next(iter(bootstrap_options))}; choose 'bootstrap'")
            return with_covariance(self, kind, cluster, lags)
        if lags is not None:
            raise OptionError("bootstrap takes no lags; choose 'HAC', or leave lags out")
        return bootstrap(self, cluster, resampling(bootstrap_options))

    def contrast_df(self, combinations: Array) -> Array | float:
        """Return the reference degrees of freedom of linear combinations of the coefficients.

        Parameters
        ----------
        combinations : array (m, coefficients)
            Rows L of L beta.

        Returns
        -------
        float, or array (m,) for CR2
        """
        return contrast_df(self, combinations)

    def conf_int(
        self, level: float = 0.95, *, method: str = "wald", reference: str | None = None, scale: str = "link"
    ) -> Array:
        """Compute intervals of the coefficients, (names, 2).

        Parameters
        ----------
        level : float
        method : "wald", "profile", "percentile", "basic" or "bca"
            Estimate and standard error; or where the deviance, minimised over the other coefficients, has
            risen by phi times the squared critical value (an end that does not exist is infinite); or, of a
            bootstrap, quantiles of the replications, the same turned around the estimate, or
            bias-corrected and accelerated quantiles.
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
            If there is no likelihood to profile: sampling weights, a robust covariance, no verified maximum;
            or no replications.
        """
        check_choice("method", method, METHODS)
        df = interval_df(self, level, reference)
        if method == "wald":
            return on_scale(self.problem.unit, interval(self.coef, self.se, level, df), scale)
        if method == "profile":
            return on_scale(self.problem.unit, profile_intervals(self, level, reference), scale)
        return on_scale(self.problem.unit, replicated_intervals(self, level, method), scale)

    def profile(
        self, combination: str | Sequence[float] | Array, level: float = 0.95, *, reference: str | None = None
    ) -> Profile:
        """Trace the profile likelihood of a coefficient or of any linear combination.

        Parameters
        ----------
        combination : str or array
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
        array([[ 1.,  0.],
               [ 4.,  6.],
               [ 2.,  8.],
               [ 4., 10.]])
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
