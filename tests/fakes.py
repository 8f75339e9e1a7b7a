"""Fakes: small classes with the methods of what they stand for."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import ClassVar

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.converter import Converter
from synthgen_ray.datasets.reading import TableSummary
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.entities import MODEL_FILE, Artifact, Assignment, Draw, Job, MadeReport, Progress, TrainedModel
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.reports import ReportFormat
from synthgen_ray.jobs.dispatcher import OnProgress
from synthgen_ray.jobs.generate import publish, write_part
from synthgen_ray.jobs.models import load_model
from synthgen_ray.jobs.online import encoded_chunk
from synthgen_ray.jobs.parts import plan_parts
from synthgen_ray.jobs.report import make_report
from synthgen_ray.jobs.train import keep, learn
from tests.given import LEARNED, SCORES


class FakeClock:
    """A wall clock that is right at first, moves on by a microsecond at each look, and otherwise when it is set."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class RememberingConverter(Converter):
    """The real one, asked once for each table: a process for each upload would take most of the tests' time."""

    MOST_BYTES = 100_000
    _made: ClassVar[dict[object, tuple[bytes, TableSummary]]] = {}

    async def convert(
        self,
        source: Path,
        filename: str,
        target: Path,
        correction: SchemaCorrection | None = None,
        formats: Mapping[str, str] | None = None,
    ) -> TableSummary:
        said = correction.model_dump_json() if correction else None
        key = (_start_of(source, self.MOST_BYTES), filename, said, tuple((formats or {}).items()), self.limits)
        if key in self._made:
            content, summary = self._made[key]
            await asyncio.to_thread(target.write_bytes, content)
            return summary
        summary = await super().convert(source, filename, target, correction, formats)
        if len(key[0]) < self.MOST_BYTES:
            self._made[key] = await asyncio.to_thread(target.read_bytes), summary
        return summary


def _start_of(file: Path, num_bytes: int) -> bytes:
    with file.open("rb") as opened:
        return opened.read(num_bytes)


class RoomForAll:
    async def room(self, running: Collection[Assignment]) -> Collection[JobType]:
        return tuple(JobType)

    async def forget(self, folders: tuple[str, ...]) -> None:
        """There is nothing in memory."""


class ThreadLauncher(RoomForAll):
    """Runs the real work of a job in a thread of this process, where the cluster would be."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    async def train(self, assignment: Assignment) -> TrainedModel:
        learnt = await asyncio.to_thread(learn, assignment, self._artifacts, lambda progress: None)
        return await asyncio.to_thread(keep, learnt, assignment, self._artifacts)

    async def generate(self, assignment: Assignment, report: OnProgress) -> Artifact:
        model = load_model(assignment.source, self._artifacts)
        plans = plan_parts(assignment.job.config["num_rows"], assignment.chunk_rows)
        parts = []
        for plan in plans:
            parts.append(await asyncio.to_thread(write_part, model, assignment, plan, self._artifacts))
            await report(Progress(len(parts) / len(plans)))
        return publish(assignment.job, parts, self._artifacts)

    async def judge(self, assignment: Assignment) -> MadeReport:
        return await asyncio.to_thread(make_report, assignment, self._artifacts, lambda progress: None)


class ThreadSamplers:
    """Draws rows in a thread of this process, where the replicas would be."""

    def __init__(self, artifacts: Artifacts) -> None:
        self._artifacts = artifacts

    async def draw(self, draw: Draw) -> AsyncGenerator[bytes, None]:
        model = load_model(draw.source, self._artifacts)
        for index in range(len(draw.chunks)):
            yield await asyncio.to_thread(encoded_chunk, model, draw, index)


async def at_once(_job: Job) -> None:
    """No rest at all."""


class WritingLauncher(RoomForAll):
    """Writes small real artifacts in no time, and before each step of a job rests as the test says."""

    PARTS = 2
    RESTS = 3

    def __init__(self, artifacts: Artifacts, rest: Callable[[Job], Awaitable[None]] = at_once) -> None:
        self._artifacts = artifacts
        self._rest = rest

    async def train(self, assignment: Assignment) -> TrainedModel:
        folder = assignment.job.folder
        await self._rest(assignment.job)
        with self._artifacts.scratch.file() as file:
            file.write_bytes(folder.encode())
            await self._rest(assignment.job)
            self._artifacts.adopt(file, folder, MODEL_FILE)
        await self._rest(assignment.job)
        return TrainedModel(self._artifacts.seal(folder, [self._artifacts.part(folder, MODEL_FILE, 0)]), LEARNED, 1000)

    async def generate(self, assignment: Assignment, report: OnProgress) -> Artifact:
        folder, parts = assignment.job.folder, []
        for index in range(self.PARTS):
            await self._rest(assignment.job)
            with self._artifacts.writing(folder, f"part-{index:05}") as sink:
                sink.write(b"a,b\n")
                sink.write(folder.encode())
            parts.append(self._artifacts.part(folder, f"part-{index:05}", 1))
            await report(Progress(len(parts) / self.PARTS))
        await self._rest(assignment.job)
        return self._artifacts.seal(folder, parts)

    async def judge(self, assignment: Assignment) -> MadeReport:
        folder = assignment.job.folder
        for form in ReportFormat:
            await self._rest(assignment.job)
            with self._artifacts.writing(folder, form.file) as sink:
                sink.write(folder.encode())
        await self._rest(assignment.job)
        parts = [self._artifacts.part(folder, form.file, 0) for form in ReportFormat]
        return MadeReport(self._artifacts.seal(folder, parts), SCORES)
