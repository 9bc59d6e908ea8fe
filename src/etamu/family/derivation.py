"""The textbook's steps for any family: from the density to score, information, Newton's method and deviance.

May import: _base, family.formula.
Read next: `etamu.family.families`, whose formulas these are; `tests/family/test_derivation.py` checks each.
"""

from __future__ import annotations

import html
import math
import re
from typing import Any, NamedTuple, final

from etamu._base.errors import FamilyError
from etamu._base.facts import dataclass
from etamu.family.formula import constant, latex_of, read

VARIABLES = ("theta", "mu", "y", "phi")
"""Variables of the formulas of a family."""


class Row(NamedTuple):
    """The formulas of one family; k and p stand for its parameter."""

    b: str
    mean: str
    natural: str
    variance: str
    second: str
    deviance: str
    carrier: str


CATALOGUE: dict[str, Row] = {
    "gaussian": Row(
        "theta**2/2", "theta", "mu", "1", "1", "(y - mu)**2", "-y**2/(2*phi) - log(2*pi*phi)/2"
    ),
    "bernoulli": Row(
        "log(1 + exp(theta))",
        "exp(theta)/(1 + exp(theta))",
        "log(mu/(1 - mu))",
        "mu*(1 - mu)",
        "exp(theta)/(1 + exp(theta))**2",
        "2*(y*log(y/mu) + (1 - y)*log((1 - y)/(1 - mu)))",
        "0",
    ),
    "poisson": Row(
        "exp(theta)", "exp(theta)", "log(mu)", "mu", "exp(theta)", "2*(y*log(y/mu) - (y - mu))",
        "-loggamma(y + 1)",
    ),
    "gamma": Row(
        "-log(-theta)", "-1/theta", "-1/mu", "mu**2", "1/theta**2", "2*((y - mu)/mu - log(y/mu))",
        "log(y/phi)/phi - log(y) - loggamma(1/phi)",
    ),
    "inverse_gaussian": Row(
        "-sqrt(-2*theta)", "1/sqrt(-2*theta)", "-1/(2*mu**2)", "mu**3", "1/sqrt(-2*theta)**3",
        "(y - mu)**2/(mu**2*y)", "-1/(2*phi*y) - log(2*pi*phi*y**3)/2",
    ),
    "negative_binomial": Row(
        "-k*log(1 - exp(theta))",
        "k*exp(theta)/(1 - exp(theta))",
        "log(mu/(mu + k))",
        "mu + mu**2/k",
        "k*exp(theta)/(1 - exp(theta))**2",
        "2*(y*log(y/mu) - (y + k)*log((y + k)/(mu + k)))",
        "loggamma(y + k) - loggamma(k) - loggamma(y + 1)",
    ),
    "power_variance": Row(
        "((1 - p)*theta)**((2 - p)/(1 - p))/(2 - p)",
        "((1 - p)*theta)**(1/(1 - p))",
        "mu**(1 - p)/(1 - p)",
        "mu**p",
        "((1 - p)*theta)**(p/(1 - p))",
        "2*(y*(y**(1 - p) - mu**(1 - p))/(1 - p) - (y**(2 - p) - mu**(2 - p))/(2 - p))",
        "",
    ),
}  # fmt: skip
"""The catalogue's formulas by the name of the family that states them; 0 log 0 is 0."""

NOTHING = "no closed form; quadrature and root finding with a fixed number of steps"

Sides = tuple[str, str]
"""One side of an identity as plain text and as LaTeX."""


@final
@dataclass(frozen=True, slots=True)
class Step:
    """One step: its title, its lines as plain text, the same as LaTeX."""

    title: str
    lines: tuple[str, ...]
    latex: tuple[str, ...]

    def __str__(self) -> str:
        return "\n    ".join((self.title, *self.lines))


