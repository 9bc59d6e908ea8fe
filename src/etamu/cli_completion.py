"""Completion in three shells: scripts made from what the commands state, calling nothing when Tab is pressed.

May import: the standard library, `etamu.cli_grammar`.
Read next: `etamu.cli_grammar`, where the words come from.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable

from etamu.cli_grammar import Argument, Command

Commands = tuple[Command, ...]


def script(shell: str, commands: Commands) -> str:
    """Write the completion script of a shell."""
    return SHELLS[shell](commands)


def _shown(command: Command) -> list[Argument]:
    return [argument for argument in command.arguments if argument.help != argparse.SUPPRESS]


def _options(command: Command) -> list[Argument]:
    return [argument for argument in _shown(command) if argument.is_option]


def _positions(command: Command) -> list[Argument]:
    return [argument for argument in _shown(command) if not argument.is_option]


def _names(argument: Argument) -> list[str]:
    return [argument.name, "-o"] if argument.name == "--out" else [argument.name]


# --- bash ---


def _bash(commands: Commands) -> str:
    cases = "\n".join(_bash_command(command) for command in commands)
    names = " ".join(command.name for command in commands)
    return f"""# completion of etamu in bash
_etamu() {{
    local word=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD-1]}} words="" files=""
    COMPREPLY=()
    if [[ $COMP_CWORD -eq 1 ]]; then
        COMPREPLY=($(compgen -W "{names} --help --version" -- "$word"))
        return
    fi
    case ${{COMP_WORDS[1]}} in
{cases}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    if [[ -n $files ]]; then
        local IFS=$'\\n'
        COMPREPLY+=($(compgen -f -- "$word"))
    fi
}}
complete -o filenames -F _etamu etamu
"""


def _bash_command(command: Command) -> str:
    lines = []
    for argument in _options(command):
        if argument.metavar:
            found = "files=yes" if argument.takes_file else f"words={shlex.quote(' '.join(argument.values))}"
            lines.append(f"            {'|'.join(_names(argument))}) {found};;")
    options = " ".join(name for argument in _options(command) for name in _names(argument))
    others = [f"words={shlex.quote(' '.join([*_offered(command), '--help', options]).strip())}"]
    if any(argument.takes_file for argument in _positions(command)):
        others.append("[[ $word == -* ]] || files=yes")
    lines.append(f"            *) {'; '.join(others)};;")
    body = "\n".join(lines)
    return f"        {command.name}) case $previous in\n{body}\n        esac;;"


def _offered(command: Command) -> list[str]:
    return [value for argument in _positions(command) for value in argument.values]


# --- zsh ---


def _zsh(commands: Commands) -> str:
    names = " ".join(shlex.quote(f"{command.name}:{command.help}") for command in commands)
    cases = "\n".join(_zsh_command(command) for command in commands)
    return f"""#compdef etamu
_etamu() {{
    local -a commands=({names})
    if (( CURRENT == 2 )); then
        _describe command commands
        _arguments '--help[say how]' '--version[print the version]'
        return
    fi
    local command=$words[2]
    shift words
    (( CURRENT-- ))
    case $command in
{cases}
    esac
}}
compdef _etamu etamu
"""


def _zsh_command(command: Command) -> str:
    specifications = []
    for argument in _shown(command):
        action = "_files" if argument.takes_file else f"({' '.join(map(_bare, argument.values))})"
        if not argument.is_option:
            specifications.append(f"{':' * (1 + argument.optional)}{argument.name}:{action}")
            continue
        for name in _names(argument):
            value = f":{argument.metavar.lower()}:{action}" if argument.metavar else ""
            specifications.append(f"{'*' if argument.many else ''}{name}[{_bare(argument.help)}]{value}")
    listed = " ".join(shlex.quote(each) for each in [*specifications, "--help[say how]"])
    return f"        {command.name}) _arguments {listed};;"


def _bare(text: str) -> str:
    """Leave out what separates the parts of a specification of zsh."""
    return "".join("\\" + letter if letter in ":[]()" else letter for letter in text)


# --- fish ---


def _fish(commands: Commands) -> str:
    lines = ["# completion of etamu in fish", "complete -c etamu -f"]
    names = " ".join(command.name for command in commands)
    none = f"not __fish_seen_subcommand_from {names}"
    lines += [f"complete -c etamu -n '{none}' -l version -d 'print the version'"]
    for command in commands:
        lines.append(f"complete -c etamu -n '{none}' -a {command.name} -d {shlex.quote(command.help)}")
        lines += [_fish_argument(command, argument) for argument in _shown(command)]
    return "\n".join(lines) + "\n"


def _fish_argument(command: Command, argument: Argument) -> str:
    start = f"complete -c etamu -n '__fish_seen_subcommand_from {command.name}'"
    values = f" -a {shlex.quote(' '.join(argument.values))}" if argument.values else ""
    files = " -F" if argument.takes_file else ""
    if not argument.is_option:
        return start + values + files
    short = " -s o" if argument.name == "--out" else ""
    taken = " -r" if argument.metavar else ""
    help_text = shlex.quote(argument.help)
    return f"{start} -l {argument.name.removeprefix('--')}{short}{taken}{values}{files} -d {help_text}"


SHELLS: dict[str, Callable[[Commands], str]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
"""Writers of scripts by shell."""
