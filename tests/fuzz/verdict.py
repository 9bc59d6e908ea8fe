"""What a fit of a drawn model came to: right, certified to have no maximum, refused by name, or given up.

Read next: tests/fuzz/textbook.py for the formulas, tests/fuzz/test_fits.py, which counts verdicts.
"""

from __future__ import annotations

import math
import re
import warnings
from typing import Any

import numpy as np
from scipy.optimize import linprog

import etamu as em
from etamu.solve.outcome import Outcome
from etamu.solve.recession import TOLERANCE
from tests.fuzz.digits import Maximum, apart, etas, less, nearest, step_left, values
from tests.fuzz.recipes import Dish
from tests.fuzz.textbook import (
    BOUNDED,
    EPS,
    Rows,
    Wide,
    distance,
    errors,
    frame,
    inverse_of,
    pearson,
    variance,
)

STEP = 1e-6
"""Most standard errors from the maximum."""
SURE = 1e-5
NONE = 1e-15
"""Of itself beside the columns before, a column that keeps the first has a coefficient, the second none."""

RIGHT, INFINITE, BOUNDARY, REFUSED, UNCONVERGED = "right", "infinite", "boundary", "refused", "unconverged"
LAST = 16.0
"""Units in the last place by which a coefficient may be off that is right to the last digits.

It follows from etas that are found in float64, each to the few units that its own row's formulas round by.
"""
APART = 1e-9
"""Of itself beside others, a row that is independent of them."""
TOLD = 64.0
"""The same for etas, each in units of the rounding of its terms."""
BEYOND = "beyond float64"
"""Certified: the coefficients are right to their last digits, which are too few for fitted values."""
UNDECIDED = "undecided"
"""The judge itself has no number."""


