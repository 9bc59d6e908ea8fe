"""Each house rule finds the fault it is for, and lets honest code pass."""

import textwrap
from pathlib import Path

import pytest

from tools import house

HEADER = '"""A room.\n\nMay import: nothing.\nRead next: the house.\n"""\n\n'

FAULTS = {
    "file-length": "x = 1\n" * 600,
    "function-length": "def long():\n" + "    x = 1\n" * 90,
    "parameters": "def wide(a, b, c, d, e, f, g, h, i): ...",
    "mutable-default": "def shared(rows=[]): ...",
    "type-test": "def ask(x):\n    return isinstance(x, (int, family.Family))",
    "hidden-import": "def hide():\n    from etamu.data import frame\n    return frame",
    "late-attribute": "class Fit:\n    def refit(self):\n        self.coef = 1",
    "not-frozen": "@dataclass(slots=True)\nclass Fit:\n    coef: float",
    "super": "class Fit:\n    def __init__(self):\n        super().__init__()",
    "name": "def tail(mu, comp): ...",
    "promise": "x = 1  # TODO make it faster",
}

HONEST = {
    "constructor": "class Fit:\n    def __init__(self):\n        self.coef = 1",
    "third-party-lazy": "def solve():\n    from scipy import linalg\n    return linalg",
    "frozen": "@dataclass(frozen=True, slots=True)\nclass Fit:\n    coef: float",
    "docstring-is-free": 'def documented():\n    """' + "A line.\n    " * 90 + '"""\n    return 1',
    "owned-promise": "x = 1  # TODO(#12) faster",
    "other-type-test": "def ask(x):\n    return isinstance(x, str)",
}


def rules_broken(folder: Path, code: str, name: str = "room.py") -> set[str]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + textwrap.dedent(code) + "\n", encoding="utf-8")
    return {fault.rule for fault in house.check(path)}


@pytest.mark.parametrize("rule", FAULTS)
def test_each_fault_is_found_by_its_rule(tmp_path: Path, rule: str) -> None:
    assert rules_broken(tmp_path, FAULTS[rule]) == {rule}


@pytest.mark.parametrize("case", HONEST)
def test_honest_code_passes(tmp_path: Path, case: str) -> None:
    assert rules_broken(tmp_path, HONEST[case]) == set()


def test_a_front_door_may_take_more_parameters(tmp_path: Path) -> None:
    assert rules_broken(tmp_path, FAULTS["parameters"], "api.py") == set()


def test_the_protocol_of_scikit_learn_sets_attributes_in_fit(tmp_path: Path) -> None:
    code = "class GLMRegressor:\n    def fit(self):\n        self.fit_ = 1"
    assert rules_broken(tmp_path, code, "estimator.py") == set()
    assert rules_broken(tmp_path, code, "result.py") == {"late-attribute"}


def test_statistics_is_not_spoken_in_the_solvers(tmp_path: Path) -> None:
    code = '"A step that ignores the weights."'
    assert rules_broken(tmp_path, code, "solve/newton.py") == {"solve-vocabulary"}
    assert rules_broken(tmp_path, code, "infer/wald.py") == set()


@pytest.mark.parametrize("way", ["import etamu.b", "from etamu import b", "b = later('etamu.b', 'b')"])
def test_two_files_that_need_each_other_are_a_circle(tmp_path: Path, way: str) -> None:
    folder = tmp_path / "etamu"
    assert rules_broken(folder, way, "a.py") == set()
    rules_broken(folder, "if TYPE_CHECKING:\n    from etamu.a import a", "b.py")
    (fault,) = house.check(folder / "a.py", folder / "b.py")
    assert fault.rule == "circle"
    assert "etamu.a <- etamu.b" in fault.text


def test_a_module_says_what_it_is(tmp_path: Path) -> None:
    path = tmp_path / "room.py"
    path.write_text('"""A room."""\n', encoding="utf-8")
    assert [fault.rule for fault in house.check(path)] == ["module-docstring"]


def test_faults_fail_the_run_and_no_files_do_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert house.main([str(tmp_path)]) == 1
    rules_broken(tmp_path, HONEST["frozen"])
    assert house.main([str(tmp_path)]) == 0
    rules_broken(tmp_path, FAULTS["super"])
    assert house.main([str(tmp_path)]) == 1
    assert "room.py:9: super: abstract or final" in capsys.readouterr().out


def test_the_house_keeps_its_own_rules() -> None:
    assert house.main(["src/etamu"]) == 0


def test_every_rule_of_the_house_is_shown_to_find_something() -> None:
    shown = set(FAULTS) | {"module-docstring", "solve-vocabulary", "circle"}
    assert len(shown) == len(house.RULES) + len(house.TREE_RULES)
