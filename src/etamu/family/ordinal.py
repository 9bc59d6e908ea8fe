"""Ordinal responses: cumulative links, continuation ratios, adjacent categories; thresholds beside x' beta.

May import: _base, family.categorical, family.cones, family.interval, family.link, family.links,
 family.multinomial, family.proportion, family.vector.
Read next: `etamu.family.interval` for the probability between two thresholds.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import final

import numpy as np

from etamu._base.errors import LinkError
from etamu._base.facts import dataclass
from etamu._base.types import AnyArray, Array, Mask, Namespace
from etamu.family import links as every
from etamu.family.categorical import Categorical, indicators, value_of
from etamu.family.cones import between, highest, stopping
from etamu.family.family import Textbook
from etamu.family.interval import expected, intervals, neighbours, times
from etamu.family.link import Link
from etamu.family.multinomial import softmax
from etamu.family.proportion import Ends, Side, cauchit, cloglog, logit, loglog, probit
from etamu.family.vector import Pairs, Parameter, Rows, VectorBound, Wall, Wording, matrices

MEETING = 1e-6
"""Distance of two thresholds that meet, as far as a search comes."""

LOCATION = "location"
"""The predictor that all thresholds share."""

SIDES: dict[type[Link], Side] = {
    every.Logit: logit,
    every.Probit: probit,
    every.Cloglog: cloglog,
    every.Loglog: loglog,
    every.Cauchit: cauchit,
}
"""The latent laws: both ends of each link, neither by subtraction."""

LINKS: dict[str, Link] = {link().name: link() for link in SIDES}


@dataclass(frozen=True, slots=True)
class Ordinal(Categorical):
    """K classes in order, K - 1 thresholds tau_j and one location x' beta that all share; abstract.

    Everything depends on the differences tau_j - x' beta alone, so a positive coefficient makes higher
    classes more probable. The thresholds are linear predictors themselves, of an intercept, or where
    `nonproportional` of some terms of their own.
    """

    @property
    @abstractmethod
    def link(self) -> Link:
        """Return the link of the probabilities that are modelled."""

    @property
    @abstractmethod
    def nonproportional(self) -> str | None:
        """Return the terms with coefficients of their own at each threshold, as a formula "~ x"."""

    @property
    def ordered(self) -> bool:
        """The classes have an order."""
        return True

    @property
    def cuts(self) -> tuple[str, ...]:
        """Return the names of the thresholds, such as "low|middle"."""
        pairs = zip(self.levels, self.levels[1:], strict=False)
        return tuple(f"{lower}|{upper}" for lower, upper in pairs)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return the thresholds, then the location."""
        own = self.nonproportional or "~ 1"
        thresholds = (Parameter(cut, self.link, formula=own) for cut in self.cuts)
        return (*thresholds, Parameter(LOCATION, every.Identity(), main=True, anchored=True))

    def label(self, parameter: Parameter, column: str) -> str:
        """Return "low|middle" for a threshold and the column itself for the location."""
        if parameter.anchored:
            return column
        return parameter.name if column == "Intercept" else f"{parameter.name}:{column}"

    def heading(self, parameter: Parameter, name: str) -> tuple[str, str]:
        """Return the block of the thresholds, said in the model's formula, or of the coefficients."""
        if parameter.anchored:
            return "Coefficients (positive: higher classes are more probable):", name
        return f"Thresholds ({self.statement} = threshold - x'beta):", name

    @property
    @abstractmethod
    def event(self) -> tuple[str, str]:
        """Return the event whose probability is modelled, and the opposite one, with {} for a threshold."""

    def wording(self, parameter: Parameter) -> Wording:
        """Return the odds, hazard or latent score; the location works against the thresholds."""
        anchored = parameter.anchored
        where = "a given one" if anchored else parameter.name.partition("|")[0]
        event, opposite = (text.format(where) for text in self.event)
        sign = -1.0 if anchored else 1.0
        opposite = opposite if anchored else f"{opposite} than {where}"
        if anchored and self.link.name == "logit":
            return Wording("odds", f"the odds of {opposite}", "ratio", "probability", 1.0, "them")
        return {
            "logit": Wording("odds", f"the odds of {event}", "ratio", "probability", sign, "them"),
            "cloglog": Wording("hazard", f"the hazard of {event}", "ratio", "probability", sign),
            "loglog": Wording("hazard", f"the hazard of {opposite}", "ratio", "probability", -sign),
            "probit": Wording(
                "latent score", "the latent score", "latent", f"probability of {opposite}", -sign
            ),
        }.get(self.link.name, Wording("the latent score", "the latent score", "sum", "probability", -sign))

    @property
    @abstractmethod
    def statement(self) -> str:
        """Return the left side of the model's formula."""

    def start_from(self, shares: Array) -> Array:
        """Return thresholds at the shares, and location 0."""
        return np.append(self.thresholds_from(np.maximum(shares, 1e-300)), 0.0)

    @property
    def rising(self) -> tuple[Array, ...]:
        """Return the cones of the differences, in the thresholds and the location."""
        k = len(self.cuts)
        differences = np.hstack([np.eye(k), -np.ones((k, 1))])
        return tuple(each @ differences for each in self.rising_differences(k))

    @abstractmethod
    def rising_differences(self, k: int) -> tuple[Array, ...]:
        """Return for each class inequalities (m, k) of the differences along which it never falls."""

    @abstractmethod
    def thresholds_from(self, shares: Array) -> Array:
        """Return the thresholds (K - 1,) at which a location of 0 has these shares."""

    def bind(self, xp: Namespace, information: str = "expected") -> VectorBound:
        """Return f(y, eta) -> (value, score, information) in the thresholds and the location."""

        def bound(y: Rows, eta: AnyArray) -> tuple[AnyArray, AnyArray, AnyArray]:
            at = eta[:, :-1] - eta[:, -1:]
            value, score, pairs = self.differences(xp, y, at, information)
            k, entries, sides = at.shape[1], dict(pairs), [xp.zeros_like(value)] * at.shape[1]
            for (i, j), entry in pairs.items():
                sides[i] = sides[i] - entry
                sides[j] = sides[j] - entry if i != j else sides[j]
            entries |= {(i, k): side for i, side in enumerate(sides)}
            entries[k, k] = -sum(sides[1:], start=sides[0])
            whole = xp.concat([score, -xp.sum(score, axis=1, keepdims=True)], axis=1)
            return value, whole, matrices(xp, entries, k + 1, value)

        return bound

    def log_probabilities(self, xp: Namespace, eta: AnyArray) -> AnyArray:
        """Return the log-probability of every class, (n, K)."""
        return self.log_p(xp, eta[:, :-1] - eta[:, -1:])

    @abstractmethod
    def log_p(self, xp: Namespace, at: AnyArray) -> AnyArray:
        """Return the log-probability of every class from the differences tau_j - x' beta, (n, K)."""

    @abstractmethod
    def differences(
        self, xp: Namespace, y: Rows, at: AnyArray, information: str
    ) -> tuple[AnyArray, AnyArray, Pairs]:
        """Return value, score and the entries of the information in the differences tau_j - x' beta."""


