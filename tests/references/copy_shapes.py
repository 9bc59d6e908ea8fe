"""Copy the reference answers for models with an estimated shape from a folder made by the R scripts beside this file.

usage: copy_shapes.py FOLDER

FOLDER holds cases/, pathological/ and data/. Of every glm.nb and Tweedie profile case the question and the answers the tests use
go to shapes.json; of the hostile ones the data as well, which are a few rows.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
KINDS = ("glm.nb", "tweedie_profile")
ASKED = ("id", "kind", "data", "formula", "formulaic_rhs", "weights", "offset", "notes")
ANSWERED = (
    "coef", "se", "deviance", "null_deviance", "df_resid", "loglik", "loglik_df", "aic", "bic", "theta", "theta_se",
    "alpha", "alpha_se_delta", "twologlik", "confint_profile_exact", "power_mle", "phi_mle", "phi_pearson",
    "se_at_phi_pearson", "power_ci95_profile", "profile_grid", "glmmTMB",
)  # fmt: skip
HOSTILE = ("allzero-glmnb", "glmnb-underdispersed", "pois-zero-group-glmnb", "big-1e15-negbin")


def case(path: Path) -> dict[str, Any]:
    """Read the question and the answers of one case."""
    whole = json.loads(path.read_text(encoding="utf-8"))
    expected = whole["expected"]
    answers = {name: expected[name] for name in ANSWERED if name in expected}
    if "joint_observed_information" in expected:
        answers["joint_se"] = expected["joint_observed_information"]["se"]
    for table, test in (("anova_I", "Chisq"), ("drop1", "Chisq")):
        if table in expected:
            answers[table] = expected[table][test]
    coefficients = whole.get("formulaic", {}).get("coef_map")
    return {name: whole.get(name) for name in ASKED} | {"coef_map": coefficients, "expected": answers}


def hostile(oracle: Path, name: str) -> dict[str, Any]:
    """Read a hostile case and its rows, as text."""
    whole = json.loads((oracle / "pathological" / f"open-path-{name}.json").read_text(encoding="utf-8"))
    rows = (oracle / "data" / f"{whole['data']}.csv").read_text(encoding="utf-8")
    return {"call": whole.get("r_call", whole.get("formula")), "expected": whole["expected"], "csv": rows}


def main(oracle: Path) -> None:
    """Write shapes.json and say how much is in it."""
    paths = sorted((oracle / "cases").glob("*.json"))
    kept = [path for path in paths if json.loads(path.read_text(encoding="utf-8"))["kind"] in KINDS]
    found = {"cases": [case(path) for path in kept], "hostile": {name: hostile(oracle, name) for name in HOSTILE}}
    (HERE / "shapes.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(f"{len(kept)} cases, {len(HOSTILE)} hostile ones")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
