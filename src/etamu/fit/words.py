"""How a change of eta is told on the scale of each link: which noun, which verb, how many digits.

May import: everything below `fit`.
Read next: `etamu.fit.interpret`, which builds sentences of these.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from etamu._base.facts import dataclass
from etamu.data.expression import Call
from etamu.data.schema import inner
from etamu.fit.numerals import short

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

DIGITS = 3
"""Significant digits of every number in a sentence."""

NEARLY = 0.03
"""A ratio this close to 2, 3, 4, 1/2, … (relatively) is "roughly doubling", "roughly tripling", …"""

ROUGHLY = ((2.0, "doubling"), (3.0, "tripling"), (4.0, "quadrupling"), (0.5, "halving"))

LARGEST_PERCENT = 3.0
"""Above this ratio an increase in per cent misleads: the ratio is told alone."""

SMALLEST_PERCENT = 0.01
"""Below this ratio a decrease in per cent would be rounded to 100: the ratio is told alone."""

PROBABILITIES = ("bernoulli", "binomial")
"""Families whose mean is called a probability."""

UNKNOWN_DIRECTION = "the data do not tell the direction"

DWARFED = 0.02
"""A distance from no change this small beside the length of the interval is written as none."""

Kind = Literal["ratio", "sum", "latent", "link"]


@dataclass(frozen=True, slots=True)
class Scale:
    """How effects are told for a link.

    Parameters
    ----------
    word : str
        What the effect is on: "odds", "mean", "rate", "hazard", "latent score", or the text of g.
    noun : str
        The same inside a sentence: "the odds".
    kind : "ratio", "sum", "latent" or "link"
        exp(sign delta) multiplies it; delta adds to it; delta counts its standard deviations; or only g(mu)
        itself changes by delta.
    mean : str
        What the mean is called: "mean" or "probability".
    sign : float
        -1 where the noun falls as eta rises.
    pronoun : str
        "it" or "them".
    """

    word: str
    noun: str
    kind: Kind
    mean: str = "mean"
    sign: float = 1.0
    pronoun: str = "it"

    def value(self, delta: float) -> float:
        """Carry a change of eta to the scale that is told; overflow is infinite."""
        if self.kind != "ratio":
            return self.sign * delta
        return math.exp(self.sign * delta) if self.sign * delta < 709.0 else math.inf

    @property
    def neutral(self) -> float:
        """The value that says no change."""
        return 1.0 if self.kind == "ratio" else 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """An estimate and the ends of its interval on the scale that is told; NaN ends where there is none.

    Examples
    --------
    >>> Told(2.01375, 1.52, 2.66, 0.95).interval
    '(95 % interval 1.52 to 2.66)'
    """

    estimate: float
    low: float
    high: float
    level: float

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return not (math.isnan(self.low) or math.isnan(self.high))

    @property
    def number(self) -> str:
        """The estimate as it is written; digits that its interval makes meaningless are left out."""
        dwarfed = self.known and abs(self.estimate - 1.0) < DWARFED * (self.high - self.low)
        return short(self.estimate, DIGITS) if dwarfed else figure(self.estimate)

    @property
    def interval(self) -> str:
        """The interval in brackets."""
        if not self.known:
            return "(no interval: there is no standard error)"
        return f"({percent_of(self.level)} % interval {figure(self.low)} to {figure(self.high)})"


def told(scale: Scale, delta: tuple[float, float, float], level: float) -> Told:
    """Carry a change of eta and its interval, (estimate, low, high), to the scale that is told."""
    estimate, *ends = (math.nan if math.isnan(each) else scale.value(each) for each in delta)
    low, high = (min(ends), max(ends)) if not any(map(math.isnan, ends)) else (math.nan, math.nan)
    return Told(estimate, low, high, level)


def scale_of(fit: FittedModel) -> Scale:
    """Choose the scale on which the effects of a fit are told."""
    mean = "probability" if fit.family.name in PROBABILITIES else "mean"
    make = SCALES.get(fit.link.name)
    if make is None:
        return Scale(fit.link.text, fit.link.text, "link", mean)
    return make("rate" if fit.link.name == "log" and _has_exposure(fit) else mean)


def _ratio(word: str, pronoun: str = "it", sign: float = 1.0, noun: str = "") -> Callable[[str], Scale]:
    return lambda mean: Scale(word or mean, noun or f"the {word or mean}", "ratio", mean, sign, pronoun)


SCALES: dict[str, Callable[[str], Scale]] = {
    "identity": lambda mean: Scale(mean, f"the {mean}", "sum", mean),
    "log": _ratio(""),
    "logit": _ratio("odds", "them"),
    "cloglog": _ratio("hazard"),
    # loglog is cloglog of the opposite event with the sign turned: -log(mu) = exp(-eta).
    "loglog": _ratio("hazard of the opposite event", sign=-1.0),
    "probit": lambda mean: Scale("latent score", "the latent score", "latent", mean),
}
"""Links whose effects have words of their own; every other link is told on its own scale and on the mean."""


def _has_exposure(fit: FittedModel) -> bool:
    """Tell whether the offset is the log of something, so that the mean per unit of it is a rate."""
    words, schema = fit.problem.words, fit.problem.schema
    if words.exposure is not None or "exposure" in words.given:
        return True
    offsets = (inner(offset.expression) for offset in schema.offsets) if schema is not None else ()
    return any(
        isinstance(each, Call) and each.function == "log" and len(each.arguments) == 1 for each in offsets
    )


def figure(value: float) -> str:
    """Write a number to three significant digits; near 1, to two digits of its distance from 1.

    Examples
    --------
    >>> [figure(value) for value in (2.01375, 1.8, 0.0004567, 123456.0, 1.000213)]
    ['2.01', '1.8', '0.000457', '123456', '1.00021']
    """
    distance = abs(value - 1.0)
    if 1e-9 < distance < (0.01 if value > 1.0 else 0.001):
        places = 1 - math.floor(math.log10(distance))
        return f"{value:.{places}f}".rstrip("0")
    return short(value, DIGITS)


def gloss(ratio: float, pronoun: str = "it") -> str:
    """Say a ratio in words: "a 35 % increase", "roughly doubling it"; empty where the ratio says more.

    Examples
    --------
    >>> gloss(1.35), gloss(2.01, "them"), gloss(0.82), gloss(0.49), gloss(17.0)
    ('a 35 % increase', 'roughly doubling them', 'an 18 % decrease', 'roughly halving it', '')
    """
    for target, word in ROUGHLY:
        if abs(ratio / target - 1.0) <= NEARLY:
            return f"roughly {word} {pronoun}"
    if math.isnan(ratio) or not SMALLEST_PERCENT <= ratio <= LARGEST_PERCENT:
        return ""
    percent = 100.0 * abs(ratio - 1.0)
    if percent < 1e-7:
        return "hardly any change"
    number = _percent_text(percent)
    return f"{_article(number)} {number} % {'increase' if ratio > 1.0 else 'decrease'}"


def _percent_text(percent: float) -> str:
    return f"{percent:.0f}" if percent >= 9.95 else short(percent, 2)


def _article(number: str) -> str:
    """Choose "an" before 8, 11, 18, 80, … as they are spoken."""
    whole = number.partition(".")[0]
    return "an" if whole.startswith("8") or whole in {"11", "18"} else "a"


def percent_of(level: float) -> str:
    """Write a level in per cent.

    Examples
    --------
    >>> percent_of(0.95), percent_of(0.999)
    ('95', '99.9')
    """
    return f"{100.0 * level:.10g}"


def verb_phrase(scale: Scale, value: Told, versus: str = "", *, plural: bool = False) -> str:
    """Say what a change does: verb, noun, number, interval, comparison and gloss.

    Examples
    --------
    >>> odds = Scale("odds", "the odds", "ratio", pronoun="them")
    >>> verb_phrase(odds, Told(2.01375, 1.52, 2.66, 0.95))
    'multiplies the odds by 2.01 (95 % interval 1.52 to 2.66), roughly doubling them'
    """
    number, interval = value.number, value.interval
    if scale.kind == "ratio":
        extra = "hardly any change" if number == "1" else gloss(value.estimate, scale.pronoun)
        core = f"multiplies {scale.noun} by {number} {interval}"
    elif scale.kind == "latent":
        core = f"shifts the latent score by {number} standard deviations {interval}"
        extra = _direction(value.estimate, f"the {scale.mean}")
    else:
        core = f"adds {number} to {scale.noun} {interval}"
        extra = "lowering it" if value.estimate < 0.0 and scale.kind == "sum" else ""
    if plural:
        verb, _, rest = core.partition(" ")
        core = f"{'multiply' if verb == 'multiplies' else verb.removesuffix('s')} {rest}"
    return core + (f" {versus}" if versus else "") + (f", {extra}" if extra else "")


def doubt(scale: Scale, value: Told) -> str:
    """Say that the data do not tell the direction, where they do not; empty where they do."""
    if value.known and value.low <= scale.neutral <= value.high:
        return f"; {UNKNOWN_DIRECTION}"
    return ""


def _direction(change: float, noun: str) -> str:
    if change == 0.0:
        return "no change"
    return f"{'raising' if change > 0.0 else 'lowering'} {noun}"
