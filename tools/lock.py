"""Pin the newest versions that pyproject.toml allows: install them into a fresh environment and list it.

May import: the standard library.
Read next: requirements/README.md.

usage: lock.py FILE
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

HEADER = "# Every distribution of the development environment, pinned by 'make lock'; read by the Makefile.\n"
FRONT_ENDS = ["cmake", "ninja"]
"""What the build backend would fetch for itself, had it a build environment of its own."""


def wanted() -> list[str]:
    """List what building, running and developing etamu needs, from pyproject.toml."""
    document = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
    project = document["project"]
    extras = [name for names in project["optional-dependencies"].values() for name in names]
    return sorted({*document["build-system"]["requires"], *project["dependencies"], *extras, *FRONT_ENDS})


def pin() -> str:
    """Install what is wanted into a fresh environment and return its pins."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        pip = [str(Path(folder, "bin", "python")), "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", *wanted()], check=True)
        freeze = [*pip, "freeze", "--exclude", "pip", "--exclude", "setuptools"]
        return subprocess.run(freeze, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(HEADER + pin(), encoding="utf-8")
