"""The command line: `etamu demo` and `etamu families`.

May import: everything.
Read next: `etamu.api`, the same from Python.
"""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from etamu import plot
from etamu._base.errors import EtamuError
from etamu.api import glm
from etamu.datasets import Dataset, load
from etamu.family.catalogue import families
from etamu.fit.result import Fit

WIDTH = 88


@dataclass(frozen=True, slots=True)
class Demonstration:
    """A model worth showing, the call that fits it, and what to see."""

    dataset: str
    formula: str
    family: str
    keyword: str
    column: str
    reference: str


DEMONSTRATIONS = {
    "budworms": Demonstration(
        "budworms",
        "dead ~ sex + log2_dose",
        "binomial",
        "trials",
        "moths",
        "R's glm prints the same coefficients, standard errors and deviances "
        "(Venables and Ripley 2002, section 7.2).",
    ),
    "ships": Demonstration(
        "ships",
        "incidents ~ type + built + period",
        "poisson",
        "exposure",
        "months",
        "R's glm prints the same coefficients, standard errors and deviances.",
    ),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or 1 with the reason on the error stream."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    try:
        if arguments.command == "families":
            print(families())
        else:
            _demo(DEMONSTRATIONS[arguments.data], Path(arguments.out))
    except BrokenPipeError:
        # The reader had enough, as `| head` does: nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except EtamuError as error:
        print(f"etamu: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="etamu", description="Generalized linear models stated in eta.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser(
        "demo", help="fit a model to real data, print its summary, draw its components"
    )
    demo.add_argument(
        "data", nargs="?", default="budworms", choices=sorted(DEMONSTRATIONS), help="default: budworms"
    )
    demo.add_argument("--out", default="demo", metavar="DIR", help="folder for the figure; default: demo")
    commands.add_parser("families", help="print the table of families")
    return parser


def _demo(shown: Demonstration, folder: Path) -> None:
    dataset = load(shown.dataset)
    fit = demonstrate(shown, dataset)
    print(f"{_wrapped(dataset.story)}\n{_wrapped('Source: ' + dataset.source)}\n")
    print(f"{fit}\n\n{_wrapped(shown.reference)}\n\n{fit.components()}\n")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "components.png"
    plot.components(fit).savefig(path)
    print(f"The three components are drawn in {path}")


def demonstrate(shown: Demonstration, dataset: Dataset) -> Fit:
    """Fit the model of a demonstration."""
    keyword: dict[str, Any] = {shown.keyword: shown.column}
    return glm(shown.formula, dataset.columns, family=shown.family, **keyword)


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, WIDTH))


if __name__ == "__main__":
    sys.exit(main())
