"""The door to families nobody has written: one formula in, a verified family out.

May import: _base, family.catalogue, family.check, family.computed, family.derived, family.facts, family.link.
Read next: `etamu.family.facts`, which works out what the formula implies.
"""

from __future__ import annotations

import numpy as np

from etamu._base.errors import FamilyError
from etamu.family.catalogue import link as named_link
from etamu.family.check import check_family
from etamu.family.computed import mean_at, of_mean, reach, theta_at
from etamu.family.derived import Derived
from etamu.family.ends import spread
from etamu.family.facts import Facts, facts
from etamu.family.formula import read
from etamu.family.link import Link
from etamu.family.rays import BETA, TAU
from etamu.family.statement import Statement

Ends = tuple[float, float]

_ROUND_TRIP = 1e-8

_STEEPEST = 2.5
"""Twice the distance doubles the exponent of an exponential; of exp(mu^1.5) it is 2.8 times as large."""


def derive(
    *,
    cumulant: str | None = None,
    variance: str | None = None,
    link: str | Link | None = None,
    theta: Ends | None = None,
    mean: Ends | None = None,
    quasi: bool = False,
) -> Derived:
    """Derive a family from its cumulant b(theta) or its variance function V(mu).

    The mean is b'(theta), the variance phi b''(theta). Derivatives, integrals and inverses are symbolic where
    they close; where they do not, quadrature and root finding of a fixed number of steps serve. Every formula
    is compared with 320 digits over both tails, and every identity checked, before the family is returned.

    Parameters
    ----------
    cumulant : str
        b as a formula in ``theta``: ``"log(1 + exp(theta))"``. One of cumulant and variance is stated.
    variance : str
        V as a formula in ``mu``: ``"mu**2 * (1 + mu)"``.
    link : str or Link, optional
        The default link of the family; theta itself if left out.
    theta : pair of numbers, optional
        The open interval of theta of a cumulant; else the largest around 0, or near it, where b is convex.
    mean : pair of numbers, optional
        The open interval of means of a variance; else the largest one around 1/2 where V is positive.
    quasi : bool
        True: state a variance only, with free dispersion, even where the law is one of the catalogue.

    Returns
    -------
    Derived
        A family like every other: a frozen value that travels and is saved as its formula.

    Raises
    ------
    FamilyError
        If the formula cannot be read, b is not convex, V is not positive at every mean, or digits are lost in
        a tail.
    NotAvailableError
        If SymPy is not installed (``pip install 'etamu[derive]'``).

    References
    ----------
    Morris (1982), Natural exponential families with quadratic variance functions, Annals of Statistics 10.
    Jørgensen (1997), *The Theory of Dispersion Models*.

    Examples
    --------
    >>> import etamu as em
    >>> secant = em.derive(cumulant="-log(cos(theta))")
    >>> secant.mean, secant.textbook.variance, secant.canonical.text
    ((-inf, inf), 'mu**2 + 1', 'atan(mu)')
    >>> em.derive(cumulant="log(1 + exp(theta))").named
    Bernoulli()
    >>> em.derive(variance="mu - 2*mu**2 + __import__('os')")
    Traceback (most recent call last):
        ...
    etamu._base.errors.FamilyError: the formula "mu - 2*mu**2 + __import__('os')" uses "__import__('os')", ...
    """
    statement = _statement(cumulant, variance, theta, mean)
    chosen = named_link(link) if isinstance(link, str) else link
    family = Derived(statement, chosen, quasi)
    verified(family)
    return family


def _statement(
    cumulant: str | None, variance: str | None, theta: Ends | None, mean: Ends | None
) -> Statement:
    if (cumulant is None) == (variance is None):
        raise FamilyError("a family is derived from cumulant= or from variance=, one of the two")
    if cumulant is not None:
        if mean is not None:
            raise FamilyError("the means of a cumulant follow from it; mean= goes with variance=")
        read(cumulant, "theta")
        return Statement("cumulant", cumulant.strip(), _interval("theta", theta))
    if theta is not None:
        raise FamilyError("theta follows from the variance; theta= goes with cumulant=")
    read(variance, "mu")
    assert variance is not None
    return Statement("variance", variance.strip(), _interval("mean", mean))


