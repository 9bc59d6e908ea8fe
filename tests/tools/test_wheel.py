"""A wheel that lacks a file, the compiled door, or holds a stranger is not whole."""

import zipfile
from pathlib import Path

import pytest

from tools import wheel

WHOLE = ["etamu/__init__.py", "etamu/data.csv", "etamu/_kernel.abi3.so", "etamu-0.1.0.dist-info/METADATA"]


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (WHOLE, []),
        (WHOLE[1:], ["lacks etamu/__init__.py"]),
        ([*WHOLE, "etamu/left_over.py"], ["should not hold etamu/left_over.py"]),
        ([WHOLE[0], WHOLE[1], WHOLE[3]], ["lacks the compiled module etamu._kernel"]),
    ],
)
def test_the_wheel_holds_the_package_and_nothing_else(
    tmp_path: Path, names: list[str], found: list[str]
) -> None:
    package = tmp_path / "src" / "etamu"
    package.mkdir(parents=True)
    for name in ("__init__.py", "data.csv"):
        (package / name).touch()
    path = tmp_path / "etamu-0.1.0.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "")
    assert wheel.faults(path, package) == found