@final
@dataclass(frozen=True, slots=True)
class Derivation:
    """The steps for one family; prints as text, shows as mathematics in a notebook."""

    subject: str
    formulas: tuple[tuple[str, str], ...]
    """(name, formula) of what closes: b, mean, natural, variance, second, deviance, carrier."""
    steps: tuple[Step, ...]

    @property
    def latex(self) -> str:
        """Return all steps as LaTeX, one display per line."""
        parts = [rf"\textbf{{{_words(self.subject)}}}"]
        for step in self.steps:
            parts += [rf"\textit{{{_words(step.title)}}}", *(rf"\[ {line} \]" for line in step.latex)]
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        numbered = (f"{number}. {step}" for number, step in enumerate(self.steps, 1))
        return "\n\n".join((self.subject, *numbered))

    def _repr_html_(self) -> str:
        items = (
            f"<li>{html.escape(step.title)}"
            + "".join(f"<div>\\[{html.escape(line)}\\]</div>" for line in step.latex)
            for step in self.steps
        )
        return (
            f"<p><b>{html.escape(self.subject)}</b></p><ol>{''.join(f'{item}</li>' for item in items)}</ol>"
        )


def _words(text: str) -> str:
    return text.replace("_", r"\_").replace("^", r"\^{}")


def derivation(family: Any) -> Derivation:
    """Return the steps for a family of the catalogue, a derived one, or a user's own.

    Examples
    --------
    >>> from etamu.family.families import Gamma
    >>> dict(derivation(Gamma()).formulas)["natural"]
    '-1/mu'
    """
    formulas = formulas_of(family)
    steps = (*_law(family, formulas), *_links(family, formulas), *_GENERAL, _deviance(formulas))
    return Derivation(f"{family}: the exponential family, step by step", tuple(formulas.items()), steps)


def formulas_of(family: Any) -> dict[str, str]:
    """Return the formulas of a family by name, its parameter put in; what is missing has no closed form."""
    member = family.named
    while member.name not in CATALOGUE and member.kin is not member:
        member = member.kin
    found: dict[str, str] = {}
    if member.name in CATALOGUE:
        row = CATALOGUE[member.name]._asdict()
        for letter, attribute in (("k", "theta"), ("p", "p")):
            value = getattr(member, attribute, None)
            if isinstance(value, float | int) and math.isfinite(value):
                put = f"{value:.17g}" if value >= 0 else f"({value:.17g})"
                row = {name: re.sub(rf"\b{letter}\b", put, text) for name, text in row.items()}
        found = {name: text for name, text in row.items() if text}
        if not family.has_density:
            found.pop("carrier", None)
    own: dict[str, str] = family.formulas
    if {"b", "carrier"} <= set(found) and "b" in own and not _same(own["b"], found["b"]):
        del found["carrier"]  # b differs by a constant or a shift of theta, and so does c
    return found | own


def _same(b: str, other: str) -> bool:
    """Tell whether two cumulants are equal at a few theta that every cumulant of the catalogue has."""
    values = [[constant(read(text, "theta"), theta=theta) for theta in (-0.7, -0.2)] for text in (b, other)]
    return all(abs((x or 0.0) - (y or 0.0)) < 1e-12 for x, y in zip(*values, strict=True))


def _tex(text: str) -> str:
    """Return a formula as LaTeX; as it stands where it is none of the small language."""
    try:
        return latex_of(read(text, *VARIABLES))
    except FamilyError:
        escaped = re.sub(r"\bloggamma\(", r"\\log\\Gamma(", re.sub(r"\blog\(", r"\\log(", text))
        return re.sub(r"\b(phi|theta|mu|pi|exp)\b", r"\\\1", escaped.replace("**", "^").replace("*", r" \, "))


def _line(left: str, left_latex: str, text: str | None, instead: Sides | None = None) -> Sides:
    """Write an identity: with a closed form, with what stands instead of one, or that there is none."""
    if text is not None:
        return f"{left} = {text}", f"{left_latex} = {_tex(text)}"
    if instead is not None:
        return f"{left} = {instead[0]}", f"{left_latex} = {instead[1]}"
    return f"{left}: {NOTHING}", rf"{left_latex} \text{{: {NOTHING}}}"


