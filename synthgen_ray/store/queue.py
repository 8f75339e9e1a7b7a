"""The jobs table as a queue: claim, renew, finish. Every write after a claim names its attempt.

An attempt whose lease ran out may still be at work somewhere. It does no harm: its writes
find a newer attempt, or none, in the row, change nothing, and answer that it is superseded.
"""

import logging
import math
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, exists, func, not_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.audit import Action
from synthgen_ray.domain.entities import (
    CANCELLED,
    Artifact,
    Assignment,
    Job,
    JobFailure,
    MadeReport,
    Progress,
    TrainedModel,
    parts_folder,
)
from synthgen_ray.domain.errors import Cancelled, Conflict, JobError, frames_of
from synthgen_ray.domain.lifecycle import AWAY_RESTS, LEASE, LOCAL, Attempt, JobStatus, JobType
from synthgen_ray.domain.log_context import about
from synthgen_ray.domain.params import OutputFormat
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.store.assignments import assignment_of
from synthgen_ray.store.attempts import Attempts
from synthgen_ray.store.audit import record
from synthgen_ray.store.deadlines import keep_deadlines
from synthgen_ray.store.entities import (
    CHECKPOINT,
    LEARNED_COLUMNS,
    LOSSES,
    QUALITY,
    SCORES,
    as_json,
    to_artifact_row,
    to_job,
)
from synthgen_ray.store.erasures import erase_attempts, erase_later
from synthgen_ray.store.jobs import load_job, lock_job
from synthgen_ray.store.moves import because, forget_rests, held, move, no_earlier_than
from synthgen_ray.store.reaper import NO_ROOM_REST, UNREADABLE, Reaped, lose, reap
from synthgen_ray.store.tables import ArtifactRow, JobRow, ModelRow
from synthgen_ray.store.turns import find_turns, first_of, take
from synthgen_ray.store.usage import add_usage, check_storage

log = logging.getLogger(__name__)
NO_ROOM = "waiting for room in the cluster"
STORE_AWAY = "waiting for a store that is away"
UNREADABLE_AT_ONCE = 20  # that fail in one transaction: others write too


