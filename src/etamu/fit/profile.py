"""Profile likelihood: where the deviance, minimised over everything else, has risen by the critical value.

May import: everything below `fit`.
Read next: `etamu.solve.farthest`, which finds these places.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from etamu._base.choice import check_choice
from etamu._base.errors import ConvergenceWarning, NotAvailableError, OptionError
from etamu._base.facts import dataclass
from etamu._base.later import later
from etamu._base.listing import suggestion
from etamu._base.types import Array
from etamu.design.chunk import Chunk, Predictor
from etamu.design.coordinates import describe, extent
from etamu.execute.threads import Threads
from etamu.family.unit import Unit
from etamu.fit.caller import user_level
from etamu.fit.limit import inside
from etamu.fit.start import Inside
from etamu.infer.covariance import Root
from etamu.infer.wald import criticals, probability
from etamu.objective.likelihood import Likelihood
from etamu.solve.direction import FINAL
from etamu.solve.farthest import FULL, End, Ending, Ridge, farthest
from etamu.solve.oracle import Oracle, Outcome
from etamu.sums import etas

if TYPE_CHECKING:
    from etamu.fit.fitted import FittedModel
    from etamu.fit.penalty import penalised, penalty_of
    from etamu.fit.reduced import refuse_unpenalised
else:
    penalised = later("etamu.fit.penalty", "penalised")
    penalty_of = later("etamu.fit.penalty", "penalty_of")
    refuse_unpenalised = later("etamu.fit.reduced", "refuse_unpenalised")

UNVERIFIED = {Outcome.LIMIT, Outcome.STALLED, Outcome.STATIONARY, Outcome.INFEASIBLE, Outcome.PRECISION}
"""Ends of a search whose reported coefficients are no maximum."""
SCALES = ("link", "response", "ratio")
"""Scales of an interval: as it stands, through the inverse of the link, or as a factor e^psi."""
FACTORS = {"log": "means", "logit": "odds", "cloglog": "hazards"}
"""Links on which a difference of psi is the log of a ratio, and of what."""
POINTS = 8
"""Points of a traced curve on each side."""
TRACED = 0.99
"""A curve goes out to the ends of an interval of at least this level."""
MIDDLE = (30.0, 10.0, 5.0, 3.0, 2.0)
"""How far out a walk may begin along what runs away: little is left to gain, and information is not yet 0."""
MARGINS = (1e-1, 1e-3, 1e-5)
"""How far inside its domain a starting eta is looked for, relative to a typical eta."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """The profile of one linear combination psi of the coefficients.

    Parameters
    ----------
    name : str
        The coefficient, or "combination".
    estimate, se : float
        The combination at the estimate and its standard error.
    level : float
    interval : array (2,)
        Where the signed root meets the critical value; an infinite end never does.
    endings : tuple of str
        How each end was found: "interior", "edge" of the domain, "infinite" or "not found".
    values, roots : arrays (k,)
        The traced curve: psi, and sign(psi - estimate) sqrt((D(psi) - D) / phi) there. A straight line is
        a Wald interval.
    critical : float
        The root at the ends of the interval.
    unit : Unit
    """

    name: str
    estimate: float
    se: float
    level: float
    interval: Array
    endings: tuple[str, str]
    values: Array
    roots: Array
    critical: float
    unit: Unit

    def conf_int(self, scale: str = "link") -> Array:
        """Return the interval, (2,), on the scale of the link, of the response, or as a ratio.

        Parameters
        ----------
        scale : "link", "response" or "ratio"
            "response" takes the combination for a linear predictor and returns means; "ratio" returns e^psi,
            a ratio of means (log link), odds (logit) or hazards (cloglog).

        Raises
        ------
        OptionError
            If the scale is not known, or there is no ratio on this link.
        """
        return on_scale(self.unit, self.interval, scale)

    def __str__(self) -> str:
        low, high = self.interval
        ends = [ending for ending in self.endings if ending != "interior"]
        remark = f" (ends: {', '.join(self.endings)})" if ends else ""
        text = f"{self.name} {self.estimate:.6g}, {self.level:.4g} profile interval"
        return f"{text} {low:.6g} to {high:.6g}{remark}"


def profile(
    fit: FittedModel,
    combination: str | Sequence[float] | Array,
    level: float = 0.95,
    reference: str | None = None,
) -> Profile:
    """Trace the profile as `Fit.profile` describes."""
    bound = _bound(fit, level, reference)
    name, weights = _named(fit, combination)
    functional = fit.coordinates.hypothesis(weights[None, :])[0]
    still = _still(fit, functional)
    outermost = max(bound, _bound(fit, TRACED, reference))
    roots = np.union1d(np.linspace(0.0, outermost, POINTS + 1)[1:], [bound])
    ridge = _ridge(fit, functional, still=still)
    estimate = ridge.place(ridge.peak)
    spans = roots * math.sqrt(fit.phi.value)
    sides = [_endless(fit, ridge, spans, side) or farthest(ridge, spans, side) for side in (-1, 1)]
    at = int(np.searchsorted(roots, bound))
    ends = [side[at] for side in sides]
    _say_lost(name, ends)
    values, heights = _curve(sides, estimate, math.sqrt(fit.phi.value))
    return Profile(
        name=name,
        estimate=estimate if still else float(_ran(fit, functional)),
        se=float(Root((functional @ fit.root.matrix)[None, :]).errors()[0]) if still else math.nan,
        level=level,
        interval=np.array([end.place for end in ends]),
        endings=(ends[0].ending.value, ends[1].ending.value),
        values=values,
        roots=heights,
        critical=bound,
        unit=fit.problem.unit,
    )


def profile_intervals(fit: FittedModel, level: float, reference: str | None) -> Array:
    """Find the profile interval of every coefficient, (names, 2); NaN for an aliased one.

    Raises
    ------
    NotAvailableError
        If the fit has no likelihood to profile.
    """
    if fit.near is not None:
        near = profile_intervals(fit.near.fit, level, reference)
        return fit.near.measure.coefficients(near.T, fit.problem.layout.constant).T
    bound = _bound(fit, level, reference)
    out = np.full((len(fit.names), 2), np.nan)
    nothing = np.zeros(fit.rank)
    within = _ridge(fit, nothing, still=True)
    outside = within if fit.limit is None else _ridge(fit, nothing, still=False)
    # Where there may be other peaks, the ridge is followed in short steps.
    shares = np.ones(1) if fit.problem.unit.convex else np.array([0.25, 0.5, 0.75, 1.0])
    roots = bound * math.sqrt(fit.phi.value) * shares
    for j in fit.coordinates.kept:
        functional = fit.coordinates.hypothesis(np.eye(1, len(fit.names), int(j)))[0]
        ridge = within if (still := _still(fit, functional)) else outside
        if fit.limit is not None and still:
            functional = functional[~fit.limit.gone]
        own = replace(ridge, functional=functional)
        ends = [(_endless(fit, own, roots, side) or farthest(own, roots, side))[-1] for side in (-1, 1)]
        _say_lost(fit.names[j], ends)
        out[j] = [end.place for end in ends]
    return out


def _bound(fit: FittedModel, level: float, reference: str | None) -> float:
    """Return the critical value; that of a fit which trusts its model is one for all contrasts."""
    _refuse(fit)
    return float(criticals(level, interval_df(fit, level, reference)))


def interval_df(fit: FittedModel, level: float, reference: str | None) -> Array | float:
    """Return the degrees of freedom behind a critical value, infinite for the normal.

    Raises
    ------
    OptionError
        If the level is no probability or the reference is not known.
    """
    check_choice("reference", reference, (None, "z"))
    probability(level)
    return math.inf if reference == "z" else fit.reference_df


def on_scale(unit: Unit, ends: Array, scale: str) -> Array:
    """Map ends of intervals, (…, 2), to a scale; they stay in order.

    Raises
    ------
    OptionError
        If the scale is not known, or there is no ratio on this link.
    """
    check_choice("scale", scale, SCALES)
    if scale == "link":
        return ends
    if scale == "ratio":
        if unit.link.name not in FACTORS:
            raise OptionError(
                f"on the {unit.link.name} link no difference is a ratio (log, logit and cloglog have one): "
                "use scale='link' or 'response'"
            )
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(ends))
    with np.errstate(all="ignore"):
        mu = unit.mean(np, np.clip(ends, -1e300, 1e300)).mu
    mu = np.where(unit.domain.contains(ends) | np.isinf(ends), mu, np.nan)
    return np.sort(mu, axis=-1)


def _named(fit: FittedModel, combination: str | Sequence[float] | Array) -> tuple[str, Array]:
    """Read a combination: its name, and its weights on the reported coefficients."""
    names = fit.names
    if isinstance(combination, str):
        if combination not in names:
            hint = suggestion(combination, names, "coefficients")
            raise OptionError(f"there is no coefficient {combination!r}{hint}")
        name, weights = combination, np.eye(1, len(names), names.index(combination))[0]
    else:
        name, weights = "combination", np.asarray(combination, dtype=np.float64)
    if weights.shape != (len(names),):
        raise OptionError(
            f"a combination has one number per coefficient, {len(names)}, not shape {weights.shape}: "
            + ", ".join(names)
        )
    if not np.all(np.isfinite(weights)) or not weights.any():
        raise OptionError("a combination needs finite numbers, not all of them 0")
    lost = [label for label in fit.aliased if weights[names.index(label)] != 0]
    if lost:
        raise NotAvailableError(
            f"{', '.join(lost)} cannot be estimated, being a linear combination of earlier columns: profile "
            "a combination without it"
        )
    return name, weights


def _still(fit: FittedModel, functional: Array) -> bool:
    """Tell whether a functional has a finite estimate."""
    return fit.limit is None or bool(fit.limit.runs(functional[None, :])[0] == 0.0)


def _endless(fit: FittedModel, ridge: Ridge, roots: Array, side: int) -> tuple[End, ...] | None:
    """Return the ends on a side where what runs away, or may be anything, has none; None elsewhere."""
    if fit.limit is None or len(ridge.functional) != len(fit.beta):
        return None
    run = float(fit.limit.runs(ridge.functional[None, :])[0])
    if run in {0.0, float(-side)}:
        return None
    return tuple(End(side * math.inf, float(root), ridge.peak, Ending.INFINITE) for root in roots)


def _ran(fit: FittedModel, functional: Array) -> float:
    """Return the infinity that a functional runs to, NaN where it may be anything."""
    return math.nan if fit.limit is None else float(fit.limit.runs(functional[None, :])[0]) * math.inf


def _ridge(fit: FittedModel, functional: Array, *, still: bool) -> Ridge:
    """Set the likelihood of a fit up for walks away from its maximum.

    Of a limit, what has a finite estimate is walked along where that is finite, the rest held at its end.
    """
    problem, coordinates, beta, local = fit.problem, fit.coordinates, fit.beta, fit.solution.local
    verified = fit.outcome is Outcome.CONVERGED
    if fit.limit is not None and still:
        problem, beta = inside(problem, coordinates, fit.limit), fit.limit.beta
        coordinates, verified = fit.limit.inner(coordinates), fit.limit.outcome is Outcome.CONVERGED
        functional = functional[~fit.limit.gone]
    rows = problem.counting()
    predictor = rows.predictors[0]
    placed = Predictor(coordinates.placed(predictor.design), predictor.offset)
    chunk = Chunk((placed,), rows.y, rows.weights, rows.row_ids)
    threads, size = problem.options.threads, problem.options.block_rows
    executor = Threads(chunk, size) if threads is None else Threads(chunk, size, threads)
    moments = executor.reduce(lambda block: describe(block.predictors[0].design))
    bound = extent(coordinates, moments)
    unit = problem.unit
    plain = Likelihood(executor, unit, coordinates, bound)
    if fit.limit is not None and not still:
        for far in MIDDLE:
            beta = fit.limit.near + min(fit.limit.far, far) * fit.limit.direction
            if (seen := plain.at(beta, FULL)).metric is not None:
                break
        local = replace(seen, value=local.value)
    phases: tuple[Likelihood, ...] = ()
    if unit.restricted:
        typical = float(np.median(np.abs(etas(chunk, coordinates.raw(beta)))))
        targets = (
            Inside(unit.domain.lower + share * typical, unit.domain.upper - share * typical)
            for share in MARGINS
        )
        phases = tuple(Likelihood(executor, target, coordinates, bound) for target in targets)
    oracle: Oracle = plain
    method = problem.options.method
    penalty = None if method == "ml" else penalty_of(unit, method)
    bare = penalty is None or penalty.none
    if not bare:
        oracle = penalised(plain, unit, method, fit.phi.value, fit.beta)
        local = oracle.at(fit.beta, FINAL)
    return Ridge(
        oracle,
        beta,
        local,
        functional,
        concave=unit.convex and bare,
        verified=verified,
        phases=phases,
    )


def _refuse(fit: FittedModel) -> None:
    """Raise where there is no maximum, no rows, or no likelihood to profile."""
    if fit.problem.options.method != "ml":
        refuse_unpenalised(fit, "a profile interval")
    if fit.problem.attached().chunk.weights.sampling is not None:
        raise NotAvailableError(
            "sampling weights make no likelihood of the rows, so there is none to profile: use method='wald'"
        )
    if fit.covariance_kind not in {"model", "observed"}:
        raise NotAvailableError(
            f"a profile interval trusts the model's likelihood, which the {fit.covariance_kind} covariance "
            "does not: use method='wald', or the model's covariance"
        )
    if fit.outcome in UNVERIFIED:
        raise NotAvailableError(f"there is no verified maximum to profile from. {fit.outcome.advice}")
    if fit.outcome is Outcome.INFINITE and not fit.problem.unit.convex:
        raise NotAvailableError(
            f"the estimate is infinite, and with the {fit.link.name} link the likelihood is not concave: "
            f"there is no safe way back to the ends of an interval. {fit.outcome.advice}"
        )
    if not math.isfinite(fit.phi.value):
        raise NotAvailableError(
            "phi cannot be estimated with no degrees of freedom left, so no deviance is large: "
            "give dispersion= a number"
        )
    if not fit.phi.value > 0.0:
        raise NotAvailableError("the fit is perfect, phi is 0: every deviance is large")


def _say_lost(name: str, ends: list[End]) -> None:
    if any(end.ending is Ending.UNKNOWN for end in ends):
        message = f"an end of the profile interval of {name} was not found and is NaN"
        warnings.warn(message, ConvergenceWarning, stacklevel=user_level())


def _curve(sides: list[tuple[End, ...]], estimate: float, unit: float) -> tuple[Array, Array]:
    """Put the points found on both sides in order; those a survey passed fill a side that has no end."""
    pairs = {(estimate, 0.0)}
    for sign, ends in zip((-1.0, 1.0), sides, strict=True):
        for end in ends:
            if end.ending is Ending.INTERIOR:
                pairs.add((end.place, sign * end.root / unit))
            else:
                pairs |= {(place, sign * fallen / unit) for place, fallen in end.passed if place != estimate}
    ordered = np.array(sorted(pairs))
    return ordered[:, 0], ordered[:, 1]
