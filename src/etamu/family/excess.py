"""Truncated, hurdle and zero-inflated counts by name: Poisson and negative binomial of each.

May import: _base, family.counts, family.family, family.link, family.vector, family.zeros.
Read next: `etamu.family.zeros`, where their formulas are.
"""

from __future__ import annotations

from typing import final

from etamu._base.facts import dataclass
from etamu.family.counts import NegativeBinomialLaw, PoissonLaw
from etamu.family.family import Textbook
from etamu.family.link import Link
from etamu.family.zeros import Hurdle, ZeroInflated, ZeroTruncated

OTHERS = ("identity", "sqrt")


@final
@dataclass(frozen=True, slots=True)
class ZeroTruncatedPoisson(ZeroTruncated):
    """A Poisson count that is not recorded when it is 0: lengths of stay, sizes of groups.

    `mean` is the mean mu of the count before zeros are cut off; `predict` gives mu / (1 - exp(-mu)).

    Parameters
    ----------
    link : str or Link
        Link of mu: "log", "identity", "sqrt".
    """

    name = "zero_truncated_poisson"
    textbook = Textbook("M (1+mu-M)", "poisson given y > 0", OTHERS, "counts that are seen when positive")
    count = PoissonLaw()

    @property
    def canonical(self) -> bool:
        """With the log link eta is the canonical parameter."""
        return self.parameters[0].link.exponent == 0.0

    @property
    def convex(self) -> bool:
        """A canonical likelihood is concave."""
        return self.canonical


@final
@dataclass(frozen=True, slots=True)
class ZeroTruncatedNegativeBinomial(ZeroTruncated):
    """A negative binomial count that is not recorded when it is 0.

    Parameters
    ----------
    link, shape_link : str or Link
        Links of the mean mu before zeros are cut off, and of theta: variance mu + mu^2/theta. theta = inf is
        the truncated Poisson, theta = 0 the logarithmic law.
    """

    shape_link: str | Link = "log"
    name = "zero_truncated_negative_binomial"
    textbook = Textbook("of positive counts", "nb given y > 0", OTHERS, "positive counts that spread")
    count = NegativeBinomialLaw()


@final
@dataclass(frozen=True, slots=True)
class HurdlePoisson(Hurdle):
    """Zero with probability `zero`, else a zero-truncated Poisson count of untruncated mean `mean`.

    Parameters
    ----------
    link, zero_link : str or Link
        Links of the mean and of the probability of a zero (R's `pscl::hurdle` models its complement: the
        coefficients have the other sign).

    Notes
    -----
    The log-likelihood is a sum of a binomial one in `zero` and a truncated one in `mean`, so that the fit is
    two fits.

    References
    ----------
    Mullahy (1986), *Specification and testing of some modified count data models*, J. Econometrics 33.
    """

    name = "hurdle_poisson"
    textbook = Textbook("(1-z) (v+z M^2)", "z, or poisson given y > 0", OTHERS, "whether, and then how many")
    count = PoissonLaw()


@final
@dataclass(frozen=True, slots=True)
class HurdleNegativeBinomial(Hurdle):
    """Zero with probability `zero`, else a zero-truncated negative binomial count.

    Parameters
    ----------
    link, zero_link, shape_link : str or Link
        Links of the untruncated mean, of the probability of a zero, and of theta.
    """

    shape_link: str | Link = "log"
    name = "hurdle_negative_binomial"
    textbook = Textbook("(1-z) (v+z M^2)", "z, or nb given y > 0", OTHERS, "whether, and then how many")
    count = NegativeBinomialLaw()


@final
@dataclass(frozen=True, slots=True)
class ZeroInflatedPoisson(ZeroInflated):
    """Zero for certain with probability `zero`, else a Poisson count of mean `mean`.

    Parameters
    ----------
    link, zero_link : str or Link
        Links of the Poisson mean and of the probability of a certain zero.

    Notes
    -----
    Mean (1 - zero) mu, variance (1 - zero) (mu + zero mu^2). Minus the log-likelihood is not convex.

    References
    ----------
    Lambert (1992), *Zero-inflated Poisson regression, with an application to defects in manufacturing*,
    Technometrics 34.
    """

    name = "zero_inflated_poisson"
    textbook = Textbook("(1-z) (mu+z mu^2)", "z + (1-z) poisson", OTHERS, "zeros of two kinds")
    count = PoissonLaw()


@final
@dataclass(frozen=True, slots=True)
class ZeroInflatedNegativeBinomial(ZeroInflated):
    """Zero for certain with probability `zero`, else a negative binomial count.

    Parameters
    ----------
    link, zero_link, shape_link : str or Link
        Links of the count's mean mu, of the probability of a certain zero, and of theta: variance
        mu + mu^2/theta before inflation. theta = inf is the zero-inflated Poisson.
    """

    shape_link: str | Link = "log"
    name = "zero_inflated_negative_binomial"
    textbook = Textbook(
        "(1-z) (mu+mu^2/k+z mu^2)", "z + (1-z) nb", OTHERS, "zeros of two kinds, counts that spread"
    )
    count = NegativeBinomialLaw()
