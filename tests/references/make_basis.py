"""Copy R's answers about poly, ns and bs out of the oracle into basis.json.

    ORACLE_ROOT=<oracle folder> PYTHONPATH=$ORACLE_ROOT/scripts python make_basis.py > basis.json

The answers are R 4.2.2's: `expected.design` (first rows, column sums, sums of squares over the rows used),
`expected.coef` and `expected.predict`. Here is added only x, the present values of each transform's own
column, and which of them are in the rows used.
"""

import json
import os
import sys

from oracle_io import load_data

root = os.environ["ORACLE_ROOT"]

# case, {term: (transform, args, kwargs, column)}, {coefficient: value at a row of newdata}, columns whose
# missing values drop rows
CASES = [
    (
        "open-airquality-gaussian-ns-bs",
        {"ns(Temp, 3)": ("ns", [3], {}, "Temp"), "bs(Wind, df = 5)": ("bs", [], {"df": 5}, "Wind")},
        {},
        ["Ozone"],
    ),
    ("open-mtcars-gaussian-ns", {"ns(disp, 4)": ("ns", [4], {}, "disp")}, {"am": lambda row: row["am"]}, []),
    (
        "open-slid-gamma-bs",
        {"bs(age, df = 5)": ("bs", [], {"df": 5}, "age")},
        {"sexMale": lambda row: float(row["sex"] == "Male"), "education": lambda row: row["education"]},
        ["wages", "sex", "education"],
    ),
    (
        "open-airquality-poisson-poly",
        {"poly(Wind, 2)": ("poly", [2], {}, "Wind")},
        {f"factor(Month){m}": lambda row, m=m: float(int(row["Month"]) == m) for m in (6, 7, 8, 9)},
        ["Ozone"],
    ),
    (
        "open-mtcars-gaussian-poly",
        {"poly(hp, 2)": ("poly", [2], {}, "hp"), "poly(wt, 3)": ("poly", [3], {}, "wt")},
        {"qsec": lambda row: row["qsec"]},
        [],
    ),
    ("open-beetle-cauchit-poly", {"poly(logdose, 2)": ("poly", [2], {}, "logdose")}, {}, []),
    (
        "open-mroz-logit-factor-response",
        {"poly(inc, 2)": ("poly", [2], {}, "inc")},
        {
            "k5": lambda row: row["k5"],
            "age": lambda row: row["age"],
            "wcyes": lambda row: float(row["wc"] == "yes"),
        },
        [],
    ),
]

out = []
for case_id, terms, plain, needed in CASES:
    with open(f"{root}/cases/{case_id}.json") as file:
        case = json.load(file)
    data, _ = load_data(case["data"])
    design, newdata = case["expected"]["design"], case["expected"]["predict"]["newdata"]
    coef = case["expected"]["coef"]
    coef = coef if isinstance(coef, dict) else dict(zip(design["colnames"], coef, strict=True))
    used = data[needed + [column for *_, column in terms.values()]].notna().all(axis=1)
    assert used.sum() == design["col_sums"][0], case_id
    record = {"id": case_id, "terms": [], "link": case["expected"]["predict"]["link"]}
    record["rest"] = [
        [coef["(Intercept)"]] + [coef[name] * value(row) for name, value in plain.items()] for row in newdata
    ]
    for label, (transform, args, kwargs, column) in terms.items():
        at = [i for i, name in enumerate(design["colnames"]) if name.startswith(label)]
        present = data[column].notna()
        record["terms"].append(
            {
                "transform": transform,
                "args": args,
                "kwargs": kwargs,
                "x": data[column][present].tolist(),
                "used": "".join("01"[int(u)] for u in used[present]),
                "labels": [design["colnames"][i][len(label) :] for i in at],
                "first_rows": [[row[i] for i in at] for row in design["first_rows"]],
                "col_sums": [design["col_sums"][i] for i in at],
                "col_sum_sq": [design["col_sum_sq"][i] for i in at],
                "coef": [coef[design["colnames"][i]] for i in at],
                "newdata": [row[column] for row in newdata],
            }
        )
    out.append(record)
json.dump(out, sys.stdout, indent=None, separators=(",", ":"))
