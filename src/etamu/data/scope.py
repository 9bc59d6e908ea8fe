"""Which factors are coded in full and which reduced, so that the columns are of full rank by structure.

May import: nothing.
Read next: `etamu.data.schema`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

Scoped = tuple[tuple[int, bool], ...]
"""A product of factors, each with whether it is coded reduced."""


def scope(terms: Iterable[tuple[int, ...]], spanning: frozenset[int]) -> list[list[Scoped]]:
    """Choose the coding of every factor of every term.

    A factor whose columns span the constant stands for {its reduced columns, the constant}; a term for the
    product of those sets, less what earlier terms span already. What is left is merged by the rule
    (anything) + (anything):(reduced) -> (anything):(full). The algorithm is formulaic's and patsy's.

    Parameters
    ----------
    terms : factor numbers of each term, in order
    spanning : the factors that span the constant

    Returns
    -------
    For each term the products its columns are made of.

    Examples
    --------
    >>> scope([(), (0,), (1,), (0, 1)], frozenset({0, 1}))[-1]
    [((0, True), (1, True))]
    >>> scope([(0,), (0, 1)], frozenset({0, 1}))
    [[((0, False),)], [((0, False), (1, True))]]
    """
    spanned: set[frozenset[tuple[int, bool]]] = set()
    out = []
    for factors in terms:
        choices = [
            (((factor, True),), ()) if factor in spanning else (((factor, False),),) for factor in factors
        ]
        span = [tuple(pair for part in parts for pair in part) for parts in product(*choices)]
        new = [scoped for scoped in dict.fromkeys(span) if frozenset(scoped) not in spanned]
        spanned.update(frozenset(scoped) for scoped in new)
        out.append(_merged(new))
    return out


def _merged(scoped_terms: list[Scoped]) -> list[Scoped]:
    kept: list[Scoped] = []
    for scoped in sorted(scoped_terms, key=len):
        partner = next((other for other in kept if _absorbs(scoped, other)), None)
        if partner is None:
            if scoped not in kept:
                kept.append(scoped)
            continue
        (odd,) = set(scoped) - set(partner)
        full = tuple(
            (factor, False) if (factor, reduced) == odd else (factor, reduced) for factor, reduced in scoped
        )
        kept = _merged([other for other in kept if other != partner] + [full])
    return kept


def _absorbs(scoped: Scoped, other: Scoped) -> bool:
    """Tell whether `scoped` is `other` times one reduced factor."""
    extra = set(scoped) - set(other)
    return len(scoped) == len(other) + 1 and len(extra) == 1 and next(iter(extra))[1]
