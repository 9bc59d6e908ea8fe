"""What families of a categorical response share: classes or counts per class, probabilities, tails, draws.

May import: _base, family.cones, family.special, family.vector.
Read next: `etamu.family.multinomial` for classes without order, `etamu.family.ordinal` for those with one.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import Any, Self

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Interval, Namespace
from etamu.family import special
from etamu.family.cones import Cones, of_classes
from etamu.family.family import Support
from etamu.family.vector import Rows, VectorBound, VectorFamily


@dataclass(frozen=True, slots=True)
class Categorical(VectorFamily):
    """A response in one of K classes, or counts of each class per row; abstract.

    The response is a column of class numbers 0, ..., K - 1, or where `counted` K columns of counts. Before
    data are seen `levels` may be empty; `among` says which classes there are.
    """

    @property
    @abstractmethod
    def levels(self) -> tuple[str, ...]:
        """Return the names of the classes, in their order."""

    @property
    @abstractmethod
    def counted(self) -> bool:
        """Tell whether the response is given as counts per class."""

    @property
    def categorical(self) -> bool:
        """The response is a class, or counts of classes."""
        return True

    @property
    def ordered(self) -> bool:
        """Tell whether the classes need an order."""
        return False

    def among(self, levels: tuple[str, ...], *, counted: bool = False) -> Self:
        """Return the family for these classes.

        Raises
        ------
        OptionError
            If there are fewer than two classes, or a class was named that is not among them.
        """
        refuse_few(self, levels)
        changes: dict[str, Any] = {"levels": levels, "counted": counted}
        return replace(self, **changes)

    @property
    def response(self) -> tuple[str, ...]:
        """Return ("class",), or the names of the classes where the response is counts."""
        return self.levels if self.counted else ("class",)

    @property
    def support(self) -> Support:
        """Return the whole numbers from 0: numbers of classes, or counts."""
        return Support(Interval(0.0, np.inf, closed_lower=True), integer=True)

    @abstractmethod
    def log_probabilities(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return the log-probability of every class, (n, K), finite far out in every direction."""

    @property
    @abstractmethod
    def rising(self) -> tuple[Array, ...]:
        """Return for each class inequalities (m, k) of the eta along which its probability never falls."""

    def cones(self, y: tuple[Array, ...]) -> Cones:
        """Return the cones of the classes each row holds."""
        return of_classes(y, self.rising)

    @abstractmethod
    def start_from(self, shares: Array) -> Array:
        """Return the eta (k,) at which every row has these shares of the classes."""

    @abstractmethod
    def bind(self, xp: Namespace, information: str = "expected") -> VectorBound:
        """Return f(y, eta) -> (value, score, information); the value of a row of one class is log p."""

    def mean(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return the probability of every class, (n, K)."""
        return xp.exp(self.log_probabilities(xp, eta))

    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return p (1 - p) of every class, (n, K)."""
        p = self.mean(xp, eta)
        return p * (1.0 - p)

    def saturated(self, y: tuple[Array, ...]) -> Array:
        """Return 0 for a class; for counts the log-probability of the counts at their own shares."""
        if not self.counted:
            return np.zeros(len(y[0]))
        from scipy.special import gammaln, xlogy

        counts = np.stack(y, axis=1)
        m = counts.sum(axis=1)
        own = xlogy(counts, counts / np.where(m > 0.0, m, 1.0)[:, None]).sum(axis=1)
        return np.asarray(gammaln(m + 1.0) - gammaln(counts + 1.0).sum(axis=1) + own)

    def start(self, y: tuple[Array, ...], weight: Array) -> Array:
        """Return the eta of the overall shares of the classes."""
        return self.start_from(self.shares(y, weight))

    def shares(self, y: tuple[Array, ...], weight: Array) -> Array:
        """Return the weighted shares of the classes, (K,)."""
        if self.counted:
            totals = np.array([float(np.sum(weight * column)) for column in y])
        else:
            totals = np.bincount(y[0].astype(np.intp), weights=weight, minlength=len(self.levels))
        return np.asarray(totals / totals.sum())

    def cdf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return P(class <= y) in the order of the levels; 0 below the first."""
        return self._sum(y[0], eta, below=True)

    def sf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return P(class > y) in the order of the levels, summed and not subtracted."""
        return self._sum(y[0], eta, below=False)

    def _sum(self, code: Array, eta: Array, *, below: bool) -> Array:
        p = self.mean(np, eta)
        classes = np.arange(p.shape[1])
        inside = (classes <= code[:, None]) == below
        return np.asarray(np.where(inside, p, 0.0).sum(axis=1))

    def sample(self, rng: np.random.Generator, eta: Array, given: tuple[Array, ...] = ()) -> Array:
        """Draw the number of a class for each row."""
        return self.drawn(rng.random(len(eta)), eta)

    def drawn(self, uniform: Array, eta: Array) -> Array:
        """Turn a uniform number per row into the number of a class."""
        cumulative = np.cumsum(self.mean(np, eta), axis=1)[:, :-1]
        return np.asarray((uniform[:, None] >= cumulative).sum(axis=1), dtype=np.float64)


def refuse_few(family: Categorical, levels: tuple[str, ...]) -> None:
    """Refuse a response of one class."""
    if len(levels) < 2:
        found = f"only {levels[0]!r}" if levels else "none"
        raise OptionError(
            f"family {family.name} needs a response of two classes or more, and there is {found}"
        )


def indicators(xp: Namespace, y: Rows, like: AnyArray) -> AnyArray:
    """Return the counts of each class, (n, K): the columns side by side, or 1 in the class of the row."""
    if len(y) > 1:
        return xp.stack(y, axis=1)
    classes = xp.arange(like.shape[1], dtype=like.dtype)
    # Class by class in memory, as eta is: arrays of both orders together cost ten times as much.
    return xp.permute_dims(xp.astype(classes[:, None] == y[0][None, :], like.dtype), (1, 0))


def value_of(xp: Namespace, counts: AnyArray, log_p: AnyArray, *, counted: bool) -> AnyArray:
    """Return the log-probability of the class, or minus half the deviance of counts, (n,).

    Of counts y among m it is minus the sum of y log(y / (m p)) + m p - y, whose linear terms add up to 0.
    """
    some = counts > 0.0
    if not counted:
        return xp.sum(counts * xp.where(some, log_p, 0.0), axis=1)
    m = xp.sum(counts, axis=1, keepdims=True)
    mean = m * xp.exp(log_p)
    ratio = xp.where(some, log_p, 0.0) + special.log_or_zero(xp, m) - special.log_or_zero(xp, counts)
    return -xp.sum(special.half_deviance(xp, counts, ratio, mean), axis=1)
