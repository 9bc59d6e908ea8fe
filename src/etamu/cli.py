"""The command line: `etamu fit`, `predict`, `show`, `families`, `demo` and `completion`.

May import: everything.
Read next: `etamu.cli_grammar` for what can be typed, then `etamu.api`, the same from Python.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import textwrap
import warnings
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from etamu import plot
from etamu._base.errors import EtamuError, FileError, OptionError
from etamu._base.facts import dataclass
from etamu.api import glm
from etamu.cli_completion import SHELLS, script
from etamu.cli_grammar import commands, parser
from etamu.cli_tables import as_json, as_markdown
from etamu.data.files import column_values, read_file, write_csv, write_file
from etamu.data.frame import Frame
from etamu.datasets import Dataset, load
from etamu.family.catalogue import families
from etamu.fit.predict import Prediction
from etamu.fit.result import Fit
from etamu.fit.store import dumps
from etamu.vector.predict import VectorPrediction
from etamu.vector.restore import load as load_fit
from etamu.vector.result import VectorFit
from etamu.vector.store import dumps as vector_dumps

WIDTH = 88
INTERRUPTED = 130


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

COMMANDS = commands(tuple(sorted(DEMONSTRATIONS)), tuple(SHELLS))


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; whatever is wrong is one line on the error stream."""
    arguments = parser(COMMANDS).parse_args(argv)
    try:
        with _told_in_one_line():
            code = RUN[arguments.command](arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader had enough, as `| head` does: nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return INTERRUPTED
    except (EtamuError, OSError, MemoryError) as error:
        _say(str(error) or "there is not enough memory")
        return 3 if isinstance(error, (FileError, OSError)) else 2
    return code


def _say(message: str) -> None:
    """Write one line on the error stream, wherever the cursor stands."""
    line = "".join(letter if letter.isprintable() else " " for letter in message)
    print(f"{_CLEAR if sys.stderr.isatty() else ''}etamu: {line}", file=sys.stderr)


_CLEAR = "\r\x1b[2K"
"""Goes to the beginning of a line of a terminal and empties it."""


@contextlib.contextmanager
def _told_in_one_line() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.showwarning = lambda message, *_, **__: _say(f"warning: {message}")
        yield


def _progress(message: str) -> None:
    """Say what is being done, on a terminal only; the next message takes its place, an empty one none."""
    if sys.stderr.isatty():
        print(f"{_CLEAR}{message}", end="", file=sys.stderr, flush=True)


# --- fit, show ---


def _fit(arguments: Namespace) -> int:
    if arguments.weights is not None:
        raise OptionError(
            "--weights has three meanings with three different standard errors: --frequency-weights (the row "
            "stands for k identical rows), --variance-weights (known precisions, what R calls weights), "
            "--sampling-weights (the row represents w members of a population); choose one"
        )
    level = _level(arguments)
    if "~" in arguments.file and not Path(arguments.file).exists():
        raise OptionError(f"{arguments.file} is a formula, and the file comes first: etamu fit FILE FORMULA")
    _refuse_overwriting(arguments.out, arguments.file)
    frame = _table(arguments.file)
    _progress(f"fitting {arguments.formula} to {len(frame):,} rows")
    fit: Fit | VectorFit = glm(
        arguments.formula,
        frame,
        family=arguments.family,
        link=arguments.link,
        offset=arguments.offset,
        exposure=arguments.exposure,
        trials=arguments.trials,
        frequency_weights=arguments.frequency_weights,
        variance_weights=arguments.variance_weights,
        sampling_weights=arguments.sampling_weights,
        dispersion=_dispersion(arguments.dispersion),
        covariance=arguments.covariance,
        missing=arguments.missing,
        solver=arguments.solver,
        method=arguments.method,
        on_separation=arguments.on_separation,
        precision=arguments.precision,
    )
    _progress("")
    covariance = not arguments.without_covariance
    if arguments.out == "-":
        text = (
            dumps(fit, covariance=covariance)
            if isinstance(fit, Fit)
            else vector_dumps(fit, covariance=covariance)
        )
        sys.stdout.write(text)
    else:
        if arguments.out is not None:
            fit.save(arguments.out, covariance=covariance)
        print(_formatted(fit, arguments.format, level))
    return 0 if fit.converged else 1


def _refuse_overwriting(out: str | None, *read: str) -> None:
    """Refuse to write over a file that is read: the data would be gone."""
    for name in read:
        with contextlib.suppress(OSError):  # what is not there is no file yet, or is said when it is read
            if out not in {None, "-"} and Path(str(out)).samefile(name):
                raise OptionError(
                    f"--out {out} is {name} itself, which it would overwrite: name another file"
                )


def _dispersion(given: str | None) -> str | float | None:
    try:
        return None if given is None else float(given)
    except ValueError:
        return given


def _level(arguments: Namespace) -> float:
    try:
        level = float(arguments.level)
    except ValueError:
        level = 0.0
    if not 0.0 < level < 1.0:
        raise OptionError(f"--level is {arguments.level}; it is a probability such as 0.95")
    return level


def _formatted(fit: Fit | VectorFit, form: str, level: float) -> str:
    if form == "json":
        return as_json(fit, level)
    return as_markdown(fit, level) if form == "md" else str(fit)


def _show(arguments: Namespace) -> int:
    fit = _model(arguments.model)
    print(_formatted(fit, arguments.format, _level(arguments)))
    return 0


# --- predict ---


def _predict(arguments: Namespace) -> int:
    if arguments.model == "-" and arguments.file == "-":
        raise OptionError(
            "the model and the data cannot both come from the standard input; name a file for one"
        )
    level = _level(arguments)
    _refuse_overwriting(arguments.out, arguments.file, arguments.model)
    fit = _model(arguments.model)
    frame = _table(arguments.file)
    kept = {name: column_values(frame, name) for name in arguments.keep}
    _progress(f"predicting {len(frame):,} rows")
    given = {word: getattr(arguments, word) for word in ("offset", "exposure", "trials")}
    if isinstance(fit, VectorFit):
        del given["trials"]
    kind = (
        "probabilities"
        if arguments.kind == "mean" and not isinstance(fit, Fit) and fit.family.categorical
        else arguments.kind
    )
    predicted = fit.predict(
        frame,
        kind,
        se=arguments.se,
        interval="confidence" if arguments.interval else None,
        level=level,
        unseen=arguments.unseen,
        **given,
    )
    _progress("")
    names = fit.family.settings["levels"] if kind == "probabilities" else ()
    _write(arguments.out, _beside(kept, _columns(predicted, names)))
    return 0


def _columns(predicted: Any, classes: Sequence[str] = ()) -> dict[str, Any]:
    """Name the columns of a prediction; of classes one for each, and of their errors and ends too."""
    if not isinstance(predicted, Prediction | VectorPrediction):
        found = {"estimate": predicted}
    else:
        found = {name: getattr(predicted, name) for name in ("estimate", "se", "lower", "upper")}
    found = {name: values for name, values in found.items() if values is not None}
    if not classes:
        return found
    return {
        each if name == "estimate" else f"{name}:{each}": values[:, place]
        for name, values in found.items()
        for place, each in enumerate(classes)
    }


def _beside(kept: dict[str, Any], predicted: dict[str, Any]) -> dict[str, Any]:
    for name in kept.keys() & predicted.keys():
        raise OptionError(
            f"--keep {name}: that is the name of a column of the output; rename it in the input"
        )
    return kept | predicted


def _write(path: str | None, columns: dict[str, Any]) -> None:
    if path is None or path == "-":
        write_csv(sys.stdout, columns)
    else:
        write_file(path, columns)


# --- files and pipes ---


def _table(path: str) -> Frame:
    _progress(f"reading {path if path != '-' else 'the standard input'}")
    with _named(path) as name:
        frame = read_file(name)
    _progress("")
    return frame


def _model(path: str) -> Fit | VectorFit:
    with _named(path) as name:
        return load_fit(name)


@contextlib.contextmanager
def _named(path: str) -> Iterator[str]:
    """Give a file its name; what comes through a pipe is put into a file for as long as it is read."""
    if path != "-" and not Path(path).is_fifo():
        yield path
        return
    source = sys.stdin.buffer if path == "-" else Path(path).open("rb")  # noqa: SIM115  closed below
    with tempfile.TemporaryDirectory(prefix="etamu-") as folder:
        place = Path(folder) / "standard input"
        with place.open("wb") as stream:
            while block := source.read(1 << 20):
                stream.write(block)
        if path != "-":
            source.close()
        try:
            yield str(place)
        except EtamuError as error:
            shown = "standard input" if path == "-" else path
            raise type(error)(str(error).replace(str(place), shown)) from None


# --- families, demo, completion ---


def _families(_: Namespace) -> int:
    print(families())
    return 0


def _demo(arguments: Namespace) -> int:
    shown = DEMONSTRATIONS[arguments.data]
    dataset = load(shown.dataset)
    fit = demonstrate(shown, dataset)
    print(f"{_wrapped(dataset.story)}\n{_wrapped('Source: ' + dataset.source)}\n")
    print(f"{fit}\n\n{_wrapped(shown.reference)}\n\n{fit.components()}\n")
    folder = Path(arguments.out)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "components.png"
    plot.components(fit).savefig(path)
    print(f"The three components are drawn in {path}")
    return 0


def demonstrate(shown: Demonstration, dataset: Dataset) -> Fit:
    """Fit the model of a demonstration."""
    keyword: dict[str, Any] = {shown.keyword: shown.column}
    return glm(shown.formula, dataset.columns, family=shown.family, **keyword)


def _completion(arguments: Namespace) -> int:
    print(script(arguments.shell, COMMANDS), end="")
    return 0


RUN: dict[str, Callable[[Namespace], int]] = {
    "fit": _fit,
    "predict": _predict,
    "show": _show,
    "families": _families,
    "demo": _demo,
    "completion": _completion,
}
"""Commands by name."""


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, WIDTH))


if __name__ == "__main__":
    sys.exit(main())