def latent(link: str | Link) -> Link:
    """Return the link of a name or value, if ordinal families have it.

    Raises
    ------
    LinkError
        If they have not.
    """
    found = LINKS.get(link) if isinstance(link, str) else link
    if found is None or type(found) not in SIDES:
        raise LinkError(f"an ordinal family has no link {link!s}; there are {', '.join(LINKS)}")
    return found


@dataclass(frozen=True, slots=True)
class Latent(Ordinal):
    """An ordinal family of binary events, each with the tails of one latent law; abstract."""

    link: Link = every.Logit()
    nonproportional: str | None = None
    levels: tuple[str, ...] = ()
    counted: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "link", latent(self.link))
        object.__setattr__(self, "levels", tuple(self.levels))

    @property
    def convex(self) -> bool:
        """Tell whether the latent law is log-concave (Pratt 1981), as all but Cauchy's are."""
        return self.link.log_concave

    @property
    def concordance(self) -> float:
        """Return the link's scale: each event is binary, and far out the tails are those of the link."""
        return self.link.concordance


@final
@dataclass(frozen=True, slots=True)
class Cumulative(Latent):
    """A cumulative link model: g(P(Y <= j)) = alpha_j - x' beta; with the logit, proportional odds.

    Parameters
    ----------
    link : str or Link
        "logit", "probit", "cloglog", "loglog" or "cauchit".
    nonproportional : str, optional
        Terms with a coefficient of their own at each threshold, "~ x": g(P(Y <= j)) = alpha_j + z' gamma_j -
        x' beta. They are taken out of x where they stand there too.
    levels : sequence of str
        The classes from lowest to highest, where the column does not say.

    Notes
    -----
    The sign is that of R's `polr` and `clm`: a positive coefficient moves the response up. Where thresholds
    cross the likelihood is 0, and no step goes there.

    References
    ----------
    McCullagh (1980), Regression models for ordinal data, J. R. Stat. Soc. B 42.
    Agresti (2010), *Analysis of Ordinal Categorical Data*, 2nd edition.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"taste": [1, 2, 3, 2, 3, 1, 2, 3], "salt": [1.0, 2.0, 4.0, 3.0, 3.0, 2.0, 1.0, 2.0]}
    >>> em.glm("taste ~ salt", data, family=em.Cumulative()).names
    ('1|2', '2|3', 'salt')
    """

    name = "cumulative"

    @property
    def textbook(self) -> Textbook:
        """Return the family's row of the textbook table."""
        return Textbook("p (1 - p)", "-", ("probit", "cloglog"), "classes in an order")

    @property
    def statement(self) -> str:
        """Return what is modelled."""
        return f"{self.link.name} P(Y <= j)"

    @property
    def event(self) -> tuple[str, str]:
        """Return what is modelled, and its opposite."""
        return "a class no higher than {}", "a higher class"

    @property
    def walls(self) -> tuple[Wall, ...]:
        """Return that thresholds increase."""
        return tuple(Wall({j: -1.0, j + 1: 1.0}, 0.0) for j in range(len(self.levels) - 2))

    def doubts(self, eta: Array) -> tuple[Mask, str]:
        """Return rows in which two thresholds meet."""
        return np.any(np.diff(eta[:, :-1], axis=1) < MEETING, axis=1), (
            "thresholds meet and a class has probability 0: beyond they would cross, and the maximum lies at "
            "this edge; leave terms out of nonproportional=, or choose ContinuationRatio() or "
            "AdjacentCategory(), whose thresholds may cross"
        )

    def rising_differences(self, k: int) -> tuple[Array, ...]:
        """Return the cones in which the interval of the class never shrinks."""
        return between(k)

    def thresholds_from(self, shares: Array) -> Array:
        """Return g of the cumulative shares."""
        below, above = np.cumsum(shares)[:-1], np.cumsum(shares[::-1])[::-1][1:]
        return np.asarray(self.link.link(np, below, above))

    def log_p(self, xp: Namespace, at: AnyArray) -> AnyArray:
        """Return the log-probability between neighbouring thresholds; NaN where they cross."""
        ordered = xp.all(at[:, 1:] > at[:, :-1], axis=1)[:, None]
        return xp.where(ordered, intervals(xp, self.link, at, SIDES[type(self.link)](xp, at)).log_p, xp.nan)

    def differences(
        self, xp: Namespace, y: Rows, at: AnyArray, information: str
    ) -> tuple[AnyArray, AnyArray, Pairs]:
        """Return value, score and the tridiagonal information."""
        each = intervals(xp, self.link, at, SIDES[type(self.link)](xp, at))
        counts = indicators(xp, y, each.log_p)
        ordered = xp.all(at[:, 1:] > at[:, :-1], axis=1)
        value = xp.where(ordered, value_of(xp, counts, each.log_p, counted=len(y) > 1), -xp.inf)
        first, last = times(xp, counts, each.upper), times(xp, counts, each.lower)
        score = first[:, :-1] + last[:, 1:]
        if information == "expected":
            return value, score, expected(xp, xp.sum(counts, axis=1, keepdims=True), each)
        own, next_ = times(xp, counts, each.upper_bend), times(xp, counts, each.lower_bend)
        diagonal = own[:, :-1] + next_[:, 1:]
        return value, score, neighbours(diagonal, times(xp, counts, each.cross)[:, 1:-1])