def _interval(word: str, ends: Ends | None) -> Ends | None:
    if ends is None:
        return None
    try:
        lower, upper = (float(each) for each in ends)
    except (TypeError, ValueError):
        raise FamilyError(f"{word}={ends!r} is not understood; it is (lower, upper)") from None
    if not lower < upper:
        raise FamilyError(f"{word}={ends!r} is not understood; it is (lower, upper), the lower end first")
    return lower, upper


def verified(family: Derived) -> None:
    """Check every identity of a derived family, and the way from theta to the mean and back.

    Its law is looked for and verified when a likelihood, a residual or a draw first asks for it.

    Raises
    ------
    FamilyError
        Naming the statement and what does not hold.
    """
    found = facts(family.statement)
    _refuse_steep(family.statement, found)
    stated = f"the {family.statement.kind} {family.statement.text!r}"
    try:
        _round_trip(family, found)
        check_family(Derived(family.statement, family.link, quasi=True))
    except FamilyError as error:
        raise FamilyError(f"{stated} gives no usable family: {_slow(found) or error}") from None


def _slow(found: Facts) -> str:
    """Return what is wrong where no table follows theta or b up to the last floats; else nothing."""
    rays = () if found.integrals is None else found.integrals.rays
    followed = all(table is not None for ray in rays for table in (ray.tables[TAU], ray.tables[BETA]))
    within = reach(found)
    if followed or (within.lower, within.upper) != (found.mean.lower, found.mean.upper):
        return ""
    return (
        "toward an end of the means V is neither a power nor an exponential of mu, as mu*log(1 + mu): "
        "theta or b, the integrals of 1 / V and mu / V, grow more slowly than a logarithm, or by no rule "
        "that a table could follow"
    )


def _refuse_steep(statement: Statement, found: Facts) -> None:
    """Refuse a variance that grows or falls faster than an exponential: no table follows its theta."""
    within, mean = reach(found), found.mean
    for end, last in ((within.lower, mean.lower), (within.upper, mean.upper)):
        if end == last or found.variance is None:
            continue
        mu = np.array([end, 0.5 * end if abs(end) > 1.0 else 2.0 * end])
        with np.errstate(all="ignore"):
            size = np.abs(np.log(of_mean(found.variance, np, mu, 1.0 - mu)))
        if size[0] > _STEEPEST * size[1]:
            raise FamilyError(
                f"the {statement.kind} {statement.text!r} leaves the floats at mu = {end:g}, faster than "
                "exp(mu) would: theta keeps no digits there; state mean=(lower, upper) or a V less steep"
            )


def _round_trip(family: Derived, found: Facts) -> None:
    """Go from theta to the mean and back, over both tails."""
    grid = spread(found.natural)
    with np.errstate(all="ignore"):
        mu, complement = (np.asarray(each) for each in mean_at(np, found, grid))
        there = np.asarray(theta_at(np, found, mu, complement))
        variance = np.asarray(family.variance(np, mu, complement))
    inside = found.mean.contains(mu) & (complement > 0.0 if found.mean.upper == 1.0 else True)
    moderate = inside & (np.abs(mu) < 1e100) & (np.abs(mu) > 1e-100) & (variance > 0.0)
    moderate &= np.isfinite(variance)
    # an error of one rounding in mu moves theta by mu / V
    slack = _ROUND_TRIP * (1e-3 + np.abs(grid)) + 1e-14 * np.abs(mu) / np.where(moderate, variance, 1.0)
    wrong = moderate & ~(np.abs(there - grid) <= slack)
    if np.any(wrong):
        worst = grid[wrong][0]
        raise FamilyError(
            f"theta = {worst:.6g} gives a mean whose theta is {there[wrong][0]:.6g}; the formula keeps no "
            "digits there, or has no inverse"
        )
