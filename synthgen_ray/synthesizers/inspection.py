"""What a model's file says of itself: `python -m synthgen_ray.synthesizers.inspection FILE`, in a process of its own.

A file that others have made is read here first: whatever it does to the reader, it does to a process that then ends.
"""

import asyncio
import resource
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from pydantic import TypeAdapter

from synthgen_ray.datasets.date_formats import is_format
from synthgen_ray.datasets.limits import MIB, UploadLimits
from synthgen_ray.datasets.names import check_names
from synthgen_ray.datasets.nursery import ENVIRONMENT
from synthgen_ray.datasets.writing import write_csv, write_jsonl
from synthgen_ray.domain.columns import LearnedColumn
from synthgen_ray.domain.corrections import MAX_FORMAT
from synthgen_ray.domain.errors import InvalidRequest, InvalidTable, SynthGenError, corrupt_model
from synthgen_ray.domain.params import ModelType
from synthgen_ray.domain.widths import listed, widest_of
from synthgen_ray.synthesizers.columns.moments import is_moment

if TYPE_CHECKING:
    import pyarrow as pa

    from synthgen_ray.synthesizers.base import Synthesizer

MOST_SECONDS = 60  # of computing; a busy machine takes twice as long
MAX_ANSWER_BYTES = 8 * MIB  # four times what `listed` leaves of categories: JSON writes some letters as six
LIBRARIES_BYTES = 16 * 2**30  # of addresses, not of memory: PyTorch's for GPUs are large
TRIED_ROWS = 20
TOO_MUCH = "it cannot be read in the time and the memory that there are"
MOST_CHUNKS = 10  # of a file for one of ours: releases differ in how wide they take a row to be


@dataclass(frozen=True)
class ModelFacts:
    model_type: ModelType
    config: dict[str, Any]
    columns: tuple[LearnedColumn, ...]
    chunk_rows: int


@dataclass(frozen=True)
class Inspected:
    """The facts, or in words what is wrong with the file."""

    facts: ModelFacts | None
    fault: str = ""


INSPECTED = TypeAdapter(Inspected)


class Inspector:
    """Inspects model files, as many at a time as uploads are converted, with as much memory for each."""

    def __init__(self, limits: UploadLimits) -> None:
        self._memory = str(limits.max_memory_bytes)
        # Threads, not a semaphore: a process goes on for a while after its caller has gone.
        self._threads = ThreadPoolExecutor(limits.max_running, "inspection")

    async def inspect(self, file: Path) -> ModelFacts:
        """Raises: InvalidRequest, for anything but a sound model file."""
        command = [sys.executable, "-s", "-m", __name__, str(file), self._memory]
        return await asyncio.get_running_loop().run_in_executor(self._threads, _facts, command)


def _facts(command: list[str]) -> ModelFacts:
    answer, code = _answer_of(command)
    if len(answer) > MAX_ANSWER_BYTES:
        raise _unsound("its columns are described at too great a length")
    if code:
        raise _unsound(TOO_MUCH)
    found: Inspected = INSPECTED.validate_json(answer)
    if found.facts is None:
        raise InvalidRequest(found.fault, "model_corrupt")
    try:
        check_names([column.name for column in found.facts.columns])
    except InvalidTable:
        raise _unsound("its columns have names that no table may have") from None
    return found.facts


def _answer_of(command: list[str]) -> tuple[bytes, int]:
    """What the process says, up to a byte too much, and its exit code."""
    with subprocess.Popen(  # noqa: S603  (the command is ours)
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=ENVIRONMENT
    ) as process:
        end = threading.Timer(2 * MOST_SECONDS, process.kill)
        end.start()
        try:
            answer = cast(IO[bytes], process.stdout).read(MAX_ANSWER_BYTES + 1)
            if len(answer) > MAX_ANSWER_BYTES:
                process.kill()
            return answer, process.wait()
        finally:
            end.cancel()


def _unsound(why: str) -> InvalidRequest:
    fault = corrupt_model(why)
    return InvalidRequest(fault.detail, fault.code)


def main() -> None:
    file, memory = Path(sys.argv[1]), int(sys.argv[2])
    for kind, most in (
        (resource.RLIMIT_CPU, MOST_SECONDS),
        (resource.RLIMIT_DATA, memory),
        (resource.RLIMIT_AS, memory + LIBRARIES_BYTES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    sys.stdout.buffer.write(INSPECTED.dump_json(_found(file)))


def _found(file: Path) -> Inspected:
    from synthgen_ray.synthesizers.base import load  # torch comes with it, for a GAN
    from synthgen_ray.synthesizers.model_file import BROKEN

    try:
        model = load(file)
        _check_texts(model)
        _check_chunks(model)
        rows = model.sample_chunk(0, min(TRIED_ROWS, model.chunk_rows), 0)
        for write in (write_csv, write_jsonl):
            write(rows, model.columns, BytesIO())
        _check_formats(model, rows)
    except SynthGenError as error:
        return Inspected(None, error.detail)
    except MemoryError:
        return Inspected(None, _unsound(TOO_MUCH).detail)
    except BROKEN:
        return Inspected(None, _unsound("its rows cannot be written").detail)
    config = model.params.model_dump(mode="json")
    return Inspected(ModelFacts(model.model_type, config, listed(model.learned_columns), model.chunk_rows))


def _check_texts(model: "Synthesizer") -> None:
    """Refuse what no cell of an upload may be."""
    from synthgen_ray.synthesizers.columns.written_moments import WrittenMoments

    if any("\0" in text for text in _texts([model.codec.model_dump(), *map(vars, model.columns)])):
        raise _unsound("it holds a NUL character")
    if max(widest_of(column.categories or ()) for column in model.learned_columns) > UploadLimits().max_cell_bytes:
        raise _unsound("it holds a value that is too long for a cell")
    kept_as_text = [codec.wrapped for codec in model.codec.numbers if isinstance(codec.wrapped, WrittenMoments)]
    formats = [*(column.format or "" for column in model.columns), *(one.format for one in kept_as_text)]
    if max(map(len, formats)) > MAX_FORMAT:
        raise _unsound("it writes its cells in a format that is too long")


def _check_formats(model: "Synthesizer", rows: "pa.Table") -> None:
    """Refuse text around dates that an upload's may not have: with it a cell could be a formula, or end a line of
    JSON."""
    written = [column.format for column in model.columns if is_moment(rows.schema.field(column.name).type)]
    if not all(map(is_format, filter(None, written))):
        raise _unsound("it writes its dates in a format that is none")


def _texts(part: object) -> Iterator[str]:
    """All of it, however deep."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, Mapping):
        yield from _texts(list(part.values()))
    elif isinstance(part, list | tuple):
        for inner in part:
            yield from _texts(inner)


def _check_chunks(model: "Synthesizer") -> None:
    """Refuse chunks so small that a few rows are thousands of files. Raises: JobError."""
    from synthgen_ray.synthesizers.base import rows_of_a_chunk

    ours = rows_of_a_chunk(model.learned_columns, [column.name for column in model.columns])
    if model.chunk_rows * MOST_CHUNKS < ours:
        raise corrupt_model("it draws too few rows at a time")


if __name__ == "__main__":
    main()
