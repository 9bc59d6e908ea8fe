"""The Fit: what came out of a problem, frozen; methods orchestrate, numbers happen in functions.

May import: everything below `fit`.
Read next: `etamu.fit.predict`, `etamu.fit.residuals`, `etamu.fit.tables`, `etamu.fit.summary`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.types import Array
from etamu.design.coordinates import Coordinates
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.fit.asked import Asked
from etamu.fit.covariance import varying_df
from etamu.fit.estimated import Estimated
from etamu.fit.examined import Examined
from etamu.fit.explained import Explained
from etamu.fit.likelihood import LogLikelihood
from etamu.fit.limit import Limit
from etamu.fit.phi import Phi
from etamu.fit.pictured import Pictured
from etamu.fit.problem import Problem
from etamu.fit.summary import Summary, summary
from etamu.infer.covariance import Root
from etamu.solve.oracle import Solution

if TYPE_CHECKING:
    from pathlib import Path

    from etamu.fit.bootstrap import Replicates
    from etamu.fit.clusters import Clustering
    from etamu.fit.existence import Existence, existence
    from etamu.fit.measure import Near
    from etamu.fit.shape import Shape
    from etamu.fit.store import save
    from etamu.fit.tables import augment, glance, tidy
else:
    existence = later("etamu.fit.existence", "existence")
    save = later("etamu.fit.store", "save")
    augment = later("etamu.fit.tables", "augment")
    glance = later("etamu.fit.tables", "glance")
    tidy = later("etamu.fit.tables", "tidy")


@dataclass(frozen=True, eq=False)
class Fit(Estimated, Asked, Examined, Explained, Pictured):
    """A fitted generalized linear model.

    Arrays of coefficients are float64 in the order of ``names``; an aliased coefficient is NaN and
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
        "model", "observed", "HC0", …, "HC4", "HAC", "CR0", …, "CR3", "bootstrap".
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
    replicates : Replicates, optional
        The replications behind a bootstrap.
    fitting : callable, optional
        How another problem becomes a Fit; None for a fit read from a file.
    limit : Limit, optional
        What the fit comes to where no finite estimate exists; the working coefficients then stand far out.
    shapes : tuple of Shape
        Shape parameters that were estimated with the coefficients.
    near : Near, optional
        The fit in units near 1, where numbers this far out overflow.

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
    replicates: Replicates | None = None
    fitting: Callable[[Problem], Fit] | None = None
    limit: Limit | None = None
    shapes: tuple[Shape, ...] = ()
    near: Near | None = None

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

    @property
    def finite(self) -> Array:
        """Coefficients by which everything that has an estimate is computed: finite, 0 where aliased."""
        beta = self.beta if self.limit is None else self.limit.near
        return np.nan_to_num(self.coordinates.reported(beta))

    @cached_property
    def _runs(self) -> Array:
        """How each coefficient runs: 0 not at all, 1 and -1 to an infinity, NaN anywhere."""
        return np.zeros(len(self.names)) if self.limit is None else self.limit.signs(self.coordinates)

    @cached_property
    def existence(self) -> Existence:
        """Whether a finite estimate exists, how that is known, and what runs away if it does not.

        Examples
        --------
        >>> import etamu as em
        >>> fit = em.glm("y ~ x", {"y": [1.0, 3.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0]}, family="poisson")
        >>> fit.existence.outcome
        'interior'
        """
        return existence(self)

    @cached_property
    def se(self) -> Array:
        """Standard errors."""
        if self.factor is None and self.kept_se is not None:
            return self.kept_se
        return self.reported_root.errors()

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
        combinations : array (m, coefficients)
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
    def dispersion(self) -> float:
        """The dispersion phi that the standard errors contain."""
        return self.phi.value

    @property
    def shape(self) -> Shape:
        """The shape parameter that was estimated with the coefficients.

        theta of `NegativeBinomial()`, the power of `Tweedie()`, and the shape of a gamma or inverse Gaussian
        response with dispersion="ml".

        Raises
        ------
        NotAvailableError
            If the model has none.
        """
        if not self.shapes:
            raise NotAvailableError(
                "this model estimates no shape: NegativeBinomial() estimates theta, Tweedie() the power, and "
                'dispersion="ml" the shape of a gamma or inverse Gaussian response'
            )
        return self.shapes[0]

    # The criteria

    @property
    def method(self) -> str:
        """How the coefficients were found: "ml", or "firth", "median", "mixed", "jeffreys" with less bias."""
        return self.problem.options.method

    @property
    def penalised_loglik(self) -> float:
        """The penalised log-likelihood that the estimate maximises, NaN where there is none.

        For Jeffreys' prior `loglik` + log det(X'WX / phi) / 2; NaN by maximum likelihood, and where phi is
        estimated beside.
        """
        return self.loglik + self.likelihood.penalty

    @property
    def parameters(self) -> int:
        """Parameters the likelihood counts: the rank, and phi where it was estimated in it."""
        return self.rank + self.likelihood.extra

    # The parts that are doors to functions reach the facts by this

    @property
    def _fit(self) -> Fit:
        return self

    # How it is shown and kept

    def summary(self, *, terms: bool | str | None = None) -> Summary:
        """Summarise the fit as a table that reads like R's, and test each term.

        Parameters
        ----------
        terms : None, bool, "Wald", "LR" or "F"
            One p-value for each term. None: by Wald, where some term has several coefficients.
        """
        return summary(self, terms=terms)

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
