"""Each printed step is checked: derivatives, inverses, laws and deviances by mpmath, the rest on units."""

from __future__ import annotations

import math
import re

import mpmath as mp
import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.family import families as own
from etamu.family.borrowed import Binomial, Quasi, QuasiBinomial, QuasiPoisson, Tweedie
from etamu.family.check import spread
from etamu.family.derivation import CATALOGUE, NOTHING, VARIABLES
from etamu.family.family import Borrowed
from etamu.family.formula import latex_of, read
from etamu.family.unit import Unit, general
from tests.catalogue import DERIVED, SAME

pytest.importorskip("sympy")

FAMILIES = (
    own.Gaussian(), own.Bernoulli(), own.Poisson(), own.Gamma(), own.InverseGaussian(),
    own.NegativeBinomial(theta=2.5), Tweedie(1.5), Tweedie(2.5), Tweedie(2.0), Quasi(-1.0), Quasi("mu^3"),
    Binomial(), QuasiBinomial(), QuasiPoisson(), *DERIVED, *(derived for derived, _ in SAME),
)  # fmt: skip
each = pytest.mark.parametrize("family", FAMILIES, ids=repr)
WORDS = ("exp", "log", "sqrt", "sin", "cos", "tan", "atan", "sinh", "cosh", "tanh", "pi", "loggamma")
NAMES = {name: getattr(mp, name) for name in WORDS}


def compute(text, **values):
    """Compute a formula with mpmath; log(0) times 0 is 0 at the ends of a support."""
    read_back = text if "loggamma" in text else _plain(text)
    return eval(read_back, {"__builtins__": {}}, NAMES | {k: mp.mpf(v) for k, v in values.items()})


def _plain(text):
    read(text, *VARIABLES)  # the small language of families
    return text


def points(family):
    mu = spread(family.mean)[4:-4:6]
    return mu[np.abs(mu) < 20.0]


def theta_of(family, mu):
    return float(family.natural(np, np.array([mu]), np.array([1.0 - mu]))[0])


@each
def test_mean_and_variance_are_the_derivatives_of_the_cumulant(family) -> None:
    formulas = dict(family.derivation().formulas)
    if "b" not in formulas:
        pytest.skip("the cumulant does not close")
    for mu in points(family):
        theta = theta_of(family, mu)
        with mp.workdps(40):
            b, first = (lambda t, name=name: compute(formulas[name], theta=t) for name in ("b", "mean"))
            assert_allclose(float(mp.diff(b, theta)), float(first(theta)), rtol=1e-12, atol=1e-14)
            assert_allclose(
                float(mp.diff(first, theta)), float(compute(formulas["second"], theta=theta)), rtol=1e-12
            )
            assert_allclose(float(first(theta)), mu, rtol=1e-10)


@each
def test_theta_and_the_variance_function_belong_to_the_mean(family) -> None:
    formulas = dict(family.derivation().formulas)
    for mu in points(family):
        if "natural" in formulas:
            with mp.workdps(30):
                slope = mp.diff(lambda m: compute(formulas["natural"], mu=m), mu)
                # dtheta / dmu = 1 / V
                assert_allclose(float(slope * compute(formulas["variance"], mu=mu)), 1.0, rtol=1e-12)
        if "variance" in formulas:
            v = family.variance(np, np.array([mu]), np.array([1.0 - mu]))[0]
            assert_allclose(float(compute(formulas["variance"], mu=mu)), v, rtol=1e-12)
        if {"natural", "mean"} <= set(formulas):
            theta = compute(formulas["natural"], mu=mu)
            assert_allclose(float(compute(formulas["mean"], theta=theta)), mu, rtol=1e-12)


@each
def test_the_printed_deviance_is_the_integral_and_the_number(family) -> None:
    formulas = dict(family.derivation().formulas)
    if "deviance" not in formulas:
        pytest.skip("the deviance does not close")
    mu = points(family)
    for y, m in zip(np.roll(mu, 1), mu, strict=True):
        stated = compute(formulas["deviance"], y=y, mu=m)
        with mp.workdps(20):
            area = 2 * mp.quad(lambda t, y=y: (y - t) / compute(formulas["variance"], mu=t), [m, y])
        assert_allclose(float(stated), float(area), rtol=1e-10)
        assert_allclose(
            float(stated),
            family.deviance(np, np.array([y]), np.array([m]), np.array([1.0 - m]))[0],
            rtol=1e-9,
        )


