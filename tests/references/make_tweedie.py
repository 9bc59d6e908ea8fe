"""Write tweedie.json: Tweedie log densities and tails in high precision, from their definitions.

May import: mpmath and the standard library; nothing of etamu.
Read next: tests/family/test_tweedie.py, which holds etamu against them.

1 < p < 2: the series over the Poisson count, term by term, from the definition of the compound law.
p > 2: the alternating series of the stable density with as many digits as its terms need, or, where that
would be thousands, and for the tails, the inversion integral on a parabola through the saddlepoint.

usage: python tests/references/make_tweedie.py      (a few minutes)
"""

import itertools
import json
import random
from pathlib import Path

import mpmath as mp

DIGITS = 40
POWERS = (1.01, 1.1, 1.35, 1.5, 1.75, 1.9, 1.99, 2.01, 2.2, 2.5, 2.8, 3.3, 4.0)
Y = (1e-10, 1e-6, 1e-3, 0.02, 0.3, 1.0, 2.5, 17.0, 300.0, 1e4, 1e6)
MU = (1e-3, 0.05, 0.7, 1.0, 3.0, 40.0, 1e3, 1e4)
PHI = (1e-3, 0.02, 0.3, 1.0, 6.0, 50.0, 1e3)
CASES_PER_POWER = 24
COMPOUND_POINTS = (
    *(
        (0.1, 1.0, 1.0),
        (1.0, 1.0, 0.1),
        (5.0, 1.0, 0.3),
        (30.0, 2.0, 2.0),
        (1e-3, 0.5, 3.0),
        (2.0, 4.0, 0.01),
    ),
)
STABLE_POINTS = (
    *((0.2, 1.0, 0.5), (1.0, 1.0, 0.3), (1.05, 1.0, 1.0), (6.0, 2.0, 0.2), (0.9, 1.0, 8.0)),
    *((0.999, 1.0, 1e-3), (0.3, 0.5, 2.0), (40.0, 1.0, 0.5), (3.0, 3.0, 1e3)),
)


def compound(power, mu, phi):
    """Return the rate, the shape and the scale of the compound Poisson-gamma law."""
    rate = mu ** (2 - power) / (phi * (2 - power))
    return rate, (2 - power) / (power - 1), phi * (power - 1) * mu ** (power - 1)


def around(term, peak):
    """Sum a positive sequence over n >= 1, outwards from a number near its peak."""
    start = max(1, int(peak))
    total = term(start)
    for step in (1, -1):
        n = start + step
        while n >= 1:
            value = term(n)
            total += value
            if value < total * mp.mpf(10) ** -25:
                break
            n += step
    return total


def compound_log_density(y, mu, phi, power):
    rate, shape, scale = compound(power, mu, phi)
    if y == 0:
        return -rate

    def log_term(n):
        poisson = n * mp.log(rate) - rate - mp.loggamma(n + 1)
        a = n * shape
        return poisson + (a - 1) * mp.log(y) - y / scale - a * mp.log(scale) - mp.loggamma(a)

    peak = y ** (2 - power) / (phi * (2 - power))
    highest = log_term(max(1, int(peak)))
    return highest + mp.log(around(lambda n: mp.exp(log_term(n) - highest), peak))


def compound_tails(y, mu, phi, power):
    """Return P(Y <= y) and P(Y > y)."""
    rate, shape, scale = compound(power, mu, phi)
    peak = y ** (2 - power) / (phi * (2 - power))

    def poisson(n):
        return mp.exp(n * mp.log(rate) - rate - mp.loggamma(n + 1))

    lower = around(
        lambda n: poisson(n) * mp.gammainc(n * shape, 0, y / scale, regularized=True), min(rate, peak)
    )
    upper = around(
        lambda n: poisson(n) * mp.gammainc(n * shape, y / scale, mp.inf, regularized=True), max(rate, peak)
    )
    return mp.exp(-rate) + lower, upper


def cumulants(mu, phi, power):
    """Return theta and the cumulant function of a Tweedie law."""
    theta = mu ** (1 - power) / (1 - power)

    def kappa(t):
        return ((1 - power) * t) ** ((2 - power) / (1 - power)) / (2 - power)

    return theta, kappa


def stable_log_density(y, mu, phi, power):
    a = (power - 2) / (power - 1)
    theta, kappa = cumulants(mu, phi, power)
    size = 1 / ((power - 1) * (power - 2) * phi * y ** (power - 2))
    if size > 150:
        return inversion_log_density(y, mu, phi, power)
    with mp.workdps(int(DIGITS + 3 * float(size) * (power + 2))):
        c = (1 - a) / a * (phi / (1 - a)) ** a / phi
        x = y * c ** (-1 / a)
        total, n = mp.mpf(0), 1
        while True:
            size = mp.gamma(n * a + 1) / mp.factorial(n) * x ** (-n * a - 1)
            total -= (-1) ** n * mp.sinpi(n * a) * size
            if n > 5 and size < abs(total) * mp.mpf(10) ** -25:
                break
            n += 1
        return mp.log(total / mp.pi * c ** (-1 / a)) + (y * theta - kappa(theta)) / phi


