"""What must be true of a world, whatever happened in it."""

from itertools import pairwise

from synthgen_ray.domain.lifecycle import JOB_MOVES
from tests.simulation.model import COMPLETED, DEADLINE, PENDING, RUNNING, Job
from tests.simulation.world import World


def check(world: World) -> None:
    """Raises: AssertionError, for a world at rest that broke a promise."""
    _each_call_made_one_job(world)
    for job in world.queue.jobs.values():
        _it_ended_once_and_as_it_may(job)
        _its_times_run_forward(job)
    _artifacts_are_those_of_completed_jobs(world)
    _no_file_is_left_over(world)
    assert len(world.published) == len({job for job, _ in world.published}), "a job published twice"
    assert not world.taken_alive, "the lease of one who lives was taken"
    assert not world.far_off, "a deadline does not come"
    for job_id, ended in world.overdue_at.items():
        assert ended - world.asked_at[job_id] > DEADLINE.total_seconds() - 1, "a deadline came early"


def _each_call_made_one_job(world: World) -> None:
    asked = [key for client in world.clients for key in client.asked]
    answered = {key: job for client in world.clients for key, job in client.answered.items()}
    assert set(answered) == set(asked), "an accepted call is lost"
    assert len(set(answered.values())) == len(answered), "two calls made one job"
    assert set(world.queue.jobs) == set(answered.values()) - _gone(world), "a call made no job, or more than one"


def _gone(world: World) -> set[int]:
    return {job for job in world.deleted if job not in world.queue.jobs}


def _it_ended_once_and_as_it_may(job: Job) -> None:
    assert job.status.is_final, "a job never ended"
    assert sum(move.after.is_final for move in job.history) == 1, "a job ended twice"
    assert (job.history[0].before, job.history[0].after) == (None, PENDING)
    for before, after in pairwise(job.history):
        assert after.before is before.after
        assert after.after in JOB_MOVES[before.after]
        was_claimed = after.attempt == before.attempt + (after.after is RUNNING)
        assert was_claimed or before is job.history[0], "an attempt that was not claimed"  # or rests, forgotten
    assert job.history[-1].after is job.status


def _its_times_run_forward(job: Job) -> None:
    assert job.finished_at is not None
    assert job.created_at <= (job.started_at or job.created_at) <= job.finished_at, "a negative duration"


def _artifacts_are_those_of_completed_jobs(world: World) -> None:
    for job in world.queue.jobs.values():
        assert (job.status is COMPLETED) == (job.artifact is not None), "an artifact of a job that did not complete"
        if job.artifact is not None:
            assert world.files.get((job.id, job.attempt)) == job.artifact, "a published file is not there"


def _no_file_is_left_over(world: World) -> None:
    named = {(job.id, job.attempt) for job in world.queue.jobs.values() if job.artifact is not None}
    # The workers of a dispatcher that crashed may write once more, unheard of: that is left to the sweep of old files.
    assert set(world.files) - named <= world.abandoned, "a file that no job names"
