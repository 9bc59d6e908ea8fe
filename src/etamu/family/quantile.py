"""Quantiles of a law, or of a mixture of one law over several means, by bracketing its own tails.

May import: `etamu._base`, `etamu.family.distribution`, numpy; scipy inside functions.
Read next: `etamu.fit.prediction`, which asks for those of the next observation.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from etamu._base.facts import dataclass
from etamu._base.types import Array, Mask
from etamu.family.distribution import Distribution

DOUBLINGS = 60
ITERATIONS = 100
WIDE = 16.0
"""Ends of a bracket whose ratio is larger are apart by decades."""
CLOSE = 1e-11
FARTHEST = 37.0
"""Normal scores of tails are cut here: no smaller probability is a float."""
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """The law of each row, a weighted mean of one law at several means.

    Parameters
    ----------
    law : Distribution
    mu, complement, share : arrays (n, k)
        Means, 1 - mu, and the weights of the means, which add up to 1 in every row.
    dispersion : array (n,)
    trials : array (n,), optional
    """

    law: Distribution
    mu: Array
    complement: Array
    share: Array
    dispersion: Array
    trials: Array | None = None

    def score(self, y: Array, rows: Rows, *, upper: bool) -> Array:
        """Return the normal score of y in some rows, from the tail below or above it."""
        from scipy.special import ndtri

        given = {} if self.trials is None else {"trials": self.trials[rows, None]}
        tail = self.law.sf if upper else self.law.cdf
        each = tail(
            y[:, None],
            self.mu[rows],
            self.dispersion[rows, None],
            complement=self.complement[rows],
            **given,
        )
        share = self.share[rows]
        mean = np.sum(np.where(share > 0, each * share, 0.0), axis=1)
        score = np.clip(ndtri(np.clip(mean, 0.0, 1.0)), -FARTHEST, FARTHEST)
        return np.asarray(-score if upper else score)

    def moments(self) -> tuple[Array, Array]:
        """Return mean and standard deviation of each row."""
        given = {} if self.trials is None else {"trials": self.trials[:, None]}
        own = {"complement": self.complement, **given}
        mean = self.law.mean(self.mu, self.dispersion[:, None], **own)
        spread = self.law.variance(self.mu, self.dispersion[:, None], **own)
        used = self.share > 0
        centre = np.sum(np.where(used, self.share * mean, 0.0), axis=1)
        around = np.where(used, self.share * (spread + (mean - centre[:, None]) ** 2), 0.0)
        return centre, np.sqrt(np.sum(around, axis=1))


def quantile(mixture: Mixture, probability: Array) -> Array:
    """Find the smallest y with P(Y <= y) >= probability; NaN where the mixture has no means.

    Where the probability exceeds 1/2 the upper tail is used, so that 1 - 1e-12 is as good as 1e-12.

    Examples
    --------
    >>> from etamu.family.distribution import distribution
    >>> from etamu.family.families import Poisson
    >>> one = np.ones((2, 1))
    >>> law = Mixture(distribution(Poisson()), 4.0 * one, -3.0 * one, one, np.ones(2))
    >>> quantile(law, np.array([0.025, 0.975]))
    array([1., 8.])
    """
    return _quantile(mixture, probability, 1.0 - probability)


def upper_quantile(mixture: Mixture, probability: Array) -> Array:
    """Find the smallest y with P(Y > y) <= probability."""
    return _quantile(mixture, 1.0 - probability, probability)


def _quantile(mixture: Mixture, below: Array, above: Array) -> Array:
    from scipy.special import ndtri

    upper = below > 0.5
    target = np.where(upper, -ndtri(above), ndtri(below))
    centre, spread = mixture.moments()
    out = np.full(len(target), np.nan)
    law = mixture.law
    for side in (False, True):
        rows = np.flatnonzero((upper == side) & np.isfinite(centre) & (mixture.share.sum(axis=1) > 0))
        if not len(rows):
            continue
        search = _Search(mixture, rows, target[rows], centre[rows], spread[rows], side)
        out[rows] = search.on_lattice() if law.discrete else search.on_line()
    return out


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    """Rows whose quantile is looked for on the same side."""

    mixture: Mixture
    rows: Rows
    target: Array
    centre: Array
    spread: Array
    upper: bool

    def excess(self, y: Array, some: Rows) -> Array:
        """Return by how much the score of y exceeds the target; not negative where y is far enough."""
        return self.mixture.score(y, self.rows[some], upper=self.upper) - self.target[some]

    def on_lattice(self) -> Array:
        """Bisect the multiples of the spacing: whole numbers, or multiples of phi for a scaled count."""
        family = self.mixture.law.family
        scaled = not family.dispersion_known
        spacing = self.mixture.dispersion[self.rows] if scaled else np.ones(len(self.rows))
        low = np.full(len(self.rows), -1.0)
        near = np.floor((self.centre + (self.target - 2.0) * self.spread) / spacing)
        high = np.maximum(np.ceil((self.centre + (self.target + 2.0) * self.spread) / spacing), 0.0)
        everything = np.arange(len(self.rows))
        for _ in range(DOUBLINGS):
            short = everything[self.excess(high[everything] * spacing[everything], everything) < 0]
            low[short], high[short] = high[short], 2.0 * high[short] + 1.0
            everything = short
            if not len(short):
                break
        some = np.flatnonzero(near > low)
        some = some[near[some] < high[some]]
        missed = self.excess(near[some] * spacing[some], some) < 0
        low[some[missed]] = near[some[missed]]
        high[some[~missed]] = near[some[~missed]]
        for _ in range(ITERATIONS):
            open_ = np.flatnonzero(high - low > np.maximum(1.0, 4e-16 * high))
            if not len(open_):
                break
            least, most = np.maximum(low[open_], 1.0), high[open_]
            # Over decades by the geometric mean: halves would take a step for every factor of two.
            middle = np.where(most > WIDE * least, np.sqrt(least) * np.sqrt(most), 0.5 * (low[open_] + most))
            middle = np.floor(middle)
            enough = self.excess(middle * spacing[open_], open_) >= 0
            high[open_[enough]], low[open_[~enough]] = middle[enough], middle[~enough]
        return np.asarray(high * spacing)

    def on_line(self) -> Array:
        """Solve for the score by the Illinois rule, in log y where y is positive."""
        positive = self.mixture.law.family.support.interval.lower >= 0
        everything = np.arange(len(self.rows))
        if not positive:
            return self._solve(everything, self.centre, self.spread, lambda t: t)
        with np.errstate(divide="ignore"):
            middle = np.log(self.centre)
        width = np.sqrt(np.log1p((self.spread / self.centre) ** 2))
        out = np.zeros(len(self.rows))
        some = everything[self.excess(out, everything) < 0]  # the others have their quantile on an atom at 0
        out[some] = self._solve(some, middle[some], width[some], _exponential)
        return out

    def _solve(self, rows: Rows, centre: Array, width: Array, place: object) -> Array:
        """Close a bracket around the root of `excess(place(t))`, increasing in t."""
        assert callable(place)

        def excess(t: Array, some: Mask | slice) -> Array:
            return self.excess(np.asarray(place(t)), rows[some])

        width = np.where(width > 0, width, np.maximum(np.abs(centre), 1.0) * 1e-12)
        target = self.target[rows]
        low, high = centre + (target - 0.5) * width, centre + (target + 0.5) * width
        at_low, at_high = excess(low, slice(None)), excess(high, slice(None))
        reach = width.copy()
        for _ in range(DOUBLINGS):
            over, short = at_low >= 0, at_high < 0
            if not (over.any() or short.any()):
                break
            high, at_high = np.where(over, low, high), np.where(over, at_low, at_high)
            low, at_low = np.where(short & ~over, high, low), np.where(short & ~over, at_high, at_low)
            reach = np.where(over | short, 2.0 * reach, reach)
            low = np.where(over, low - reach, low)
            high = np.where(short & ~over, high + reach, high)
            at_low[over] = excess(low[over], over)
            at_high[short & ~over] = excess(high[short & ~over], short & ~over)
        return self._close(excess, low, high, at_low, at_high, width, place)

    def _close(
        self,
        excess: object,
        low: Array,
        high: Array,
        at_low: Array,
        at_high: Array,
        width: Array,
        place: object,
    ) -> Array:
        assert callable(excess)
        assert callable(place)
        weight_low, weight_high = at_low.copy(), at_high.copy()
        for count in range(ITERATIONS):
            floor = CLOSE * width + 4e-16 * np.maximum(np.abs(low), np.abs(high))
            open_ = (high - low > floor) & (weight_high != 0)
            if not open_.any():
                break
            a, b, fa, fb = low[open_], high[open_], weight_low[open_], weight_high[open_]
            guess = (a * fb - b * fa) / (fb - fa)
            guess = np.where((guess > a) & (guess < b) & (count % 4 < 3), guess, 0.5 * (a + b))
            # A step that all but lands on the root is carried a little beyond it, so that the bracket closes.
            nudge = 0.25 * floor[open_]
            inward = np.maximum(guess, a + nudge), np.minimum(guess, b - nudge)
            guess = np.where(np.abs(fa) < np.abs(fb), *inward)
            value = excess(guess, open_)
            above = value >= 0
            high[open_] = np.where(above, guess, b)
            low[open_] = np.where(above, a, guess)
            weight_high[open_] = np.where(above, value, 0.5 * fb)
            weight_low[open_] = np.where(above, 0.5 * fa, value)
        return np.asarray(place(high))


def _exponential(t: Array) -> Array:
    return np.asarray(np.exp(np.clip(t, -708.0, 709.0)))
