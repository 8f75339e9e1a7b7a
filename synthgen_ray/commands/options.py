"""The options that several commands take."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

Format = TypeVar("Format", bound=StrEnum)

Limit = Annotated[int, typer.Option(min=1, max=500, help="Items to show, newest first.")]
Offset = Annotated[int, typer.Option(min=0, help="Items to skip.")]
InProject = Annotated[str | None, typer.Option("--project", help="Only of this project: its name or id.")]
ByModel = Annotated[str | None, typer.Option("--model", help="Only of this model: its name or id.")]
NEW_PROJECT_HELP = "Name or id of the project; a new name makes a new project."
Version = Annotated[int | None, typer.Option(min=0, help="Number of the version, from 0; by default the latest.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
CsvSafe = Annotated[bool, typer.Option("--csv-safe", help="Put ' before text that a spreadsheet takes for a formula.")]


def in_a_folder(file: Path | None) -> Path | None:
    """Said before the work that the file is for."""
    if file and not file.absolute().parent.is_dir():
        raise typer.BadParameter(f"There is no folder {file.parent}.")
    if file and file.exists() and not file.is_file():
        raise typer.BadParameter(f"{file} is no file.")
    return file


def format_for(file: Path | None, wanted: Format | None, default: Format) -> Format:
    """What --format says, or else what the file ends in; the default where neither says anything.

    Raises: typer.BadParameter, for an ending that is none of the formats'.
    """
    ending = file.suffix.lower() if file else ""
    if wanted or not ending:
        return wanted or default
    known = {f".{format}": format for format in type(default)}
    if ending not in known:
        raise typer.BadParameter(
            f"Nothing here is written as {ending}: end it in {' or '.join(known)}.", param_hint="--to"
        )
    return known[ending]


def confirm(question: str, yes: bool) -> None:
    """Returns once it is a yes.

    Raises: typer.Abort, for a no; typer.BadParameter, where there is nobody to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise typer.BadParameter("There is no terminal to ask on: add it where you are sure.", param_hint="--yes")
    typer.confirm(question, abort=True, err=True)
