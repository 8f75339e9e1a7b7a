"""How far a job or a file is: a bar on a terminal; elsewhere a few lines for a job, and none for a file."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TransferSpeedColumn,
)

from synthgen_ray.client.answers import JSON
from synthgen_ray.client.jobs import OnProgress, has_ended
from synthgen_ray.client.sending import OnBytes


@contextmanager
def job_progress(console: Console, label: str) -> Iterator[OnProgress]:
    if not console.is_terminal:
        yield _Lines(label, lambda line: console.print(line, markup=False))
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    with Progress(*columns, console=console) as bars:
        bar = bars.add_task(label, total=1.0, note="")
        yield lambda job: bars.update(bar, completed=_fraction(job), note=_note(job))


@contextmanager
def byte_progress(console: Console, label: str) -> Iterator[OnBytes]:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        bar = bars.add_task(label, total=None)
        yield lambda done, size: bars.update(bar, completed=done, total=size)


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
    said = "" if has_ended(job) else job["message"]
    return said or str(job["status"])
