"""Estimated marginal means, and their comparisons with one another, adjusted for being several.

May import: everything below `fit`.
Read next: `etamu.infer.studentized` for Tukey's adjustment, `etamu.infer.adjust` for the others.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from etamu._base.choice import check_choice
from etamu._base.errors import OptionError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.fit.estimates import USUAL, Estimates, Linearised, Reading, estimates, stated, text_rows
from etamu.fit.profile import FACTORS
from etamu.fit.term_tests import heading
from etamu.infer.adjust import METHODS, adjust, max_t
from etamu.infer.covariance import Root
from etamu.infer.studentized import range_tail

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel

SCALES = ("ratio", "link", "response")
WAYS = ("pairwise", "reference", "sequential")


@dataclass(frozen=True, slots=True)
class Comparison:
    """How means are compared, as `Means.pairs` describes."""

    adjust: str | None = "tukey"
    scale: str | None = None
    compare: str = "pairwise"
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Wish:
    """How means are averaged and shown.

    Parameters
    ----------
    scale : "response" or "link"
    weights : "equal" or "proportional"
    at : dict, optional
    offset : float, optional
    kind : "mean" or "rate"
    bias : float
        Standard deviation of what varies on the scale of the link and is not in the model; 0 for nothing.
    reading : Reading
    """

    scale: str = "response"
    weights: str = "equal"
    at: Mapping[str, Any] | None = None
    offset: float | None = None
    kind: str = "mean"
    bias: float = 0.0
    reading: Reading = USUAL


@dataclass(frozen=True, slots=True, eq=False)
class Means:
    """Estimated marginal means; printing it prints the table.

    Parameters
    ----------
    fit : Fit
    wish : Wish
    table : Estimates
        The means on the scale asked for.
    eta : array (m,)
        Their linear predictor, offset included.
    rows : array (m, coefficients)
        The rows L with eta = L beta + offset.
    labels : dict of str to tuple of str
    by : tuple of str
        Columns of `labels` within which means are compared.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "g": list("aabbcc"), "x": [1.0, 2, 1, 3, 2, 1]}
    >>> means = em.glm("y ~ g + x", data, family="poisson").means("g")
    >>> means["g"].tolist(), means["estimate"].round(3).tolist()
    (['a', 'b', 'c'], [2.024, 6.319, 11.638])
    >>> means.pairs()["contrast"].tolist()
    ['a / b', 'a / c', 'b / c']
    """

    fit: FittedModel
    wish: Wish
    table: Estimates
    eta: Array
    rows: Array
    labels: Mapping[str, tuple[str, ...]]
    by: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.eta)

    def __getitem__(self, name: str) -> Any:
        return self.table[name]

    def frame(self) -> Any:
        """Return the table in the data-frame library that came in, a dict of arrays where there was none."""
        return self.table.frame()

    def pairs(
        self,
        adjust: str | None = "tukey",
        scale: str | None = None,
        *,
        compare: str = "pairwise",
        seed: int = 0,
    ) -> Estimates:
        """Compare the means with one another, within the groups of `by`.

        Parameters
        ----------
        adjust : "tukey", "max-t", "holm", "bonferroni", "sidak", "bh" or None
            How p-values are adjusted in each group. Intervals are those of single comparisons.
        scale : "ratio", "link" or "response", optional
            e^difference, a ratio of means (log), odds (logit) or hazards (cloglog); the difference of eta; or
            the difference of means. If left out a ratio for means on the scale of the response where the link
            has one, else the difference of eta, as emmeans.
        compare : "pairwise", "reference" or "sequential"
            All pairs (first less second), each with the first, or each with the one before it.
        seed : int
            Of the integration that "max-t" needs.

        Raises
        ------
        OptionError
            If an option is not known or does not go with the others.
        """
        return pairs(self, Comparison(adjust, scale, compare, seed))

    def __str__(self) -> str:
        return str(self.table)

    def __repr__(self) -> str:
        return str(self.table)

    def _repr_html_(self) -> str:
        return self.table._repr_html_()


def pairs(means: Means, asked: Comparison) -> Estimates:
    """Compare means within their groups."""
    fit, wish = means.fit, means.wish
    scale = _scale(means, asked)
    families = _families(means)
    tested: list[tuple[int, int]] = []
    sizes: list[int] = []
    for members in families:
        found = _couples(members, asked.compare)
        tested += found
        sizes.append(len(found))
    if not tested:
        raise OptionError("there is one mean in each group and nothing to compare it with")
    first, second = (np.array(side) for side in zip(*tested, strict=True))
    if scale == "response":
        value, root = means.table.estimate, fit.coordinates.hypothesis(means.rows)
        slope = _slopes(means)
        gradient = root * slope[:, None]
        what = Linearised(value[first] - value[second], gradient[first] - gradient[second])
    else:
        difference = means.rows[first] - means.rows[second]
        what = Linearised(means.eta[first] - means.eta[second], fit.coordinates.hypothesis(difference))
    numbers = estimates(fit, what, wish.reading, exponentiated=scale == "ratio")
    names = [name for name in means.labels if name not in means.by]
    texts = [", ".join(means.labels[name][place] for name in names) for place in range(len(means))]
    sign = "/" if scale == "ratio" else "-"
    rows = [
        {"contrast": f"{texts[i]} {sign} {texts[j]}", **{name: means.labels[name][i] for name in means.by}}
        for i, j in tested
    ]
    out = Estimates(
        title=_title(means, scale),
        heading=heading(fit, stated(fit, wish.reading, numbers["df"])),
        labels=text_rows(rows),
        **numbers,
    )
    if asked.adjust is None:
        return out
    return _adjusted(out, asked, sizes, [len(members) for members in families])


def _scale(means: Means, asked: Comparison) -> str:
    link = means.fit.link.name
    check_choice("compare", asked.compare, WAYS)
    check_choice("adjust", asked.adjust, ("tukey", "max-t", *METHODS, None))
    if asked.adjust == "tukey" and asked.compare != "pairwise":
        raise OptionError("Tukey's adjustment is for all pairs; use adjust='max-t' or 'holm'")
    if asked.scale is None:
        return (
            "ratio" if means.wish.scale == "response" and link in FACTORS and not means.wish.bias else "link"
        )
    check_choice("scale", asked.scale, SCALES)
    if asked.scale == "ratio" and link not in FACTORS:
        raise OptionError(
            f"on the {link} link no difference is a ratio (log, logit and cloglog have one): use "
            "scale='link' or 'response'"
        )
    if asked.scale == "response" and means.wish.scale != "response":
        raise OptionError("these means are on the scale of the link: ask for means(..., scale='response')")
    return asked.scale


def _slopes(means: Means) -> Array:
    """Return d mean / d eta, from the table: it carries both roots."""
    linear = means.fit.coordinates.hypothesis(means.rows) @ means.fit.root.matrix
    length = np.einsum("ij,ij->i", linear, linear)
    with np.errstate(all="ignore"):
        return np.asarray(np.einsum("ij,ij->i", means.table.root, linear) / length)


def _families(means: Means) -> list[NDArray[np.intp]]:
    """Return the positions of the means of each group, in order."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for place in range(len(means)):
        groups.setdefault(tuple(means.labels[name][place] for name in means.by), []).append(place)
    return [np.array(members) for members in groups.values()]


