"""What the queue is meant to be, in plain Python: one method a transaction, and the time as an argument.

`replay` holds it against the store, so that what the simulation proves of it is true of the store too.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from synthgen_ray.domain.lifecycle import AWAY_RESTS, JOB_MOVES, LEASE, JobStatus, JobType
from synthgen_ray.store.deadlines import NOTED_EACH, SLACK
from synthgen_ray.store.moves import TOLD_ATTEMPTS
from synthgen_ray.store.reaper import BACKOFF, LONGEST_REST, MAX_FAILURES, NO_ROOM_REST

Attempt = tuple[int, int]
Folder = tuple[int, ...]  # of a job, or of one of its attempts
START = datetime(2026, 1, 1, tzinfo=UTC)
DEADLINE = timedelta(minutes=5)
NEVER = datetime.min.replace(tzinfo=UTC)
PENDING, RUNNING, COMPLETED, FAILED = JobStatus


@dataclass(frozen=True)
class Move:
    before: JobStatus | None
    after: JobStatus
    attempt: int
    error: str | None


@dataclass
class Job:
    id: int
    project: int
    kind: JobType
    created_at: datetime
    deadline_at: datetime
    not_before: datetime
    status: JobStatus = PENDING
    attempt: int = 0
    failures: int = 0
    owner: str | None = None
    lease_expires_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None
    artifact: int | None = None
    history: list[Move] = field(default_factory=list)


class QueueModel:
    def __init__(self, now: datetime = START) -> None:
        self.jobs: dict[int, Job] = {}
        self.keys: dict[str, int] = {}
        self.erasures: dict[Folder, datetime] = {}
        self.turns: dict[tuple[int, JobType], datetime] = {}
        self.beat_at = now
        self._last = 0

    def enqueue(self, now: datetime, key: str, project: int, kind: JobType) -> int:
        if key in self.keys:
            return self.keys[key]
        self._last += 1
        job = Job(self._last, project, kind, now, now + DEADLINE, now)
        job.history.append(Move(None, PENDING, 0, None))
        self.jobs[job.id] = job
        self.keys[key] = job.id
        return job.id

    def claim(self, now: datetime, kinds: Collection[JobType], owner: str) -> Attempt | None:
        busy = [job.project for job in self.jobs.values() if job.status is RUNNING and job.kind in kinds]
        due = [job for job in self.jobs.values() if job.kind in kinds and self._is_due(job, now)]
        if not due:
            return None
        job = min(due, key=lambda job: (busy.count(job.project), self._last_turn(job, now), job.created_at))
        self.turns[job.project, job.kind] = now
        job.attempt += 1
        job.started_at = job.started_at or max(now, job.created_at)
        self._move(job, RUNNING, now)
        job.owner, job.lease_expires_at = owner, now + LEASE
        return job.id, job.attempt

    def find_held(self, _now: datetime, attempts: Collection[Attempt]) -> set[Attempt]:
        return {attempt for attempt in attempts if self._held(attempt)}

    def heartbeat(
        self, now: datetime, attempts: Collection[Attempt], since: timedelta | None, reaps: bool, is_steady: bool
    ) -> set[Attempt]:
        self._keep_deadlines(now, since)
        for attempt in attempts:
            if job := self._held(attempt):
                job.lease_expires_at = now + LEASE
        if reaps:
            self._reap(now, is_steady)
        return self.find_held(now, attempts)

    def complete(self, now: datetime, attempt: Attempt, artifact: int) -> bool:
        if job := self._held(attempt):
            job.artifact = artifact
            self._move(job, COMPLETED, now)
            return True
        return any(job.artifact == artifact for job in self.jobs.values())

    def fail(self, now: datetime, attempt: Attempt) -> None:
        if job := self._held(attempt):
            self._move(job, FAILED, now, "broken")
        else:
            self.discard(now, [attempt])

    def requeue(self, now: datetime, attempt: Attempt, lost: bool) -> None:
        if job := self._held(attempt):
            if lost:
                self._lose(job, now)
            else:
                job.not_before = now
                self._move(job, PENDING, now)
        else:
            self.discard(now, [attempt])

    def postpone(self, now: datetime, attempt: Attempt, is_away: bool) -> None:
        if job := self._held(attempt):
            job.not_before = now + (AWAY_RESTS[min(job.attempt, len(AWAY_RESTS)) - 1] if is_away else NO_ROOM_REST)
            self._move(job, PENDING, now)
            job.history = [one for one in job.history if not 0 < one.attempt <= job.attempt - TOLD_ATTEMPTS]
        else:
            self.discard(now, [attempt])

    def requeue_running(self, now: datetime, owner: str) -> None:
        for job in self.jobs.values():
            if job.status is RUNNING and job.owner == owner:
                self._lose(job, now)

    def requeue_unheard(self, now: datetime, owner: str, heard_of: Collection[Attempt]) -> None:
        for job in self.jobs.values():
            if job.status is RUNNING and job.owner == owner and (job.id, job.attempt) not in heard_of:
                job.not_before = now
                self._move(job, PENDING, now)

    def cancel(self, now: datetime, job_id: int) -> str:
        job = self.jobs.get(job_id)
        if job is None:
            return "not_found"
        if not job.status.is_final:
            self._move(job, FAILED, now, "cancelled")
        return "cancelled" if job.error == "cancelled" else "already_finished"

    def delete(self, now: datetime, job_id: int) -> bool:
        job = self.jobs.pop(job_id, None)
        if job is None:
            return False
        self.erasures[(job.id,)] = now if job.status.is_final else now + LEASE
        return True

    def discard(self, now: datetime, attempts: Collection[Attempt]) -> None:
        for job_id, attempt in attempts:
            job = self.jobs.get(job_id)
            if job is None or job.artifact is None or job.attempt != attempt:
                self.erasures[job_id, attempt] = now + LEASE

    def erased(self, now: datetime, folders: Collection[Folder]) -> None:
        for folder in folders:
            if not now < self.erasures.get(folder, NEVER) <= now + LEASE:
                self.erasures.pop(folder, None)

    def _is_due(self, job: Job, now: datetime) -> bool:
        return job.status is PENDING and (job.not_before <= now or job.not_before > now + LONGEST_REST)

    def _last_turn(self, job: Job, now: datetime) -> datetime:
        """Of its project and kind."""
        last = self.turns.get((job.project, job.kind), NEVER)
        return last if last <= now else NEVER

    def _held(self, attempt: Attempt) -> Job | None:
        job = self.jobs.get(attempt[0])
        return job if job and job.status is RUNNING and job.attempt == attempt[1] else None

    def _keep_deadlines(self, now: datetime, since: timedelta | None) -> None:
        gone = now - self.beat_at
        if since is None or timedelta(0) <= gone < NOTED_EACH:
            return
        self.beat_at = now
        if -SLACK <= gone <= since + SLACK:
            return
        for job in self.jobs.values():
            is_far_off = job.created_at > now or job.deadline_at > now + DEADLINE
            before = job.created_at < now - since if gone > timedelta(0) else is_far_off
            if before and not job.status.is_final:
                far = max(DEADLINE, job.deadline_at - job.created_at)
                job.deadline_at = min(job.deadline_at + gone, now + far)

    def _reap(self, now: datetime, is_steady: bool) -> None:
        for job in self.jobs.values():
            if not job.status.is_final and job.deadline_at <= now:
                self._move(job, FAILED, now, "deadline_exceeded")
            elif is_steady and job.lease_expires_at and not now <= job.lease_expires_at <= now + 2 * LEASE:
                self._lose(job, now)

    def _lose(self, job: Job, now: datetime) -> None:
        job.failures += 1
        if job.failures >= MAX_FAILURES:
            self._move(job, FAILED, now, "worker_lost")
        else:
            job.not_before = now + BACKOFF[job.failures - 1]
            self._move(job, PENDING, now)

    def _move(self, job: Job, after: JobStatus, now: datetime, error: str | None = None) -> None:
        assert after in JOB_MOVES[job.status], (job, after)
        job.history.append(Move(job.status, after, job.attempt, error))
        if job.status is RUNNING:
            job.owner = job.lease_expires_at = None
            if after is not COMPLETED:
                self.erasures[job.id, job.attempt] = now + LEASE
        if after.is_final:
            job.finished_at = max(now, job.started_at or job.created_at)
        job.status, job.error = after, error
