"""The queue's promises hold in thousands of made-up histories, and in one that breaks them they are seen broken."""

from collections.abc import Collection
from datetime import datetime, timedelta

import pytest

from synthgen_ray.domain.lifecycle import LEASE, JobType
from tests.simulation.histories import lived, simulated
from tests.simulation.invariants import check
from tests.simulation.model import FAILED, RUNNING, Attempt, Job, QueueModel
from tests.simulation.world import Dispatcher, World


def test_no_history_breaks_a_promise():
    assert simulated([*range(200), 2793]) > 0  # the last one's clock is set before the first heartbeat


def test_a_seed_is_one_history():
    assert lived(1, QueueModel()).calls == lived(1, QueueModel()).calls


def test_faults_of_each_kind_happen():
    worlds = [lived(seed, QueueModel()) for seed in range(30)]

    reasons = {move.error for world in worlds for job in world.queue.jobs.values() for move in job.history}
    assert reasons == {None, "broken", "cancelled", "deadline_exceeded", "worker_lost"}
    assert any(job.attempt > 1 for world in worlds for job in world.queue.jobs.values())
    assert any(world.deleted for world in worlds)


class WithoutFence(QueueModel):
    """Any attempt of a running job may write."""

    def _held(self, attempt: Attempt) -> Job | None:
        job = self.jobs.get(attempt[0])
        return job if job and job.status is RUNNING else None


class WithoutFinality(QueueModel):
    """A late attempt publishes over whatever the job ended as."""

    def complete(self, now: datetime, attempt: Attempt, artifact: int) -> bool:
        job = self.jobs.get(attempt[0])
        if job and job.status is FAILED and job.attempt == attempt[1]:
            job.artifact = artifact
            return True
        return super().complete(now, attempt, artifact)


class WithoutMemory(QueueModel):
    """A call that is sent again is another call."""

    def enqueue(self, now: datetime, key: str, project: int, kind: JobType) -> int:
        self.keys.pop(key, None)
        return super().enqueue(now, key, project, kind)


class WithoutLeases(QueueModel):
    """Whoever is not here is dead."""

    def _reap(self, now: datetime, is_steady: bool) -> None:
        for job in self.jobs.values():
            if job.lease_expires_at and job.lease_expires_at != now + LEASE:
                job.lease_expires_at = now - LEASE
        super()._reap(now, is_steady)


class WithoutReaper(QueueModel):
    def _reap(self, now: datetime, is_steady: bool) -> None:
        """Nobody is missed."""


class WithFixedDeadlines(QueueModel):
    """They are moments of a clock, whoever sets it."""

    def _keep_deadlines(self, now: datetime, since: timedelta | None) -> None:
        """Nothing moves."""


class WithoutErasures(QueueModel):
    def discard(self, now: datetime, attempts: Collection[Attempt]) -> None:
        """What a superseded attempt wrote late stays."""


class TrustingWorld(World):
    """Its dispatchers believe the clock, however it jumps."""

    def _started(self, name: str) -> Dispatcher:
        dispatcher = super()._started(name)
        assert dispatcher.watch is not None
        dispatcher.watch.is_steady = lambda: True  # type: ignore[method-assign]
        return dispatcher


class RenamingWorld(World):
    """A dispatcher that starts anew is another one, as those of clusters that share a database are."""

    def _started(self, name: str) -> Dispatcher:
        return super()._started(f"{name}'")


@pytest.mark.parametrize(
    ("queue", "world", "broken"),
    [
        (WithoutFence, World, "not there|no job names|not claimed|published twice"),
        (WithoutFinality, World, "did not complete"),
        (WithoutMemory, World, "two jobs"),
        (WithoutLeases, World, "taken"),
        (WithoutReaper, RenamingWorld, "never ended"),
        (WithoutErasures, World, "no job names"),
        (WithFixedDeadlines, World, "early"),
        (QueueModel, TrustingWorld, "taken|early"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_queue_without_one_of_its_guards_is_caught(queue, world, broken):
    with pytest.raises(AssertionError, match=broken):
        for seed in range(100):
            check(lived(seed, queue(), world))
