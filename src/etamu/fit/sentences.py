"""One sentence per coefficient: an effect, an interaction, a mean, or an honest refusal.

May import: everything below `fit`.
Read next: `etamu.fit.interpret`, which collects them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.facts import dataclass
from etamu.fit.changes import Change
from etamu.fit.effects_on_mean import MeanEffects
from etamu.fit.meaning import Meaning
from etamu.fit.words import Scale, Told, doubt, figure, told, verb_phrase

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


@dataclass(frozen=True, slots=True)
class Sentence:
    """What one coefficient says.

    Parameters
    ----------
    name : str
        The coefficient; the term where only the whole term has a meaning.
    sentence : str
    estimate, low, high : float
        The number told and its interval, on the scale told; NaN where there is none.
    scale : str
        What the number is about: "odds", "mean", "rate", "hazard", "latent score", or the text of the link.
    average : float
        Average effect on the mean over the rows, where the sentence tells one; else NaN.
    """

    name: str
    sentence: str
    estimate: float = math.nan
    low: float = math.nan
    high: float = math.nan
    scale: str = ""
    average: float = math.nan

    def __str__(self) -> str:
        return self.sentence


@dataclass(frozen=True, slots=True, eq=False)
class Teller:
    """What every sentence needs: the fit, its scale, the level, and average effects if they are asked for."""

    fit: FittedModel
    scale: Scale
    level: float
    effects: MeanEffects
    intervals: np.ndarray[tuple[int, int], np.dtype[np.float64]]

    def tell(self, meaning: Meaning) -> Sentence:
        """Say what a coefficient says."""
        if meaning.aliased:
            text = f"{meaning.name} has no coefficient: its column is a linear combination of earlier ones"
            return Sentence(meaning.name, text)
        if not math.isfinite(self.fit.coef[meaning.index]):
            return self._runaway(meaning)
        if not meaning.changes:
            return self._baseline(meaning)
        if not all(change.told for change in meaning.changes):
            return self._contrast(meaning)
        return self._effect(meaning) if len(meaning.changes) == 1 else self._interaction(meaning)

    def _runaway(self, meaning: Meaning) -> Sentence:
        """Say of a coefficient that runs away (separation) where to, or that anything will do."""
        end = float(self.fit.coef[meaning.index])
        if math.isnan(end):
            text = f"{meaning.name} is not determined: others can run away in its place (separation)"
            return Sentence(meaning.name, text)
        text = (
            f"{meaning.name} has no finite estimate: the likelihood rises for ever as it goes to "
            f"{'+' if end > 0 else '-'}Inf (separation); a profile interval tells its finite end"
        )
        return Sentence(meaning.name, text, end, scale=self.fit.link.text)

    def delta(self, meaning: Meaning) -> tuple[float, float, float]:
        """Return the change of eta that is told, and its interval."""
        numbers = (self.fit.coef[meaning.index], *self.intervals[meaning.index])
        estimate, low, high = (float(meaning.step * each) for each in numbers)
        return (estimate, low, high) if meaning.step > 0 else (estimate, high, low)

    def _effect(self, meaning: Meaning) -> Sentence:
        (change,) = meaning.changes
        value = told(self.scale, self.delta(meaning), self.level)
        average, consequence = self._consequence(meaning)
        text = f"{meaning.where}{change.subject} {verb_phrase(self.scale, value, change.versus)}"
        text += consequence + doubt(self.scale, value) + _remark(change, meaning)
        return _sentence(meaning.name, text, value, self.scale.word, average)

    def _consequence(self, meaning: Meaning) -> tuple[float, str]:
        """Say what a change on the link's own scale does to the mean, averaged over the rows."""
        if self.scale.kind != "link":
            return math.nan, ""
        noun = f"the {self.scale.mean}"
        if meaning.conditions or meaning.remark:
            return math.nan, f"; what that does to {noun} depends on the other columns"
        if self.fit.problem.sample is None:
            return (
                math.nan,
                f"; the average effect on {noun} needs the rows, which a fit read from a file lacks",
            )
        average = self.effects.average(meaning)
        if math.isnan(average):
            return (
                average,
                f"; some rows would leave the link's domain, so no average effect on {noun} is told",
            )
        verb = "raises" if average > 0 else "lowers"
        return average, f"; averaged over the rows, this {verb} {noun} by {figure(abs(average))}"

    def _interaction(self, meaning: Meaning) -> Sentence:
        *first, last = meaning.changes
        value = told(self.scale, self.delta(meaning), self.level)
        whose = "the effect of " + full(first[0])
        if len(first) > 1:
            whose = "the interaction of " + " and ".join(full(change) for change in first)
        number = {"ratio": "the factor {}", "latent": "{} standard deviations"}.get(self.scale.kind, "{}")
        amount = number.format(value.number)
        text = f"{meaning.where}{whose} on {self.scale.noun} changes by {amount} {value.interval}"
        text += f" for {full(last)}"
        return _sentence(meaning.name, text + doubt(self.scale, value), value, self.scale.word)

    def _contrast(self, meaning: Meaning) -> Sentence:
        """Tell a coefficient that is no plain comparison: the number on the link's scale, and no more."""
        link = self.fit.link.text
        own = Scale(link, link, "link", self.scale.mean)
        value = told(own, self.delta(meaning), self.level)
        subject = meaning.changes[0].subject
        if len(meaning.changes) > 1:
            parts = " and ".join(full(change).rstrip(",") for change in meaning.changes)
            subject = f"the interaction of {parts}"
        text = f"{meaning.where}{subject} is {value.number} on the scale of {link} {value.interval}"
        return _sentence(meaning.name, text + doubt(own, value), value, link)

    def _baseline(self, meaning: Meaning) -> Sentence:
        """Tell the intercept, or the mean of a level: a value, not a change."""
        eta = self.delta(meaning)
        unit = self.fit.problem.unit
        place = _where(meaning, offset=self.scale.word != "rate" and self._offset)
        if not unit.domain.contains(np.float64(eta[0])):
            text = (
                f"{place}eta is {figure(eta[0])}, outside {unit.domain!r}: there is no such mean, and the "
                "coefficient only places the others"
            )
            return Sentence(meaning.name, text, *eta, self.fit.link.text)
        if self.scale.kind in {"latent", "link"}:
            value = _told_mean(self._mean, eta, self.level)
            text = f"the {self.scale.mean} is {value.number} {value.interval}"
            return _sentence(meaning.name, place + text, value, self.scale.mean)
        value = told(self.scale, eta, self.level)
        verb = "are" if self.scale.pronoun == "them" else "is"
        text = f"{self.scale.noun} {verb} {value.number} {value.interval}"
        if self.scale.word not in {self.scale.mean, "rate"}:
            text += f", a {self.scale.mean} of {figure(self._mean(eta[0]))}"
        return _sentence(meaning.name, place + text, value, self.scale.word)

    @property
    def _offset(self) -> bool:
        return self.fit.problem.has_offset

    def _mean(self, eta: float) -> float:
        unit = self.fit.problem.unit
        if not unit.domain.contains(np.float64(eta)):
            return math.nan
        with np.errstate(all="ignore"):
            return float(unit.mean(np, np.asarray(eta, dtype=np.float64)).mu)