@final
@dataclass(frozen=True, slots=True)
class ContinuationRatio(Latent):
    """A continuation ratio (stopping) model: g(P(Y = j | Y >= j)) = alpha_j - x' beta.

    For responses reached step by step, such as grades of a disease or of schooling; with the complementary
    log-log link it is the proportional hazards model of grouped times.

    Parameters
    ----------
    link : str or Link
        "logit", "probit", "cloglog", "loglog" or "cauchit".
    nonproportional : str, optional
        Terms with a coefficient of their own at each step, "~ x".
    levels : sequence of str
        The classes from lowest to highest, where the column does not say.

    References
    ----------
    Fienberg and Mason (1979); Agresti (2010), section 4.2; Läärä and Matthews (1985) for the equivalence with
    the cumulative model under the complementary log-log link.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"grade": [1, 2, 3, 2, 3, 1, 2, 3], "dose": [1.0, 2.0, 4.0, 3.0, 3.0, 2.0, 1.0, 2.0]}
    >>> em.glm("grade ~ dose", data, family=em.ContinuationRatio()).converged
    True
    """

    name = "continuation_ratio"

    @property
    def textbook(self) -> Textbook:
        """Return the family's row of the textbook table."""
        return Textbook("p (1 - p)", "-", ("cloglog", "probit"), "classes reached step by step")

    @property
    def statement(self) -> str:
        """Return what is modelled."""
        return f"{self.link.name} P(Y = j | Y >= j)"

    @property
    def event(self) -> tuple[str, str]:
        """Return what is modelled, and its opposite."""
        return "stopping at {}", "going on to a higher class"

    def rising_differences(self, k: int) -> tuple[Array, ...]:
        """Return the cones in which no step becomes less probable."""
        return stopping(k)

    def thresholds_from(self, shares: Array) -> Array:
        """Return g of the share of each class among those that reach it."""
        reached = np.cumsum(shares[::-1])[::-1]
        return np.asarray(self.link.link(np, shares[:-1] / reached[:-1], reached[1:] / reached[:-1]))

    def log_p(self, xp: Namespace, at: AnyArray) -> AnyArray:
        """Return log P(stop at j) plus log P(go on) of every step before."""
        return _stopping(xp, SIDES[type(self.link)](xp, at))

    def differences(
        self, xp: Namespace, y: Rows, at: AnyArray, information: str
    ) -> tuple[AnyArray, AnyArray, Pairs]:
        """Return value, score and the diagonal information: given that a step is reached, it is binary."""
        ends = SIDES[type(self.link)](xp, at)
        log_p = _stopping(xp, ends)
        counts = indicators(xp, y, log_p)
        value = value_of(xp, counts, log_p, counted=len(y) > 1)
        beyond = _beyond(xp, counts)
        stopped = counts[:, :-1]
        score = times(xp, stopped, ends.up) - times(xp, beyond, ends.down)
        if information == "expected":
            reached = _beyond(xp, xp.sum(counts, axis=1, keepdims=True) * xp.exp(log_p))
            reached = reached + xp.sum(counts, axis=1, keepdims=True) * xp.exp(log_p[:, :-1])
            both = xp.where(ends.up > 0.0, ends.up, 0.0)
            row = times(xp, xp.where(both > 0.0, reached, 0.0), times(xp, ends.down, both))
        else:
            row = times(xp, stopped, ends.up_bend) + times(xp, beyond, ends.down_bend)
        return value, score, {(j, j): row[:, j] for j in range(row.shape[1])}


