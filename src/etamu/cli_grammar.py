"""What can be typed: the commands, their arguments and options, stated once for the parser and for completion.

May import: the standard library, `etamu._base`, `etamu.family.catalogue`.
Read next: `etamu.cli`, which runs them; `etamu.cli_completion`, which completes them.
"""

from __future__ import annotations

import argparse
import re
from typing import Any, Never

from etamu._base.choice import guess
from etamu._base.facts import dataclass
from etamu._base.listing import closest
from etamu._base.version import __version__
from etamu.family.catalogue import LINKS, MEMBERS

EXIT_CODES = """exit codes:
  0    done
  1    the fit did not converge; what was reached is printed and saved all the same
  2    the command, the formula, an option or the data cannot be used
  3    a file cannot be read or written, or is not what it should be
  130  interrupted
"""

FILES = frozenset({"FILE", "MODEL", "DIR"})
"""Metavariables that stand for a path."""


@dataclass(frozen=True, slots=True)
class Argument:
    """Something typed after a command.

    Parameters
    ----------
    name : str
        With dashes for an option, without for an argument by position.
    help : str
    metavar : str
        What stands for its value; empty for a flag.
    choices : tuple of str
        The only values there are.
    hints : tuple of str
        Some of the values there are, for completion.
    default : Any
    optional, many : bool
        Whether an argument by position may be left out; whether an option may be given again.
    """

    name: str
    help: str
    metavar: str = ""
    choices: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    default: Any = None
    optional: bool = False
    many: bool = False

    @property
    def values(self) -> tuple[str, ...]:
        """What completion offers."""
        return self.choices or self.hints

    @property
    def takes_file(self) -> bool:
        """Whether the value is a path."""
        return self.metavar in FILES

    @property
    def is_option(self) -> bool:
        """Whether it begins with dashes."""
        return self.name.startswith("-")


@dataclass(frozen=True, slots=True)
class Command:
    """A command and what follows it."""

    name: str
    help: str
    arguments: tuple[Argument, ...] = ()
    more: str = ""


_FAMILIES = tuple(member.name for member in MEMBERS)
_LINKS = tuple(link.name for link in LINKS[:-1])
_TABLE = "CSV (comma, semicolon, tab or |; empty and NA are missing) or Parquet; - for the standard input"


def _column(name: str, what: str) -> Argument:
    return Argument(name, f"column with {what}", "COLUMN")


_LEVEL = Argument("--level", "probability that intervals cover; default: 0.95", "P", default="0.95")
_FORMAT = Argument("--format", "how the result is printed; default: text", "FORMAT", ("text", "json", "md"), default="text")  # fmt: skip

FIT = Command(
    "fit",
    "fit a model to the rows of a file",
    (
        Argument("file", _TABLE, "FILE"),
        Argument("formula", 'such as "claims ~ C(region) + age"', "FORMULA"),
        Argument("--family", "such as poisson or tweedie(1.5), tweedie alone estimates the power; default: gaussian", "NAME", hints=_FAMILIES, default="gaussian"),
        Argument("--link", "such as log or power(1/3); default: the family's", "NAME", hints=_LINKS),
        _column("--offset", "a number to add to eta"),
        _column("--exposure", "a number whose log is added to eta; log link only"),
        _column("--trials", "the trials of which the response counts successes"),
        _column("--frequency-weights", "how many identical rows a row stands for"),
        _column("--variance-weights", "known precisions: Var(y) = phi V(mu) / w"),
        _column("--sampling-weights", "how many of a population a row represents"),
        Argument("--dispersion", "how phi is found: pearson, deviance, ml or a number", "HOW", hints=("pearson", "deviance", "ml")),
        Argument("--missing", "what happens to rows with missing values; default: drop", "WHAT", ("drop", "raise"), default="drop"),
        Argument("--solver", "default: newton", "NAME", ("newton", "irls", "gradient", "lbfgs"), default="newton"),
        Argument("--method", "ml, or with less bias; default: ml", "NAME", ("ml", "firth", "median", "mixed", "jeffreys"), default="ml"),
        Argument("--on-separation", "what happens where no finite estimate exists; default: warn", "WHAT", ("warn", "error", "drop", "firth"), default="warn"),
        Argument("--precision", "of the last steps; default: double", "WHAT", ("double", "extended"), default="double"),
        Argument("--covariance", "of the coefficients; default: model", "KIND", ("model", "observed", "HC0", "HC1")),
        Argument("--weights", argparse.SUPPRESS, "COLUMN"),
        Argument("--out", "write the model to this JSON file; - prints it instead of the result", "FILE"),
        Argument("--without-covariance", "write the model without the factor of the covariance, its largest part"),
        _FORMAT,
        _LEVEL,
    ),
)  # fmt: skip

