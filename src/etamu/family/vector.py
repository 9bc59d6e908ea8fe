"""What a family of several linear predictors is: one observation as a function of the vector eta.

May import: _base, family.cones, family.derivation_several, family.family, family.link.
Read next: `etamu.family.multinomial`, the first of them; `etamu.vector.stack`, which fits them.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.types import LINE, AnyArray, Array, Interval, Mask, Namespace
from etamu.family.cones import Cones
from etamu.family.family import Support, Textbook
from etamu.family.link import Link

if TYPE_CHECKING:
    from etamu.family.derivation import Derivation
    from etamu.family.derivation_several import derivation_of_several
else:
    derivation_of_several = later("etamu.family.derivation_several", "derivation_of_several")

Rows = tuple[AnyArray, ...]
VectorBound = Callable[[Rows, AnyArray], tuple[AnyArray, AnyArray, AnyArray]]
"""(response columns, eta (n, k)) -> (value (n,), score (n, k), information (n, k, k))."""


Pairs = dict[tuple[int, int], AnyArray]
"""Entries (i, j), i <= j, of a symmetric matrix per row; what is left out is 0."""


def matrices(xp: Namespace, entries: Pairs, k: int, like: AnyArray) -> AnyArray:
    """Write out n symmetric matrices, (n, k, k), each entry of all of them in one piece of memory."""
    nothing = xp.zeros_like(like)
    flat = [entries.get((min(i, j), max(i, j)), nothing) for i in range(k) for j in range(k)]
    return xp.permute_dims(xp.reshape(xp.stack(flat, axis=0), (k, k, -1)), (2, 0, 1))


class InParts(NamedTuple):
    """Symmetric matrices diag(d) - u u' off the diagonal and d on it, row by row: k numbers for k x k.

    Parameters
    ----------
    diagonal : array (n, k)
        What stands on the diagonal, d itself: nothing is subtracted from it.
    factor : array (n, k)
        The u, so that entry (i, j) is -u_i u_j.
    """

    diagonal: AnyArray
    factor: AnyArray


@dataclass(frozen=True, slots=True)
class Parameter:
    """One linear predictor of a family: what it is called, the link it stands behind, what it takes unasked.

    Parameters
    ----------
    name : str
        "mean", "precision", "zero", or a class: what stands before the colon in "zero:child".
    link : Link
        eta = g(parameter).
    main : bool
        Whether it takes the right side of the model's formula, unless `predictors=` says otherwise.
    formula : str
        What another one takes unasked: an intercept only.
    weighted : bool
        Whether it is a log-dispersion phi / w, w the variance weight, whose log is taken from it.
    anchored : bool
        Whether the response depends only on what all other predictors exceed it by, so that its constant is
        theirs: the location beside the thresholds of an ordinal model.
    """

    name: str
    link: Link
    main: bool = False
    formula: str = "~ 1"
    weighted: bool = False
    anchored: bool = False


class Wall(NamedTuple):
    """An inequality sum_j c_j eta_j >= level, by the numbers j of the predictors, beside which y may stop."""

    shares: dict[int, float]
    level: float


class Wording(NamedTuple):
    """How the effects of a predictor are told in words.

    `kind` is "ratio" where exp(sign coefficient) multiplies the noun, "sum" where the coefficient adds to it,
    "latent" where it counts standard deviations, "link" where only the link itself changes.
    """

    word: str
    noun: str
    kind: str
    mean: str = "mean"
    sign: float = 1.0
    pronoun: str = "it"


_KINDS = {"log": ("", "ratio", "it"), "logit": ("odds of ", "ratio", "them"), "identity": ("", "sum", "it")}


@dataclass(frozen=True, slots=True)
class VectorFamily(ABC):
    """How a response varies, given k linear predictors at once; abstract.

    A subclass is a frozen value whose fields are its settings. It serves the sums as the unit does for one
    predictor: `bind` is everything about one observation as a function of eta = (eta_1, ..., eta_k), both
    tails stated without subtraction. Response columns y = (y_1, ...) are arrays (n,), eta is (n, k).
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Return the word a user writes."""

    @property
    @abstractmethod
    def parameters(self) -> tuple[Parameter, ...]:
        """Return the k linear predictors, in the order of the columns of eta."""

    @property
    def textbook(self) -> Textbook:
        """Return the family's row of the textbook table: variance, density, other links, use."""
        return Textbook("as stated", "as stated", (), "several linear predictors")

    @property
    def response(self) -> tuple[str, ...]:
        """Return the names of the response columns: ("y",), or ("y", "trials") where trials are data."""
        return ("y",)

    @property
    def support(self) -> Support:
        """Return the values the first response column may take."""
        return Support(LINE)

    @property
    def discrete(self) -> bool:
        """Tell whether the response is a whole number, so that P(Y < y) = P(Y <= y - 1)."""
        return self.support.integer

    @property
    def categorical(self) -> bool:
        """Tell whether the response is a class, or counts of classes."""
        return False

    @property
    def domain(self) -> Interval:
        """Return the interval in which every eta lies.

        Where a region has another shape (increasing thresholds) the value is -inf outside it, which the
        line search turns away.
        """
        return LINE

    @property
    def canonical(self) -> bool:
        """Tell whether observed and expected information are the same function."""
        return False

    @property
    def expected_known(self) -> bool:
        """Tell whether "expected" has a closed form; where not, "expected" is the observed information."""
        return True

    @property
    def expected_dear(self) -> bool:
        """Tell whether "expected" costs so much more than "observed" that it is computed only when asked."""
        return False

    @property
    def convex(self) -> bool:
        """Tell whether minus the value is convex in eta for every y."""
        return False

    @property
    def wavering(self) -> tuple[str, ...]:
        """Return the parameters whose predictor may give the likelihood several maxima in small samples."""
        return ()

    @property
    def concordance(self) -> float:
        """Return c with |l'''| <= c r l'' along any line of eta.

        r is the largest change of an eta, or of a difference of two, per unit of length. 0 where no bound is
        claimed. 1 is exact for the softmax: the third central moment of a step is at most its range times
        its variance.
        """
        return 0.0

    @property
    def alone(self) -> VectorFamily:
        """Return the family for rows of one trial each, itself where there are none."""
        return self

    @property
    def mean_modelled(self) -> bool:
        """Tell whether the parameter called "mean" is the mean of the response, and not of a part of it."""
        return True

    @property
    def limits(self) -> dict[str, tuple[str, str]]:
        """Return what the law is at the lower and upper end of a parameter's axis, "" where it is none."""
        return {}

    @property
    def shrinks(self) -> frozenset[str]:
        """Return the parameters at whose end the law shrinks to a point and the likelihood has no bound."""
        return frozenset()

    @property
    def edges(self) -> dict[str, tuple[float, float]]:
        """Return the range of `natural` of parameters outside which the likelihood is 0."""
        return {}

    @property
    def walls(self) -> tuple[Wall, ...]:
        """Return what eta must satisfy for the likelihood not to be 0, beyond the domain: the `edges`."""
        found = []
        for number, parameter in enumerate(self.parameters):
            for side, end in zip((1.0, -1.0), self.edges.get(parameter.name, ()), strict=False):
                if math.isfinite(end):
                    level = float(parameter.link.link(np, np.float64(math.exp(end))))
                    found.append(Wall({number: side}, side * level))
        return tuple(found)

    def natural(self, xp: Namespace, eta: AnyArray) -> tuple[AnyArray, ...]:
        """Return the logarithms or log odds of the parameters, (n,) each; needed where there are `limits`."""
        raise NotImplementedError

    def cones(self, y: tuple[Array, ...]) -> Cones | None:
        """Return for each row directions of eta along which its value never falls, from anywhere.

        None where no such direction is known: then a search that runs away has no certificate.
        """
        del y
        return None

    def derivation(self) -> Derivation:
        """Return the textbook's steps from the density to Newton's method, as text and as LaTeX.

        Examples
        --------
        >>> from etamu.family.multinomial import Multinomial
        >>> print(Multinomial().derivation().steps[1])
        Predictors
            log(p_c/p_r) = eta_c = x'beta_c + offset, r the reference
            p_c = exp(eta_c)/(1 + sum of exp(eta_d)), p_r = 1/(1 + sum of exp(eta_d))
        """
        return derivation_of_several(self)

    def told_by(self, y: tuple[Array, ...]) -> dict[str, Mask]:
        """Return, by parameter, the rows whose response says something of it, where not all do."""
        del y
        return {}

    def doubts(self, eta: Array) -> tuple[Mask, str]:
        """Return rows in which the law is only nearly one, and what is wrong with it there (NumPy)."""
        return np.zeros(len(eta), dtype=bool), ""

    @property
    def settings(self) -> dict[str, Any]:
        """Return what was given, by name."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.init}

    @property
    def call(self) -> tuple[str, ...]:
        """Return what of a call of `glm` makes this family."""
        given = (pair for pair in self.settings.items() if pair[0] not in {"levels", "counted"})
        return (f'family="{self.name}"', *(f'{key}="{value}"' for key, value in given if value is not None))

    def label(self, parameter: Parameter, column: str) -> str:
        """Return what the coefficient of a column in one of the predictors is called."""
        return f"{parameter.name}:{column}"

    def heading(self, parameter: Parameter, name: str) -> tuple[str, str]:
        """Return the title of a predictor's block in the summary, and what a coefficient is called in it."""
        link = parameter.link.name
        title = f"{parameter.name} ({link} link):" if link != "identity" else f"{parameter.name}:"
        return title, name.removeprefix(f"{parameter.name}:")

    def wording(self, parameter: Parameter) -> Wording:
        """Return how the effects of a predictor are told."""
        link = parameter.link
        if link.name not in _KINDS:
            return Wording(link.text, link.text, "link", parameter.name)
        before, kind, pronoun = _KINDS[link.name]
        noun = f"the {before}{parameter.name}"
        return Wording(noun.removeprefix("the "), noun, kind, parameter.name, 1.0, pronoun)

    @property
    def explained(self) -> tuple[str, ...]:
        """Return what is said once below the sentences."""
        return ()

    @abstractmethod
    def bind(self, xp: Namespace, information: str = "expected") -> VectorBound:
        """Return f(y, eta) -> (value (n,), score (n, k), information (n, k, k)) in the namespace `xp`.

        The value is log f(y; eta) - saturated(y); score and information are its derivatives in eta, the
        information with its sign turned, "expected" or "observed" by name.
        """

    @abstractmethod
    def saturated(self, y: tuple[Array, ...]) -> Array:
        """Return each row's log density less its value: a function of y alone (NumPy)."""

    @abstractmethod
    def start(self, y: tuple[Array, ...], weight: Array) -> Array:
        """Return a first eta, (k,) constant or (n, k) per row (NumPy)."""

    @abstractmethod
    def mean(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return the mean of the response, (n,); for a categorical one the probabilities, (n, classes)."""

    @abstractmethod
    def variance(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return the variance of the response, (n,); for a categorical one p (1 - p), (n, classes)."""

    def observed(self, y: tuple[Array, ...]) -> Array:
        """Return each response on the scale of the mean: a proportion where there are trials (NumPy)."""
        return y[0]

    def variance_of(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return the variance of `observed`, which trials may narrow (NumPy)."""
        del y
        return np.asarray(self.variance(np, eta))

    @abstractmethod
    def cdf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return P(Y <= y) for the first response column, relatively accurate however small (NumPy)."""

    @abstractmethod
    def sf(self, y: tuple[Array, ...], eta: Array) -> Array:
        """Return P(Y > y), relatively accurate however small (NumPy)."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, eta: Array, given: tuple[Array, ...] = ()) -> Array:
        """Draw the first response column for each row; `given` are the other columns, such as trials."""

    def __str__(self) -> str:
        settings = ", ".join(f"{name}={value}" for name, value in self.settings.items())
        return f"{self.name}({settings})" if settings else self.name
