"""The calls of Ray, Serve and SynthGen in a script, read as these programs read them: who knows options but they?"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import typer
from ray.scripts.scripts import cli as ray
from ray.serve.scripts import cli as serve
from typer.exceptions import TyperException

from synthgen_ray.cli import app
from tests.manifests.unsound import Unsound

PROGRAMS: Mapping[str, Any] = {"ray": ray, "serve": serve, "synthgen": typer.main.get_command(app)}
SHELL = ["/bin/sh", "-c"]
ENDS = "();<>|&\n"


@dataclass(frozen=True)
class Call:
    command: str  # such as "ray start"
    options: Mapping[str, Any]  # all that it has, by its own names, where none is given with its default
    environment: Mapping[str, str]  # of it alone


def calls(script: str) -> Iterator[Call]:
    """Raises: Unsound, for one that its program would refuse."""
    for words in commands(script):
        at = next((i for i, word in enumerate(words) if word in PROGRAMS), None)
        if at is None:
            continue
        command, name, rest = PROGRAMS[words[at]], words[at], words[at + 1 :]
        while hasattr(command, "commands"):
            if not rest or rest[0] not in command.commands:
                raise Unsound(f"`{name}` has no command {' '.join(rest[:1])}")
            command, name, rest = command.commands[rest[0]], f"{name} {rest[0]}", rest[1:]
        try:
            options = command.make_context(name, rest).params
        except (click.ClickException, TyperException) as error:
            raise Unsound(f"`{name}`: {error.format_message()}") from error
        yield Call(name, options, dict(re.findall(r"^(\w+)=(.*)$", "\n".join(words[:at]), re.MULTILINE)))


def commands(script: str) -> Iterator[list[str]]:
    """The words of each simple command in a script of the shell. What is between quotes stays a word."""
    lexer = shlex.shlex(script.replace("\\\n", " "), posix=True, punctuation_chars=ENDS)
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t", True, ""
    words: list[str] = []
    for word in lexer:
        if not set(word) <= set(ENDS):
            words.append(word)
        elif words:
            yield words
            words = []
    if words:
        yield words


def script_of(words: Sequence[str]) -> str:
    """What a container runs: the script that it gives to a shell, or its one command."""
    return words[2] if list(words[:2]) == SHELL and len(words) > 2 else shlex.join(words)
