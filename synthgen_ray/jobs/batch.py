"""Rows by the billion: a folder of files, each made whole by whoever comes to it, of the rows that a generation of the
same seed has. What is there stays there: a run that was stopped is gone on with.

    _plan.json        what was ordered, written first: another order does not go on here
    _run              which run makes them, until all are there: another one of this order may have taken over
    rows-*.parquet    named by the first and the last of their chunks
    _manifest.json    the files in their order, with their rows, bytes and SHA-256; after all of them
    _SUCCESS          last, and empty
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, ValidationError

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.writing import write_file
from synthgen_ray.domain.entities import MODEL_FILE
from synthgen_ray.domain.errors import Conflict, Gone
from synthgen_ray.domain.params import Condition, OutputFormat, Share
from synthgen_ray.jobs.drawing import drawing
from synthgen_ray.jobs.parts import PartPlan, plan_parts
from synthgen_ray.synthesizers.base import Synthesizer, load

PLAN, RUN, MANIFEST, SUCCESS = "_plan.json", "_run", "_manifest.json", "_SUCCESS"

OnRows = Callable[[int, int], None]  # hears how many are there, and how many of these this run has made


class Order(BaseModel):
    """All that the bytes of all files follow from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model_sha256: str
    chunk_rows: int  # of the model
    num_rows: int
    seed: int
    conditions: dict[str, Condition] = {}
    distribution: dict[str, dict[str, Share]] = {}
    format: OutputFormat = OutputFormat.PARQUET
    csv_safe: bool = False
    rows_per_file: int = 1_000_000
    release: str = ""  # of this package and those that it draws with: others may draw other rows

    @cached_property
    def files(self) -> dict[str, PartPlan]:
        """What is in each, by their names, in order."""
        plans = plan_parts(self.num_rows, self.chunk_rows, max(1, self.rows_per_file // self.chunk_rows))
        return {f"rows-{plan.first_chunk:08}-{plan.last_chunk:08}.{self.format}": plan for plan in plans}


@dataclass(frozen=True)
class Place:
    """A folder in a store of files, and the run that works there."""

    artifacts: Artifacts
    location: str
    run: str = field(default_factory=lambda: uuid4().hex)

    def has(self, name: str) -> bool:
        return name in self.sizes([name])

    def sizes(self, names: Sequence[str]) -> Mapping[str, int]:
        return self.artifacts.sizes(self.location, names)

    def remove(self, name: str) -> None:
        self.artifacts.remove(self.location, name)

    def read(self, name: str) -> bytes:
        with self.artifacts.part_file(self.location, name) as file:
            return file.read_bytes()

    def write(self, name: str, content: bytes) -> None:
        with self.artifacts.writing(self.location, name) as sink:
            sink.write(content)


class DoneFile(BaseModel):
    """A line of the manifest."""

    name: str
    num_rows: int
    size_bytes: int
    sha256: str


class Manifest(BaseModel):
    order: Order
    files: tuple[DoneFile, ...]


def model_in(content: bytes) -> Synthesizer:
    """The model in the bytes of its file. Raises: JobError, for anything else."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / MODEL_FILE
        file.write_bytes(content)
        return load(file)


def begin(place: Place, order: Order, *, resume: bool) -> Manifest | None:
    """Take the folder for an order; the manifest, when there is nothing left to do. Where files of a run that had ended
    are missing, or of another size, they are to be made again. A run of this order that still works there ends.

    Raises: Conflict, when another order was begun there, or this one and it is not to be gone on with, or files are
    there of which nothing tells whose they are; Unavailable.
    """
    was_begun = place.has(PLAN)
    if was_begun:
        if not resume:
            raise Conflict("Rows were begun there: --resume goes on with them, or choose another folder.", "begun")
        plan = _plan_of(place)
        if plan is None or plan != order.model_copy(update={"release": plan.release}):
            raise _another_order(plan, order)
        if (manifest := _still_whole(place, reopen=plan == order)) is not None:
            return manifest
        if plan != order:
            raise _another_order(plan, order)
    elif place.sizes([MANIFEST, SUCCESS, *order.files]):
        raise Conflict("Files of a run are there without the plan that it went by: choose another folder.", "begun")
    place.write(PLAN, _written(order))
    place.write(RUN, _claim(place, order))
    if not was_begun and place.sizes(list(order.files)):  # of one that began after that look
        place.remove(PLAN)
        raise _another_run()
    return None


def _written(order: Order) -> bytes:
    return order.model_dump_json(indent=2).encode()


def _claim(place: Place, order: Order) -> bytes:
    """What says that this run makes this order there."""
    return f"{place.run} {hashlib.sha256(_written(order)).hexdigest()}\n".encode()


def _another_run() -> Conflict:
    return Conflict("Another run was begun there at the same time, and goes on: choose another folder.", "begun")


def _another_order(plan: Order | None, order: Order) -> Conflict:
    if plan is None:
        return Conflict("The plan of what was begun there is damaged: choose another folder.", "other_order")
    other = [name for name in Order.model_fields if getattr(plan, name) != getattr(order, name)]
    detail = f"What was begun there has another {', '.join(other)}: give the same, or choose another folder."
    return Conflict(detail, "other_order")


def as_begun(place: Place, order: Order, *, any_seed: bool) -> Order:
    """The order as it was begun there, if it is the same: rows are drawn in the order in which shares were named first.
    Who named no seed need not know it."""
    plan = _plan_of(place) if place.has(PLAN) else None
    if plan is None:
        return order
    asked = order.model_copy(update={"seed": plan.seed}) if any_seed else order
    return plan if asked == plan else asked


def check_ours(place: Place, order: Order) -> None:
    """Raises: Conflict, where this machine has a folder of its own by that name, or another run has taken the folder:
    the last one that was begun stands; Unavailable."""
    try:
        claim = place.read(RUN)
    except Gone:
        if place.has(PLAN):  # the other one has come to its end
            raise _another_run() from None
        raise Conflict(
            "A node does not see the folder: on several nodes it must be on storage that all of them share.",
            "not_shared",
        ) from None
    if claim != _claim(place, order):
        raise _another_run()


def make_file(model: Synthesizer, order: Order, name: str, place: Place) -> DoneFile:
    """Make a file, unless it is there with all of its rows; its hash is of what can be read there now.

    Raises: JobError, for rows that are too large; InsufficientStorage; Unavailable.
    """
    plan = order.files[name]
    if not (place.has(name) and _is_whole(place, name, order.format, plan.num_rows)):
        chunks = (
            model.sample_chunk(index, num_rows, order.seed, order.conditions, order.distribution)
            for index, num_rows in plan.chunks
        )
        with drawing(model), place.artifacts.writing(place.location, name) as sink:
            write_file(chunks, model.columns, order.format, sink, safe=order.csv_safe)
    sealed = place.artifacts.seal(place.location, [place.artifacts.part(place.location, name, plan.num_rows)])
    return DoneFile(name=name, num_rows=plan.num_rows, size_bytes=sealed.size_bytes, sha256=sealed.sha256)


def finish(place: Place, order: Order, done: Mapping[str, DoneFile]) -> Manifest:
    """Say that all is there, and clear away what runs that were killed have begun."""
    place.artifacts.clear_unfinished(place.location, {PLAN, RUN, MANIFEST, SUCCESS, *order.files})
    manifest = Manifest(order=order, files=tuple(done[name] for name in order.files))
    place.write(MANIFEST, manifest.model_dump_json(indent=2).encode())
    place.write(SUCCESS, b"")
    place.remove(RUN)
    return manifest


def _still_whole(place: Place, *, reopen: bool) -> Manifest | None:
    """The manifest of a run that has ended, if the files that it names are there. Else, where it may be reopened, the
    run is an unfinished one again, without those that are of another size."""
    marks = place.sizes([MANIFEST, SUCCESS])
    if SUCCESS not in marks:
        return None
    manifest = _manifest_of(place) if MANIFEST in marks else None
    sizes = {file.name: file.size_bytes for file in manifest.files} if manifest else {}
    there = place.sizes(list(sizes))
    if manifest and there == sizes:
        return manifest
    if reopen:
        for name in there:
            if there[name] != sizes[name]:
                place.remove(name)
        place.remove(SUCCESS)  # last: a run that stops before it is found again
    return None


def _manifest_of(place: Place) -> Manifest | None:
    try:
        return Manifest.model_validate_json(place.read(MANIFEST))
    except ValidationError:
        return None


def _is_whole(place: Place, name: str, form: OutputFormat, num_rows: int) -> bool:
    """Whether so many rows are there, to the end of the last one: where a disk or an upload failed, fewer may be."""
    with place.artifacts.part_file(place.location, name) as file:
        if form is OutputFormat.PARQUET:
            try:
                return bool(pq.read_metadata(file).num_rows == num_rows)
            except (pa.ArrowException, OSError):
                return False
        with file.open("rb") as lines:
            return _count_rows(lines, form) == num_rows


def _count_rows(lines: Iterable[bytes], form: OutputFormat) -> int | None:
    """`None` of a file that ends within a row."""
    rows, is_open = 0, False
    for line in lines:
        if form is OutputFormat.CSV:  # whose cells may hold line ends, in quotes
            is_open ^= line.count(b'"') % 2 == 1
        if not line.endswith(b"\n"):
            return None
        rows += not is_open
    return None if is_open else rows - (form is OutputFormat.CSV)  # the header is none


def _plan_of(place: Place) -> Order | None:
    try:
        return Order.model_validate_json(place.read(PLAN))
    except ValidationError:
        return None
