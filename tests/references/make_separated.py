"""Copy the reference answers to separated data into separated.json, each with the rows it needs.

usage: make_separated.py FOLDER

FOLDER holds data/ and pathological/, as the R scripts wrote them. Of each case the question is kept, the columns it reads, and what is
true: the limit of the deviance and of the coefficients that have one, worked out by R on the rows left, or that the deviance is 0.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

CASES = {
    "endometrial": ["HG", "NV", "PI", "EH"],
    "bankwages-custodial": ["job", "education", "gender", "minority"],
    "quasi1-logit": ["y", "x"],
    "pois-zero-group": ["y", "g", "x"],
    "sep1-logit": ["y", "x"],
    "sep1-probit": ["y", "x"],
    "sep1-cloglog": ["y", "x"],
    "sep1-cauchit": ["y", "x"],
    "sep-lincomb": ["y", "x1", "x2"],
    "const-binomial-0": ["zero", "x"],
    "const-binomial-1": ["one", "x"],
    "const-poisson-0": ["zero", "x"],
    "allzero-tweedie": ["y", "x"],
}


def main(folder: Path) -> None:
    """Write separated.json beside this file."""
    out = {}
    for name, columns in CASES.items():
        case = json.loads((folder / "pathological" / f"open-path-{name}.json").read_text())
        with (folder / "data" / f"{case['data']}.csv").open(newline="") as stream:
            rows = list(csv.DictReader(stream))
        levels = json.loads((folder / "data" / f"{case['data']}.levels.json").read_text())["columns"]
        reference = case["expected"].get("reference", {})
        kept = ("infinite", "limit_coef", "limit_se", "limit_deviance")
        out[name] = {
            "formula": case["formula"],
            "family": case["family"],
            "link": case["link"],
            "truth": case["expected"]["truth"],
            "reference": {key: reference[key] for key in kept if key in reference},
            "levels": {column: levels[column].get("levels") for column in columns},
            "rows": {column: [_value(row[column], levels[column]) for row in rows] for column in columns},
        }
    (Path(__file__).parent / "separated.json").write_text(json.dumps(out, indent=None) + "\n")


def _value(text: str, kind: dict[str, Any]) -> str | float:
    return text if kind["type"] in {"factor", "string"} else float(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