def _without_closed_form(formulas: dict[str, str]) -> dict[str, Sides]:
    """Return what a quantity is by V alone, or by b alone: what quadrature and root finding compute."""
    if "variance" in formulas:
        text = formulas["variance"]
        v = _tex(text)
        return {
            "natural": (f"integral of dmu/({text})", rf"\int \frac{{d\mu}}{{{v}}}"),
            "b": (
                f"integral of mu/({text}) dmu, at mu = b'(theta)",
                rf"\int \frac{{\mu}}{{{v}}} \, d\mu \Big|_{{\mu = b'(\theta)}}",
            ),
            "mean": (
                f"the mu with integral of dmu/({text}) = theta",
                rf"\text{{the }} \mu \text{{ with }} \int \frac{{d\mu}}{{{v}}} = \theta",
            ),
            "second": ("V(b'(theta))", r"V(b'(\theta))"),
        }
    if "mean" not in formulas or "second" not in formulas:
        return {}
    return {
        "natural": (
            f"the theta with {formulas['mean']} = mu",
            rf"\text{{the }} \theta \text{{ with }} {_tex(formulas['mean'])} = \mu",
        ),
        "variance": (
            f"{formulas['second']}, at theta = (b')^-1(mu)",
            rf"{_tex(formulas['second'])} \Big|_{{\theta = (b')^{{-1}}(\mu)}}",
        ),
        "deviance": (
            "2 (b(theta) - b(theta_y) - y (theta - theta_y)), theta_y = (b')^-1(y)",
            r"2\,(b(\theta) - b(\theta_y) - y\,(\theta - \theta_y)), \quad \theta_y = (b')^{-1}(y)",
        ),
    }


def _step(title: str, *lines: tuple[str, str]) -> Step:
    return Step(title, tuple(text for text, _ in lines), tuple(latex for _, latex in lines))


def _law(family: Any, formulas: dict[str, str]) -> tuple[Step, ...]:
    """Return density, cumulant, mean and variance."""
    density = (
        "f(y) = exp((y theta - b(theta))/phi + c(y, phi))",
        r"f(y) = \exp\left(\frac{y \theta - b(\theta)}{\phi} + c(y, \phi)\right)",
    )
    carrier = (
        "c(y, phi): makes f sum or integrate to 1" if family.has_density
        else "a quasi-likelihood: no c, no density",
        r"c(y, \phi) \text{ makes } f \text{ sum or integrate to } 1" if family.has_density
        else r"\text{a quasi-likelihood: no } c \text{, no density}",
    )  # fmt: skip
    if "carrier" in formulas:
        carrier = _line("c(y, phi)", r"c(y, \phi)", formulas["carrier"])
    instead = _without_closed_form(formulas)
    phi = ("phi = 1", r"\phi = 1") if family.dispersion_known else ("phi > 0", r"\phi > 0")
    return (
        _step("Exponential family", density, carrier, phi),
        _step("Cumulant", _line("b(theta)", r"b(\theta)", formulas.get("b"), instead.get("b"))),
        _step(
            "Mean",
            _line("mu = b'(theta)", r"\mu = b'(\theta)", formulas.get("mean"), instead.get("mean")),
        ),
        _step(
            "Variance",
            ("Var y = phi b''(theta) = phi V(mu)",
             r"\operatorname{Var} y = \phi\, b''(\theta) = \phi\, V(\mu)"),
            _line("b''(theta)", r"b''(\theta)", formulas.get("second"), instead.get("second")),
            _line("V(mu) = b''((b')^-1(mu))", r"V(\mu) = b''\big((b')^{-1}(\mu)\big)",
                  formulas.get("variance"), instead.get("variance")),
        ),
    )  # fmt: skip


def _links(family: Any, formulas: dict[str, str]) -> tuple[Step, ...]:
    """Return theta of the mean, the canonical link, and theta of eta for any link."""
    name, text = ("canonical", "") if family.unknown else (family.canonical.name, family.canonical.text)
    for attribute, value in family.settings.items():
        text = re.sub(rf"\b{attribute}\b", f"{value}", text)
    own = name == "canonical"
    return (
        _step(
            "Canonical parameter",
            _line(
                "theta = (b')^-1(mu)",
                r"\theta = (b')^{-1}(\mu)",
                formulas.get("natural"),
                _without_closed_form(formulas).get("natural"),
            ),
        ),
        _step(
            "Canonical link",
            ("g(mu) = theta" if own else f"g(mu) = {text} ({name}): theta up to an affine map",
             r"g(\mu) = \theta" if own
             else rf"g = \text{{{_words(name)}}}: \quad \theta \text{{ up to an affine map}}"),
        ),
        _step(
            "Any link",
            ("eta = g(mu) = x'beta + offset", r"\eta = g(\mu) = x'\beta + \text{offset}"),
            ("theta = h(eta), h = (g o b')^-1", r"\theta = h(\eta), \quad h = (g \circ b')^{-1}"),
        ),
    )  # fmt: skip