def _couples(members: NDArray[np.intp], compare: str) -> list[tuple[int, int]]:
    chosen = members.tolist()
    if compare == "reference":
        return [(each, chosen[0]) for each in chosen[1:]]
    if compare == "sequential":
        return [(after, before) for before, after in pairwise(chosen)]
    return [(chosen[i], chosen[j]) for i in range(len(chosen)) for j in range(i + 1, len(chosen))]


def _title(means: Means, scale: str) -> str:
    if scale == "ratio":
        return f"Comparisons of estimated marginal means: ratios of {FACTORS[means.fit.link.name]}"
    what = "means" if scale == "response" or means.fit.link.name == "identity" else "eta"
    return f"Comparisons of estimated marginal means: differences of {what}"


def _adjusted(table: Estimates, asked: Comparison, sizes: list[int], counts: list[int]) -> Estimates:
    """Adjust the p-values of each group for the number of its comparisons."""
    assert table.p_value is not None
    assert table.statistic is not None
    df = np.broadcast_to(np.asarray(table.df, dtype=np.float64), table.p_value.shape)
    parts, start = [], 0
    for size, count in zip(sizes, counts, strict=True):
        rows = slice(start, start + size)
        start += size
        if asked.adjust == "tukey":
            q = math.sqrt(2.0) * np.abs(table.statistic[rows])
            pairs_of = zip(q, df[rows], strict=True)
            parts.append(np.array([range_tail(float(each), count, float(d)) for each, d in pairs_of]))
        elif asked.adjust == "max-t":
            degrees = np.unique(df[rows])
            if degrees.size != 1:
                raise OptionError("max-t needs one number of degrees of freedom; use adjust='holm'")
            root = table.root[rows]
            with np.errstate(all="ignore"):
                unit = root / Root(root).errors()[:, None]
            parts.append(max_t(table.statistic[rows], unit @ unit.T, float(degrees[0]), seed=asked.seed))
        else:
            parts.append(adjust(table.p_value[rows], str(asked.adjust)))
    said = {"tukey": "Tukey", "max-t": "single-step, by the largest statistic"}.get(
        str(asked.adjust), asked.adjust
    )
    line = f"Adjusted p-values: {said}, in each group of means; intervals are those of single comparisons"
    return replace(table, p_adjusted=np.concatenate(parts), heading=(*table.heading, line))
