"""A fit in words: one sentence per coefficient, with its interval, and what effects do together.

May import: everything below `fit`.
Read next: `etamu.fit.sentences`, which writes them; `etamu.fit.words` for nouns, verbs and digits.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.markup import WIDTH, escape
from etamu.fit.effects_on_mean import MeanEffects
from etamu.fit.meaning import Meaning, meanings
from etamu.fit.profile import interval_df
from etamu.fit.sentences import Sentence, Teller, whole_term
from etamu.fit.together import chosen, combined
from etamu.fit.words import UNKNOWN_DIRECTION, Scale, percent_of, scale_of
from etamu.infer.wald import interval

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

MARGIN = 24
"""Names up to this length stand beside their sentence, longer ones above it."""

EXPLAINED = {
    "odds": "The odds are p / (1 - p), p the {mean}: twice the odds is not twice the {mean}.",
    "hazard": "The hazard is -log(1 - p), p the {mean}.",
    "hazard of the opposite event": "The hazard of the opposite event is -log(p), p the {mean}.",
    "latent score": "The latent score has standard deviation 1; the event happens where it is positive.",
}
"""What is said once about a scale."""


@dataclass(frozen=True, slots=True)
class Interpretation:
    """Sentences about a fit; printing it prints them, iterating yields them as values.

    Parameters
    ----------
    heading : str
    sentences : tuple of Sentence
    notes : tuple of str
        What holds for all of them.
    """

    heading: str
    sentences: tuple[Sentence, ...]
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Sentence]:
        return iter(self.sentences)

    def __len__(self) -> int:
        return len(self.sentences)

    def __getitem__(self, key: int | str) -> Sentence:
        if isinstance(key, int):
            return self.sentences[key]
        found = next((each for each in self.sentences if each.name == key), None)
        if found is None:
            names = ", ".join(each.name for each in self.sentences)
            raise KeyError(f"no sentence is about {key!r}; there are {names}")
        return found

    def __str__(self) -> str:
        width = max((len(each.name) for each in self.sentences if len(each.name) <= MARGIN), default=0)
        blocks = [_wrapped(self.heading), *(_block(each, width) for each in self.sentences)]
        return "\n\n".join([*blocks, *([_notes(self.notes)] if self.notes else [])])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        left = 'style="text-align: left; vertical-align: top"'
        rows = "".join(
            f"<tr><th {left}>{escape(each.name)}</th><td {left}>{escape(each.sentence)}.</td></tr>"
            for each in self.sentences
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        table = f"<table><tbody>{rows}</tbody></table>"
        return f'<div class="etamu-words"><p>{escape(self.heading)}</p>{table}{notes}</div>'


def interpret(
    fit: FittedModel,
    units: Mapping[str, str] | None = None,
    together: Iterable[str] | None = None,
    level: float = 0.95,
) -> Interpretation:
    """Say in words what the coefficients of a fit mean.

    Effects add on the scale of the link: exp(beta) multiplies the odds of a logit, the mean of a log, the
    hazard of a complementary log-log link; beta adds to the mean of an identity link and shifts the latent
    score of a probit by beta standard deviations. Other links have no such words: the change of g(mu) is
    told, with the average effect on the mean over the rows.

    Parameters
    ----------
    units : dict of str to str, optional
        What a numeric column counts, as ``{"age": "year"}``.
    together : list of str, optional
        Effects to compose, by coefficient, or by variable where it has one: told one by one and together.
    level : float
        Probability the intervals cover.

    Returns
    -------
    Interpretation
        Printable; its sentences are values with name, sentence, estimate, low, high, scale and average.

    Raises
    ------
    OptionError
        If a unit or a name is not one of the model, or the level is no probability.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "age": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> fit = em.glm("y ~ age", data, family="poisson")
    >>> fit.interpret(units={"age": "year"})["age"].sentence
    'each additional year of age multiplies the mean by 1.55 (95 % interval 1.25 to 1.92), a 55 % increase'
    """
    if isinstance(together, str):
        raise OptionError(f"together={together!r} is one name; give a list of two or more")
    scale = scale_of(fit)
    teller = Teller(
        fit, scale, level, MeanEffects(fit), interval(fit.coef, fit.se, level, interval_df(fit, level, None))
    )
    every = meanings(fit, units or {})
    if together is None:
        sentences = tuple(_told(teller, every))
    else:
        picked = chosen(every, tuple(together))
        sentences = (*(teller.tell(each) for each in picked), combined(teller, every, picked))
    heading = f"What the coefficients of {fit.formula or 'the model'} say ({fit.problem.unit})"
    notes = _said_once(fit, scale, level)
    if any(UNKNOWN_DIRECTION in each.sentence for each in sentences):
        notes = (*notes, "Where the data do not tell the direction, the interval includes no change.")
    return Interpretation(heading, sentences, notes)


def _told(teller: Teller, every: Iterable[Meaning]) -> Iterator[Sentence]:
    """Tell every coefficient; the columns of a basis once per term."""
    every = tuple(every)
    said: set[str] = set()
    for meaning in every:
        whole = any(change.whole for change in meaning.changes)
        if not whole or meaning.aliased:
            yield teller.tell(meaning)
        elif meaning.term not in said:
            said.add(meaning.term)
            mine = [each for each in every if each.term == meaning.term and not each.aliased]
            yield whole_term(meaning.term, len(mine))


def _said_once(fit: FittedModel, scale: Scale, level: float) -> tuple[str, ...]:
    taken = ", those of a ratio taken on the scale of the link" if scale.kind == "ratio" else ""
    wald = f"intervals are Wald intervals ({percent_of(level)} %){taken}."
    notes = [f"Each sentence holds the other columns as they are; {wald}"]
    if scale.word == "rate":
        notes.append(f"The rate is the mean per unit of {fit.problem.words.exposure or 'exposure'}.")
    if scale.word in EXPLAINED:
        notes.append(EXPLAINED[scale.word].format(mean=scale.mean))
    if fit.limit is not None:
        notes.append(f"{fit.existence.sentence} Finite numbers are those of the limit.")
    elif not fit.converged:
        notes.append(f"NOT CONVERGED ({fit.outcome.value}): the sentences describe an unverified estimate.")
    return tuple(notes)


def _block(each: Sentence, width: int) -> str:
    """Set a sentence beside its name, or below a name that is too long."""
    indent = " " * (width + 2)
    head = each.name.ljust(width) + "  " if len(each.name) <= MARGIN else indent
    # A line does not end between a number and its per cent sign.
    glued = each.sentence.replace(" %", "\0%") + "."
    wrapped = textwrap.wrap(
        glued,
        WIDTH,
        initial_indent=head,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    lines = [line.replace("\0", " ") for line in wrapped]
    return "\n".join(lines if len(each.name) <= MARGIN else [each.name, *lines])


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False))


def _notes(notes: tuple[str, ...]) -> str:
    return "\n".join(_wrapped(note) for note in notes)
