"""A checkpoint on a bad sector looks like a store that is away, but does not come back."""

import dataclasses
from pathlib import Path

import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Artifact, Assignment
from synthgen_ray.domain.errors import Unavailable, artifacts_away
from synthgen_ray.domain.lifecycle import AWAY_RESTS
from synthgen_ray.jobs.checkpoints import JobCheckpoints
from tests.unit.jobs.test_checkpoints import STEP, given_assignment, given_row, resuming

LAST_WAIT = 1 + len(AWAY_RESTS)  # the attempt that is the last one to wait for a checkpoint of the first


class BadDisk(DiskArtifacts):
    """Fails to read so many times."""

    def __init__(self, folder: Path, failures: int = 1000) -> None:
        super().__init__(folder)
        self.failures = failures

    def verified(self, artifact: Artifact):
        self.failures -= 1
        if self.failures >= 0:
            raise artifacts_away()
        return super().verified(artifact)


class DiskAway(BadDisk):
    def check_writable(self) -> None:
        raise artifacts_away()


@pytest.fixture
def assignment(tmp_path) -> Assignment:
    """A training that was lost after its first attempt had made a checkpoint."""
    names: list[Artifact] = []
    first = given_assignment(tmp_path, "tvae")
    with JobCheckpoints(first, DiskArtifacts(tmp_path), 1e-6, given_row(names)) as kept:
        kept.save(STEP)
    return resuming(first, names[0])


def begun(assignment: Assignment, attempt: int, disk: DiskArtifacts) -> JobCheckpoints:
    job = dataclasses.replace(assignment.job, attempt=attempt)
    return JobCheckpoints(dataclasses.replace(assignment, job=job), disk, 0, given_row([]))


def test_it_is_waited_for_a_few_times_and_then_the_training_starts_anew(assignment, tmp_path):
    for attempt in range(2, LAST_WAIT + 1):
        with pytest.raises(Unavailable):
            begun(assignment, attempt, BadDisk(tmp_path))

    assert begun(assignment, LAST_WAIT + 1, BadDisk(tmp_path)).latest() is None


def test_a_disk_that_is_away_is_waited_for_however_long(assignment, tmp_path):
    with pytest.raises(Unavailable):
        begun(assignment, LAST_WAIT + 100, DiskAway(tmp_path))


def test_one_that_can_be_read_again_is_gone_on_from(assignment, tmp_path):
    assert begun(assignment, LAST_WAIT + 1, BadDisk(tmp_path, failures=1)).latest().step == STEP.step
