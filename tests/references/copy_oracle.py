"""Copy the reference answers that the tests use from a folder made by the R scripts beside this file.

usage: copy_oracle.py FOLDER

FOLDER holds data/, cases/ and scripts/. Copied, byte for byte: every case of the kinds below, the data sets they name with their
level orders, and the R code. A data set over one megabyte is compressed (gzip without a time stamp, so that a copy repeats exactly).
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).parent
KINDS = ("glm",)
CLASSES = ("multinom", "polr")
HOSTILE = ("open-path-multinom-separated", "open-path-polr-separated", "open-path-bankwages-multinom")
"""Kinds of cases with several linear predictors, kept in classes/, and hostile ones of the same kinds."""
SCRIPTS = ("10_glm_open.R", "lib.R")
LARGE = 1_000_000


def fresh(name: str) -> Path:
    """Return an empty folder beside this file."""
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def copy_table(source: Path, folder: Path) -> None:
    """Copy a data set, compressed where it is large."""
    content = source.read_bytes()
    if len(content) <= LARGE:
        (folder / source.name).write_bytes(content)
    else:
        (folder / f"{source.name}.gz").write_bytes(gzip.compress(content, compresslevel=9, mtime=0))


def copy_classes(oracle: Path) -> set[str]:
    """Copy the cases of several linear predictors, and return the data sets they name."""
    folder, names = fresh("classes"), set()
    paths = [*sorted((oracle / "cases").glob("*.json"))]
    paths += [oracle / "pathological" / f"{name}.json" for name in HOSTILE]
    for path in paths:
        case = json.loads(path.read_text(encoding="utf-8"))
        if case["kind"] in CLASSES or path.stem in HOSTILE:
            names.add(case["data"])
            (folder / path.name).write_bytes(path.read_bytes())
    return names


def main(oracle: Path) -> None:
    """Copy cases, data and scripts, and say how much came."""
    cases, data, scripts = fresh("cases"), fresh("data"), fresh("scripts")
    names = set()
    for path in sorted((oracle / "cases").glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        if case["kind"] in KINDS:
            names.add(case["data"])
            (cases / path.name).write_bytes(path.read_bytes())
    names |= copy_classes(oracle)
    for name in sorted(names):
        copy_table(oracle / "data" / f"{name}.csv", data)
        copy_table(oracle / "data" / f"{name}.levels.json", data)
    for name in SCRIPTS:
        (scripts / name).write_bytes((oracle / "scripts" / name).read_bytes())
    print(f"{len(list(cases.iterdir()))} cases, {len(names)} data sets, {len(SCRIPTS)} scripts")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
