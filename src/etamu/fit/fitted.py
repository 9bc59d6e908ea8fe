"""The facts of a fitted model: what came out of a problem, frozen, and what follows from it alone.

May import: everything below `fit`; in it nothing that takes a fit.
Read next: `etamu.fit.result`, the fit that can be asked.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from etamu._base.errors import NotAvailableError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.design.coordinates import Coordinates
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.fit.estimated import Estimated
from etamu.fit.likelihood import LogLikelihood
from etamu.fit.limit import Limit
from etamu.fit.phi import Phi
from etamu.fit.problem import Problem
from etamu.infer.covariance import Root
from etamu.solve.oracle import Solution

if TYPE_CHECKING:
    from etamu.fit.clusters import Clustering
    from etamu.fit.existence import Existence
    from etamu.fit.measure import Measure
    from etamu.fit.shape import Shape
    from etamu.infer.bootstrap import Replicates


@dataclass(frozen=True, eq=False)
class FittedModel(Estimated):
    """A fitted generalized linear model: its facts, of which the functions of this room take what they need.

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
    fitting: Callable[[Problem], Any] | None = None
    limit: Limit | None = None
    shapes: tuple[Shape, ...] = ()
    near: Near[Any] | None = None

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
    @abstractmethod
    def existence(self) -> Existence:
        """Whether a finite estimate exists, how that is known, and what runs away if it does not."""

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


Model = TypeVar("Model", bound=FittedModel)
"""The kind of fit that came in: what is made of it is of its kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Near(Generic[Model]):
    """A fit in units near 1, of which questions are asked that overflow in those of the data."""

    fit: Model
    measure: Measure
