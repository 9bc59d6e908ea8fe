"""Copy the reference answers of bias-reduced estimates from a folder made by the R scripts beside this file.

usage: copy_bias.py FOLDER

FOLDER holds data/, cases/ and pathological/. Every case of kind "bias_reduced", and every hostile one whose reference answer holds
estimates of brglm2 or of Firth, goes into bias/bias.json without what is not used; its data set goes beside it, byte for byte. The
answers are brglm2's (AS_mean, AS_median, AS_mixed, MPL_Jeffreys, all iterated to rounding) and those of scripts/firth.R, which
reproduces logistf (Firth's estimates, profile penalised likelihood intervals, penalised likelihood-ratio tests).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
METHODS = {
    "brglm2_AS_mean": "firth",
    "brglm2_AS_median": "median",
    "brglm2_AS_mixed": "mixed",
    "brglm2_MPL_Jeffreys": "jeffreys",
}
FIRTH = ("coef", "se", "penalized_loglik", "profile_penalized_ci95", "plr_chisq", "overall_plr_chisq")


def reduced(case: dict[str, Any]) -> dict[str, Any] | None:
    """Keep what the tests use of a case; None where it has no bias-reduced estimate."""
    answers = case["expected"] if case["kind"] == "bias_reduced" else case["expected"].get("reference", {})
    if not isinstance(answers, dict) or "brglm2_AS_mean" not in answers:
        return None
    firth = answers.get("firth_reference", answers.get("firth", {}))
    names = case["formulaic"].get("coef_map") if case.get("formulaic") else None
    kept = {key: case[key] for key in ("id", "data", "formula", "formulaic_rhs", "response", "link")}
    kept["coef_map"] = names or {name: name for name in answers["brglm2_AS_mean"]["coef"]}
    kept["methods"] = {
        method: {
            key: answers[name][key] for key in ("coef", "se", "deviance", "loglik") if key in answers[name]
        }
        for name, method in METHODS.items()
        if name in answers
    }
    kept["firth"] = {key: firth[key] for key in FIRTH if key in firth}
    return kept


def main(oracle: Path) -> None:
    """Copy cases and data, and say how much came."""
    folder = HERE / "bias"
    folder.mkdir(exist_ok=True)
    paths = [*sorted((oracle / "cases").glob("*.json")), *sorted((oracle / "pathological").glob("*.json"))]
    found = [reduced(json.loads(path.read_text(encoding="utf-8"))) for path in paths]
    cases = [case for case in found if case is not None]
    (folder / "bias.json").write_text(
        json.dumps(cases, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    for name in sorted({case["data"] for case in cases}):
        for suffix in ("csv", "levels.json"):
            source = oracle / "data" / f"{name}.{suffix}"
            (folder / source.name).write_bytes(source.read_bytes())
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
