"""Solvers know no statistics: the words of the other rooms do not occur here."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import etamu.solve

FOLDER = Path(next(iter(etamu.solve.__path__)))
FILES = sorted(FOLDER.glob("*.py"))
WORDS = re.compile(r"famil|\blinks?\b|weight|respon[sd]|predictor|deviance|\bmu\b|likelihood", re.IGNORECASE)
ALLOWED = {"numpy", "scipy", "etamu._base", "etamu.solve"}


def test_there_is_something_to_look_at() -> None:
    assert len(FILES) > 8


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_word_of_another_room_occurs(path: Path) -> None:
    assert WORDS.findall(path.read_text()) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_else_is_imported(path: Path) -> None:
    tree = ast.parse(path.read_text())
    outside = set(__import__("sys").stdlib_module_names)
    for node in ast.walk(tree):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            known = any(name == root or name.startswith(root + ".") for root in ALLOWED)
            assert known or name.split(".")[0] in outside


@pytest.mark.parametrize("rule", ["newton", "irls", "gradient", "lbfgs"])
def test_the_rules_are_strangers(rule: str) -> None:
    others = {"newton", "irls", "gradient", "lbfgs"} - {rule}
    source = (FOLDER / f"{rule}.py").read_text()
    assert not any(
        f"import etamu.solve.{other}" in source or f"solve.{other} import" in source for other in others
    )


def test_scipy_is_loaded_only_when_a_matrix_is_factorised() -> None:
    for path in FILES:
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import | ast.ImportFrom):
                assert "scipy" not in ast.unparse(node)
