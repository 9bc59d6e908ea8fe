"""The facts of a fitted model of several predictors, frozen, and what follows from them alone.

May import: everything below `vector`; in it nothing that takes a fit.
Read next: `etamu.vector.result`, the fit that can be asked.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.types import Array, Mask
from etamu.family.vector import VectorFamily
from etamu.fit.clusters import Clustering
from etamu.fit.estimated import Estimated
from etamu.fit.likelihood import LogLikelihood
from etamu.fit.limit import Limit
from etamu.infer.bootstrap import Replicates
from etamu.infer.covariance import Root
from etamu.solve.oracle import Outcome, Solution
from etamu.vector.problem import VectorProblem
from etamu.vector.stack import Stack

if TYPE_CHECKING:
    from etamu.fit.existence import Existence
    from etamu.vector.limit import signs
else:
    signs = later("etamu.vector.limit", "signs")


@dataclass(frozen=True, eq=False)
class FittedVectorModel(Estimated):
    """A fitted model of several linear predictors: its facts.

    Parameters
    ----------
    problem : VectorProblem
        The model and its rows.
    coordinates : Stack
        How working coefficients become reported ones.
    beta : array
        Working coefficients at the maximum.
    factor : Root, optional
        Factor of their covariance.
    covariance_kind : str
        "model", "observed", "expected", "HC0", "HC1", "CR0" or "CR1".
    likelihood : LogLikelihood
    nobs : int
    solution : Solution
    clustering : Clustering, optional
    limit : Limit, optional
        What the fit comes to where no finite estimate exists; the working coefficients then stand far out.
    replicates : Replicates, optional
        The replications behind a bootstrap.
    fitting : callable, optional
        How another problem becomes a fit of this kind; None for a fit read from a file.
    """

    problem: VectorProblem
    coordinates: Stack
    beta: Array
    factor: Root | None
    covariance_kind: str
    likelihood: LogLikelihood
    nobs: int
    solution: Solution
    clustering: Clustering | None = None
    limit: Limit | None = None
    replicates: Replicates | None = None
    fitting: Callable[[VectorProblem], Any] | None = None

    # What the model is

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients, predictor by predictor."""
        return self.coordinates.names

    @property
    def family(self) -> VectorFamily:
        """How the response varies, its classes settled."""
        return self.problem.family

    @property
    def formula(self) -> str:
        """The formula as it was given."""
        return self.problem.words.formula

    @property
    def predictors(self) -> dict[str, tuple[str, ...]]:
        """Names of the coefficients of each predictor, by the name of its parameter."""
        out: dict[str, tuple[str, ...]] = {each.parameter.name: () for each in self.problem.predictors}
        for name in self.names:
            parameter = self.problem.predictors[self.coordinates.part_of(name)].parameter.name
            out[parameter] = (*out[parameter], name)
        return out

    @property
    def constants(self) -> tuple[str, ...]:
        """Names of the constants of the predictors, thresholds among them."""
        found = (self.family.label(each.parameter, "Intercept") for each in self.problem.predictors)
        return tuple(name for name in found if name in self.names)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know: dropped rows and levels."""
        return self.problem.notes

    # The estimate

    @cached_property
    def _runs(self) -> Array:
        """How each coefficient runs: 0 not at all, 1 and -1 to an infinity, NaN anywhere."""
        return np.zeros(len(self.names)) if self.limit is None else signs(self.limit, self.coordinates)

    @property
    def at_end(self) -> Mask:
        """Which coefficients are of a parameter at an end of its axis, such as an infinite theta."""
        ended = self.limit is not None and not self.limit.count
        return self._runs != 0.0 if ended else np.zeros(len(self.names), dtype=bool)

    @property
    @abstractmethod
    def existence(self) -> Existence:
        """Whether a finite estimate exists, how that is known, and what runs away if it does not."""

    @cached_property
    def se(self) -> Array:
        """Standard errors."""
        if self.factor is None:
            return np.full(len(self.names), np.nan)
        return self.reported_root.errors()

    @property
    def reference_df(self) -> float:
        """Degrees of freedom of the reference: infinite, or clusters less one."""
        return math.inf if self.clustering is None else float(np.min(self.clustering.df))

    # The criteria

    @property
    def deviance(self) -> float:
        """Minus twice the value: -2 loglik for classes, the deviance of counts from their own shares."""
        return abs(2.0 * self.solution.local.value)

    @property
    def parameters(self) -> int:
        """Parameters the likelihood counts: every coefficient that is not aliased."""
        return self.rank

    @property
    def df_resid(self) -> int:
        """Observations less parameters."""
        return self.nobs - self.rank

    # The way there

    @property
    def verified(self) -> bool:
        """Whether the likelihood is that of a verified maximum, or of the limit of one that runs away."""
        return self.converged or (self.limit is not None and self.limit.outcome is Outcome.CONVERGED)


VectorModel = TypeVar("VectorModel", bound=FittedVectorModel)
"""The kind of fit that came in: what is made of it is of its kind."""
