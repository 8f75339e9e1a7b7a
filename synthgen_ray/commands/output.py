"""Tables, progress and refusals for people; JSON for machines."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from synthgen_ray.client import ApiError

JSON = dict[str, Any]
OnProgress = Callable[[JSON], None]


class Output:
    """Answers go to the standard output, all else to the standard error: pipes stay clean."""

    def __init__(self, as_json: bool = False) -> None:
        self._as_json = as_json
        self._notes = Console(stderr=True, highlight=False, soft_wrap=True)

    def say(self, answer: Any, sentence: str) -> None:
        """What a command has done."""
        typer.echo(json.dumps(answer, indent=2) if self._as_json else sentence)

    def page(self, page: JSON, columns: Sequence[str]) -> None:
        """A page of a list, as a table of these fields."""
        self.table(page, page["items"], columns)
        if (shown := len(page["items"])) < page["total"] and not self._as_json:
            self.note(f"{shown} of {page['total']}; see --limit and --offset.")

    def table(self, answer: Any, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
        if self._as_json:
            typer.echo(json.dumps(answer, indent=2))
        elif sys.stdout.isatty():
            console = Console()
            console.print(_table(rows, _fitting(rows, columns, console.width)))
        else:  # as other programs like it: tabs, nothing cut off
            typer.echo("\t".join(columns))
            for row in rows:
                typer.echo("\t".join(_text(row.get(column)) for column in columns))

    def fields(self, answer: JSON, fields: Mapping[str, Any]) -> None:
        """One thing, a line for each of its fields."""
        if self._as_json:
            typer.echo(json.dumps(answer, indent=2))
            return
        width = max(len(name) for name in fields)
        for name, value in fields.items():
            typer.echo(f"{name:<{width}}  {_text(value)}")

    def note(self, sentence: str) -> None:
        self._notes.print(Text(sentence))

    def refuse(self, error: Exception) -> None:
        self.note(f"synthgen: {error}")
        if not isinstance(error, ApiError):
            return
        for fault in (f"{fault['field']}: {fault['message']}" for fault in error.errors):
            if fault != str(error):
                self.note(f"  {fault}")
        if error.status == 401:
            self.note("  Give the key with --key, or in SYNTHGEN_API_KEY.")
        elif error.status >= 500 and error.request_id:
            self.note(f"  The server's log has more under the request id {error.request_id}.")

    @contextmanager
    def progress(self, label: str) -> Iterator[OnProgress]:
        """Shows a job as it goes: a bar on a terminal, elsewhere a line when something changes."""
        if not self._notes.is_terminal:
            yield _Lines(label, self.note)
            return
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}", markup=False),
        )
        with Progress(*columns, console=self._notes) as bars:
            bar = bars.add_task(label, total=1.0, note="")
            yield lambda job: bars.update(bar, completed=_fraction(job), note=_note(job))


class _Lines:
    """A line for each change of status and each quarter of the way, so that a log stays short."""

    def __init__(self, label: str, write: Callable[[str], None]) -> None:
        self._label = label
        self._write = write
        self._last: tuple[str, int] | None = None

    def __call__(self, job: JSON) -> None:
        now = (job["status"], int(_fraction(job) * 4))
        if now != self._last:
            self._last = now
            self._write(f"{self._label}: {_note(job)} {_fraction(job):.0%}")


def _fraction(job: JSON) -> float:
    return 1.0 if job["status"] == "completed" else float(job["progress"])


def _note(job: JSON) -> str:
    said = job["message"] if job["status"] == "running" else ""
    return said or str(job["status"])


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
        table.add_column(column, overflow="fold", no_wrap=column == "id")
    for row in rows:
        table.add_row(*(Text(_text(row.get(column))) for column in columns))
    return table


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, dict | list):
        return json.dumps(value)
    return str(value)
