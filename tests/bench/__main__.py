"""`make bench`: SynthGen beside the packages its models come from, in one process. Prints a table; asserts nothing.

Both sides learn the same table with the same hyperparameters on the same threads; what is timed is run in turn,
several times. Medians are printed, and the gain is the median of each run's and the peer's beside it.
BENCH="--list" names the rows, BENCH="--only 'ctgan step'" chooses some.
"""

import argparse
import os
import platform
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from threadpoolctl import threadpool_limits

from tests.bench import (
    batch,
    conditional,
    memory,
    preprocessing,
    quality,
    reporting,
    resting,
    sampling,
    serving,
    storage,
    training,
)
from tests.bench.rows import Bench, Figure, Row, warm_up
from tests.bench.tables import REAL, given_tasks
from tests.real_tables import SHARED

QUICK_ROWS = 500
HEADINGS = ("what", "SynthGen", "peer", "gain", "must", "aim", "")
VERSIONS = ("ctgan", "copulas", "torch", "numpy", "pyarrow")


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    folder = options.data if options.data and options.data.is_dir() else None
    rows = [
        row for row in _rows(options.tables if folder else ["generated"]) if _is_chosen(row, options.only, options.but)
    ]
    if options.list:
        print("\n".join(row.name for row in rows))
        return
    torch.set_num_threads(options.threads)
    threadpool_limits(options.threads)  # NumPy's products, on both sides
    warnings.filterwarnings("ignore")  # the peers', about their own use of pandas and torch
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as held:
        bench = Bench(
            tasks=given_tasks(folder, options.tables, QUICK_ROWS if options.quick else None),
            folder=folder,
            results=options.to or Path(scratch) / "results.jsonl",
            times=options.times,
            quick=options.quick,
            seeds=tuple(options.seeds),
            held=held,
        )
        warm_up()
        console = Console(stderr=True)
        lines = []
        for row in rows:
            lines.append(_line(row, row.measure(bench)))
            console.print("  ".join(lines[-1]), style="dim")  # the table comes when all is measured: hours, maybe
    source = ", ".join(bench.tasks) + (f" ({folder})" if folder else ": no folder of real tables was found")
    title = f"{source}; {options.threads} thread(s), medians of {options.times}" + ("; QUICK" * options.quick)
    _print(lines, title, _machine(), options.markdown)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    parser.add_argument("--only", "--rows", nargs="+", default=[], metavar="NAME", help="rows whose name holds one")
    parser.add_argument("--but", nargs="+", default=[], metavar="NAME", help="not those whose name holds one")
    parser.add_argument("--times", type=int, default=5, help="how often each side is timed")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of real tables")
    parser.add_argument("--tables", nargs="+", default=["adult"], choices=list(REAL), help="the first is timed")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="of the quality rows")
    parser.add_argument("--to", type=Path, metavar="JSONL", help="keep the quality results, and go on there")
    parser.add_argument("--quick", action="store_true", help="a few hundred rows and two epochs: does it run?")
    parser.add_argument("--markdown", action="store_true")
    return parser.parse_args(arguments)


def _rows(tables: Sequence[str]) -> list[Row]:
    groups = (
        preprocessing.ROWS,
        training.ROWS,
        sampling.ROWS,
        conditional.ROWS,
        memory.ROWS,
        serving.ROWS,
        reporting.ROWS,
        resting.ROWS,
        batch.ROWS,
        storage.ROWS,
        quality.rows(tables),
    )
    return [row for group in groups for row in group]


def _is_chosen(row: Row, only: Sequence[str], but: Sequence[str]) -> bool:
    def holds(names: Sequence[str]) -> bool:
        return any(name.lower() in row.name.lower() for name in names)

    return (not only or holds(only)) and not holds(but)


def _line(row: Row, figure: Figure) -> tuple[str, ...]:
    peer = "–" if figure.peer is None else _value(figure.peer, figure.unit)
    return row.name, _value(figure.ours, figure.unit), peer, figure.gain, row.must, row.aim, figure.note


def _value(value: float, unit: str) -> str:
    if unit == "score":
        return f"{value:.3f}"
    return f"{value:,.0f} {unit}" if value >= 1000 or unit == "values" else f"{value:.3g} {unit}"


def _machine() -> str:
    model = next((line for line in _cpu_lines() if line.startswith("model name")), platform.machine()).split(": ")[-1]
    versions = ", ".join(f"{name} {version(name)}" for name in VERSIONS)
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {versions}"


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def _print(lines: Sequence[Sequence[str]], title: str, caption: str, markdown: bool) -> None:
    if markdown:
        print(f"{title}; {caption}\n")
        print("\n".join("| " + " | ".join(line) + " |" for line in (HEADINGS, ["---"] * len(HEADINGS), *lines)))
        return
    shown = Table(title=title, caption=caption)
    for place, heading in enumerate(HEADINGS):
        shown.add_column(heading, justify="right" if 0 < place < 6 else "left")
    for line in lines:
        shown.add_row(*line)
    Console(width=None if Console().is_terminal else 200).print(shown)


if __name__ == "__main__":
    main()
