"""The three components of a fitted model, in words and numbers: random, systematic, link.

May import: everything below `fit`.
Read next: `etamu.plot.components`, which draws them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.listing import listed
from etamu._base.markup import GLUE, WIDTH, wrap
from etamu._base.types import Array
from etamu.family.family import Family
from etamu.family.link import Link
from etamu.fit.numerals import short
from etamu.fit.rows import by_row, raw_beta
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel


INVERSES = {
    "identity": "eta",
    "log": "exp(eta)",
    "logit": "1 / (1 + exp(-eta))",
    "probit": "Phi(eta), the normal distribution function",
    "cloglog": "1 - exp(-exp(eta))",
    "loglog": "exp(-exp(-eta))",
    "cauchit": "1/2 + arctan(eta) / pi",
    "inverse": "1 / eta",
    "inverse_squared": "1 / sqrt(eta)",
    "sqrt": "eta^2",
}
"""Inverse of each link as the textbook writes it."""


SYMBOLS = {"theta": "k", "power": "p"}
"""What the textbook calls the parameters of families."""

PHI = {
    "pearson": "Pearson",
    "deviance": "deviance / df",
    "ml": "maximum likelihood",
    "adjusted": "adjusted score",
}
"""How phi was estimated, in words."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """The three components of a generalized linear model, at the estimate.

    Parameters
    ----------
    model : str
        What is modelled: the formula, or the response.
    random : tuple of str
        How y varies around mu: family, V(mu), phi, b(theta).
    systematic : tuple of str
        The linear predictor eta, with its coefficients.
    link : tuple of str
        g and its inverse.
    eta, mean, variance : arrays (rows of the input,)
        eta, mu and V(mu) of every row; NaN where a row was dropped. Empty for a fit read from a file.
    """

    model: str
    random: tuple[str, ...]
    systematic: tuple[str, ...]
    link: tuple[str, ...]
    eta: Array
    mean: Array
    variance: Array

    def __str__(self) -> str:
        parts = (("Random", self.random), ("Systematic", self.systematic), ("Link", self.link))
        blocks = [
            "\n".join(wrap(f"The three components of {self.model}")),
            *(_block(title, lines) for title, lines in parts),
        ]
        return "\n\n".join(blocks)

    def __repr__(self) -> str:
        return str(self)


def components(fit: FittedModel) -> Components:
    """State the three components of a fit.

    Random: E(y) = mu, Var(y) = phi V(mu) / w. Systematic: eta = x' beta + offset. Link: g(mu) = eta.

    Examples
    --------
    >>> import etamu as em
    >>> fit = em.glm("y ~ x", {"y": [1.0, 3.0, 4.0, 9.0], "x": [0.0, 1.0, 2.0, 3.0]}, family="poisson")
    >>> print(fit.components().systematic[0])
    eta = 0.20566 + 0.65739 x
    """
    unit, beta = fit.problem.unit, raw_beta(fit)
    here = fit.problem.sample is not None
    eta = by_row(fit, lambda chunk: etas(chunk, beta)) if here else np.zeros(0)
    with np.errstate(all="ignore"):
        mean, variance = unit.mean(np, eta).mu, unit.variance(np, eta)
    return Components(
        fit.formula or fit.problem.words.response or "the response",
        _random(fit),
        _systematic(fit, eta),
        _link(fit, np.asarray(mean)),
        eta,
        np.asarray(mean),
        np.asarray(variance),
    )


def spelled(family: Family) -> str:
    """Write a family as the door understands it, with the parameter it was given.

    Examples
    --------
    >>> from etamu.family.families import NegativeBinomial, Poisson
    >>> spelled(Poisson()), spelled(NegativeBinomial(theta=2.0))
    ('poisson', 'negative_binomial(2)')
    """
    given = ", ".join(_parameters(family).values())
    return f"{family.name}({given})" if given else family.name


def stated(family: Family) -> tuple[str, str]:
    """Write V(mu) and b(theta) of a family with the parameter it was given.

    Examples
    --------
    >>> from etamu.family.borrowed import Quasi
    >>> from etamu.family.families import NegativeBinomial
    >>> stated(NegativeBinomial(theta=2.0))
    ('mu + mu^2/2', '-2 log(1 - exp(theta))')
    >>> stated(Quasi("mu^3"))[0]
    'mu^3'
    """
    book, parameters = family.textbook, _parameters(family)
    if "stated" in book.variance and parameters:
        return next(iter(parameters.values())), book.cumulant
    texts = [book.variance, book.cumulant]
    for name, value in parameters.items():
        texts = [re.sub(rf"\b{SYMBOLS.get(name, name)}\b", value, text) for text in texts]
    return texts[0], texts[1]


def _parameters(family: Family) -> dict[str, str]:
    values = family.settings.items()
    return {name: f"{value:.17g}" if isinstance(value, float) else str(value) for name, value in values}


def inverse_text(link: Link) -> str:
    """Write the inverse of a link.

    Examples
    --------
    >>> from etamu.family.links import Power
    >>> inverse_text(Power(1 / 3))
    'eta^3'
    """
    if link.name in INVERSES:
        return INVERSES[link.name]
    if link.exponent:
        power = 1.0 / link.exponent
        return f"eta^{power:g}" if power > 0 else f"eta^({power:g})"
    return "the eta with g(mu) = eta solved for mu"


def _random(fit: FittedModel) -> tuple[str, ...]:
    family, words = fit.family, fit.problem.words
    response = words.response or "y"
    many = len(family.response) > 1
    trials = words.trials or "trials"
    what = f"{response} / {trials}" if many else response
    values = f"successes out of {trials}" if many else repr(family.support)
    weighted = "variance_weights" in {*words.given, *dict(words.weights)}
    over = (f" / {trials}" if many else "") + (" / w" if weighted else "")
    scale = "" if fit.phi.kind == "known" else "phi "
    known = {"known": "1 by definition", "given": f"{short(fit.dispersion)} (given)"}
    phi = known.get(fit.phi.kind) or f"{short(fit.dispersion)} ({PHI[fit.phi.kind]})"
    variance, cumulant = stated(family)
    lines = [
        f"{what} varies around its mean mu as {spelled(family)}: {values}",
        f"Var({what}) = {scale}V(mu){over}, V(mu) = {variance}, phi = {phi}",
    ]
    if family.has_density:
        lines.append(f"b(theta) = {cumulant}, with b'(theta) = mu and b''(theta) = V(mu)")
    else:
        lines.append("a variance without a density: quasi-likelihood")
    return tuple(lines)


def _systematic(fit: FittedModel, eta: Array) -> tuple[str, ...]:
    words = fit.problem.words
    parts: list[str] = []
    for name, value in zip(fit.names, fit.coef, strict=True):
        if np.isnan(value):
            continue
        term = short(abs(value)) + ("" if name == "Intercept" else f" {name}")
        parts.append(("- " if value < 0 else "+ ") + term)
    given = [
        f"+ log({words.exposure})" if words.exposure else "",
        f"+ {words.offset}" if words.offset else "",
    ]
    parts += [text for text in given if text]
    parts += [
        f"+ {'log(exposure)' if k == 'exposure' else k}" for k in words.given if k in {"offset", "exposure"}
    ]
    sentence = " ".join(parts) or "0"
    sentence = sentence.removeprefix("+ ") if sentence.startswith("+ ") else sentence.replace("- ", "-", 1)
    lines = [f"eta = {sentence}"]
    if fit.aliased:
        lines.append(f"without {listed(fit.aliased)}: linear combinations of earlier columns")
    if np.isfinite(eta).any():
        low, high = short(np.nanmin(eta), 4), short(np.nanmax(eta), 4)
        lines.append(f"over the rows used, eta runs from {low} to {high}")
    return tuple(lines)


def _link(fit: FittedModel, mean: Array) -> tuple[str, ...]:
    unit = fit.problem.unit
    name = unit.link.name
    if unit.canonical:
        standing = "canonical: eta is theta up to an affine map"
    else:
        standing = f"not the canonical link, which is {unit.family.canonical.name}"
    lines = [f"{name}: eta = g(mu) = {unit.link.text}", f"mu = {inverse_text(unit.link)}", standing]
    if unit.restricted:
        lines.append(f"only eta in {unit.domain!r} give a mean this family can have")
    if np.isfinite(mean).any():
        lines.append(
            f"over the rows used, mu runs from {short(np.nanmin(mean), 4)} to {short(np.nanmax(mean), 4)}"
        )
    return tuple(lines)


def _block(title: str, lines: tuple[str, ...]) -> str:
    wrapped: list[str] = []
    for line in lines:
        wrapped += wrap(_bound(line) if title == "Systematic" else line, WIDTH - 12, indent="    ")
    head = f"{title:<12}{wrapped[0]}"
    return "\n".join([head, *(" " * 12 + line for line in wrapped[1:])])


def _bound(sentence: str) -> str:
    """Bind every coefficient to its sign and its name."""
    return re.sub(r"([+-]) (\S+) (?=[^\s+-])", rf"\1{GLUE}\2{GLUE}", sentence)
