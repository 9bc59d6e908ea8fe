"""The VectorFit: facts of a model of several predictors, and what can be asked; methods are doors.

May import: everything below `vector`.
Read next: `etamu.vector.fitted` for the facts; `etamu.vector.predict`, `etamu.vector.summary`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.types import Array
from etamu.fit.pictured import PICTURES_OF_SEVERAL, drawn
from etamu.infer.wald import interval
from etamu.vector.examined import Examined

if TYPE_CHECKING:
    from etamu.fit.bootstrap import resampling
    from etamu.fit.existence import Existence
    from etamu.fit.interpret import Interpretation
    from etamu.vector.bootstrap import bootstrap, replicated_intervals
    from etamu.vector.covariance import with_covariance
    from etamu.vector.interpret import interpret
    from etamu.vector.predict import VectorPrediction, predict
    from etamu.vector.profile import profile_intervals
    from etamu.vector.residuals import residuals, simulate
    from etamu.vector.separation import existence
    from etamu.vector.store import save
    from etamu.vector.summary import VectorSummary, summary
    from etamu.vector.tables import augment, glance, tidy
else:
    resampling = later("etamu.fit.bootstrap", "resampling")
    bootstrap = later("etamu.vector.bootstrap", "bootstrap")
    replicated_intervals = later("etamu.vector.bootstrap", "replicated_intervals")
    with_covariance = later("etamu.vector.covariance", "with_covariance")
    interpret = later("etamu.vector.interpret", "interpret")
    predict = later("etamu.vector.predict", "predict")
    profile_intervals = later("etamu.vector.profile", "profile_intervals")
    residuals = later("etamu.vector.residuals", "residuals")
    simulate = later("etamu.vector.residuals", "simulate")
    existence = later("etamu.vector.separation", "existence")
    save = later("etamu.vector.store", "save")
    summary = later("etamu.vector.summary", "summary")
    augment = later("etamu.vector.tables", "augment")
    glance = later("etamu.vector.tables", "glance")
    tidy = later("etamu.vector.tables", "tidy")


@dataclass(frozen=True, eq=False)
class VectorFit(Examined):
    """A fitted model of several linear predictors.

    Arrays of coefficients are float64 in the order of ``names``; an aliased coefficient is NaN and named in
    `aliased`. Nothing of it changes. Its facts are those of `etamu.vector.fitted.FittedVectorModel`.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"way": ["bus", "car", "car", "rail", "bus", "rail"], "km": [1.0, 2.0, 4.0, 3.0, 3.0, 1.0]}
    >>> fit = em.glm("way ~ km", data, family=em.Multinomial())
    >>> fit.names
    ('car:Intercept', 'car:km', 'rail:Intercept', 'rail:km')
    >>> fit.predict().sum(axis=1).round(12)
    array([1., 1., 1., 1., 1., 1.])
    """

    @cached_property
    def existence(self) -> Existence:
        """Whether a finite estimate exists, how that is known, and what runs away if it does not.

        Examples
        --------
        >>> import etamu as em
        >>> data = {"way": ["bus", "car", "car", "rail", "bus", "rail"], "km": [1.0, 2.0, 4.0, 3.0, 3.0, 1.0]}
        >>> em.glm("way ~ km", data, family=em.Multinomial()).existence.outcome
        'interior'
        """
        return existence(self)

    def conf_int(self, level: float = 0.95, *, method: str = "wald", scale: str = "link") -> Array:
        """Compute intervals of the coefficients, (names, 2).

        Parameters
        ----------
        level : float
        method : "wald", "profile", "percentile" or "basic"
            Estimate and standard error; or where twice the log-likelihood, maximised over the other
            coefficients, has fallen by the squared critical value (an end that does not exist is infinite);
            or, of a bootstrap, quantiles of the replications, or the same turned around the estimate.
        scale : "link" or "ratio"
            As they stand, or e^end: a ratio of odds where the predictor is one of log odds.

        Raises
        ------
        OptionError
            If the level is no probability, or another method is asked.
        NotAvailableError
            If there is no likelihood to profile.
        """
        if not 0.0 < level < 1.0:
            raise OptionError(f"level is {level!r}; it is a probability such as 0.95")
        check_choice("scale", scale, ("link", "ratio"))
        made = {
            "wald": lambda: interval(self.coef, self.se, level, self.reference_df),
            "profile": lambda: profile_intervals(self, level),
            "percentile": lambda: replicated_intervals(self, level, "percentile"),
            "basic": lambda: replicated_intervals(self, level, "basic"),
        }
        check_choice("method", method, made)
        ends: Array = made[method]()
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(ends) if scale == "ratio" else ends

    # What can be asked

    def with_covariance(self, kind: str, cluster: Any = None, **bootstrap_options: Any) -> Self:
        """Return the same fit with another covariance, which its tables, tests and intervals follow.

        Parameters
        ----------
        kind : str
            "model" (observed information), "expected", "HC0", "HC1", or with `cluster` "CR0", "CR1"; or
            "bootstrap", which fits the model again and again.
        cluster : column name, array, or tuple or list of these, optional
        **bootstrap_options
            Of "bootstrap": `scheme`, `replications`, `seed` and `progress` as for `Fit.with_covariance`.
        """
        if kind == "bootstrap":
            return bootstrap(self, cluster, resampling(bootstrap_options))
        if bootstrap_options:
            raise OptionError(f"{kind} takes no {next(iter(bootstrap_options))}; choose 'bootstrap'")
        return with_covariance(self, kind, cluster)

    def predict(
        self,
        data: Any = None,
        kind: str | None = None,
        *,
        se: bool = False,
        interval: str | None = None,
        level: float = 0.95,
        **options: Any,
    ) -> Array | VectorPrediction:
        """Predict for new data, or for the rows of the input where no data are given.

        Parameters
        ----------
        data : data frame or dict of arrays, optional
        kind : str, optional
            "probabilities" (n, classes) and "class" (n,) for classes; "mean" (n,); "link" (n, k); or the name
            of a parameter. Probabilities, else the mean, if left out.
        se : bool
            Whether standard errors come along (delta method).
        interval : None or "confidence"
            Of probabilities on the logit scale, so that they stay inside (0, 1).
        level : float
        **options
            `unseen="error" | "nan" | "reference"`, and `offset=` or `exposure=` where they were arrays.

        Returns
        -------
        array, or VectorPrediction where `se` or `interval` is asked
            With the length of the input; NaN where a value needed is missing.
        """
        found: Array | VectorPrediction = predict(
            self, data, kind, se=se, interval=interval, level=level, **options
        )
        return found

    def residuals(self, kind: str = "quantile", *, seed: int = 0) -> Array:
        """Compute residuals with the input's length, NaN where a row was dropped.

        Parameters
        ----------
        kind : "quantile", "response" or "pearson"
            Standard normal under the model, randomised within the jump of a discrete response; y less the
            mean; the same over its standard deviation. Of classes the latter two are (n, classes).
        seed : int
        """
        return residuals(self, kind, seed)

    def simulate(self, n: int = 1, seed: int = 0) -> Array:
        """Draw responses from the fitted model, (rows of the input, n); of classes their numbers."""
        return simulate(self, n, seed)

    def plot(self, name: str = "probabilities", *arguments: Any, **options: Any) -> Any:
        """Draw the fit: what it predicts along a column, or another picture by name.

        Parameters
        ----------
        name : str
            "probabilities" (the mean where there are no classes), "coefficients", "qq" and "worm" of the
            quantile residuals, or "convergence".
        *arguments, **options
            Of that picture: see `etamu.plot`.

        Returns
        -------
        matplotlib Figure

        Raises
        ------
        OptionError
            If there is no picture of that name.
        NotAvailableError
            If matplotlib is not installed, or the picture does not exist for this model.
        """
        return drawn(PICTURES_OF_SEVERAL, name, self, *arguments, **options)

    def interpret(self, units: Mapping[str, str] | None = None, level: float = 0.95) -> Interpretation:
        """Say in words what the coefficients mean, one sentence each: odds against the reference, or of more.

        Parameters
        ----------
        units : dict of str to str, optional
            What a numeric column counts, as ``{"age": "year"}``.
        level : float
        """
        return interpret(self, units, level)

    # How it is shown

    def summary(self) -> VectorSummary:
        """Summarise the fit, a block of coefficients for each predictor."""
        return summary(self)

    def tidy(self, level: float | None = None) -> Any:
        """Tabulate the coefficients, one row each, in the data-frame library that came in."""
        return tidy(self, level)

    def glance(self) -> Any:
        """Tabulate the fit in one row."""
        return glance(self)

    def augment(self) -> Any:
        """Tabulate response, probabilities or means, and residuals, one row per row of the input."""
        return augment(self)

    def save(self, path: str | Path, *, covariance: bool = True) -> None:
        """Write the fit to a JSON file that `etamu.load` reads, without any row of the data.

        Parameters
        ----------
        path : str or Path
        covariance : bool
            Whether the factor of the covariance goes along; without it standard errors are lost.

        Raises
        ------
        NotAvailableError
            If the family is code of your own, which a file cannot hold.
        FileError
            If the file cannot be written.
        """
        save(self, path, covariance=covariance)

    def __repr__(self) -> str:
        return str(self.summary())

    def _repr_html_(self) -> str:
        return self.summary().html
