"""Check the house rules that no other tool knows.

May import: the standard library; reads source, imports nothing of etamu.
Read next: CONTRIBUTING.md, which says why each rule stands.

usage: house.py FOLDER ...
"""

from __future__ import annotations

import ast
import re
import sys
import tokenize
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 80
MAX_PARAMETERS = 8
MAX_DOOR_PARAMETERS = 23
DOORS = {"api.py", "cli.py", "estimator.py", "predict.py"}
"""Where users stand: a function there may take more."""
BUILDERS = {"__init__", "__post_init__", "__new__", "__setstate__"}
PROTOCOLS = {"estimator.py": {"fit"}}
"""Where a library's protocol demands an attribute later: scikit-learn's `fit` sets what it learnt."""
MODEL_PARTS = {"Family", "Link"}
FORBIDDEN_NAMES = {
    "comp": "complement",
    "tmp": "what it holds",
    "endog": "y",
    "exog": "design",
    "llf": "loglik",
    "bse": "se",
    "wrkwt": "information",
}
STRANGERS_TO_SOLVE = re.compile(r"\b(famil(y|ies)|links?|weights?)\b", re.IGNORECASE)
UNOWNED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\(#\d+\))")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule broken at a line."""

    path: Path
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its text and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    def fault(self, line: int, rule: str, text: str) -> Fault:
        """State a fault of this file."""
        return Fault(self.path, line, rule, text)

    @property
    def functions(self) -> Iterator[Function]:
        """Every function of the file, methods and inner functions included."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


def read(path: Path) -> Source:
    """Read and parse one file."""
    text = path.read_text(encoding="utf-8")
    return Source(path, text, ast.parse(text, filename=str(path)))


# --- rules: each takes a source and yields its faults ---


def short_files(source: Source) -> Iterator[Fault]:
    """No file is longer than anyone reads in one sitting."""
    length = len(source.text.splitlines())
    if length > MAX_FILE_LINES:
        yield source.fault(length, "file-length", f"{length} lines, at most {MAX_FILE_LINES}")


def short_functions(source: Source) -> Iterator[Fault]:
    """No function is longer than a page; its docstring does not count."""
    for function in source.functions:
        body = function.body
        documented = ast.get_docstring(function) is not None
        docstring = body[0].end_lineno - body[0].lineno + 1 if documented else 0
        length = function.end_lineno - function.lineno + 1 - docstring
        if length > MAX_FUNCTION_LINES:
            text = f"{function.name} has {length} lines, at most {MAX_FUNCTION_LINES}"
            yield source.fault(function.lineno, "function-length", text)


def narrow_signatures(source: Source) -> Iterator[Fault]:
    """A function takes few things; a front door may take more."""
    limit = MAX_DOOR_PARAMETERS if source.path.name in DOORS else MAX_PARAMETERS
    for function in source.functions:
        arguments = function.args
        names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        count = len([name for name in names if name not in {"self", "cls"}])
        if count > limit:
            text = f"{function.name} takes {count} parameters, at most {limit}"
            yield source.fault(function.lineno, "parameters", text)


def immutable_defaults(source: Source) -> Iterator[Fault]:
    """No default is shared by every call and changed by one."""
    for function in source.functions:
        for default in (*function.args.defaults, *function.args.kw_defaults):
            if isinstance(default, ast.List | ast.Dict | ast.Set):
                yield source.fault(default.lineno, "mutable-default", f"in {function.name}")


def no_type_tests(source: Source) -> Iterator[Fault]:
    """A pair is looked up in a table; nobody asks what a Family or a Link is."""
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id not in {"isinstance", "issubclass"} or len(node.args) != 2:
            continue
        named = {n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name)}
        named |= {n.attr for n in ast.walk(node.args[1]) if isinstance(n, ast.Attribute)}
        for part in sorted(named & MODEL_PARTS):
            yield source.fault(node.lineno, "type-test", f"{node.func.id}(…, {part})")


def no_hidden_imports(source: Source) -> Iterator[Fault]:
    """An import of etamu stands at the top, where the contracts and the reader see it."""
    for function in source.functions:
        for node in ast.walk(function):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = ["etamu" if node.level else node.module or ""]
            if any(name.split(".")[0] == "etamu" for name in names):
                yield source.fault(node.lineno, "hidden-import", f"in {function.name}")


def no_late_attributes(source: Source) -> Iterator[Fault]:
    """An object is a fact: its attributes are set while it is built, and never again."""
    for function in source.functions:
        if function.name in BUILDERS | PROTOCOLS.get(source.path.name, set()):
            continue
        for node in ast.walk(function):
            stored = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del)
            if stored and isinstance(node.value, ast.Name) and node.value.id == "self":
                yield source.fault(node.lineno, "late-attribute", f"self.{node.attr} in {function.name}")
            if _is_setattr(node):
                yield source.fault(node.lineno, "late-attribute", f"setattr in {function.name}")


def _is_setattr(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call):
        return False
    function = node.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    return name in {"setattr", "__setattr__"}


def frozen_dataclasses(source: Source) -> Iterator[Fault]:
    """Every dataclass is frozen."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            called = decorator.func if isinstance(decorator, ast.Call) else decorator
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            keywords = decorator.keywords if isinstance(decorator, ast.Call) else []
            frozen = any(k.arg == "frozen" and getattr(k.value, "value", False) is True for k in keywords)
            if name == "dataclass" and not frozen:
                yield source.fault(node.lineno, "not-frozen", node.name)


def no_super(source: Source) -> Iterator[Fault]:
    """A class is abstract or final: there is nothing above to call."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "super":
            yield source.fault(node.lineno, "super", "abstract or final, never extended")


def honest_names(source: Source) -> Iterator[Fault]:
    """A name says what it holds, in the words of the book."""
    for node in ast.walk(source.tree):
        name = (
            getattr(node, "id", None)
            or getattr(node, "arg", None)
            or (node.name if isinstance(node, Function | ast.ClassDef) else None)
        )
        if name in FORBIDDEN_NAMES:
            yield source.fault(node.lineno, "name", f"{name}: say {FORBIDDEN_NAMES[name]}")


def documented_modules(source: Source) -> Iterator[Fault]:
    """A module opens by saying what it is, what it may import and what to read next."""
    docstring = ast.get_docstring(source.tree)
    if not docstring:
        yield source.fault(1, "module-docstring", "missing")
    elif source.path.name not in {"__init__.py", "__main__.py"}:
        missing = [line for line in ("May import:", "Read next:") if line not in docstring]
        if missing:
            yield source.fault(1, "module-docstring", f"lacks {' and '.join(missing)}")


def owned_promises(source: Source) -> Iterator[Fault]:
    """A promise in a comment carries the number of the issue that keeps it: TODO(#12)."""
    with source.path.open("rb") as stream:
        for token in tokenize.tokenize(stream.readline):
            if token.type == tokenize.COMMENT and UNOWNED.search(token.string):
                yield source.fault(token.start[0], "promise", token.string.strip())


def solvers_know_vectors_only(source: Source) -> Iterator[Fault]:
    """No word of statistics in the optimisation room, neither in code nor in prose."""
    if source.path.parent.name != "solve":
        return
    for number, line in enumerate(source.text.splitlines(), start=1):
        if found := STRANGERS_TO_SOLVE.search(line):
            yield source.fault(number, "solve-vocabulary", f"{found.group()!r}")


# --- rules of the whole tree ---


def no_circles(sources: list[Source]) -> Iterator[Fault]:
    """No two files need each other, not even for a type or for what is loaded later."""
    modules = {_module(source.path): source for source in sources}
    arrows = {name: _needed(source, modules.keys()) for name, source in modules.items()}
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        circle = error.args[1]
        yield modules[circle[0]].fault(1, "circle", " <- ".join(circle))


def _module(path: Path) -> str:
    """Name the module of a file; a package is its `__init__`."""
    parts = path.with_suffix("").parts
    inside = parts[parts.index("etamu") :] if "etamu" in parts else parts[-1:]
    return ".".join(inside).removesuffix(".__init__")


def _needed(source: Source, known: AbstractSet[str]) -> set[str]:
    """Collect the modules that a file imports anywhere, or names to `later`; a package's door apart."""
    found: set[str] = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            inside = {f"{module}.{alias.name}" for alias in node.names} & known
            found |= inside or {module}
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") in {"later", "LaterModule"}:
            found |= {a.value for a in node.args[:1] if isinstance(a, ast.Constant)}
    return found & known


RULES = (
    short_files,
    short_functions,
    narrow_signatures,
    immutable_defaults,
    no_type_tests,
    no_hidden_imports,
    no_late_attributes,
    frozen_dataclasses,
    no_super,
    honest_names,
    documented_modules,
    owned_promises,
    solvers_know_vectors_only,
)
TREE_RULES = (no_circles,)


def check(*paths: Path) -> list[Fault]:
    """Apply every rule to some files."""
    sources = [read(path) for path in paths]
    each = [fault for source in sources for rule in RULES for fault in rule(source)]
    return each + [fault for rule in TREE_RULES for fault in rule(sources)]


def main(folders: list[str]) -> int:
    """Check every Python file under the folders; print the faults; 1 if there are any."""
    paths = sorted(path for folder in folders for path in Path(folder).rglob("*.py"))
    faults = check(*paths)
    for fault in faults:
        print(fault)
    print(f"{len(paths)} files, {len(RULES) + len(TREE_RULES)} rules, {len(faults)} faults")
    return 1 if faults or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
