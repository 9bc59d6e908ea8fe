"""What etamu answers to every hostile case that R was asked, decided by reading R's answer and thinking.

Read first: tests/references/README.md. Read next: tests/test_pathological.py, which puts the cases to etamu.

A case ends in one of: a *number* (the best reference at hand, or the exact answer stated here), *infinite*
(there is no finite maximum; the named coefficients have none, the rest and the deviance are those of the
limit), *boundary* (the maximum lies on the edge of the domain of the link), *refused* (a named exception and
a piece of its words).
`why` says why; where R is wrong or arbitrary, why ours is right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import etamu as em
from etamu._base.errors import AliasWarning, ConvergenceWarning, DroppedLevelsWarning, DroppedRowsWarning


@dataclass(frozen=True)
class Number:
    """A finite maximum: coefficients to `relative`, stated here where the reference has none."""

    why: str
    coef: dict[str, float] | None = None
    deviance: float | None = None
    relative: float = 1e-9
    warned: tuple[type[Warning], ...] = ()
    errors: bool = True
    """Whether the standard errors of the reference hold (rounding is no dispersion)."""
    absolute: float = 1e-12


@dataclass(frozen=True)
class Infinite:
    """No finite maximum: columns without a finite coefficient, and the sign of the end."""

    why: str
    columns: dict[str, int] = field(default_factory=dict)
    deviance: float = 0.0
    finite: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Boundary:
    """A maximum on the edge of the domain."""

    why: str
    coef: dict[str, float] | None = None
    deviance: float | None = None
    relative: float = 1e-9


@dataclass(frozen=True)
class Refused:
    """An exception and a piece of its message."""

    why: str
    error: type[Exception]
    says: str
    remedy: Any = None
    """The family that the message recommends, with which the reference of the case is met."""


@dataclass(frozen=True)
class Other:
    """A case of a model that is not a one-mean GLM: what R calls it, and the outcome expected of it."""

    why: str
    kind: str
    outcome: str


Case = Number | Infinite | Boundary | Refused | Other
ALIAS, ROWS, LEVELS = (AliasWarning,), (DroppedRowsWarning,), (DroppedLevelsWarning,)
DOUBTFUL = (ConvergenceWarning,)
EVERY = "coefficients grow along a direction in which all of them take part"

ALIASES = {
    "alias2-constant": Number(
        "a constant beside the intercept has no coefficient; NaN and named, as R",
        {"Intercept": -1.3707065612284237, "x": 1.853510107045955, "k": math.nan, "s1": 0.12255821928804814},
        3.23446963462375,
        warned=ALIAS,
    ),
    "alias2-nested": Number(
        "only 3 of 9 cells have rows: the 6 columns that add nothing are NaN, earlier columns win, as R",
        {"Intercept": 1.8325814637483098, "a[T.q]": 0.0, "a[T.r]": -0.3285040669720353, "b[T.q]": math.nan},
        16.20068251531966,
        warned=ALIAS,
    ),
    "alias2-same-factor": Number(
        "a second name of the same factor adds nothing",
        {"a[T.q]": 0.8357081380893178, "b[T.q]": math.nan, "b[T.r]": math.nan, "x": 1.8571291957540403},
        2.3363775461413394,
        warned=ALIAS,
    ),
    "wide-gamma": Number(
        "5 rows, 9 columns: fitted perfectly, 4 columns NaN; no standard error where df_resid = 0 (R: NaN, "
        "with 'NaNs produced' and a deviance below zero; ours is never negative)",
        {"Intercept": 0.37539861894148197, "x4": -0.8267291895765946, "x5": math.nan},
        0.0,
        warned=ALIAS,
        errors=False,
    ),
    "wide-gaussian": Number(
        "5 rows, 9 columns: rank 5, nothing left to estimate a dispersion from",
        {"Intercept": 0.8574649934432467, "x4": -3.2793180776343545, "x8": math.nan},
        0.0,
        warned=ALIAS,
        errors=False,
    ),
    "wide-poisson": Number(
        "counts fitted perfectly: mu = y in every row",
        None,
        0.0,
        warned=ALIAS,
        absolute=1e-9,
    ),
    "w-one-positive-gaussian": Number(
        "one row counts: it gives the intercept, x is an alias on it",
        {"Intercept": 1.0, "x": math.nan},
        0.0,
        warned=ALIAS,
        errors=False,
    ),
    "w-one-positive-poisson": Number(
        "one row counts, y = 1: log 1 = 0 exactly (R 5e-11 and a deviance below zero)",
        {"Intercept": 0.0, "x": math.nan},
        0.0,
        warned=ALIAS,
        errors=False,
    ),
}

INFINITE = {
    "allzero-tweedie": Infinite(
        "every response is 0: mu falls to 0 for ever (R: 'did not converge' and whatever it had)",
        {"Intercept": -1},
    ),
    "bankwages-custodial": Infinite(
        "no woman is custodial: R reports converged = TRUE, -19.2 and no warning; -19.2 is where it stopped",
        {"gender[T.female]": -1},
        110.69966317176548,
        {
            "Intercept": 5.061621571368251,
            "education": -0.5863147171144527,
            "minority[T.yes]": 0.48091117665903893,
        },
    ),
    "const-binomial-0": Infinite(
        "all failures: the intercept falls for ever; R says converged", {"Intercept": -1}
    ),
    "const-binomial-1": Infinite(
        "all successes: the intercept rises for ever; R says converged", {"Intercept": 1}
    ),
    "const-poisson-0": Infinite(
        "all counts 0: the intercept falls for ever; R says converged", {"Intercept": -1}
    ),
    "endometrial": Infinite(
        "NV separates (Heinze and Schemper 2002); R reports converged = TRUE, 18.2 and no warning",
        {"NV": 1},
        55.39326035718111,
        {"Intercept": 4.304517783057824, "PI": -0.042183403256789986, "EH": -2.9026056137775766},
    ),
    "pois-zero-group": Infinite(
        "group c has only zeros: its effect falls for ever, the others are those without group c; R silent",
        {"g[T.c]": -1},
        7.585067496463226,
        {"Intercept": 0.7492066523459153, "g[T.b]": -1.0564685411892565, "x": 0.2822520621303756},
    ),
    "quasi1-logit": Infinite(
        f"x = 4 has both outcomes, beyond it none: {EVERY}; the limit of the deviance is 4 log 2",
        {"Intercept": -1, "x": 1},
        4 * math.log(2.0),
    ),
    "sep-lincomb": Infinite(f"a combination of x1 and x2 separates: {EVERY}; R's numbers are arbitrary"),
    "sep1-cauchit": Infinite(
        f"x separates: {EVERY}; cauchit's tails are so heavy that R gives one warning only"
    ),
    "sep1-cloglog": Infinite(f"x separates: {EVERY}", {"Intercept": -1, "x": 1}),
    "sep1-logit": Infinite(f"x separates: {EVERY}", {"Intercept": -1, "x": 1}),
    "sep1-probit": Infinite(f"x separates: {EVERY}", {"Intercept": -1, "x": 1}),
    "wide-binomial": Infinite("as many coefficients as rows: every row can be fitted to probability 0 or 1"),
}

BOUNDARIES = {
    "identity-binomial": Boundary(
        "a linear probability that reaches 1 at x = 1 and 0 at x = 10; R truncates steps and stops beside it"
    ),
    "ig-grow-inverse": Boundary(
        "the deviance stays finite as mu grows without end: the best eta at x = 10 is 0, where it is a "
        "weighted least squares on a line, eta = s (10 - x), s = sum (10 - x) / sum y (10 - x)^2; R dies in "
        "LAPACK",
        {"Intercept": 0.59515937045364369792, "x": -0.059515937045364369792},
        17.195949499625270026,
    ),
    "logbin-birthwt-boundary": Boundary(
        "mu = 1 for one pattern of covariates; R stops beside it, 5 digits wrong"
    ),
    "logbin-step-nostart": Boundary("mu = 1 at x = 1; R refuses without starting values, we find a start"),
    "pois-zero-group-identity": Boundary(
        "the mean of a group of zeros is 0, the end of the domain; the others are the means of their groups",
        {"g[a]": 4.5, "g[b]": 1.75, "g[c]": 0.0},
        10.61124254162394,
    ),
    "poisson-identity-nostart": Boundary("mu = 0 at x = 10, where y = 0; R refuses without starting values"),
    "poisson-identity-start": Boundary("mu = 0 at x = 10, from a start that R can use as well"),
}

POSITIVE = "{} needs a positive response"
REFUSED = {
    "dom-binomial-factor3": Refused(
        "R fits the first level against the two others and does not say so", em.DataError, "3 levels"
    ),
    "dom-binomial-fraction": Refused(
        "0.1 is no outcome of one trial; R rounds it in dbinom. Quasibinomial has the same coefficients",
        em.DataError,
        "quasibinomial",
        "quasibinomial",
    ),
    "dom-binomial-gt1": Refused("1.2 is no outcome of a trial", em.DataError, "row 1"),
    "dom-binomial-neg-count": Refused(
        "-1 successes; R says 'Value -0.1 out of range (0, 1)'", em.DataError, "row 2 holds -1"
    ),
    "dom-binomial-y12": Refused("labels 1 and 2 are not 0 and 1", em.DataError, "'y12' is 2 in row 1"),
    "dom-gamma-negative": Refused("a gamma variable is positive", em.DataError, "'neg' is -2 in row 2"),
    "dom-gamma-zero": Refused("a gamma variable is never 0", em.DataError, "'zero' is 0 in row 0"),
    "dom-gaussian-factor": Refused("a label is no number; R: \"NA/NaN/Inf in 'y'\"", em.DataError, "'fac3'"),
    "dom-ig-zero": Refused("an inverse Gaussian variable is never 0", em.DataError, "'zero' is 0 in row 0"),
    "dom-negbin-negative": Refused("a count is not negative", em.DataError, "'neg' is -2 in row 2"),
    "dom-poisson-negative": Refused("a count is not negative", em.DataError, "'neg' is -2 in row 2"),
    "dom-poisson-noninteger": Refused(
        "0.5 is no count; R fits it, with an AIC of Inf. Quasi-Poisson has the same coefficients",
        em.DataError,
        "quasipoisson",
        "quasipoisson",
    ),
    "dom-quasipoisson-negative": Refused(
        "a mean of counts is not negative", em.DataError, "'neg' is -2 in row 2"
    ),
    "dom-tweedie-negative": Refused(
        "a Tweedie variable is 0 or more; R: 'missing value where TRUE/FALSE needed'",
        em.DataError,
        "'neg' is -2 in row 2",
    ),
    "empty-data": Refused("R: \"object 'fit' not found\"", em.DataError, "no rows"),
    "factor-one-level": Refused(
        "one level has nothing to be compared with", em.DataError, "fewer than two levels"
    ),
    "missing-variable": Refused("no such column", em.FormulaError, "no column 'nosuch'"),
    "nf-allna-x": Refused("no row is complete; R: \"object 'fit' not found\"", em.DataError, "xna (6)"),
    "nf-offset-loginf": Refused("an offset of -inf; R blames 'y'", em.DataError, "row 0 holds -inf"),
    "nf-x-inf": Refused("infinity is no measurement", em.DataError, "column 'x' is inf in row 2"),
    "nf-y-inf": Refused("infinity is no measurement", em.DataError, "is inf in row 2"),
    "nf-y-inf-ok-x": Refused("infinity is no measurement", em.DataError, "column 'yi' is inf in row 2"),
    "nf-y-inf-poisson": Refused(
        "infinity is no count; R: 'cannot find valid starting values'",
        em.DataError,
        "column 'yi' is inf in row 2",
    ),
    "predict-missing-column": Refused("nothing to predict from", em.FormulaError, "no column 'x'"),
    "predict-new-level": Refused(
        "a level that was never seen has no effect", em.DataError, "level 'zzz' in row 0"
    ),
    "tiny2-poisson-rate-1e200": Refused(
        "a rate is no count; as quasi-Poisson with weights it is the fit with an offset, which R cannot "
        "reach because its log link floors the mean at 2e-16",
        em.DataError,
        "quasipoisson",
        "quasipoisson",
    ),
    "tweedie-power-0.5": Refused(
        "no distribution has a variance mu^0.5; R fits it", em.FamilyError, "power=0.5"
    ),
    "tweedie-power-2-zero": Refused(
        "power 2 is the gamma distribution, without mass at 0; statmod accepts it",
        em.DataError,
        "'zero' is 0 in row 0",
    ),
    "w-allzero-gaussian": Refused(
        "no row counts; R: \"object 'fit' not found\"", em.DataError, "zero in every row"
    ),
    "w-allzero-poisson": Refused(
        "no row counts; R: \"object 'fit' not found\"", em.DataError, "zero in every row"
    ),
    "w-inf-gaussian": Refused("an infinite weight; R blames 'x'", em.DataError, "row 2 holds inf"),
    "w-inf-poisson": Refused("an infinite weight; R blames 'x'", em.DataError, "row 2 holds inf"),
    "w-negative-gaussian": Refused("a precision is not negative", em.DataError, "row 2 holds -1"),
    "w-negative-poisson": Refused("a precision is not negative", em.DataError, "row 2 holds -1"),
    "weights-length": Refused(
        "two weights for six rows", em.DataError, "has 2 values and the data have 6 rows"
    ),
}

LARGE = "the deviance is rounding of counts this large, and R, which watches it, says 'did not converge'"
STEP = "an ordinary maximum inside the domain, once steps stay inside it"
PERFECT = "a perfect fit: the deviance is 0 and standard errors are rounding, here 0"
REAL = "an ordinary maximum"
WEIGHTLESS = (
    "weights of 1e-300 alike are no weights; R stops after one iteration, as |change| / (dev + 0.1) is tiny"
)
HUGE = "weights of 1e300 alike change standard errors of a known dispersion, nothing else"
ODD = "rows that weigh 1e-300 beside 1e300 say nothing: the fit of the odd rows"
UNITS = "the units of a column, or where its zero is, decide nothing: columns are shifted and scaled inside"
TAIL = "eta to +-30 and beyond; R clamps it at 30 and converges at 4e15"
NIST = "NIST certifies {} digits; the design is shifted, scaled, and refined on a triangle"

NUMBERS = {
    "big-1e15-binomial": Number("1e15 trials per row: counts are doubles"),
    "big-1e15-identity": Number("counts near 2^53 on the identity link"),
    "big-1e15-negbin": Number(
        "at theta this small beside mu the counts fit to the last bit: the dispersion is rounding",
        errors=False,
    ),
    "big-1e15-poisson": Number(LARGE, deviance=0.0, absolute=1e-12),
    "big-1e15b-poisson": Number(LARGE, deviance=0.0, absolute=1e-10),
    "big-5e9-poisson": Number(LARGE),
    "const-gamma": Number(PERFECT, {"Intercept": math.log(4.0), "x": 0.0}, 0.0, errors=False),
    "const-gaussian": Number(PERFECT, {"Intercept": 3.0, "x": 0.0}, 0.0, errors=False),
    "const-gaussian-log": Number(PERFECT, {"Intercept": math.log(3.0), "x": 0.0}, 0.0, errors=False),
    "const-ig": Number(PERFECT, {"Intercept": 1.0 / 9.0, "x": 0.0}, 0.0, errors=False),
    "const-poisson-4": Number("log 4 and no slope", {"Intercept": math.log(4.0), "x": 0.0}, 0.0),
    "dom-binomial-character": Number(
        "two labels are two outcomes, the second in the order of code points the success; R refuses text",
        {"Intercept": -0.43160185413275749, "x": 0.095911523140612776},
        10.994781346723074607,
    ),
    "dom-binomial-zero-trials": Number("a row of no trials says nothing and is not counted"),
    "dom-quasibinomial-fraction": Number("a proportion may have a quasi-likelihood"),
    "extreme-eta-cauchit": Number(TAIL),
    "extreme-eta-cloglog": Number(TAIL),
    "extreme-eta-logit": Number(TAIL),
    "extreme-eta-probit": Number(TAIL),
    "factor-unused-level": Number("a declared level without rows is dropped, and said", warned=LEVELS),
    "gamma-fall-identity": Number(STEP),
    "gamma-fall-inverse": Number(STEP),
    "gamma-grow-identity": Number(STEP),
    "gamma-grow-inverse": Number(STEP),
    "gaussian-fall-inverse": Number(
        "the best of the maxima on the side of the pole where means are positive"
    ),
    "gaussian-inverse-zero": Number(
        "the inverse link has means of one sign, positive; R cannot start because 1/y fails at y = 0",
        {"Intercept": 0.4815092759254292418, "x": -0.038125665912058468737},
        24.168205030590822133,
    ),
    "gaussian-log-nonpositive": Number("y <= 0 has no log, its mean has; R cannot start"),
    "ig-grow-canonical": Number(STEP),
    "ig-grow-identity": Number("R leaves the domain and dies in LAPACK"),
    "logbin-birthwt-nostart": Number("R refuses without starting values; the maximum is inside"),
    "logbin-birthwt-truncated": Number(
        "R's scoring does not arrive in 200 iterations; the maximum is inside"
    ),
    "longley": Number(NIST.format("Longley's")),
    "longley-gamma-log": Number(REAL),
    "nf-x-nan": Number("NaN is a missing value: its row is dropped, and said", warned=ROWS),
    "nf-y-nan": Number("NaN is a missing value: its row is dropped, and said", warned=ROWS),
    "no-predictors": Number("nothing to estimate: mu = 0", {}, 91.0),
    "no-predictors-poisson": Number("nothing to estimate: mu = exp(0)", {}, 30.542129333754747),
    "off2-690": Number("means of 1e299: a common part of the offset belongs to the intercept"),
    "off2-gaussian-1e15": Number(
        "y - offset has one digit, y and offset have all: R subtracts them (0.42), the slope is that of y",
        {"Intercept": -1e15, "x": 6.5 / 17.5},
    ),
    "off2-logit-745": Number("exp(-745) is 0; the intercept takes the offset up"),
    "outlier-cauchit": Number("a gross outlier, and the best of the maxima that it makes"),
    "outlier-logit": Number("a gross outlier pulls, and the maximum exists"),
    "outlier-probit": Number("a gross outlier pulls, and the maximum exists"),
    "perfect-gamma-log": Number(PERFECT, {"Intercept": 0.5, "x": 0.25}, 0.0, errors=False),
    "perfect-gaussian": Number(PERFECT, {"Intercept": 2.0, "x": 3.0}, 0.0, errors=False),
    "perfect-gaussian-log": Number(PERFECT, {"Intercept": 0.5, "x": 0.25}, 0.0, errors=False),
    "perfect-poisson": Number(
        "counts 2^(x - 1)", {"Intercept": -math.log(2.0), "x": math.log(2.0)}, 0.0, absolute=1e-10
    ),
    "poisson-sqrt": Number(STEP),
    "pontius": Number(NIST.format("Pontius'")),
    "saturated-gaussian": Number(
        "n = p: no residual is left, so no dispersion and no standard error",
        {"Intercept": 0.8574649934432467, "x1": -1.5990837957501889, "x4": -3.2793180776343545},
        0.0,
        errors=False,
    ),
    "scale-big-small": Number(UNITS),
    "scale-binomial": Number(UNITS),
    "scale-leverage": Number("one x at 1e8: its leverage is 1 - 1e-15"),
    "scale-leverage-poisson": Number("one x at 1e8", relative=1e-9),
    "scale-offset1e13": Number(f"{UNITS}; R takes x = 1e13 + (1..8) for a constant"),
    "scale-offset1e9": Number(UNITS),
    "scale-offset1e9-poisson": Number(UNITS),
    "scale-poisson": Number(UNITS),
    "start-default-ok": Number(REAL),
    "start-diverges": Number(
        "R's scoring jumps to 2e15 from this start and says converged; steps are searched"
    ),
    "tiny2-gamma-1e-17": Number("R's log link floors the mean at 2e-16"),
    "tiny2-ig-1e-150": Number("R's log link floors the mean at 2e-16, and mu^3 underflows"),
    "tiny2-poisson-exposure-1e200": Number("an exposure of 1e200 is an offset of 460"),
    "tweedie-power-1": Number("power 1 is quasi-Poisson"),
    "tweedie-power-2": Number("power 2 is gamma"),
    "tweedie-power-3": Number("power 3 is inverse Gaussian"),
    "w-1e-300-binomial": Number(WEIGHTLESS),
    "w-1e-300-gaussian": Number(WEIGHTLESS),
    "w-1e-300-poisson": Number(WEIGHTLESS),
    "w-1e300-gamma": Number(HUGE),
    "w-1e300-gaussian": Number(HUGE),
    "w-1e300-poisson": Number(HUGE),
    "w-1e8-gaussian": Number("weights of 1e8 and 1e-8 alternate"),
    "w-1e8-poisson": Number("weights of 1e8 and 1e-8 alternate"),
    "w-mix300-binomial": Number(f"{ODD}; R: \"NA/NaN/Inf in 'y'\""),
    "w-mix300-gaussian": Number(ODD),
    "w-mix300-poisson": Number(ODD),
    "w-na-gaussian": Number("a missing weight is a missing value: its row is dropped, and said", warned=ROWS),
    "w-na-poisson": Number("a missing weight is a missing value: its row is dropped, and said", warned=ROWS),
    "w-three-positive-gaussian": Number("rows of weight 0 are not counted: df_resid = 1"),
    "w-three-positive-poisson": Number("rows of weight 0 are not counted"),
    "wampler1": Number(NIST.format("Wampler's exact"), errors=False),
    "wampler3": Number(NIST.format("Wampler's")),
    "wampler5": Number(NIST.format("Wampler's")),
}

OTHERS = {
    "allzero-glmnb": Other(
        "all counts 0: nothing tells what theta is, so the fit is refused; R prints an error of its own",
        "glm.nb",
        "refused",
    ),
    "bankwages-multinom": Other(
        "no woman is custodial: both contrasts of gender grow for ever; R prints 12.5 and 11.2",
        "multinom",
        "infinite",
    ),
    "glmnb-underdispersed": Other(
        "variance below the mean: the likelihood rises with theta for ever; its Poisson limit, and said so",
        "glm.nb",
        "converged",
    ),
    "multinom-separated": Other(
        "x separates the three classes; R stops at 100 iterations", "multinom", "infinite"
    ),
    "pois-zero-group-glmnb": Other(
        "a group of zeros, as in Poisson; R's -21.8 is arbitrary", "glm.nb", "infinite"
    ),
    "polr-separated": Other("x separates the ordered classes; R finds no start", "polr", "infinite"),
}

CASES: dict[str, Case] = {**ALIASES, **INFINITE, **BOUNDARIES, **REFUSED, **NUMBERS, **OTHERS}
