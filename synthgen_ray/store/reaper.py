"""What becomes of jobs that nobody ends: past their deadline, without their worker, of no kind that we know."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, case, literal, or_
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.entities import BATCH_STOPPED, JobFailure
from synthgen_ray.domain.lifecycle import AWAY_RESTS, LEASE, Attempt, JobStatus, JobType
from synthgen_ray.store.moves import because, move
from synthgen_ray.store.tables import JobRow, UtcDateTime

MAX_FAILURES = 3
# How long a job that was lost once, and twice, rests before its next attempt: what ends one process seldom ends the
# next, what ends two may be there for a while.
BACKOFF = (timedelta(seconds=0), timedelta(seconds=30))
NO_ROOM_REST = timedelta(seconds=30)
LONGEST_REST = max(*BACKOFF, *AWAY_RESTS, NO_ROOM_REST)
LOST = JobFailure("worker_lost", f"The job lost its worker {MAX_FAILURES} times; try again later.", retryable=True)
OVERDUE = JobFailure(
    "deadline_exceeded", "The job did not end before its deadline: ask for less, or try again later.", retryable=True
)
UNREADABLE = JobFailure("unreadable_job", "The job's record cannot be read: ask for it again.")


@dataclass(frozen=True)
class Reaped:
    """What was past its deadline or cannot be read, which is ended for good, and what was given back, or ended, for the
    lease that ran out."""

    overdue: frozenset[Attempt] = frozenset()
    unreadable: frozenset[Attempt] = frozenset()
    expired: frozenset[Attempt] = frozenset()

    @property
    def all(self) -> frozenset[Attempt]:
        return self.overdue | self.unreadable | self.expired


async def reap(session: AsyncSession, now: datetime, takes_leases: bool) -> Reaped:
    """End or give back what should no longer be as it is.

    Nothing of a row but its status, times and counters is read here: one that cannot be decoded stops no other.
    """
    overdue = JobRow.deadline_at <= now
    # A lease further off than any that is given was given before the clock was set back.
    expired = or_(JobRow.lease_expires_at < now, JobRow.lease_expires_at > now + 2 * LEASE)
    unknown = JobRow.job_type.not_in(list(JobType))
    pending, running, failed = JobStatus.PENDING, JobStatus.RUNNING, JobStatus.FAILED
    late = [
        *await move(session, pending, failed, overdue, now, **because(OVERDUE)),
        *await move(session, running, failed, overdue, now, **because(OVERDUE)),
    ]
    unreadable = await move(session, pending, failed, unknown, now, **because(UNREADABLE))
    lost = await lose(session, expired, now) if takes_leases else []
    return Reaped(frozenset(late), frozenset(unreadable), frozenset(lost))


async def lose(session: AsyncSession, which: ColumnElement[bool], now: datetime) -> list[Attempt]:
    """Give back the running jobs that `which` fits as lost by their workers, or fail those that were lost too often, or
    that no dispatcher can go on with."""
    failures = JobRow.failures + 1
    worn_out = and_(which, failures >= MAX_FAILURES)
    rest = {n: literal(now + backoff, UtcDateTime()) for n, backoff in enumerate(BACKOFF, start=1)}
    not_before = case(rest, value=failures, else_=literal(now, UtcDateTime()))
    is_batch = and_(which, JobRow.job_type == JobType.BATCH)
    running = JobStatus.RUNNING
    stopped = await move(session, running, JobStatus.FAILED, is_batch, now, failures=failures, **because(BATCH_STOPPED))
    ended = await move(session, running, JobStatus.FAILED, worn_out, now, failures=failures, **because(LOST))
    again = await move(session, running, JobStatus.PENDING, which, now, failures=failures, not_before=not_before)
    return stopped + ended + again