def whole_term(term: str, count: int) -> Sentence:
    """Say that the columns of a basis mean nothing one by one."""
    which = "the coefficient" if count == 1 else f"each of the {count} coefficients"
    text = f"{which} of {term} has no meaning of its own; look at the term as a whole"
    return Sentence(term, text)


def full(change: Change) -> str:
    """Write a change with what it is compared with."""
    return f"{change.subject} {change.versus}".strip()


def _told_mean(mean: Callable[[float], float], eta: tuple[float, float, float], level: float) -> Told:
    estimate, *ends = (mean(each) for each in eta)
    return Told(estimate, min(ends), max(ends), level)


def _where(meaning: Meaning, *, offset: bool) -> str:
    if not offset:
        return meaning.where
    places = tuple(each for each in meaning.conditions if not each.startswith("averaged"))
    return f"{meaning.where}with an offset of 0, " if places else f"with an offset of 0, {meaning.where}"


def _sentence(name: str, text: str, value: Told, word: str, average: float = math.nan) -> Sentence:
    return Sentence(name, text, value.estimate, value.low, value.high, word, average)


def _remark(change: Change, meaning: Meaning) -> str:
    if not meaning.remark:
        return ""
    return f" ({change.about} also enters through {meaning.remark}: this is only part of its effect)"