STATED = [f for f in FAMILIES if len(f.response) == 1 and "carrier" in dict(f.derivation().formulas)]


@pytest.mark.parametrize("family", STATED, ids=repr)
def test_the_printed_density_is_the_density(family) -> None:
    formulas = dict(family.derivation().formulas)
    phi = 1.0 if family.dispersion_known else 0.4
    for y in (1.0, 4.0) if family.mean.upper > 1.0 else (0.0, 1.0):
        for mu in (0.3, 0.8):
            theta = compute(formulas["natural"], mu=mu)
            stated = (y * theta - compute(formulas["b"], theta=theta)) / phi
            stated += compute(formulas["carrier"], y=y, phi=phi)
            arrays = np.array([y]), np.array([mu]), np.array([1.0 - mu])
            ours = family.saturated((arrays[0],), np.array([phi])) - family.deviance(np, *arrays) / (
                2.0 * phi
            )
            assert_allclose(float(stated), ours[0], rtol=1e-11, atol=1e-14)


@each
def test_the_canonical_link_is_theta_up_to_an_affine_map(family) -> None:
    mu = points(family)
    theta = np.array([theta_of(family, m) for m in mu])
    eta = np.asarray(family.canonical.link(np, mu, 1.0 - mu))
    slope, shift = np.polyfit(theta, eta, 1)
    assert_allclose(slope * theta + shift, eta, rtol=1e-8, atol=1e-8)


@each
def test_score_information_and_irls_are_what_is_printed(family) -> None:
    unit = Unit(family, family.default_link)
    mu = points(family)
    eta = np.asarray(unit.link.link(np, mu, 1.0 - mu), dtype=float)
    mean = unit.mean(np, eta)
    y = np.roll(mu, 1)
    v, dv = (part(np, mean.mu, mean.complement) for part in (family.variance, family.dvariance))
    _, score, expected = general(unit, np, "expected")(y, eta)
    assert_allclose(score, (y - mu) / v * mean.d1, rtol=1e-8)
    assert_allclose(expected, mean.d1**2 / v, rtol=1e-9)
    observed = general(unit, np, "observed")(y, eta)[2]
    if unit.canonical:
        # dmu/deta = V up to the factor of the affine map; what is free of y: observed = expected, concave
        ratio = mean.d1 / v
        assert_allclose(ratio, ratio[0], rtol=1e-8)
        np.testing.assert_array_equal(unit.bind(np, "observed")(_rows(family, y), eta)[2],
                                      unit.bind(np, "expected")(_rows(family, y), eta)[2])  # fmt: skip
        assert np.all(expected >= 0.0)
    else:
        assert_allclose(observed, expected - (y - mu) * (mean.d2 / v - dv * mean.d1**2 / v**2), rtol=1e-8)
    working = eta + (y - mu) / mean.d1
    assert_allclose(expected * (working - eta), score, rtol=1e-8)  # X'W z - X'W eta = U


def _rows(family, y):
    return (y,) if len(family.response) == 1 else (3.0 * y, np.full_like(y, 3.0))


def test_one_newton_step_from_the_maximum_stays_and_irls_gives_it_back() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=60)
    y = rng.poisson(np.exp(0.4 + 0.5 * x)).astype(float)
    fit = em.glm("y ~ x", {"x": x, "y": y}, family="poisson")
    X, eta = np.column_stack([np.ones(60), x]), fit.coef[0] + fit.coef[1] * x
    _, score, w = fit.problem.unit.bind(np)((y,), eta)
    step = np.linalg.solve(X.T @ (w[:, None] * X), X.T @ score)
    assert_allclose(step, 0.0, atol=1e-9)
    z = eta + (y - np.exp(eta)) / np.exp(eta)
    assert_allclose(np.linalg.solve(X.T @ (w[:, None] * X), X.T @ (w * z)), fit.coef, rtol=1e-9)


@each
def test_every_step_is_there_as_text_and_as_latex(family) -> None:
    steps = family.derivation()
    titles = [step.title for step in steps.steps]
    assert titles == [
        *("Exponential family", "Cumulant", "Mean", "Variance", "Canonical parameter", "Canonical link"),
        *("Any link", "Log-likelihood", "Score", "Information", "With the canonical link, eta = theta"),
        *("Newton's method", "IRLS (Fisher scoring)", "Deviance"),
    ]
    for title in titles:
        assert title in repr(steps)
    latex = steps.latex
    assert latex.count(r"\[") == latex.count(r"\]") == sum(len(step.latex) for step in steps.steps)
    assert latex.count("{") == latex.count("}")
    assert not any("**" in line for step in steps.steps for line in step.latex)
    assert steps._repr_html_().count("<li>") == len(titles)
    for name, text in steps.formulas:
        assert text in repr(steps), name


