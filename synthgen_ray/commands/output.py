"""Tables, progress and refusals for people; JSON for machines."""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from synthgen_ray.client import ApiError
from synthgen_ray.client.answers import JSON
from synthgen_ray.client.jobs import OnProgress
from synthgen_ray.client.sending import OnBytes
from synthgen_ray.commands.progress import byte_progress, job_progress
from synthgen_ray.domain.shown_text import escaped


class Output:
    """Answers go to the standard output, all else to the standard error: pipes stay clean."""

    def __init__(self, as_json: bool = False) -> None:
        self._as_json = as_json
        self._notes = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, answer: Any, sentence: str) -> None:
        """What a command has done."""
        typer.echo(json.dumps(answer, indent=2) if self._as_json else escaped(sentence, lines=True))

    def page(self, page: JSON, columns: Sequence[str], rows: Sequence[Mapping[str, Any]] | None = None) -> None:
        """A page of a list, as a table of these fields of its items, or of the rows that stand for them."""
        self.table(page, page["items"] if rows is None else rows, columns)
        if (shown := len(page["items"])) < page["total"] and not self._as_json:
            self.note(f"{shown} of {page['total']}; see --limit and --offset.")

    def table(self, answer: Any, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
        if self._as_json:
            typer.echo(json.dumps(answer, indent=2))
        elif sys.stdout.isatty():
            console = Console()
            shown = _fitting(rows, columns, console.width)
            console.print(_table(rows, shown))
            if len(shown) < len(columns):
                self.note(f"{len(shown)} of {len(columns)} columns fit here; see --json.")
        else:  # as other programs like it: tabs, nothing cut off
            typer.echo("\t".join(map(_text, columns)))
            for row in rows:
                typer.echo("\t".join(_text(row.get(column)) for column in columns))

    def fields(self, answer: JSON, fields: Mapping[str, Any]) -> None:
        """One thing, a line for each of its fields, and for each of what a tuple holds."""
        if self._as_json:
            typer.echo(json.dumps(answer, indent=2))
            return
        width = max(len(name) for name in fields)
        for name, value in fields.items():
            told = "\n  ".join(["", *map(_text, value)]) if isinstance(value, tuple) else _text(value)
            typer.echo(f"{name:<{width}}  {told}")

    def note(self, sentence: str) -> None:
        self._notes.print(Text(escaped(sentence, lines=True)))

    def refuse(self, error: Exception) -> None:
        self.note(f"synthgen: {error}")
        if not isinstance(error, ApiError):
            return
        for fault in (": ".join(filter(None, (fault["field"], fault["message"]))) for fault in error.errors):
            if fault != str(error):
                self.note(f"  {fault}")
        if error.status == 401:
            self.note("  Give the key in SYNTHGEN_API_KEY; or with --key, which others on this machine can see.")
        elif error.status >= 500 and error.request_id:
            self.note(f"  The server's log has more under the request id {error.request_id}.")

    def progress(self, label: str) -> AbstractContextManager[OnProgress]:
        """Shows a job as it goes."""
        return job_progress(self._notes, escaped(label))

    def transfer(self, label: str) -> AbstractContextManager[OnBytes]:
        """Shows a file as it goes."""
        return byte_progress(self._notes, escaped(label))


GAP = 2  # blanks between columns


def _fitting(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], width: int) -> Sequence[str]:
    """The columns for which there is room, first ones first: a table that wraps is hard to read."""
    used = 0
    for number, column in enumerate(columns):
        used += max(len(column), *(len(_text(row.get(column))) for row in rows), 0) + GAP
        if used - GAP > width:
            return columns[: max(number, 2)]
    return columns


def _table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Table:
    table = Table(box=None, padding=(0, GAP, 0, 0), pad_edge=False)
    for column in columns:
        table.add_column(Text(_text(column)), overflow="fold", no_wrap=column == "id")
    for row in rows:
        table.add_row(*(Text(_text(row.get(column))) for column in columns))
    return table


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict | list):
        return json.dumps(value)
    return escaped(str(value))