PREDICT = Command(
    "predict",
    "predict with a saved model, one line per row of a file",
    (
        Argument("model", "what fit --out wrote; - for the standard input", "MODEL"),
        Argument("file", _TABLE, "FILE"),
        Argument("--out", "CSV, or Parquet if it ends in .parquet; default: CSV to the standard output", "FILE"),
        Argument("--kind", "default: mean", "KIND", ("mean", "link", "count"), default="mean"),
        Argument("--se", "add the standard error of the estimate"),
        Argument("--interval", "add standard error and confidence interval"),
        _LEVEL,
        Argument("--unseen", "what a level never seen in the fit gives; default: error", "WHAT", ("error", "nan", "reference"), default="error"),
        Argument("--keep", "copy a column of the input to the output; may be given again", "COLUMN", many=True),
        _column("--offset", "the offset, where it was an array in the fit"),
        _column("--exposure", "the exposure, where it was an array in the fit"),
        _column("--trials", "the trials, where they were an array in the fit"),
    ),
)  # fmt: skip

SHOW = Command("show", "print a saved model", (Argument("model", "what fit --out wrote", "MODEL"), _FORMAT, _LEVEL))  # fmt: skip

FAMILIES = Command("families", "print the table of families")


def commands(demonstrations: tuple[str, ...], shells: tuple[str, ...]) -> tuple[Command, ...]:
    """State every command."""
    demo = Command(
        "demo",
        "fit a model to real data, print its summary, draw its components",
        (
            Argument("data", "default: budworms", choices=demonstrations, default="budworms", optional=True),
            Argument("--out", "folder for the figure; default: demo", "DIR", default="demo"),
        ),
    )
    completion = Command(
        "completion",
        "print a script that completes these commands in a shell",
        (Argument("shell", "the shell", choices=shells),),
        'bash:  eval "$(etamu completion bash)"           in ~/.bashrc\n'
        'zsh:   eval "$(etamu completion zsh)"            in ~/.zshrc, after compinit\n'
        "fish:  etamu completion fish | source            in ~/.config/fish/config.fish\n",
    )
    return (FIT, PREDICT, SHOW, FAMILIES, demo, completion)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line."""

    def error(self, message: str) -> Never:
        """Say what is wrong, what was probably meant, and where to look."""
        self.exit(2, f"etamu: {message};{_meant(message)} see {self.prog} --help\n")


def _meant(message: str) -> str:
    """Find what was probably meant by the word that argparse does not know.

    Examples
    --------
    >>> _meant("unrecognized arguments: --familly poisson")
    ' did you mean --family?'
    >>> _meant("argument COMMAND: invalid choice: 'fits' (choose from 'fit', 'predict')")
    " did you mean 'fit'?"
    """
    choice = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
    if choice:
        return guess(choice[1], re.findall(r"[\w-]+", choice[2]))
    option = re.search(r"unrecognized arguments: (--[\w-]+)", message)
    known = [argument.name for command in (FIT, PREDICT, SHOW) for argument in command.arguments]
    meant = closest(option[1], [name for name in known if name.startswith("--")]) if option else None
    return "" if meant is None else f" did you mean {meant}?"


def parser(stated: tuple[Command, ...]) -> argparse.ArgumentParser:
    """Build the parser of the commands stated."""
    form = argparse.RawDescriptionHelpFormatter
    whole = Parser(
        prog="etamu",
        description="Generalized linear models stated in eta.",
        epilog=EXIT_CODES,
        formatter_class=form,
        allow_abbrev=False,
    )
    whole.add_argument("--version", action="version", version=f"etamu {__version__}")
    places = whole.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=Parser)
    for command in stated:
        place = places.add_parser(
            command.name,
            help=command.help,
            description=command.help,
            epilog=command.more or EXIT_CODES,
            formatter_class=form,
            allow_abbrev=False,
        )
        for argument in command.arguments:
            _add(place, argument)
    return whole


def _add(place: argparse.ArgumentParser, argument: Argument) -> None:
    names = [argument.name, "-o"] if argument.name == "--out" else [argument.name]
    options: dict[str, Any] = {"help": argument.help}
    if argument.is_option and not argument.metavar:
        place.add_argument(*names, action="store_true", **options)
        return
    if argument.metavar and not argument.choices:
        options["metavar"] = argument.metavar
    if argument.choices:
        options["choices"] = argument.choices
    if argument.optional:
        options["nargs"] = "?"
    if argument.many:
        place.add_argument(*names, action="append", default=[], **options)
    else:
        place.add_argument(*names, default=argument.default, **options)
