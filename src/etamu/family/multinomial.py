"""Multinomial logit: classes without order, the log odds of each against a reference class (softmax).

May import: _base, family.categorical, family.cones, family.link, family.links, family.vector.
Read next: `etamu.family.ordinal` for classes with an order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple, Self, final

import numpy as np

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Namespace
from etamu.family.categorical import Categorical, indicators, refuse_few, value_of
from etamu.family.cones import highest
from etamu.family.family import Textbook
from etamu.family.links import Logit
from etamu.family.vector import InParts, Parameter, Rows, VectorBound, Wording, matrices


class Softmax(NamedTuple):
    """Probabilities of K classes, of each also its logarithm and what is left, none by subtraction from 1."""

    p: AnyArray
    log_p: AnyArray
    complement: AnyArray


def softmax(xp: Namespace, scores: AnyArray) -> Softmax:
    """Return p_c = exp(z_c) / sum exp(z), (n, K), with full accuracy where one class has all but a trace.

    Examples
    --------
    >>> at = softmax(np, np.array([[0.0, 700.0]]))
    >>> at.log_p[0, 0], at.complement[0, 1] > 0.0
    (np.float64(-700.0), np.True_)
    """
    away = scores - xp.max(scores, axis=1, keepdims=True)
    odds, largest = xp.exp(away), away == 0.0
    # Of what exceeds the largest class's own 1; others as large as it are 1 each, and lose no digits.
    ties = xp.sum(xp.where(largest, 1.0, 0.0 * odds), axis=1, keepdims=True) - 1.0
    rest = xp.sum(xp.where(largest, 0.0, odds), axis=1, keepdims=True) + ties
    bulk = 1.0 / (1.0 + rest)
    p = odds * bulk
    return Softmax(p, away - xp.log1p(rest), xp.where(largest, rest * bulk, 1.0 - p))


@final
@dataclass(frozen=True, slots=True)
class Multinomial(Categorical):
    """One of K classes without order: log(p_c / p_reference) = x' beta_c for every other class c.

    Parameters
    ----------
    reference : str, optional
        The class the odds of all others are against; the first if left out.

    Notes
    -----
    With K = 2 it is the logit model. Observed and expected information are equal, m (diag(p) - p p'), and
    minus the log-likelihood is convex. The reference changes coefficients and not one probability.

    References
    ----------
    McCullagh and Nelder (1989), *Generalized Linear Models*, 2nd edition, chapter 5.
    Agresti (2013), *Categorical Data Analysis*, 3rd edition, section 8.1.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"way": ["bus", "car", "car", "rail", "bus", "rail"], "km": [1.0, 2.0, 4.0, 3.0, 3.0, 1.0]}
    >>> em.glm("way ~ km", data, family=em.Multinomial(reference="car")).names
    ('bus:Intercept', 'bus:km', 'rail:Intercept', 'rail:km')
    """

    reference: str | None = None
    levels: tuple[str, ...] = ()
    counted: bool = False
    name = "multinomial"
    canonical = True
    convex = True
    concordance = 1.0

    @property
    def textbook(self) -> Textbook:
        """Return the family's row of the textbook table."""
        return Textbook("p (1 - p)", "log(sum exp(theta))", (), "classes without order")

    @property
    def base(self) -> int:
        """Return the number of the reference class."""
        return self.levels.index(self.reference) if self.reference in self.levels else 0

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return a predictor for every class but the reference."""
        others = (level for place, level in enumerate(self.levels) if place != self.base)
        return tuple(Parameter(level, Logit(), main=True) for level in others)

    def heading(self, parameter: Parameter, name: str) -> tuple[str, str]:
        """Return the odds the predictor is about, and the column."""
        reference = self.levels[self.base]
        return f"{parameter.name} (log odds against {reference}):", name.removeprefix(f"{parameter.name}:")

    def wording(self, parameter: Parameter) -> Wording:
        """Return the odds of a class against the reference."""
        noun = f"the odds of {parameter.name} against {self.levels[self.base]}"
        return Wording("odds", noun, "ratio", "probability", 1.0, "them")

    @property
    def explained(self) -> tuple[str, ...]:
        """Return what the odds are."""
        base = self.levels[self.base]
        return (
            f"The odds of a class against {base} are p(class) / p({base}): they may rise while both fall.",
        )

    def among(self, levels: tuple[str, ...], *, counted: bool = False) -> Self:
        """Return the family for these classes, the reference settled."""
        refuse_few(self, levels)
        if self.reference is not None and self.reference not in levels:
            listed = ", ".join(map(repr, levels))
            raise OptionError(f"reference={self.reference!r} is no class of the response; there are {listed}")
        return replace(self, reference=self.reference or levels[0], levels=levels, counted=counted)

    def _scores(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        zero = xp.zeros_like(eta[:, :1])
        return xp.concat([eta[:, : self.base], zero, eta[:, self.base :]], axis=1)

    def _others(self, xp: Namespace, rows: AnyArray) -> AnyArray:
        return xp.concat([rows[:, : self.base], rows[:, self.base + 1 :]], axis=1)

    def log_probabilities(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return z_c - log sum exp(z), z = eta with 0 for the reference."""
        return softmax(xp, self._scores(xp, eta)).log_p

    @property
    def rising(self) -> tuple[Array, ...]:
        """Return the cones in which no other class's score rises faster (Albert and Anderson 1984)."""
        return highest(np.insert(np.eye(len(self.levels) - 1), self.base, 0.0, axis=0))

    def start_from(self, shares: Array) -> Array:
        """Return the log odds of the shares against the reference's."""
        logs = np.log(np.maximum(shares, np.finfo(np.float64).tiny))
        return np.delete(logs - logs[self.base], self.base)

    def bind(self, xp: Namespace, information: str = "expected") -> VectorBound:
        """Return f(y, eta) -> (value, score y - m p, information m (diag(p) - p p'))."""
        del information  # the link is canonical: observed and expected are the same

        def bound(y: Rows, eta: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
            value, score, p, rest, m = self._seen(xp, y, eta)
            k = p.shape[1]
            at_once = m * p
            pairs = {(i, j): -at_once[:, i] * p[:, j] for i in range(k) for j in range(i + 1, k)}
            pairs |= {(j, j): at_once[:, j] * rest[:, j] for j in range(k)}
            return value, score, matrices(xp, pairs, k, value)

        return bound

    def bind_in_parts(self, xp: Namespace) -> Callable[[Rows, AnyArray], tuple[AnyArray, AnyArray, InParts]]:
        """Return f(y, eta) -> (value, score, information m (diag(p) - p p') in parts), for many classes."""

        def bound(y: Rows, eta: AnyArray) -> tuple[AnyArray, AnyArray, InParts]:
            value, score, p, rest, m = self._seen(xp, y, eta)
            return value, score, InParts(m * p * rest, xp.sqrt(m) * p)

        return bound

    def _seen(self, xp: Namespace, y: Rows, eta: AnyArray) -> tuple[AnyArray, ...]:
        """Return value and score, and of all classes but the reference p and 1 - p; and the trials m."""
        at = softmax(xp, self._scores(xp, eta))
        counts = indicators(xp, y, at.p)
        m = xp.sum(counts, axis=1, keepdims=True)
        value = value_of(xp, counts, at.log_p, counted=len(y) > 1)
        p, rest, mine = (self._others(xp, rows) for rows in (at.p, at.complement, counts))
        return value, mine * rest - (m - mine) * p, p, rest, m
