"""The steps for families of several linear predictors: density, moments, score, information, Newton.

May import: _base, family.derivation, family.formula.
Read next: `etamu.family.derivation`, the steps of one predictor; `tests/family/test_derivation_several.py`
checks each formula against the family.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from etamu._base.errors import FamilyError
from etamu.family.derivation import Derivation, Sides, Step
from etamu.family.formula import latex_of, read

SYMBOLS = ("mu", "phi", "alpha", "theta", "nu", "z", "y", "m", "lambda_", "Z", "p0", "f", "M", "v")
"""What the formulas are written in."""


class Law(NamedTuple):
    """The law of one family in words of its parameters.

    Parameters
    ----------
    symbols : dict of str to str
        How a parameter is written.
    density : tuple of (left, right)
        Identities of log f, and of what it is made of.
    mean, variance : str
        Of the response.
    """

    symbols: dict[str, str]
    density: tuple[tuple[str, str], ...]
    mean: str
    variance: str


_POISSON = "y*log(mu) - mu - loggamma(y + 1)"
_NB = (
    "loggamma(y + theta) - loggamma(theta) - loggamma(y + 1) + theta*log(theta/(theta + mu)) "
    "+ y*log(mu/(theta + mu))"
)
_BETA = (
    "loggamma(phi) - loggamma(mu*phi) - loggamma((1 - mu)*phi) + (mu*phi - 1)*log(y) "
    "+ ((1 - mu)*phi - 1)*log(1 - y)"
)
_BETA_BINOMIAL = (
    "loggamma(m + 1) - loggamma(y + 1) - loggamma(m - y + 1) + loggamma(y + mu*phi) "
    "+ loggamma(m - y + (1 - mu)*phi) - loggamma(m + phi) + loggamma(phi) - loggamma(mu*phi) "
    "- loggamma((1 - mu)*phi)"
)
_NB1 = (
    "loggamma(y + mu/alpha) - loggamma(mu/alpha) - loggamma(y + 1) - (mu/alpha)*log(1 + alpha) "
    "+ y*log(alpha/(1 + alpha))"
)
_GENERALIZED = "log(mu/phi) + (y - 1)*log(mu/phi + (1 - 1/phi)*y) - mu/phi - (1 - 1/phi)*y - loggamma(y + 1)"
_NONE = {"poisson": "exp(-mu)", "nb": "(theta/(theta + mu))**theta"}
_SPREAD = {"poisson": "mu", "nb": "mu + mu**2/theta"}
_LOG_F = {"poisson": _POISSON, "nb": _NB}


def _counted(kind: str) -> tuple[tuple[str, str], ...]:
    """Return the law behind a hurdle, a truncation or an inflation, and its probability of no count."""
    return (("log f(y)", _LOG_F[kind]), ("p0 = f(0)", _NONE[kind]), ("v", _SPREAD[kind]))


def _symbols(kind: str, *others: str) -> dict[str, str]:
    shape = {"shape": "theta"} if kind == "nb" else {}
    return {"mean": "mu"} | ({"zero": "z"} if "zero" in others else {}) | shape


def _truncated(kind: str) -> Law:
    density = (*_counted(kind), ("log P(Y = y)", "log(f) - log(1 - p0)"), ("M", "mu/(1 - p0)"))
    return Law(_symbols(kind), density, "M", "(v + mu**2)/(1 - p0) - M**2")


def _hurdle(kind: str) -> Law:
    density = (
        *_counted(kind),
        ("log P(Y = 0)", "log(z)"),
        ("log P(Y = y > 0)", "log(1 - z) + log(f) - log(1 - p0)"),
        ("M", "mu/(1 - p0)"),
    )
    return Law(_symbols(kind, "zero"), density, "(1 - z)*M", "(1 - z)*(v + mu**2)/(1 - p0) - ((1 - z)*M)**2")


def _inflated(kind: str) -> Law:
    density = (
        *_counted(kind),
        ("log P(Y = 0)", "log(z + (1 - z)*p0)"),
        ("log P(Y = y > 0)", "log(1 - z) + log(f)"),
    )
    return Law(_symbols(kind, "zero"), density, "(1 - z)*mu", "(1 - z)*(v + z*mu**2)")


LAWS: dict[str, Law] = {
    "beta": Law(
        {"mean": "mu", "precision": "phi"},
        (("log f(y)", _BETA),),
        "mu", "mu*(1 - mu)/(1 + phi)",
    ),
    "beta_binomial": Law(
        {"mean": "mu", "precision": "phi"},
        (("log f(y)", _BETA_BINOMIAL),),
        "m*mu", "m*mu*(1 - mu)*(1 + (m - 1)/(1 + phi))",
    ),
    "negative_binomial_1": Law(
        {"mean": "mu", "dispersion": "alpha"},
        (("log f(y)", _NB1),),
        "mu", "mu*(1 + alpha)",
    ),
    "negative_binomial_2": Law(
        {"mean": "mu", "theta": "theta"}, (("log f(y)", _NB),), "mu", "mu + mu**2/theta"
    ),
    "generalized_poisson": Law(
        {"mean": "mu", "dispersion": "phi"},
        (("log f(y)", _GENERALIZED),),
        "mu", "phi**2*mu",
    ),
    "conway_maxwell_poisson": Law(
        {"mean": "mu", "dispersion": "nu"},
        (("log f(y)", "y*log(lambda_) - nu*loggamma(y + 1) - log(Z)"),
         ("Z", "sum over j of lambda_**j/(j!)**nu"),
         ("0", "sum over j of (j - mu)*lambda_**j/(j!)**nu")),
        "mu", "sum over j of (j - mu)**2*f(j)",
    ),
    "location_scale": Law(
        {"mean": "mu", "dispersion": "phi"},
        (("log f(y)", "(y*theta - b(theta))/phi + c(y, phi)"),), "mu", "phi*V(mu)",
    ),
    "zero_truncated_poisson": _truncated("poisson"),
    "zero_truncated_negative_binomial": _truncated("nb"),
    "hurdle_poisson": _hurdle("poisson"),
    "hurdle_negative_binomial": _hurdle("nb"),
    "zero_inflated_poisson": _inflated("poisson"),
    "zero_inflated_negative_binomial": _inflated("nb"),
}  # fmt: skip
"""The laws of families of several parameters, by their name."""

CLASSES: dict[str, tuple[Sides, ...]] = {
    "multinomial": (
        ("log(p_c/p_r) = eta_c = x'beta_c + offset, r the reference", r"\log(p_c/p_r) = \eta_c = x'\beta_c"),
        ("p_c = exp(eta_c)/(1 + sum of exp(eta_d)), p_r = 1/(1 + sum of exp(eta_d))",
         r"p_c = \frac{e^{\eta_c}}{1 + \sum_d e^{\eta_d}}"),
    ),
    "cumulative": (
        ("P(Y <= j) = F(eta_j - eta), eta_j = alpha_j, eta = x'beta + offset",
         r"P(Y \le j) = F(\alpha_j - x'\beta)"),
        ("p_j = F(eta_j - eta) - F(eta_(j-1) - eta)",
         r"p_j = F(\alpha_j - x'\beta) - F(\alpha_{j-1} - x'\beta)"),
    ),
    "continuation_ratio": (
        ("P(Y = j | Y >= j) = F(eta_j - eta), eta_j = alpha_j, eta = x'beta + offset",
         r"P(Y = j \mid Y \ge j) = F(\alpha_j - x'\beta)"),
        ("p_j = F(eta_j - eta) times the product over i < j of 1 - F(eta_i - eta)",
         r"p_j = F(\alpha_j - x'\beta) \prod_{i < j} \big(1 - F(\alpha_i - x'\beta)\big)"),
    ),
    "adjacent_category": (
        ("log(p_j/p_(j+1)) = eta_j - eta, eta_j = alpha_j, eta = x'beta + offset",
         r"\log(p_j/p_{j+1}) = \alpha_j - x'\beta"),
        ("p_j = exp(sum over i >= j of (eta_i - eta)), divided by the sum of these, the last of them 1",
         r"p_j \propto \exp\Big(\sum_{i \ge j} (\alpha_i - x'\beta)\Big)"),
    ),
}  # fmt: skip
"""The probabilities of classes, by the name of the family."""

_SOFTMAX: tuple[Step, ...] = (
    Step(
        "With the softmax",
        (
            "it is the exponential family of theta_c = eta_c, b(theta) = m log(1 + sum of exp(theta_c))",
            "dl/deta_c = w (y_c - m p_c)",
            "-d2l/deta_c deta_d = w m (p_c [c = d] - p_c p_d), free of y: l is concave, observed = expected",
        ),
        (
            r"\theta_c = \eta_c, \quad b(\theta) = m \log\Big(1 + \sum_c e^{\theta_c}\Big)",
            r"\frac{\partial\ell}{\partial\eta_c} = w\,(y_c - m\,p_c)",
            r"-\frac{\partial^2\ell}{\partial\eta_c\,\partial\eta_d} = w\,m\,(p_c\,[c = d] - p_c\,p_d) \ge 0",
        ),
    ),
)

_GENERAL: tuple[Step, ...] = (
    Step(
        "Log-likelihood",
        ("l(beta_1, ..., beta_k) = sum w log f(y; eta_1, ..., eta_k)",),
        (r"\ell(\beta_1, \dots, \beta_k) = \sum w \log f(y; \eta_1, \dots, \eta_k)",),
    ),
    Step(
        "Score",
        ("dl/deta_j = w d(log f)/deta_j", "U_j = X_j' dl/deta_j"),
        (
            r"\frac{\partial\ell}{\partial\eta_j} = w\,\frac{\partial \log f}{\partial\eta_j}",
            r"U_j = X_j' \frac{\partial\ell}{\partial\eta_j}",
        ),
    ),
    Step(
        "Information",
        (
            "observed: W_ij = -w d2(log f)/deta_i deta_j",
            "expected: its mean over y, the covariance of the scores of a row",
            "I_ij = X_i' W_ij X_j",
        ),
        (
            r"W_{ij} = -w\,\frac{\partial^2 \log f}{\partial\eta_i\,\partial\eta_j}",
            r"\operatorname{E} W_{ij} \text{: the covariance of the scores of a row}",
            r"I_{ij} = X_i' W_{ij} X_j",
        ),
    ),
    Step(
        "Newton's method",
        ("beta <- beta + I^-1 U, all predictors at once",),
        (r"\beta \leftarrow \beta + I^{-1} U",),
    ),
)


def derivation_of_several(family: Any) -> Derivation:
    """Return the steps for a family of several linear predictors.

    Raises
    ------
    FamilyError
        For a family of one's own, which states no formulas.

    Examples
    --------
    >>> from etamu.family.overdispersed import NegativeBinomial1
    >>> print(derivation_of_several(NegativeBinomial1()).steps[2])
    Mean and variance
        E y = mu
        Var y = mu*(1 + alpha)
    """
    subject = f"{family}: {len(family.parameters)} linear predictors, step by step"
    if family.categorical and family.name in CLASSES:
        subject = f"{family.name}: classes by several linear predictors, step by step"
        return Derivation(subject, (), _classes(family))
    if family.name not in LAWS:
        raise FamilyError(f"{family.name} states no formulas to derive its steps from")
    law = LAWS[family.name]
    formulas = (*law.density, ("mean", law.mean), ("variance", law.variance))
    links = [_linked(each, law.symbols[each.name], at) for at, each in enumerate(family.parameters, 1)]
    steps = (
        _step("Law", *(_line(left, text) for left, text in law.density)),
        _step("Predictors", *links),
        _step("Mean and variance", _line("E y", law.mean), _line("Var y", law.variance)),
        *_GENERAL,
        Step(
            "Orthogonality",
            ("parameters whose expected W_ij is 0 have estimates that are independent in large samples",),
            (r"\operatorname{E} W_{ij} = 0 \text{: independent estimates in large samples}",),
        ),
    )
    return Derivation(subject, formulas, steps)


def _classes(family: Any) -> tuple[Step, ...]:
    """Return the steps of a response of classes."""
    density = (
        "log f(y) = log(m!) - sum of log(y_c!) + sum of y_c log(p_c), y_c of m observations in class c",
        r"\log f(y) = \log m! - \sum_c \log y_c! + \sum_c y_c \log p_c",
    )
    moments = (
        "E y_c = m p_c, Cov(y_c, y_d) = m (p_c [c = d] - p_c p_d)",
        r"\operatorname{E} y_c = m\,p_c, \quad \operatorname{Cov}(y_c, y_d) = m\,(p_c\,[c = d] - p_c\,p_d)",
    )
    softmax = _SOFTMAX if family.name == "multinomial" else ()
    deviance = (
        "D = -2 l for a class per row; of counts 2 sum w y_c log(y_c/(m p_c))",
        r"D = 2 \sum w \sum_c y_c \log\frac{y_c}{m\,p_c}",
    )
    return (
        _step("Law", density),
        _step("Predictors", *CLASSES[family.name]),
        _step("Mean and variance", moments),
        *_GENERAL,
        *softmax,
        _step("Deviance", deviance),
    )


def _step(title: str, *lines: Sides) -> Step:
    return Step(title, tuple(text for text, _ in lines), tuple(latex for _, latex in lines))


def _linked(parameter: Any, symbol: str, number: int) -> Sides:
    """Say how a parameter follows its linear predictor."""
    text = re.sub(r"\bmu\b", symbol, parameter.link.text)
    right = f"x_{number}'beta_{number}" + (" + offset" if parameter.main else "")
    tex = rf"\eta_{number} = x_{number}'\beta_{number}" + (r" + \text{offset}" if parameter.main else "")
    return f"{text} = eta_{number} = {right} ({parameter.name})", rf"{_tex(text)} = {tex}"


def _line(left: str, text: str) -> Sides:
    plain = f"{left} = {text}".replace("lambda_", "lambda")
    return plain, f"{_tex(left)} = {_tex(text)}"


def _tex(text: str) -> str:
    """Return a formula as LaTeX, piece by piece where the small language does not read it."""
    try:
        out = latex_of(read(text, *SYMBOLS))
    except FamilyError:
        out = re.sub(r"\bloggamma\(", r"\\log\\Gamma(", re.sub(r"\blog\b", r"\\log", text))
        out = out.replace("sum over j of ", r"\sum_j ").replace("**", "^").replace("*", r" \, ")
        out = re.sub(r"\b(phi|theta|mu|alpha|exp)\b", r"\\\1", out)
        out = re.sub(r"\b(E|Var) y", r"\\operatorname{\1} y", out)
    return re.sub(r"\bnu\b", r"\\nu", out).replace("lambda_", r"\lambda").replace("p0", "p_0")
