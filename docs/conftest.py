"""How the examples of the pages are run: in an empty folder with the pages' data, warnings printed.

May import: pytest.
Read next: `docs/quickstart.rst`.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest


def said(message: Warning | str, category: type[Warning], *_: object) -> None:
    """Print a warning as a reader sees it, without the file and the line."""
    print(f"{category.__name__}: {message}")


@pytest.fixture(autouse=True)
def _as_a_reader_would(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run a page where its data are and where it may write.

    A warning is printed, so that a page shows it or fails.
    """
    shutil.copytree(Path(__file__).parent / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        monkeypatch.setattr(warnings, "showwarning", said)
        yield