class Queue(Attempts):
    _clock: Callable[[], datetime]
    _quotas: Quotas
    _deadlines: Mapping[JobType, timedelta]
    _last_beat = math.inf  # that came through here, by a clock that only runs

    async def claim_next(self, job_types: Collection[JobType], owner: str = LOCAL) -> Assignment | None:
        """Move a due job of these types to running, for this owner; `None` if there is none.

        The first one of whose turn it is (`turns`). A single UPDATE, so two dispatchers can never claim the same job.
        One that cannot be read fails, and the next is claimed; after some of these whoever asks again.
        """
        async with self._sessions.updating() as session:
            now = self._clock()
            for _ in range(UNREADABLE_AT_ONCE):
                if (claimed := await self._claim(session, job_types, owner, now)) is None:
                    return None
                mine = held(*claimed)
                try:
                    return await assignment_of(session, await load_job(session, claimed[0]))
                except JobError as error:
                    reason = because(JobFailure(error.code, error.detail))
                    await move(session, JobStatus.RUNNING, JobStatus.FAILED, mine, now, **reason)
                except (ValueError, LookupError, TypeError, RecursionError) as error:
                    # Its owner can read what is left of it.
                    with about(job_id=claimed[0]):
                        log.error("job %s cannot be read: %s", claimed[0], frames_of(error))
                    reason = {**because(UNREADABLE), "config": {}}
                    await move(session, JobStatus.RUNNING, JobStatus.FAILED, mine, now, **reason)
            return None

    async def find_held(self, attempts: Collection[Attempt]) -> set[Attempt]:
        """Those of these attempts that are still wanted."""
        wanted = select(JobRow.id, JobRow.attempt).where(_any_held(attempts))
        async with self._sessions.reading() as session:
            return {(job_id, attempt) for job_id, attempt in await session.execute(wanted)}

    async def heartbeat(
        self,
        attempts: Collection[Attempt],
        *,
        since: timedelta | None = None,
        reaps: bool = True,
        is_steady: bool = True,
    ) -> set[Attempt]:
        """Keep these attempts alive, then reap; answers those that are still wanted.

        In this order and by one look at the clock: however far it was set, who is here keeps what it has.
        `since` is what has gone since the asker's last heartbeat, by a clock that only runs. Leases are taken only from
        where its wall clock `is_steady`; deadlines see to that by themselves (`keep_deadlines`).
        """
        async with self._sessions.writing() as session:
            await self._sessions.set_clock(session)
            now = self._clock()
            await keep_deadlines(session, now, since, self._deadlines)
            renew = update(JobRow).where(_any_held(attempts)).values(lease_expires_at=now + LEASE)
            renew = renew.returning(JobRow.id, JobRow.attempt).execution_options(synchronize_session=False)
            renewed = {(job_id, attempt) for job_id, attempt in await session.execute(renew)}
            # What kept this one from its turn kept others from theirs, whose leases ran out meanwhile.
            is_late = time.monotonic() - self._last_beat > LEASE.total_seconds() / 2
            takes_leases = is_steady and not is_late and self._sessions.is_steady()
            reaped = await reap(session, now, takes_leases) if reaps else Reaped()
        self._last_beat = time.monotonic()
        _tell(reaped.overdue, "is past its deadline")
        _tell(reaped.unreadable, "cannot be read")
        _tell(reaped.expired, "is past its lease")
        self._observer.leases_expired(len(reaped.expired))
        self._observer.deadlines_exceeded(len(reaped.overdue))
        return renewed - reaped.all

    async def report_progress(self, job_id: UUID, attempt: int, progress: Progress) -> bool:
        """Show how far an attempt is. False when it is superseded or cancelled, and must stop."""
        shown: dict[str, object] = {"progress": progress.fraction, "message": progress.message}
        if progress.losses:  # the latest stay when a later step has none
            shown["losses"] = progress.losses
        if progress.seconds:
            shown |= {"seconds": progress.seconds, "seconds_lost": progress.seconds_lost}
        is_held = await self._write_held(job_id, attempt, shown)
        self._observer.epochs_ended(progress.epochs)
        return is_held

    async def name_checkpoint(self, job_id: UUID, attempt: int, checkpoint: Artifact) -> bool:
        """From here the next attempt goes on. False when this one is superseded: then nothing is changed."""
        return await self._write_held(job_id, attempt, {"checkpoint": as_json(CHECKPOINT, checkpoint)})

    async def complete_training(self, job_id: UUID, attempt: int, trained: TrainedModel) -> None:
        """Publish a trained model and finish its job; a repeat changes nothing.

        Raises: Cancelled, when the attempt is superseded; nothing is published then.
        """

        async def publish(session: AsyncSession, row: JobRow, _now: datetime) -> None:
            made = {
                "artifact_id": trained.artifact.id,
                "learned_columns": as_json(LEARNED_COLUMNS, trained.columns),
                "chunk_rows": trained.chunk_rows,
                "quality": as_json(QUALITY, trained.quality) if trained.quality else None,
                "losses": as_json(LOSSES, trained.losses),
            }
            await session.execute(update(ModelRow).where(ModelRow.id == row.model_id).values(made))

        await self._complete(job_id, attempt, trained.artifact, publish, seconds=trained.seconds)

    async def complete_generation(self, job_id: UUID, attempt: int, artifact: Artifact) -> None:
        """Publish a generated table and finish its job; a repeat changes nothing.

        Raises: Cancelled, when the attempt is superseded, TooMany, when the project would store too much by it; nothing
        is published then.
        """

        async def publish(session: AsyncSession, row: JobRow, now: datetime) -> None:
            await check_storage(session, row.project_id, self._quotas, 0)  # how large it is was not known before
            await add_usage(session, row.project_id, rows=artifact.num_rows)
            if row.config.get("format") == OutputFormat.PARQUET:
                await erase_later(session, [parts_folder(row.id, row.attempt)], now, LEASE)

        await self._complete(job_id, attempt, artifact, publish)

    async def complete_report(self, job_id: UUID, attempt: int, made: MadeReport) -> None:
        """Publish a report and finish its job; a repeat changes nothing.

        Raises: Cancelled, when the attempt is superseded; nothing is published then.
        """

        async def publish(session: AsyncSession, row: JobRow, _now: datetime) -> None:
            shown = {"scores": as_json(SCORES, made.scores)}
            await session.execute(update(JobRow).where(JobRow.id == row.id).values(shown))

        await self._complete(job_id, attempt, made.artifact, publish)

    async def fail(self, job_id: UUID, attempt: int, failure: JobFailure) -> None:
        """Finish a job without an artifact; of a superseded attempt the files are erased, and that is all."""
        async with self._sessions.writing() as session:
            now, mine = self._clock(), held(job_id, attempt)
            if not await move(session, JobStatus.RUNNING, JobStatus.FAILED, mine, now, **because(failure)):
                await erase_attempts(session, [(job_id, attempt)], now)

    async def cancel(self, principal: Principal, job_id: UUID) -> Job:
        """End a job that has not ended; the worker of one that runs is stopped, and publishes nothing. Does nothing to
        one that was cancelled before.

        Raises: NotFound; Conflict, for a job that ended otherwise.
        """
        async with self._sessions.writing() as session:
            row = await lock_job(session, principal, job_id)
            if row.status.is_final and row.error_code != CANCELLED.code:
                raise Conflict(f"The job is {row.status}: there is nothing left to cancel.", "already_finished")
            if not row.status.is_final:
                it = JobRow.id == row.id
                await move(session, row.status, JobStatus.FAILED, it, self._clock(), **because(CANCELLED))
                await record(session, principal, Action.JOB_CANCEL, row.id, row.project_id)
            return to_job(await load_job(session, row.id))

    async def discard(self, attempts: Collection[Attempt]) -> None:
        """Have erased what superseded attempts wrote."""
        async with self._sessions.writing() as session:
            await erase_attempts(session, attempts, self._clock())

    async def requeue(self, job_id: UUID, attempt: int, *, lost: bool) -> None:
        """Give a job back. `lost` counts against its budget, after which it fails; a stop of the server does not.
        Of a superseded attempt the files are erased, and that is all.
        """
        async with self._sessions.writing() as session:
            now, mine = self._clock(), held(job_id, attempt)
            if lost:
                given_back = await lose(session, mine, now)
            else:
                given_back = await move(session, JobStatus.RUNNING, JobStatus.PENDING, mine, now, not_before=now)
            if not given_back:
                await erase_attempts(session, [(job_id, attempt)], now)

    async def postpone(self, job_id: UUID, attempt: int, *, is_away: bool = False) -> None:
        """Give back a job for which there is no room, or a store `is_away`: it rests, so that others may, and has lost
        nothing; its deadline ends it. Of a superseded attempt the files are erased, and that is all.
        """
        rest = AWAY_RESTS[min(attempt, len(AWAY_RESTS)) - 1] if is_away else NO_ROOM_REST
        async with self._sessions.writing() as session:
            now, mine = self._clock(), held(job_id, attempt)
            rests = {"not_before": now + rest, "message": STORE_AWAY if is_away else NO_ROOM}
            if await move(session, JobStatus.RUNNING, JobStatus.PENDING, mine, now, **rests):
                await forget_rests(session, job_id, attempt)
            else:
                await erase_attempts(session, [(job_id, attempt)], now)

    async def requeue_running(self, owner: str = LOCAL) -> int:
        """Give back all that runs for this owner: what its new dispatcher does, which knows that none is its own."""
        async with self._sessions.writing() as session:
            await self._sessions.set_clock(session)
            interrupted = await lose(session, JobRow.lease_owner == owner, self._clock())
        _tell(interrupted, "ran when the last dispatcher ended")
        self._observer.attempts_interrupted(len(interrupted))
        return len(interrupted)

    async def requeue_unheard(self, owner: str, heard_of: Collection[Attempt]) -> None:
        """Give back what this owner's dispatcher has claimed without hearing of it: none of it was begun, or lost."""
        async with self._sessions.writing() as session:
            now = self._clock()
            unheard = and_(JobRow.lease_owner == owner, not_(_any_held(heard_of)))
            await move(session, JobStatus.RUNNING, JobStatus.PENDING, unheard, now, not_before=now)

    async def _claim(
        self, session: AsyncSession, job_types: Collection[JobType], owner: str, now: datetime
    ) -> Attempt | None:
        claim = {
            "attempt": JobRow.attempt + 1,
            "lease_owner": owner,
            "lease_expires_at": now + LEASE,
            "started_at": func.coalesce(JobRow.started_at, no_earlier_than(JobRow.created_at, now)),
            # Where it goes on from, until its worker says more.
            "progress": case((JobRow.checkpoint.is_(None), 0.0), else_=JobRow.progress),
            "message": "",
        }
        for turn in await find_turns(session, job_types, now):
            due = JobRow.id == first_of(turn, now)
            if claimed := await move(session, JobStatus.PENDING, JobStatus.RUNNING, due, now, **claim):
                await take(session, turn, now)
                return claimed[0]
        return None

    async def _complete(
        self,
        job_id: UUID,
        attempt: int,
        artifact: Artifact,
        publish: Callable[[AsyncSession, JobRow, datetime], Awaitable[None]],
        **shown: Any,
    ) -> None:
        async with self._sessions.writing() as session:
            now = self._clock()
            row: JobRow | None = await session.scalar(select(JobRow).where(held(job_id, attempt)).with_for_update())
            if row is not None:
                session.add(to_artifact_row(artifact))
                await session.flush()
                done = {"artifact_id": artifact.id, "progress": 1.0, "message": "", **shown}
                await move(session, JobStatus.RUNNING, JobStatus.COMPLETED, held(job_id, attempt), now, **done)
                await publish(session, row, now)
                return
            if await session.scalar(select(exists().where(ArtifactRow.id == artifact.id))):
                return  # the first call did it, and its answer was lost
        self._observer.write_fenced()
        raise Cancelled


def _tell(attempts: Iterable[Attempt], what: str) -> None:
    """A line for each: whoever looks for a job looks for its id."""
    for job_id, attempt in attempts:
        with about(job_id=job_id):
            log.warning("job %s %s, attempt %d", job_id, what, attempt)


def _any_held(attempts: Collection[Attempt]) -> ColumnElement[bool]:
    return and_(JobRow.status == JobStatus.RUNNING, tuple_(JobRow.id, JobRow.attempt).in_(attempts))
