"""See that a wheel holds every file of src/etamu and the compiled module, and nothing that is not ours.

May import: the standard library.
Read next: CMakeLists.txt, and [tool.scikit-build] in pyproject.toml.

usage: wheel.py FOLDER
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path


def faults(wheel: Path, package: Path) -> list[str]:
    """List what the wheel lacks and what it should not hold."""
    held = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    wanted = {
        path.relative_to(package.parent).as_posix()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    compiled = {name for name in held if name.startswith("etamu/_kernel.") and not name.endswith(".pyi")}
    lacking = [f"lacks {name}" for name in sorted(wanted - held)]
    strange = [f"should not hold {name}" for name in sorted(held - wanted - compiled)]
    return [*lacking, *strange, *([] if compiled else ["lacks the compiled module etamu._kernel"])]


def main(folder: str) -> int:
    """Check every wheel of a folder; 1 if one is not whole."""
    wheels = sorted(Path(folder).glob("etamu-*.whl"))
    found = [f"{wheel.name} {fault}" for wheel in wheels for fault in faults(wheel, Path("src/etamu"))]
    for fault in found or [f"{wheel.name} is whole" for wheel in wheels] or [f"no wheel in {folder}"]:
        print(fault)
    return 1 if found or not wheels else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
