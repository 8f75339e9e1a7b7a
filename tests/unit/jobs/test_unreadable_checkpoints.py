"""A checkpoint on a bad sector looks like a store that is away, but does not come back; nor may the room for a copy of
it."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Artifact, Assignment
from synthgen_ray.domain.errors import SynthGenError, Unavailable, artifacts_away, insufficient_storage
from synthgen_ray.domain.lifecycle import AWAY_RESTS
from synthgen_ray.jobs import checkpoints
from synthgen_ray.jobs.checkpoints import JobCheckpoints
from tests.unit.jobs.test_checkpoints import STEP, given_row, lost_after_a_checkpoint

RESTS_S = [rest.total_seconds() for rest in AWAY_RESTS]


class BadDisk(DiskArtifacts):
    """Fails to read so many times."""

    def __init__(self, folder: Path, failures: int = 1000, error: SynthGenError | None = None) -> None:
        super().__init__(folder)
        self.failures, self.error = failures, error or artifacts_away()

    def verified(self, artifact: Artifact):
        self.failures -= 1
        if self.failures >= 0:
            raise self.error
        return super().verified(artifact)


class DiskAway(BadDisk):
    def check_writable(self) -> None:
        raise artifacts_away()


@pytest.fixture
def assignment(tmp_path) -> Assignment:
    return lost_after_a_checkpoint(tmp_path)


@pytest.fixture
def rests(monkeypatch) -> list[float]:
    """The seconds that were waited, which do not pass."""
    waited: list[float] = []
    monkeypatch.setattr(checkpoints, "time", SimpleNamespace(sleep=waited.append, monotonic=time.monotonic))
    return waited


def begun(assignment: Assignment, disk: DiskArtifacts) -> JobCheckpoints:
    return JobCheckpoints(assignment, disk, 0, given_row([]))


@pytest.mark.parametrize("error", [artifacts_away(), insufficient_storage()], ids=["unreadable", "no room for a copy"])
def test_it_is_asked_for_a_few_times_and_then_the_training_starts_anew(assignment, tmp_path, rests, error):
    assert begun(assignment, BadDisk(tmp_path, error=error)).latest() is None
    assert rests == RESTS_S


@pytest.mark.parametrize("failures", [1, len(AWAY_RESTS)])
def test_one_that_can_be_read_again_is_gone_on_from(assignment, tmp_path, rests, failures):
    assert begun(assignment, BadDisk(tmp_path, failures)).latest().step == STEP.step
    assert rests == RESTS_S[:failures]


def test_where_the_disk_is_away_others_have_their_turn(assignment, tmp_path, rests):
    with pytest.raises(Unavailable):
        begun(assignment, DiskAway(tmp_path))
    assert rests == []