_GENERAL = (
    _step(
        "Log-likelihood",
        (
            "l(beta) = sum w (y theta - b(theta))/phi + c(y, phi/w)",
            r"\ell(\beta) = \sum w\,\frac{y \theta - b(\theta)}{\phi} + c(y, \phi/w)",
        ),
    ),
    _step(
        "Score",
        (
            "dl/deta = w (y - mu)/(phi V(mu)) dmu/deta",
            r"\frac{d\ell}{d\eta} = \frac{w\,(y - \mu)}{\phi\, V(\mu)}\,\frac{d\mu}{d\eta}",
        ),
        ("U(beta) = X' dl/deta", r"U(\beta) = X' \frac{d\ell}{d\eta}"),
    ),
    _step(
        "Information",
        (
            "expected: W = w (dmu/deta)^2/(phi V(mu))",
            r"W = \frac{w}{\phi\, V(\mu)} \left(\frac{d\mu}{d\eta}\right)^2",
        ),
        (
            "observed: W - w (y - mu)/phi (d2mu/deta2/V(mu) - V'(mu) (dmu/deta)^2/V(mu)^2)",
            r"W_{\text{obs}} = W - \tfrac{w(y - \mu)}{\phi} (\tfrac{\mu''}{V} - \tfrac{V'\mu'^2}{V^2})",
        ),
        ("I(beta) = X' W X", r"I(\beta) = X' W X"),
    ),
    _step(
        "With the canonical link, eta = theta",
        (
            "dmu/deta = V(mu), so dl/deta = w (y - mu)/phi",
            r"\frac{d\mu}{d\eta} = V(\mu), \quad \frac{d\ell}{d\eta} = \frac{w\,(y - \mu)}{\phi}",
        ),
        ("-d2l/deta2 = w V(mu)/phi >= 0, free of y: l is concave, observed = expected information",
         r"-\frac{d^2\ell}{d\eta^2} = \frac{w\, V(\mu)}{\phi} \ge 0 \text{: concave, observed = expected}"),
    ),
    _step(
        "Newton's method",
        ("beta <- beta + (X' W_obs X)^-1 U(beta)",
         r"\beta \leftarrow \beta + (X' W_{\text{obs}} X)^{-1} U(\beta)"),
    ),
    _step(
        "IRLS (Fisher scoring)",
        ("z = eta + (y - mu) deta/dmu", r"z = \eta + (y - \mu)\,\frac{d\eta}{d\mu}"),
        ("beta <- (X' W X)^-1 X' W z", r"\beta \leftarrow (X' W X)^{-1} X' W z"),
    ),
)  # fmt: skip


def _deviance(formulas: dict[str, str]) -> Step:
    """Return the unit deviance; where only V is known, the integral says all."""
    instead = _without_closed_form(formulas).get("deviance")
    closed = formulas.get("deviance")
    own = [] if closed is None and instead is None and "variance" in formulas else [
        _line("d(y, mu)", r"d(y, \mu)", closed, instead)
    ]  # fmt: skip
    return _step(
        "Deviance",
        (
            "d(y, mu) = 2 integral from mu to y of (y - t)/V(t) dt = 2 phi (l(y) - l(mu))",
            r"d(y, \mu) = 2 \int_\mu^y \frac{y - t}{V(t)}\,dt = 2\phi\,(\ell(y) - \ell(\mu))",
        ),
        *own,
        ("D = sum w d(y, mu)", r"D = \sum w\, d(y, \mu)"),
    )
