"""Each attempt is counted once, by what became of it, and whatever happened in it goes on to the dispatcher."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Assignment
from synthgen_ray.domain.errors import Cancelled, InvalidTable, Postponed, Unavailable, WorkerLost
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.runtime.measured import MeasuredLauncher
from tests.fakes import WritingLauncher
from tests.given import an_artifact


class Remembering:
    """What `JobMetrics` are, kept in lists."""

    def __init__(self) -> None:
        self.waits: list[tuple[JobType, float]] = []
        self.runs: list[tuple[JobType, str]] = []
        self.rows = self
        self.made: list[int] = []

    def waited(self, kind: JobType, seconds: float) -> None:
        self.waits.append((kind, seconds))

    def ran(self, kind: JobType, outcome: str, seconds: float) -> None:
        assert seconds >= 0
        self.runs.append((kind, outcome))

    def add(self, number: int, way: str) -> None:
        self.made.append(number)


@pytest.fixture
def metrics() -> Remembering:
    return Remembering()


@pytest.fixture
async def assignment(given_training) -> Assignment:
    asked = datetime(2026, 1, 1, tzinfo=UTC)
    job = replace(await given_training(), attempt=1, created_at=asked, started_at=asked + timedelta(seconds=7))
    return Assignment(job, an_artifact())


def launcher(metrics: Remembering, folder, rest=None) -> MeasuredLauncher:
    artifacts = DiskArtifacts(folder)
    return MeasuredLauncher(WritingLauncher(artifacts, rest) if rest else WritingLauncher(artifacts), metrics)


async def test_what_completes_is_counted_and_its_wait_is_timed(metrics, assignment, tmp_path):
    trained = await launcher(metrics, tmp_path).train(assignment)

    assert trained.artifact.location == assignment.job.folder
    assert metrics.runs == [(JobType.TRAIN, "completed")]
    assert metrics.waits == [(JobType.TRAIN, 7.0)]


async def test_a_later_attempt_has_not_waited_to_be_claimed(metrics, assignment, tmp_path):
    await launcher(metrics, tmp_path).train(replace(assignment, job=replace(assignment.job, attempt=2)))

    assert metrics.waits == []


async def test_the_rows_of_a_generation_are_counted(metrics, assignment, tmp_path):
    async def silent(_progress) -> None: ...

    await launcher(metrics, tmp_path).generate(assignment, silent)

    assert metrics.made == [WritingLauncher.PARTS]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (WorkerLost(), "lost"),
        (Unavailable("away", "store_unavailable"), "unavailable"),
        (Postponed(), "postponed"),
        (Cancelled(), "cancelled"),
        (asyncio.CancelledError(), "cancelled"),
        (InvalidTable("no", "no_usable_columns"), "failed"),
        (ZeroDivisionError(), "failed"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else value,
)
async def test_what_ends_otherwise_is_counted_by_why_and_goes_on(metrics, assignment, tmp_path, error, outcome):
    async def fail(_job) -> None:
        raise error

    with pytest.raises(type(error)):
        await launcher(metrics, tmp_path, fail).train(assignment)

    assert metrics.runs == [(JobType.TRAIN, outcome)]