def _stopping(xp: Namespace, ends: Ends) -> AnyArray:
    """Return the log-probability of every class: all earlier steps gone, its own not."""
    zero = xp.zeros_like(ends.mu[:, :1])
    gone = xp.concat([zero, xp.cumulative_sum(ends.log_complement, axis=1)], axis=1)
    return gone + xp.concat([ends.log_mu, zero], axis=1)


def _beyond(xp: Namespace, counts: AnyArray) -> AnyArray:
    """Return the counts of all classes after each but the last, (n, K - 1)."""
    turned = xp.flip(counts, axis=1)
    return xp.flip(xp.cumulative_sum(turned, axis=1), axis=1)[:, 1:]


@final
@dataclass(frozen=True, slots=True)
class AdjacentCategory(Ordinal):
    """An adjacent category logit model: log(P(Y = j) / P(Y = j + 1)) = alpha_j - x' beta.

    Parameters
    ----------
    nonproportional : str, optional
        Terms with a coefficient of their own for each pair of neighbours, "~ x".
    levels : sequence of str
        The classes from lowest to highest, where the column does not say.

    Notes
    -----
    It is the multinomial logit whose coefficients grow linearly from class to class: canonical and convex.

    References
    ----------
    Goodman (1983); Agresti (2010), section 4.1.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"taste": [1, 2, 3, 2, 3, 1, 2, 3], "salt": [1.0, 2.0, 4.0, 3.0, 3.0, 2.0, 1.0, 2.0]}
    >>> em.glm("taste ~ salt", data, family=em.AdjacentCategory()).converged
    True
    """

    nonproportional: str | None = None
    levels: tuple[str, ...] = ()
    counted: bool = False
    name = "adjacent_category"
    canonical = True
    convex = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.levels))

    @property
    def textbook(self) -> Textbook:
        """Return the family's row of the textbook table."""
        return Textbook("p (1 - p)", "log(sum exp(theta))", (), "classes in an order, by neighbours")

    @property
    def link(self) -> Link:
        """The logit: neighbours are compared by their odds."""
        return every.Logit()

    @property
    def concordance(self) -> float:
        """Return K - 1: a step changes the log odds of the first against the last class by all together."""
        return float(max(len(self.levels) - 1, 1))

    @property
    def statement(self) -> str:
        """Return what is modelled."""
        return "log P(Y = j) / P(Y = j + 1)"

    @property
    def event(self) -> tuple[str, str]:
        """Return what is modelled, and its opposite."""
        return "{} against the next class", "each class against the one below it"

    def rising_differences(self, k: int) -> tuple[Array, ...]:
        """Return the cones in which no other class's score rises faster."""
        return highest(np.vstack([np.triu(np.ones((k, k))), np.zeros((1, k))]))

    def thresholds_from(self, shares: Array) -> Array:
        """Return the log odds of neighbouring shares."""
        return np.asarray(np.log(shares[:-1]) - np.log(shares[1:]))

    def log_p(self, xp: Namespace, at: AnyArray) -> AnyArray:
        """Return the softmax of the sums of the differences."""
        return softmax(xp, _scores(xp, at)).log_p

    def differences(
        self, xp: Namespace, y: Rows, at: AnyArray, information: str
    ) -> tuple[AnyArray, AnyArray, Pairs]:
        """Return value, score and information m (P(Y <= min) P(Y > max))."""
        del information  # the link is canonical: observed and expected are the same
        each = softmax(xp, _scores(xp, at))
        counts = indicators(xp, y, each.p)
        value = value_of(xp, counts, each.log_p, counted=len(y) > 1)
        m = xp.sum(counts, axis=1, keepdims=True)
        below, above = xp.cumulative_sum(each.p, axis=1)[:, :-1], _beyond(xp, each.p)
        mine, beyond = xp.cumulative_sum(counts, axis=1)[:, :-1], _beyond(xp, counts)
        score = mine * above - beyond * below
        k = score.shape[1]
        pairs = {(i, j): m[:, 0] * below[:, i] * above[:, j] for i in range(k) for j in range(i, k)}
        return value, score, pairs


def _scores(xp: Namespace, at: AnyArray) -> AnyArray:
    """Return log p_c less log p_K: the sum of the differences from c on."""
    turned = xp.cumulative_sum(xp.flip(at, axis=1), axis=1)
    return xp.concat([xp.flip(turned, axis=1), xp.zeros_like(at[:, :1])], axis=1)
