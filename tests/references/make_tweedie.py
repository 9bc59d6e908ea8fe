"""Write tweedie.json: Tweedie log densities and tails in high precision, from their definitions.

May import: mpmath and the standard library; nothing of etamu.
Read next: tests/family/test_tweedie.py, which holds etamu against them.

1 < p < 2: the series over the Poisson count, term by term, from the definition of the compound law.
p > 2: the alternating series of the stable density with as many digits as its terms need, or, where that would
be thousands, the Fourier inversion integral on the vertical line through the saddlepoint.

usage: python tests/references/make_tweedie.py      (about ten minutes)
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

    lower = around(lambda n: poisson(n) * mp.gammainc(n * shape, 0, y / scale, regularized=True), min(rate, peak))
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
    theta, kappa = cumulants(mu, phi, power)
    saddle = y ** (1 - power) / (1 - power)
    width = 1 / mp.sqrt(phi * y**power)

    def integrand(t):
        s = saddle + 1j * phi * t * width
        return mp.re(mp.exp((kappa(s) - kappa(saddle) - (s - saddle) * y) / phi))

    integral = width * mp.quad(integrand, [0, 1, 2, 4, 6, 8, 10, 12, 15, 20, 30, 60, 120])
    return mp.log(integral / mp.pi) + (kappa(saddle) - kappa(theta) - (saddle - theta) * y) / phi


def stable_tails(y, mu, phi, power):
    """Return P(Y <= y) and P(Y > y) by integrating the density in log y."""

    def weight(t):
        return mp.exp(t + stable_log_density(mp.exp(t), mu, phi, power))

    log_y = mp.log(y)
    spread = mp.sqrt(phi * mu ** (power - 2))
    steps = [mp.mpf(k) * min(spread, mp.mpf(1)) for k in (0.5, 1, 2, 4, 8, 16)]
    with mp.workdps(18):
        upper = mp.quad(weight, [log_y, *(log_y + s for s in steps)])
        lower = mp.quad(weight, [*(log_y - s for s in reversed(steps)), log_y])
    return lower, upper


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
        for y, mu, phi in ((0.1, 1.0, 1.0), (1.0, 1.0, 0.1), (5.0, 1.0, 0.3), (30.0, 2.0, 2.0), (1e-3, 0.5, 3.0), (2.0, 4.0, 0.01)):
            exact = [mp.mpf(v) for v in (y, mu, phi, power)]
            yield y, mu, phi, power, compound_tails(*exact)
    for power in (2.2, 3.0, 4.0):
        for y, mu, phi in ((0.2, 1.0, 0.5), (1.0, 1.0, 0.3), (1.05, 1.0, 1.0), (6.0, 2.0, 0.2), (0.9, 1.0, 8.0)):
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
    rows = {name: "[\n" + ",\n".join(json.dumps(row) for row in table) + "\n]" for name, table in text.items()}
    body = ",\n".join(f'"{name}": {table}' for name, table in rows.items())
    Path(__file__).with_name("tweedie.json").write_text("{\n" + body + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
