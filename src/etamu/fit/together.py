"""Effects together: they add on the scale of the link, so factors multiply.

May import: everything below `fit`.
Read next: `etamu.fit.interpret`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from etamu._base.errors import OptionError
from etamu.fit.changes import listed
from etamu.fit.covariance import contrast_df
from etamu.fit.meaning import Meaning, head, joined
from etamu.fit.sentences import Sentence, Teller
from etamu.fit.words import doubt, figure, told, verb_phrase
from etamu.infer.wald import criticals


def chosen(every: Sequence[Meaning], names: tuple[str, ...]) -> tuple[Meaning, ...]:
    """Find the effects to compose.

    Parameters
    ----------
    names : tuple of str
        Coefficients, or variables and terms that have exactly one.

    Raises
    ------
    OptionError
        If a name is unknown or ambiguous, or the effects cannot happen together.
    """
    if len(names) < 2:
        raise OptionError("together needs two or more effects, as together=['water', 'fertilizer']")
    picked = tuple(_find(every, name) for name in names)
    factors = [meaning.changes[0].factor for meaning in picked if meaning.changes[0].factor >= 0]
    about = [meaning.changes[0].about for meaning in picked]
    for place, name in enumerate(about):
        if name in about[:place] or len(set(factors)) < len(factors):
            raise OptionError(f"together={list(names)} changes {name!r} twice; a row has one value of it")
    return picked


def _find(every: Sequence[Meaning], name: str) -> Meaning:
    effects = [each for each in every if len(each.changes) == 1 and each.changes[0].told]
    found = [each for each in effects if each.name == name]
    found = found or [each for each in effects if name in {each.term, each.changes[0].about}]
    if len(found) == 1 and not found[0].aliased:
        return found[0]
    if found and found[0].aliased:
        raise OptionError(f"together has {name!r}, which is aliased and has no coefficient")
    if len(found) > 1:
        raise OptionError(
            f"together has {name!r}, which has several coefficients: name one of {_names(found)}"
        )
    raise OptionError(
        f"together has {name!r}, which is no effect of one variable; there are {_names(effects)}"
    )


def _names(meanings: Sequence[Meaning]) -> str:
    return listed(tuple(each.name for each in meanings))


def combined(teller: Teller, every: Sequence[Meaning], picked: tuple[Meaning, ...]) -> Sentence:
    """Tell the effect of several changes at once, with the interval from the covariance of their sum.

    delta = sum of step_j beta_j; its variance is l' cov l. Interactions among the changes are part of it.
    """
    fit, scale = teller.fit, teller.scale
    inside = _interactions(every, picked)
    steps = np.zeros(len(fit.names))
    for meaning in (*picked, *inside):
        steps[meaning.index] = meaning.step
    used = np.flatnonzero(steps)
    delta = float(steps[used] @ fit.coef[used])
    se = float(np.linalg.norm(steps[used] @ fit.reported_root.matrix[used]))
    half = float(np.ravel(criticals(teller.level, contrast_df(fit, steps)))[0]) * se
    value = told(scale, (delta, delta - half, delta + half), teller.level)
    subject = joined([f"{each.changes[0].once} {each.changes[0].versus}".strip() for each in picked])
    does = verb_phrase(scale, value, plural=True)
    text = f"{_where(picked, inside)}{subject} together {does}{_composition(teller, picked, inside)}"
    name = " + ".join(meaning.name for meaning in picked)
    return Sentence(name, text + doubt(scale, value), value.estimate, value.low, value.high, scale.word)


def _interactions(every: Sequence[Meaning], picked: tuple[Meaning, ...]) -> tuple[Meaning, ...]:
    """Find the interactions all of whose changes are among those composed."""
    changes = {(each.changes[0].about, each.changes[0].subject) for each in picked}
    return tuple(
        each
        for each in every
        if len(each.changes) > 1
        and not each.aliased
        and all(change.told and (change.about, change.subject) in changes for change in each.changes)
    )


def _where(picked: tuple[Meaning, ...], inside: tuple[Meaning, ...]) -> str:
    """Say where the other columns stand; with interactions inside, where the changes start from."""
    return head(
        (text for meaning in picked for text in meaning.conditions), "starting where" if inside else "where"
    )


def _composition(teller: Teller, picked: tuple[Meaning, ...], inside: tuple[Meaning, ...]) -> str:
    """Show how the single effects compose: a product of factors, or a sum."""
    scale = teller.scale
    values = [told(scale, teller.delta(each), teller.level) for each in (*picked, *inside)]
    parts = [value.estimate for value in values]
    note = f" ({_names(inside)} included)" if inside else ""
    text = teller.fit.link.text
    if scale.kind == "ratio":
        product, total = figure(float(np.prod(parts))), figure(float(sum(parts)))
        listing = joined([f"×{value.number}" for value in values])
        wrong = f", not {total}" if total != product else ""
        return f": effects compose on the scale of {text}, so {listing} give ×{product}{wrong}{note}"
    listing = joined([value.number for value in values])
    return f": effects add on the scale of {text}, so {listing} give {figure(float(sum(parts)))}{note}"