def verdict(dish: Dish) -> tuple[str, str]:
    """Fit, and return the verdict and a remark; an AssertionError is a defect."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            fit = em.glm(dish.formula, dish.data, **dish.options)
            str(fit)
        except em.EtamuError as error:
            if dish.recipe.friendly:
                raise AssertionError(f"a friendly model is refused: {error}") from error
            return REFUSED, f"{type(error).__name__}: {re.sub(r'[0-9][0-9.e+-]*', '#', str(error))[:70]}"
    for warning in said:
        assert issubclass(warning.category, em.EtamuWarning), f"a bare warning: {warning.message!r}"
    if fit.outcome is not Outcome.CONVERGED:
        told = any(issubclass(warning.category, em.ConvergenceWarning) for warning in said)
        assert told, f"{fit.outcome} without a warning"
    rows, names = _rows(dish, fit)
    beta = np.where(np.isnan(fit.coef), 0.0, fit.coef).astype(Wide)
    with np.errstate(all="ignore"):
        _check_aliases(fit, rows, names)
        judge = {
            Outcome.CONVERGED: _converged,
            Outcome.INFINITE: _infinite,
            Outcome.BOUNDARY: _boundary,
            Outcome.PRECISION: _beyond,
        }
        if fit.outcome in judge:
            return judge[fit.outcome](dish, fit, rows, beta)
    return UNCONVERGED, fit.outcome.value


def _rows(dish: Dish, fit: Any) -> tuple[Rows, tuple[str, ...]]:
    """Write out the columns of the coefficients, by name, and the rows that count."""
    data, n = dish.data, dish.recipe.rows
    used = np.isfinite(np.stack([np.asarray(data[k], float) for k in data if k[0] in "xy"], axis=1)).all(
        axis=1
    )
    weight = np.asarray(data.get("w", np.ones(n)), float)
    trials = np.asarray(data.get("m", np.ones(n)), float)
    used &= (weight > 0) & (trials > 0)
    x = np.stack([column(name, data, n) for name in fit.names], axis=1) if fit.names else np.zeros((n, 0))
    if "sampling_weights" in dish.options:
        weight = weight / weight[used].sum() * used.sum()
    offset = np.asarray(data.get("o", np.zeros(n)), float)
    parts = (x, np.asarray(data["y"], float), trials, weight, offset)
    return Rows(*(part[used].astype(Wide) for part in parts)), fit.names


def column(name: str, data: dict[str, Any], n: int) -> np.ndarray:
    """Read a name such as `g[T.b]:x0` back into its column."""
    out = np.ones(n)
    for part in name.split(":"):
        if part == "Intercept":
            continue
        level = re.fullmatch(r"(\w+)\[(?:T\.)?(\w+)\]", part)
        values = np.asarray(data[level[1]]) == level[2] if level else np.asarray(data[part], float)
        out = out * values
    return out


def _check_aliases(fit: Any, rows: Rows, names: tuple[str, ...]) -> None:
    """Hold alias decisions against the columns themselves, up to the first that is open to doubt."""
    x = rows.x
    if names[:1] == ("Intercept",):  # what tells a column from the constant is its share about the mean
        x = np.concatenate([x[:, :1], x[:, 1:] - x[:, 1:].mean(axis=0)], axis=1)
    for name, share in zip(names, frame(x, NONE).left, strict=True):
        if NONE < share < SURE:
            return
        alias = share <= NONE
        assert (name in fit.aliased) == alias, f"{name} keeps {share:.1e} of itself; aliased: {fit.aliased}"


def _converged(dish: Dish, fit: Any, rows: Rows, beta: np.ndarray) -> tuple[str, str]:
    kept = np.array([name not in fit.aliased for name in fit.names], dtype=bool)
    rows = Rows(rows.x[:, kept], rows.y, rows.trials, rows.weight, rows.offset)
    assert np.all(np.isfinite(fit.coef[kept])), "converged with a coefficient that is not finite"
    unit = dish.recipe.unit
    there = distance(unit, rows, beta[kept])
    phi = float(fit.dispersion)
    scale = max(math.sqrt(phi) if phi > 0 and math.isfinite(phi) else 1.0, _own(fit))
    if math.isfinite(there.rounding):  # the phi of a perfect fit is what rounding makes it
        scale = max(scale, there.rounding)
    if not (there.step <= STEP * scale and math.isfinite(there.rounding)):
        return _exactly(dish, fit, rows, beta[kept], scale)
    if dish.recipe.dispersion in {None, "pearson"} and fit.phi.estimated and fit.df_resid > 0:
        exact = there.pearson / fit.df_resid
        slack = 1e-6 * exact + 16.0 * there.rounding * math.sqrt(there.pearson) / fit.df_resid
        slack += 16.0 * float(Wide(there.rounding) ** 2)
        assert phi == exact or not abs(phi - exact) > slack, f"phi is {phi!r}, by the textbook {exact!r}"
    if dish.recipe.plain:
        ray = _ray(dish, rows)
        assert ray is not True, "converged though the data separate"
    return RIGHT, ""


def _exactly(dish: Dish, fit: Any, rows: Rows, beta: np.ndarray, scale: float) -> tuple[str, str]:
    """Hold coefficients against the maximum in hundreds of digits: near it, or as rounding lets be."""
    unit = dish.recipe.unit
    left = np.inf if np.any(_on_edge(unit, rows, beta)) else step_left(unit, rows, beta)
    if left <= STEP * scale:
        return RIGHT, "by exact numbers"
    found = _nearest(fit, unit, rows, beta)
    if found is None and left <= 4.0 * distance(unit, rows, beta).rounding < np.inf:
        return RIGHT, "to rounding"  # a tail in which steps creep on for hundreds of etas
    if found is None:
        return UNDECIDED, "no maximum found in hundreds of digits either"
    off, beyond = apart(unit, rows, beta, found, TOLD * _told(rows, beta))
    if off <= STEP * scale:
        return RIGHT, "by exact numbers"
    assert beyond <= STEP * scale or _units(unit, rows, beta, found) <= LAST, (
        f"{off / scale:.2e} standard errors off, {beyond / scale:.2e} of them beyond what rounding explains"
    )
    _check_phi(dish, fit, rows, found, distance(unit, rows, beta).rounding)
    return RIGHT, "to the last digits"


def _nearest(fit: Any, unit: Any, rows: Rows, beta: np.ndarray) -> Maximum | None:
    """Look for a maximum from the coefficients, from the etas that the fit has, and from the responses."""
    starts = (fit.solution.eta, fit.predict(kind="link"), _usual(unit, rows))
    return nearest(unit, rows, beta, [eta for eta in starts if eta is not None and len(eta) == len(rows.y)])


def _usual(unit: Any, rows: Rows) -> np.ndarray:
    """Return the etas at which a search begins."""
    mean = unit.family.start((rows.y / rows.trials).astype(float), rows.trials.astype(float))
    return np.asarray(unit.link.link(np, mean, 1.0 - mean)).astype(Wide)


def _told(rows: Rows, beta: np.ndarray) -> np.ndarray:
    """Return what float64 tells of every eta: a last digit of its terms."""
    return np.asarray(EPS * (np.abs(rows.offset) + np.abs(rows.x) @ np.abs(beta)))


def _gaps(unit: Any, eta: np.ndarray) -> np.ndarray:
    """Return how far every eta is from the nearer end of its domain."""
    return np.minimum(np.abs(eta - Wide(unit.domain.lower)), np.abs(eta - Wide(unit.domain.upper)))


def _on_edge(unit: Any, rows: Rows, beta: np.ndarray) -> np.ndarray:
    """Tell which etas are nearer an end than float64 can tell from their terms, or beyond it."""
    eta = rows.offset + rows.x @ beta
    outside = (eta <= Wide(unit.domain.lower)) | (eta >= Wide(unit.domain.upper))
    return np.asarray(outside | (_gaps(unit, eta) <= np.fmax(LAST * _told(rows, beta), LAST * JUST)))


def _units(unit: Any, rows: Rows, beta: np.ndarray, found: Maximum) -> float:
    """Return how far coefficients are from those of a maximum, in units of their last digits.

    Columns are shifted while they are fitted, and the constant, or the levels, have what that adds up to. And
    they come of etas that are right to their own last digits.
    """
    terms = np.max(np.abs(rows.x), axis=0, initial=0) * np.abs(beta)
    shifted = np.all((rows.x == 0) | (rows.x == 1), axis=0)
    eta = etas(found)
    told = _of_etas(rows, np.fmin(_gaps(unit, eta), np.abs(eta)))
    off = np.abs(less(beta, found))
    allowed = EPS * np.fmax(np.where(shifted, terms.sum(), np.abs(beta)), told)
    return float(np.max(np.where(off == 0, 0, off / allowed), initial=0.0))


def _of_etas(rows: Rows, size: np.ndarray) -> np.ndarray:
    """Return what the smallest independent etas, as many as coefficients, add up to in each of these."""
    order = np.argsort(size, kind="stable")
    scaled = rows.x / np.fmax(np.max(np.abs(rows.x), axis=0, initial=0), Wide(NONE))
    own = frame(scaled[order].T, APART).left > APART
    chosen = order[own][: rows.x.shape[1]]
    if len(chosen) < rows.x.shape[1]:
        return np.zeros(rows.x.shape[1], dtype=Wide)
    back = np.abs(np.linalg.inv(scaled[chosen].astype(float))).astype(Wide)
    return np.asarray(back @ size[chosen] / np.max(np.abs(rows.x), axis=0))


def _check_phi(dish: Dish, fit: Any, rows: Rows, found: Maximum, rounding: float = 0.0) -> None:
    """Hold phi against the one at the etas of the maximum; `rounding` is that of Pearson residuals."""
    if dish.recipe.dispersion in {None, "pearson"} and fit.phi.estimated and fit.df_resid > 0:
        residual, _, size = pearson(dish.recipe.unit, rows, etas(found))
        phi, slack = (float(np.sum(r**2)) / fit.df_resid for r in (residual, 16 * EPS * size))
        slack += 16.0 * rounding * (math.sqrt(phi / fit.df_resid) + rounding / fit.df_resid)
        right = not abs(fit.dispersion - phi) > 1e-6 * phi + slack
        assert right, f"phi is {fit.dispersion!r}, by the textbook {phi!r}"


def _own(fit: Any) -> float:
    """Return the unit of convergence: phi = 1 where the family knows it, else the phi the data have."""
    return 1.0 if fit.family.dispersion_known else math.sqrt(fit.deviance / max(fit.df_resid, 1))


def _infinite(dish: Dish, fit: Any, rows: Rows, beta: np.ndarray) -> tuple[str, str]:
    _check_direction(dish, fit, rows, beta)
    kept = np.array([name not in fit.aliased for name in fit.names], dtype=bool)
    rows = Rows(rows.x[:, kept], rows.y, rows.trials, rows.weight, rows.offset)
    ray = _ray(dish, rows)
    if dish.recipe.plain:
        assert ray is not False, "said to be infinite, and no direction separates"
    return INFINITE, {True: "certified", False: "extreme columns", None: "by its direction"}[ray]


def _beyond(dish: Dish, fit: Any, rows: Rows, beta: np.ndarray) -> tuple[str, str]:
    """Find the maximum in hundreds of digits: what is reported are its first 16, and they are not enough."""
    kept = np.array([name not in fit.aliased for name in fit.names], dtype=bool)
    rows, beta = Rows(rows.x[:, kept], rows.y, rows.trials, rows.weight, rows.offset), beta[kept]
    unit = dish.recipe.unit
    eta = rows.offset + rows.x @ beta
    if np.all((unit.domain.lower < eta) & (eta < unit.domain.upper)):
        step = step_left(unit, rows, beta)
        light = math.sqrt(min(1.0, float(rows.weight.max())))  # errors are counted where the heaviest is 1
        assert not step <= STEP * _own(fit) * light, f"said to need more digits, and is {step:.1e} errors off"
    found = _nearest(fit, unit, rows, beta)
    if found is None:
        return UNDECIDED, "no maximum found in hundreds of digits either"
    last = _units(unit, rows, beta, found)
    assert last <= LAST, f"said to be right to the last digit, and is {last:.1e} units off"
    _check_phi(dish, fit, rows, found)
    return BEYOND, "certified"


AWAY = (1e-3, 1.0, 8.0, 100.0, 1e5, 1e20)
"""How far along the direction rows are looked at, in units of the slowest."""


def _check_direction(dish: Dish, fit: Any, rows: Rows, beta: np.ndarray) -> None:
    """Follow the direction that was said to run away: no row that moves may fall, and some must move."""
    said = fit.existence
    if said.outcome != "infinite":
        raise AssertionError(f"said to be infinite, with no direction: {said.how}")
    along = np.array([said.direction.get(name, 0.0) for name in fit.names], dtype=Wide)
    moved = rows.x @ along
    told = 1e-13 * (np.abs(rows.x) @ np.abs(along))  # the direction has 15 digits
    moves = np.abs(moved) > np.maximum(10 * TOLERANCE * np.max(np.abs(moved), initial=0), told)
    assert np.any(moves), "said to be infinite along a direction that moves no row"
    finite = np.where(np.isfinite(beta), beta, 0.0)
    start = rows.offset[moves] + rows.x[moves] @ finite
    if said.paid:
        assert _rises(dish, rows, start, moved, moves), f"it does not rise along {said.direction}"
        return
    for far in AWAY:
        eta = np.sign(moved[moves]) * (np.abs(start) + far * np.abs(moved[moves]))
        at = inverse_of(dish.recipe.unit.link)(eta)
        inside = dish.recipe.unit.domain.contains(eta.astype(float))
        mean = rows.y[moves] / rows.trials[moves]
        gap = np.where(mean == 1, at.complement, mean - at.mu) if fit.family.name in BOUNDED else mean - at.mu
        rising = gap * at.slope * moved[moves]
        falls = np.any(inside & (rising < 0))
        assert not falls, f"said to be infinite along {said.direction}, where a row falls"


def _rises(dish: Dish, rows: Rows, start: np.ndarray, moved: np.ndarray, moves: np.ndarray) -> bool:
    """Tell whether the score of all rows that move, far along their way, is positive in the end.

    What is less than double precision has numbers for is no rise and no fall.
    """
    last = Wide(0)
    for far in 2.0 ** np.arange(0, 66):
        at = inverse_of(dish.recipe.unit.link)(start + far * moved[moves])
        spread = variance(dish.recipe.unit.family, at.mu)
        score = rows.weight[moves] * (rows.y[moves] - at.mu) * at.slope / spread
        score = np.where(at.slope == 0, 0, score)  # 0 / 0 where the variance has gone with the mean
        rising = float(np.sum(score * moved[moves]))
        if math.isfinite(rising) and abs(rising) > 1e-290:
            last = rising
    return last > 0.0


JUST = Wide("1e-60")
"""Distance from an end at which a row that lies on it is looked at."""


def _boundary(dish: Dish, fit: Any, rows: Rows, beta: np.ndarray) -> tuple[str, str]:
    unit = dish.recipe.unit
    assert not unit.domain.whole, "a boundary where eta has none"
    kept = np.array([name not in fit.aliased for name in fit.names], dtype=bool)
    rows, beta = Rows(rows.x[:, kept], rows.y, rows.trials, rows.weight, rows.offset), beta[kept]
    eta = rows.offset + rows.x @ beta
    sizes = np.fmax(1.0 + np.abs(eta), errors(unit, rows, beta))
    on = _on_edge(unit, rows, beta)
    near = float(np.min(np.where(on, 0.0, _gaps(unit, eta)) / sizes, initial=np.inf))
    assert near < 1e-3, f"said to lie on the boundary, and every eta keeps {near:.1e} from it"
    gain = _gain(unit, rows, eta, on, LAST * _told(rows, beta))
    slack = STEP * (float(fit.dispersion) if fit.phi.estimated and math.isfinite(fit.dispersion) else 1.0)
    slack = max(slack, STEP * _own(fit) ** 2)
    assert not gain > slack, f"said to be the maximum on the boundary, and the value rises by {gain:.1e}"
    return BOUNDARY, "certified" if near < 1e-6 else "near"


def _gain(unit: Any, rows: Rows, eta: np.ndarray, on: np.ndarray, told: np.ndarray) -> float:
    """Return by how much the value rises along the steepest direction that leaves no row outside.

    A maximum on the edge has none: all that rows on the edge would rather do is leave the domain. What
    rounding of etas may be worth is taken off.
    """
    lower, upper = Wide(unit.domain.lower), Wide(unit.domain.upper)
    inward = np.where(np.abs(eta - lower) <= np.abs(eta - upper), 1.0, -1.0)
    end = np.where(inward > 0, lower, upper)
    # Where the value falls without end at the edge itself, the claim is as near as rounding lets it be.
    away = [np.maximum(JUST * np.maximum(np.abs(end), 1), share * told) for share in (0.0, 1e-4, 1e-2, 1.0)]
    places = [np.where(on, end + inward * each, eta) for each in away]
    eta = places[int(np.argmax(values(unit, rows, places)))]
    residual, root, _ = pearson(unit, rows, eta)
    slope = residual * root
    if not np.all(np.isfinite(slope) & np.isfinite(root)):
        return math.nan
    size = np.max(np.abs(rows.x) * np.where(on, 1.0, root)[:, None], axis=0, initial=0)
    size = np.where(size > 0, size, np.max(np.abs(rows.x), axis=0, initial=0))
    x = rows.x / size
    gradient = (x.T @ slope).astype(float)
    normals = (x[on] * inward[on][:, None]).astype(float)
    normals /= np.max(np.abs(normals), axis=1, initial=0)[:, None]
    if not np.all(np.isfinite(gradient) & np.all(np.isfinite(normals), axis=0)) or not gradient.any():
        return math.nan
    found = linprog(
        -gradient / np.max(np.abs(gradient)),
        A_ub=-normals if on.any() else None,
        b_ub=np.zeros(len(normals)) if on.any() else None,
        bounds=(-1.0, 1.0),
        method="highs",
    )
    if found.status != 0:
        return math.nan
    change = x @ found.x.astype(Wide)
    change = np.where(on, np.where(inward * change > 1e-9 * np.abs(x).sum(axis=1), change, 0), change)
    way = (eta + Wide(2.0) ** -k * change for k in range(-2, 90, 4))
    usual, start, *far = values(unit, rows, [_usual(unit, rows), eta, *way])
    noise = float(np.sum(np.where(on, 0, np.abs(slope) * told)))
    light = float(rows.weight.min() / rows.weight.max())  # the lightest rows keep their say
    noise += EPS**2 * light * float(abs(usual)) if math.isfinite(usual) else 0.0
    return float(max(far) - start) - noise


SHARES = {(f, k): (True, True) for f in BOUNDED for k in ("logit", "probit", "cloglog", "loglog")}
COUNTS = {(f, "log"): (True, False) for f in ("poisson", "quasipoisson", "negative_binomial")}
FLAT = SHARES | COUNTS
"""Convex pairs on the line: whether a row of no, or of all, successes is content far down, or far up."""


def _ray(dish: Dish, rows: Rows) -> bool | None:
    """Ask a linear program for a direction in which nothing falls and something rises; None if mute."""
    unit = dish.recipe.unit
    flat = FLAT.get((unit.family.name, unit.link.name))
    if flat is None or not rows.x.size:
        return None
    low = (rows.y == 0) & flat[0]
    high = (rows.y == rows.trials) & flat[1]
    size = np.max(np.abs(rows.x), axis=0, initial=0)
    x = (rows.x / np.where(size > 0, size, 1)).astype(float)
    sign = np.where(high, 1.0, -1.0)
    free, tied = low | high, ~(low | high)
    if not free.any():
        return False
    moves = sign[free, None] * x[free]
    found = linprog(
        -moves.sum(axis=0),
        A_ub=-moves,
        b_ub=np.zeros(len(moves)),
        A_eq=x[tied] if tied.any() else None,
        b_eq=np.zeros(int(tied.sum())) if tied.any() else None,
        bounds=(-1.0, 1.0),
        method="highs",
    )
    if found.status != 0:
        return None
    return None if 1e-9 < -found.fun < 1e-6 else bool(-found.fun >= 1e-6)