def inversion_log_density(y, mu, phi, power):
    """Integrate over the parabola w = w0 (1 + it)^2 through the saddlepoint w0, theta w being the tilted theta."""
    theta, kappa = cumulants(mu, phi, power)
    vertex = (y / mu) ** (1 - power)
    height = (kappa(theta * vertex) - kappa(theta) - theta * (vertex - 1) * y) / phi

    def integrand(t):
        w = vertex * (1 + 1j * t) ** 2
        exponent = (kappa(theta * w) - kappa(theta * vertex) - theta * (w - vertex) * y) / phi
        return mp.re(mp.exp(exponent) * 2 * vertex * (1 + 1j * t))

    width = 1 / mp.sqrt(4 * vertex**2 * theta**2 * y**power / phi)
    points = [width * k for k in (0, 1, 2, 3, 4, 6, 8, 10, 13, 17, 25, 40)]
    return height + mp.log(mp.quad(integrand, points) * abs(theta) / phi / mp.pi)


def stable_tails(y, mu, phi, power):
    """Return P(Y <= y) and P(Y > y) by Bromwich's integral on a parabola round the branch cut.

    In w = 1 + phi s/theta the pole s = 0 is w = 1: right of it the integral is the lower tail, left the upper.
    """
    theta, kappa = cumulants(mu, phi, power)
    saddle = (y / mu) ** (1 - power)

    def tail(vertex):
        def integrand(t):
            w = vertex * (1 + 1j * t) ** 2
            slope = 2j * vertex * (1 + 1j * t)
            return mp.im(
                mp.exp((kappa(theta * w) - kappa(theta) - theta * (w - 1) * y) / phi) * slope / (w - 1)
            )

        far = mp.sqrt(1 + 120 * phi / (abs(theta) * vertex * y))
        return mp.quad(integrand, mp.linspace(0, far, 60)) / mp.pi

    # From the wrong side of a far saddlepoint the integrand is huge; there it is one minus the near tail.
    if saddle > 2:
        lower = tail(saddle)
        return lower, 1 - lower if lower < 0.1 else -tail(mp.mpf("0.7"))
    if saddle < 0.5:
        upper = -tail(saddle)
        return 1 - upper if upper < 0.1 else tail(mp.mpf("1.4")), upper
    if saddle > 1:
        lower = tail(max(saddle, mp.mpf("1.1")))
        return lower, 1 - lower
    upper = -tail(min(saddle, mp.mpf("0.9")))
    return 1 - upper, upper


def density_cases():
    rng = random.Random(20240611)
    grid = list(itertools.product(Y, MU, PHI))
    for power in POWERS:
        law = compound_log_density if power < 2 else stable_log_density
        found = 0
        for y, mu, phi in rng.sample(grid, len(grid)):
            exact = [mp.mpf(v) for v in (y, mu, phi, power)]
            if power < 2 and mp.sqrt(exact[0] ** (2 - exact[3]) / exact[2] / (2 - exact[3])) > 2e3:
                continue
            bound = half_deviance(*exact[:2], exact[3]) / exact[2]
            if bound > 650:
                continue
            yield y, mu, phi, power, law(*exact)
            found += 1
            if found == CASES_PER_POWER:
                break


def half_deviance(y, mu, power):
    theta = mu ** (1 - power) / (1 - power)
    return y ** (2 - power) / ((1 - power) * (2 - power)) - y * theta + mu ** (2 - power) / (2 - power)


def tail_cases():
    for power in (1.05, 1.5, 1.9):
        for y, mu, phi in COMPOUND_POINTS:
            exact = [mp.mpf(v) for v in (y, mu, phi, power)]
            yield y, mu, phi, power, compound_tails(*exact)
    for power in (2.05, 2.2, 3.0, 4.0, 6.5):
        for y, mu, phi in STABLE_POINTS:
            exact = [mp.mpf(v) for v in (y, mu, phi, power)]
            yield y, mu, phi, power, stable_tails(*exact)


def main():
    mp.mp.dps = DIGITS
    text = {"density": [], "tails": []}
    for *case, value in density_cases():
        text["density"].append([*case, float(value)])
        print(*case, float(value), flush=True)
    for *case, (lower, upper) in tail_cases():
        text["tails"].append([*case, float(lower), float(upper)])
        print(*case, float(lower), float(upper), flush=True)
    rows = {
        name: "[\n" + ",\n".join(json.dumps(row) for row in table) + "\n]" for name, table in text.items()
    }
    body = ",\n".join(f'"{name}": {table}' for name, table in rows.items())
    Path(__file__).with_name("tweedie.json").write_text("{\n" + body + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
