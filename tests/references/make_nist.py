"""Write nist.json: NIST's linear regressions, their certified answers, and the exact ones by rational arithmetic.

The data and the certified values are those of the Statistical Reference Datasets of NIST (public domain),
https://www.itl.nist.gov/div898/strd/lls/lls.shtml. `exact` are the least squares of the decimal numbers, `double`
those of the columns that a program in double precision sees: powers computed in it, which is what the answer of
Filip depends on from the 8th digit on.

usage: make_nist.py
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
NORRIS_X = """0.2 337.4 118.2 884.6 10.1 226.5 666.3 996.3 448.6 777.0 558.2 0.4 0.6 775.5 666.9 338.0 447.5 11.6 556.0 228.1
995.8 887.6 120.2 0.3 0.3 556.8 339.1 887.2 999.0 779.0 11.1 118.3 229.2 669.1 448.9 0.5"""
NORRIS_Y = """0.1 338.8 118.1 888.0 9.2 228.1 668.5 998.5 449.1 778.9 559.2 0.3 0.1 778.1 668.8 339.3 448.9 10.8 557.7 228.3
998.0 888.8 119.6 0.3 0.6 557.6 339.3 888.0 998.5 778.9 10.2 117.6 228.9 668.4 449.2 0.2"""
FILIP = """0.8116,-6.860120914 0.9072,-4.324130045 0.9052,-4.358625055 0.9039,-4.358426747 0.8053,-6.955852379
0.8377,-6.661145254 0.8667,-6.355462942 0.8809,-6.118102026 0.7975,-7.115148017 0.8162,-6.815308569 0.8515,-6.519993057
0.8766,-6.204119983 0.8885,-5.853871964 0.8859,-6.109523091 0.8959,-5.79832982 0.8913,-5.482672118 0.8959,-5.171791386
0.8971,-4.851705903 0.9021,-4.517126416 0.909,-4.143573228 0.9139,-3.709075441 0.9199,-3.499489089 0.8692,-6.300769497
0.8872,-5.953504836 0.89,-5.642065153 0.891,-5.031376979 0.8977,-4.680685696 0.9035,-4.329846955 0.9078,-3.928486195
0.7675,-8.56735134 0.7705,-8.363211311 0.7713,-8.107682739 0.7736,-7.823908741 0.7775,-7.522878745 0.7841,-7.218819279
0.7971,-6.920818754 0.8329,-6.628932138 0.8641,-6.323946875 0.8804,-5.991399828 0.7668,-8.781464495 0.7633,-8.663140179
0.7678,-8.473531488 0.7697,-8.247337057 0.77,-7.971428747 0.7749,-7.676129393 0.7796,-7.352812702 0.7897,-7.072065318
0.8131,-6.774174009 0.8498,-6.478861916 0.8741,-6.159517513 0.8061,-6.835647144 0.846,-6.53165267 0.8751,-6.224098421
0.8856,-5.910094889 0.8919,-5.598599459 0.8934,-5.290645224 0.894,-4.974284616 0.8957,-4.64454848 0.9047,-4.290560426
0.9129,-3.885055584 0.9209,-3.408378962 0.9219,-3.13200249 0.7739,-8.726767166 0.7681,-8.66695597 0.7665,-8.511026475
0.7703,-8.165388579 0.7702,-7.886056648 0.7761,-7.588043762 0.7809,-7.283412422 0.7961,-6.995678626 0.8253,-6.691862621
0.8602,-6.392544977 0.8809,-6.067374056 0.8301,-6.684029655 0.8664,-6.378719832 0.8834,-6.065855188 0.8898,-5.752272167
0.8964,-5.132414673 0.8963,-4.811352704 0.9074,-4.098269308 0.9119,-3.66174277 0.9228,-3.2644011"""
LONGLEY = """60323,83.0,234289,2356,1590,107608,1947 61122,88.5,259426,2325,1456,108632,1948
60171,88.2,258054,3682,1616,109773,1949 61187,89.5,284599,3351,1650,110929,1950 63221,96.2,328975,2099,3099,112075,1951
63639,98.1,346999,1932,3594,113270,1952 64989,99.0,365385,1870,3547,115094,1953 63761,100.0,363112,3578,3350,116219,1954
66019,101.2,397469,2904,3048,117388,1955 67857,104.6,419180,2822,2857,118734,1956
68169,108.4,442769,2936,2798,120445,1957 66513,110.8,444546,4681,2637,121950,1958
68655,112.6,482704,3813,2552,123366,1959 69564,114.2,502601,3931,2514,125368,1960
69331,115.7,518173,4806,2572,127852,1961 70551,116.9,554894,4007,2827,130081,1962"""
WAMPLER = {
    1: "1 6 63 364 1365 3906 9331 19608 37449 66430 111111 177156 271453 402234 579195 813616 1118481 1508598 2000719 "
    "2613660 3368421",
    2: "1.00000 1.11111 1.24992 1.42753 1.65984 1.96875 2.38336 2.94117 3.68928 4.68559 6.00000 7.71561 9.92992 12.75603 "
    "16.32384 20.78125 26.29536 33.05367 41.26528 51.16209 63.00000",
    3: "760 -2042 2111 -1684 3888 1858 11379 17560 39287 64382 113159 175108 273291 400186 581243 811568 1121004 1506550 "
    "2002767 2611612 3369180",
    4: "75901 -204794 204863 -204436 253665 -200894 214131 -185192 221249 -138370 315911 -27644 455253 197434 783995 "
    "608816 1370781 1303798 2205519 2408860 3444321",
    5: "7590001 -20479994 20480063 -20479636 25231365 -20476094 20489331 -20460392 18417449 -20413570 20591111 -20302844 "
    "18651453 -20077766 21059195 -19666384 26348481 -18971402 22480719 -17866340 10958421",
}
CERTIFIED = {
    "norris": [-0.262323073774029, 1.00211681802045],
    "filip": [
        -1467.48961422980,
        -2772.17959193342,
        -2316.37108160893,
        -1127.97394098372,
        -354.478233703349,
        -75.1242017393757,
        -10.8753180355343,
        -1.06221498588947,
        -0.670191154593408e-01,
        -0.246781078275479e-02,
        -0.402962525080404e-04,
    ],
    "longley": [
        -3482258.63459582,
        15.0618722713733,
        -0.358191792925910e-01,
        -2.02022980381683,
        -1.03322686717359,
        -0.511041056535807e-01,
        1829.15146461355,
    ],
    "wampler1": [1.0] * 6,
    "wampler2": [1.0, 0.1, 0.01, 0.001, 0.0001, 0.00001],
    "wampler3": [1.0] * 6,
    "wampler4": [1.0] * 6,
    "wampler5": [1.0] * 6,
    "pontius": [0.673565789473684e-03, 0.732059160401003e-06, -0.316081871345029e-14],
}


def solved(columns: list[list[Fraction]], y: list[Fraction]) -> tuple[list[Fraction], list[Fraction], Fraction]:
    """Solve least squares exactly: coefficients, the diagonal of (X'X)^-1, the residual sum of squares."""
    p = len(columns)
    gram = [[sum(a * b for a, b in zip(u, v, strict=True)) for v in columns] for u in columns]
    right = [sum(a * b for a, b in zip(u, y, strict=True)) for u in columns]
    table = [row + [t] + [Fraction(i == j) for j in range(p)] for i, (row, t) in enumerate(zip(gram, right, strict=True))]
    for i in range(p):
        pivot = next(k for k in range(i, p) if table[k][i])
        table[i], table[pivot] = table[pivot], table[i]
        table[i] = [value / table[i][i] for value in table[i]]
        for k in range(p):
            if k != i and table[k][i]:
                table[k] = [a - table[k][i] * b for a, b in zip(table[k], table[i], strict=True)]
    coef = [row[p] for row in table]
    left = sum(t * t for t in y) - sum(a * b for a, b in zip(coef, right, strict=True))
    return coef, [table[i][p + 1 + i] for i in range(p)], left


def powers(x: list[str], degree: int) -> tuple[list[list[Fraction]], list[list[Fraction]]]:
    """Return 1, x, x^2, ... of the decimals, and as doubles (np.power), both as fractions."""
    exact = [[Fraction(text) ** k for text in x] for k in range(degree + 1)]
    seen = np.array([float(text) for text in x])
    return exact, [[Fraction(float(value)) for value in seen**k] for k in range(degree + 1)]


def problems() -> dict[str, tuple[list[str], list[str] | list[list[str]], int]]:
    """List y, x (or columns) and the degree, 0 for columns."""
    filip = [pair.split(",") for pair in FILIP.split()]
    longley = [row.split(",") for row in LONGLEY.split()]
    pontius = [line.split(",") for line in (HERE / "data" / "pontius.csv").read_text().split()[1:]]
    grid = [str(value) for value in range(21)]
    found: dict[str, tuple[list[str], list[str] | list[list[str]], int]] = {
        "norris": (NORRIS_Y.split(), NORRIS_X.split(), 1),
        "filip": ([y for y, _ in filip], [x for _, x in filip], 10),
        "longley": ([row[0] for row in longley], [list(column) for column in zip(*longley, strict=True)][1:], 0),
        "pontius": ([y for y, _ in pontius], [x for _, x in pontius], 2),
    }
    return found | {f"wampler{k}": (text.split(), grid, 5) for k, text in WAMPLER.items()}


def main() -> None:
    """Write the data, the certified and the exact answers."""
    out = {}
    for name, (y, x, degree) in problems().items():
        if degree:
            exact, double = powers(x, degree)
            given = {"x": [float(text) for text in x]}
        else:
            one = [Fraction(1)] * len(y)
            exact = [one, *([Fraction(text) for text in column] for column in x)]
            double = [one, *([Fraction(float(text)) for text in column] for column in x)]
            given = {f"x{k}": [float(text) for text in column] for k, column in enumerate(x, start=1)}
        out[name] = {"degree": degree, "y": [float(text) for text in y], **given, "certified": CERTIFIED[name]}
        for kind, columns, response in (
            ("exact", exact, [Fraction(text) for text in y]),
            ("double", double, [Fraction(float(text)) for text in y]),
        ):
            coef, inverse, left = solved(columns, response)
            spread = left / (len(y) - len(columns))
            out[name][kind] = {
                "coef": [float(value) for value in coef],
                "se": [float(spread * value) ** 0.5 for value in inverse],
                "deviance": float(left),
            }
        worst = max(abs(a - b) / abs(b) for a, b in zip(out[name]["exact"]["coef"], CERTIFIED[name], strict=True))
        print(f"{name}: exact against certified {worst:.1e}")
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in out.items())
    (HERE / "nist.json").write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