# --- every printed line, as text and as LaTeX ---

LATEX_WORDS = {
    r"\theta": " theta ", r"\mu''": " d2 ", r"\mu'": " d1 ", r"\mu": " mu ", r"\phi": " phi ",
    r"\eta": " eta ",
    r"\pi": " pi ", r"\log\Gamma": " loggamma", r"\arctan": " atan", r"\operatorname{asinh}": " asinh",
    r"\log": " log", r"\sinh": " sinh", r"\cosh": " cosh", r"\tanh": " tanh", r"\sin": " sin",
    r"\cos": " cos", r"\tan": " tan", r"\exp": " exp", r"\,": " ", r"\quad": " ", r"\left(": "(",
    r"\right)": ")", r"\big": "", r"\tfrac": r"\frac", r"\beta": " beta ", r"\ell": " l ",
}  # fmt: skip
"""LaTeX spelled as plain text, the longer words first."""

TEXT_WORDS = {
    "d2mu/deta2": "d2", "dmu/deta": "d1", "deta/dmu": "(1/d1)", "dl/deta": "score", "V'(mu)": "dV",
    "V(mu)": "V", "V(t)": "V", r"\frac{d l }{d eta }": " score ", r"\frac{d mu }{d eta }": " d1 ",
    r"\frac{d eta }{d mu }": " (1/d1) ", "V(  mu  )": " V ", "V( mu )": " V ", "V'": " dV ",
}  # fmt: skip


CALLED = (*(word for word in WORDS if word != "pi"), "asinh")


def _braced(text, at):
    """Return what stands in the braces that open at a place, and where it ends."""
    depth = 0
    for end in range(at, len(text)):
        depth += {"{": 1, "}": -1}.get(text[end], 0)
        if depth == 0:
            return text[at + 1 : end], end + 1
    raise AssertionError(text)


