"""Pages and code cannot disagree: a name that a page uses exists, a public name has its place in a page.

The examples of the pages are run by `make docs`; here stand the checks that need no run.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import etamu as em

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
SOURCE = ROOT / "src" / "etamu"
PAGES = sorted(DOCS.rglob("*.rst"))
TEXTS = [*PAGES, ROOT / "README.md"]

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))


def beside(folder: str, module: str) -> ModuleType:
    """Import a script of the docs."""
    where = str(DOCS / folder)
    sys.path.insert(0, where)
    try:
        return importlib.import_module(module)
    finally:
        sys.path.remove(where)


def public() -> list[str]:
    """List what `import etamu` offers: its names that are no modules."""
    return sorted(
        name for name in dir(em) if not (name.startswith("_") or inspect.ismodule(getattr(em, name)))
    )


def resolved(dotted: str) -> Any:
    """Import as much of a dotted name as is a module, and look up the rest."""
    parts = dotted.split(".")
    for end in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:end]))
        except ModuleNotFoundError:
            continue
        for part in parts[end:]:
            found = getattr(found, part)
        return found
    raise ModuleNotFoundError(dotted)


def dotted_names(text: str) -> Iterator[str]:
    yield from re.findall(r"(?<![\w/.'])etamu(?:\.[A-Za-z_]\w*)+", text)


# --- what pages say exists ---


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_every_door_a_page_opens_exists(page: Path) -> None:
    used = set(re.findall(r"\bem\.([A-Za-z_]\w*)", page.read_text(encoding="utf-8")))
    assert [name for name in sorted(used) if not hasattr(em, name)] == []


@every_page
def test_every_dotted_name_of_a_page_exists(page: Path) -> None:
    for dotted in dotted_names(page.read_text(encoding="utf-8")):
        if not (DOCS.parent / dotted).exists():
            assert resolved(dotted) is not None


def test_the_path_of_one_fit_names_its_modules() -> None:
    named = set(dotted_names((DOCS / "house" / "path-of-one-fit.rst").read_text(encoding="utf-8")))
    walked = {name.split(".")[1] for name in named}
    islands = {"family", "design", "solve", "infer"}
    assert {"api", "data", "fit", "objective", "execute", "sums", *islands} <= walked


def test_every_attribute_of_a_fit_that_a_page_uses_exists() -> None:
    known = {name for name in dir(em.Fit) if not name.startswith("_")} | set(em.Fit.__dataclass_fields__)
    for page in PAGES:
        if "coming-from" in page.parts:
            continue  # there `fit` may be another library's
        used = set(re.findall(r"\bfit\.([a-z_]\w*)", page.read_text(encoding="utf-8")))
        modules = {path.stem for path in (SOURCE / "fit").glob("*.py")}
        assert used - known - modules <= {"append"}, page


# --- what exists is in the pages ---


def test_every_public_name_is_in_the_api_page() -> None:
    api = (DOCS / "api.rst").read_text(encoding="utf-8")
    listed = set(re.findall(r"^\.\. auto(?:class|function|exception):: etamu\.(\w+)$", api, re.MULTILINE))
    assert listed == set(public())


def test_every_error_and_warning_is_explained() -> None:
    page = (DOCS / "use" / "errors-and-warnings.rst").read_text(encoding="utf-8")
    named = [name for name in public() if name.endswith(("Error", "Warning"))]
    assert [name for name in named if f":class:`~etamu.{name}`" not in page] == []


def test_every_option_of_the_door_is_in_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES if page.name != "api.rst")
    options = inspect.signature(em.glm).parameters.keys() - {"formula", "others", "start"}
    assert [name for name in sorted(options) if f"{name}=" not in text and f"``{name}``" not in text] == []


def test_every_room_has_its_page() -> None:
    rooms = {path.name.lstrip("_") for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    pages = {path.stem for path in (DOCS / "house").glob("*.rst")}
    assert rooms - pages == set()


def test_every_name_of_the_family_room_is_in_the_glossary() -> None:
    assert ".. names:: family" in (DOCS / "glossary.rst").read_text(encoding="utf-8")
    listed = {(found.module, found.name) for found in beside("extensions", "source").names("family")}
    for path in (SOURCE / "family").glob("*.py"):
        module = importlib.import_module(f"etamu.family.{path.stem}")
        for name, value in vars(module).items():
            ours = inspect.isclass(value) or inspect.isfunction(value)
            if ours and value.__module__ == module.__name__ and not name.startswith("_"):
                assert (module.__name__, name) in listed
    assert all(found.says for found in beside("extensions", "source").names("family"))


def test_every_page_is_reached_from_the_first() -> None:
    index = (DOCS / "index.rst").read_text(encoding="utf-8")
    names = {str(page.relative_to(DOCS).with_suffix("")) for page in PAGES} - {"index"}
    assert {name for name in names if not re.search(rf"^   {name}$", index, re.MULTILINE)} == set()


@every_page
def test_a_page_names_no_machine(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"https?://|/home/|/work/|/tmp/|C:\\\\", text)


# --- data and figures ---


def test_the_made_up_data_are_what_their_script_makes() -> None:
    make = beside("data", "make")
    assert (DOCS / "data" / "fish.csv").read_text(encoding="utf-8") == make.fish()
    assert (DOCS / "data" / "seeds.csv").read_text(encoding="utf-8") == make.seeds()
    assert (DOCS / "data" / "policies.csv").read_text(encoding="utf-8") == make.policies()


def test_every_picture_has_its_script_and_every_script_its_picture() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in PAGES)
    shown = set(re.findall(r"_static/figures/(\w+)\.png", text))
    scripts = {path.stem for path in (DOCS / "figures").glob("*.py")} - {"draw"}
    assert shown == scripts == set(beside("figures", "draw").FIGURES)


@pytest.mark.parametrize("name", sorted(p.stem for p in (DOCS / "figures").glob("*.py") if p.stem != "draw"))
def test_every_figure_is_drawn(name: str) -> None:
    figure = beside("figures", "draw").FIGURES[name]()
    assert all(axes.has_data() for axes in figure.axes)


@every_page
def test_every_picture_is_described(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text.count(".. image::") == len(re.findall(r"\.\. image::.*\n\s+:alt: \S", text))