def from_latex(text):
    """Spell a right-hand side of LaTeX as plain text."""
    for word, plain in sorted(LATEX_WORDS.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(word, plain)
    for word, name in TEXT_WORDS.items():
        text = text.replace(word, name)
    while "\\frac" in text or "\\sqrt" in text or "^{" in text:
        place = max(text.rfind(word) for word in ("\\frac", "\\sqrt", "^{"))
        first, end = _braced(text, text.index("{", place))
        if text.startswith("\\frac", place):
            second, end = _braced(text, end)
            put = f"(({first})/({second}))"
        else:
            put = f" sqrt({first})" if text.startswith("\\sqrt", place) else f"^({first})"
        text = text[:place] + put + text[end:]
    assert "\\" not in text, text
    return text


def evaluated(text, **values):
    """Compute a side of an identity: a space, or nothing, between two factors multiplies them."""
    for word, name in TEXT_WORDS.items():
        text = text.replace(word, f" {name} ")
    tokens = re.findall(r"\d+\.?\d*(?:e-?\d+)?|[A-Za-z_]\w*|\*\*|[-+*/^()]", text)
    assert "".join(tokens) == text.replace(" ", ""), text
    out = []
    for token in tokens:
        word = re.match(r"\w", token)
        closed = out and (out[-1] == ")" or (re.match(r"\w", out[-1]) and out[-1] not in CALLED))
        if closed and (word or token == "("):
            out.append("*")
        number = word and re.match(r"\d", token)
        out.append(f"mpf('{token}')" if number else {"^": "**"}.get(token, token))
    names = NAMES | {"e": mp.e, "mpf": mp.mpf, "asinh": mp.asinh} | {k: mp.mpf(v) for k, v in values.items()}
    return eval(" ".join(out), {"__builtins__": {}}, names)


def both(text, latex, **values):
    """Compute the last side of an identity, as text and as LaTeX, and see that they agree."""
    sides = text.rsplit(" = ", 1)[-1], from_latex(latex.rsplit(" = ", 1)[-1])
    found = [mp.re(evaluated(side, **values)) for side in sides]
    assert_allclose(float(found[1]), float(found[0]), rtol=1e-12)
    return float(found[0])


def lines(family):
    steps = family.derivation().steps
    return [(step.title, *pair) for step in steps for pair in zip(step.lines, step.latex, strict=True)]


ONCE = (
    "eta = g(mu) = x'beta + offset", "theta = h(eta), h = (g o b')^-1", "U(beta) = X' dl/deta",
    "I(beta) = X' W X", "beta <- beta + (X' W_obs X)^-1 U(beta)", "beta <- (X' W X)^-1 X' W z",
    "l(beta) = sum w (y theta - b(theta))/phi + c(y, phi/w)", "D = sum w d(y, mu)",
    "f(y) = exp((y theta - b(theta))/phi + c(y, phi))", "Var y = phi b''(theta) = phi V(mu)",
    "d(y, mu) = 2 integral from mu to y of (y - t)/V(t) dt = 2 phi (l(y) - l(mu))",
    "-d2l/deta2 = w V(mu)/phi >= 0, free of y: l is concave, observed = expected information",
    "dmu/deta = V(mu), so dl/deta = w (y - mu)/phi",
)  # fmt: skip
"""Lines that are the same for every family: the tests above and below hold each on numbers."""


@each
def test_every_printed_line_is_true_as_text_and_as_latex(family) -> None:
    law = {"y": 0.0, "phi": 1.0 if family.dispersion_known else 0.7, "w": 1.3}
    formulas, unit = dict(family.derivation().formulas), Unit(family, family.default_link)
    for mu in points(family)[::3]:
        theta, y = theta_of(family, mu), abs(mu) + 0.3 if family.mean.upper > 1.0 else 0.9
        y = -y if family.mean.upper <= 0.0 else y
        m, rest = np.array([mu]), np.array([1.0 - mu])
        mean = unit.mean(np, np.asarray(unit.link.link(np, m, rest)))
        v, dv = (float(part(np, m, rest)[0]) for part in (family.variance, family.dvariance))
        d1, d2, phi, w = float(mean.d1[0]), float(mean.d2[0]), law["phi"], law["w"]
        at = {"y": y, "mu": mu, "theta": theta, "phi": phi, "w": w, "V": v, "dV": dv, "d1": d1, "d2": d2}
        eta = float(unit.link.link(np, m, rest)[0])
        weight = w * d1 * d1 / (phi * v)
        truth = {
            "dl/deta": w * (y - mu) / (phi * v) * d1,
            "expected: W": weight,
            "observed: W - w (y - mu)/phi (d2mu/deta2/V(mu) - V'(mu) (dmu/deta)^2/V(mu)^2)": weight
            - w * (y - mu) / phi * (d2 / v - dv * d1**2 / v**2),
            "z": eta + (y - mu) / d1,
            "mu": mu, "theta": theta, "V(mu)": v, "b''(theta)": v,
            "b(theta)": float(compute(formulas["b"], theta=theta)) if "b" in formulas else math.nan,
            "d(y, mu)": float(family.deviance(np, np.array([y]), m, rest)[0]),
        }  # fmt: skip
        with mp.workdps(40):
            for title, text, latex in lines(family):
                _hold(family, title, text, latex, truth, at | {"eta": eta, "W": weight})


def _hold(family, title, text, latex, truth, at) -> None:  # noqa: C901  (one per kind of line)
    """Check one line; one that nobody knows fails."""
    left, *sides = text.split(" = ")
    right = sides[-1] if sides else ""
    if text in ONCE:
        return None
    if text.startswith("observed: "):
        for side in (text.removeprefix("observed: "), from_latex(latex.split(" = ")[1])):
            assert_allclose(float(evaluated(side, **at)), truth[text], rtol=1e-10)
        return None
    if title == "Exponential family":
        if left == "phi":
            assert family.dispersion_known
        elif text == "phi > 0":
            assert not family.dispersion_known
        elif left == "c(y, phi)" and sides:
            both(text, latex, **(at | {"y": 2.0}))  # its number: test_the_printed_density_is_the_density
        else:
            assert family.has_density == ("makes f" in text)
        return None
    if title == "Canonical link":
        return None  # test_the_canonical_link_is_theta_up_to_an_affine_map
    if "integral of" in text:
        return _integral(family, left, text, latex, at)
    if right.startswith("the theta with "):
        equation = right.removeprefix("the theta with ").rsplit(" = ", 1)[0]
        return assert_allclose(float(evaluated(equation, **at)), at["mu"], rtol=1e-9)
    if text.endswith("= mu") and "the theta with" in text:
        equation = text.split("the theta with ")[1].removesuffix(" = mu")
        return assert_allclose(float(evaluated(equation, **at)), at["mu"], rtol=1e-9)
    if right.endswith(", at theta = (b')^-1(mu)") or ", at theta" in text:
        inner = text.split(" = ")[2].removesuffix(", at theta")
        return assert_allclose(float(evaluated(inner, **at)), at["V"], rtol=1e-9)
    if right == "V(b'(theta))":
        return None  # b'' = V at the mean, which check_family and the units hold
    if "b(theta_y)" in text:
        return _bregman(family, truth["d(y, mu)"], at)
    assert left in truth, f"a line nobody checks: {text}"
    return assert_allclose(both(text, latex, **at), truth[left], rtol=1e-9, atol=1e-13)


def _integral(family, left, text, latex, at) -> None:
    """An integral of 1 / V or mu / V rises from mean to mean as theta or b does, in text and in LaTeX."""
    inner = re.search(r"integral of d?mu/\((.*?)\)(?: dmu, at.*| = theta|)$", text).group(1)
    v = latex[latex.index(r"\frac") :]
    _, end = _braced(v, v.index("{"))
    denominator, _ = _braced(v, end)
    start = 0.8 * at["mu"]
    for spelled in (inner, from_latex(denominator)):
        assert_allclose(float(evaluated(spelled, **at)), at["V"], rtol=1e-9)
        power = 1 if left == "b(theta)" else 0
        area = mp.quad(lambda t, s=spelled, k=power: t**k / evaluated(s, mu=t), [start, at["mu"]])
        ends = [np.array([each]) for each in (at["mu"], start)]
        theta = [family.natural(np, each, 1.0 - each) for each in ends]
        rise = theta if power == 0 else [family.cumulant(np, each) for each in theta]
        assert_allclose(float(area), float(rise[0][0] - rise[1][0]), rtol=1e-7, atol=1e-12)


def _bregman(family, deviance, at) -> None:
    means = [np.array([at[name]]) for name in ("mu", "y")]
    theta, own = (family.natural(np, mean, 1.0 - mean) for mean in means)
    b, b_y = family.cumulant(np, theta), family.cumulant(np, own)
    assert_allclose(2.0 * (b - b_y - at["y"] * (theta - own))[0], deviance, rtol=1e-7)


def test_a_wrong_line_is_seen() -> None:
    family = DERIVED[1]
    title, text, latex = next(line for line in lines(family) if line[0] == "Mean")
    at = {"theta": 0.5, "mu": math.tan(0.5), "y": 1.0}
    _hold(family, title, text, latex, {"mu": math.tan(0.5)}, at)
    for wrong in ((text.replace("tan", "sin"), latex), (text, latex.replace("tan", "sin"))):
        with pytest.raises(AssertionError):
            _hold(family, title, *wrong, {"mu": math.tan(0.5)}, at)
    with pytest.raises(AssertionError, match="a line nobody checks"):
        _hold(family, title, "kappa = 3", "kappa = 3", {}, at)


def test_what_does_not_close_says_what_it_is() -> None:
    text = repr(DERIVED[0].derivation())
    assert "b(theta) = integral of mu/(mu**2*(mu + 1)) dmu, at mu = b'(theta)" in text
    assert "mu = b'(theta) = the mu with integral of dmu/(mu**2*(mu + 1)) = theta" in text
    assert "V(mu) = b''((b')^-1(mu)) = mu**2*(mu + 1)" in text
    assert NOTHING not in text


def test_a_family_of_the_users_own_borrows_the_formulas_of_its_kin() -> None:
    class Mine(Borrowed):
        __slots__ = ()
        name = "mine"
        kin = own.Poisson()
        has_density = False

    formulas = dict(Mine().derivation().formulas)
    assert formulas["b"] == "exp(theta)"
    assert "carrier" not in formulas


@pytest.mark.parametrize("name", CATALOGUE)
def test_formulas_of_the_catalogue_print_as_latex(name) -> None:
    for text in CATALOGUE[name][:-1]:
        assert latex_of(
            read(text.replace("p", "1.5").replace("sqrt", "log").replace("ex1.5", "exp"), *VARIABLES, "k")
        )
