"""Two who want the same job at the same time: one wins, and the other is told so."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Self
from uuid import UUID

from synthgen_ray.domain.entities import Job
from synthgen_ray.domain.errors import Cancelled, Conflict, NotFound
from synthgen_ray.domain.lifecycle import LEASE, QUEUED, JobStatus, JobType
from synthgen_ray.jobs.dispatcher import Dispatcher
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import utc_now
from tests.chaos.bank import Bank, a_bank, sqlite_url
from tests.fakes import WritingLauncher
from tests.given import ADMIN, an_artifact

LIMIT_S = 120.0


async def reaper_against_completion(folder: Path, count: int) -> str:
    """A dispatcher whose clock is far ahead takes each lease for expired while its holder publishes."""
    outcomes: Counter[str] = Counter()
    async with a_bank(folder) as bank:
        early = Store(sqlite_url(folder), clock=lambda: utc_now() + LEASE + timedelta(seconds=30))
        model_id = await bank.ready_model(await bank.project())
        for turn in range(count):
            await bank.generation(model_id)
            job = (await bank.store.claim_next(JobType)).job
            artifact = an_artifact()
            publish = bank.store.complete_generation(job.id, job.attempt, artifact)
            both = (publish, early.heartbeat(())) if turn % 2 else (early.heartbeat(()), publish)

            answers = await asyncio.gather(*both, return_exceptions=True)

            shown = await bank.store.get_job(ADMIN, job.id)
            refused = any(isinstance(answer, Cancelled) for answer in answers)
            assert (shown.status is JobStatus.PENDING) == (shown.artifact is None) == refused, (shown, answers)
            assert shown.artifact in (None, artifact)
            outcomes["reaped" if refused else "completed"] += 1
            await bank.store.delete_model(ADMIN, model_id)  # so that nothing but the next one waits
            model_id = await bank.ready_model(shown.project_id)
        await early.dispose()
    return f"{count} races of the reaper and a completion, 0 overwritten: {dict(outcomes)}"


class _Working:
    """A dispatcher at work on several jobs at a time, which tells how far each is."""

    def __init__(self, bank: Bank, project_id: UUID, chance: Random) -> None:
        self.bank, self.project_id = bank, project_id
        self._chance = chance
        self._rests: Counter[UUID] = Counter()
        launcher = WritingLauncher(bank.artifacts, self._rest)
        self.dispatcher = Dispatcher(bank.store, bank.artifacts, launcher, dict.fromkeys(JobType, 4))

    async def reach_any_moment(self, job_id: UUID) -> None:
        """Wait until the job waits, or rests before one of its steps, or has ended."""
        self.dispatcher.nudge()
        moment = self._chance.randint(0, WritingLauncher.RESTS + 1)
        async with asyncio.timeout(LIMIT_S):
            while self._rests[job_id] < moment and not (await self.bank.store.get_job(ADMIN, job_id)).status.is_final:
                await asyncio.sleep(0.005)

    async def _rest(self, job: Job) -> None:
        self._rests[job.id] += 1
        await asyncio.sleep(self._chance.choice((0.0, 0.001, 0.02)))

    async def __aenter__(self) -> Self:
        self._work = asyncio.create_task(self.dispatcher.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.dispatcher.tasks:
                self.dispatcher.nudge()
                await asyncio.sleep(0.01)
        self._work.cancel()
        with suppress(asyncio.CancelledError):
            await self._work
        await self.dispatcher.stop()  # it may still tidy


async def cancel_at_any_moment(folder: Path, count: int, seed: int = 1) -> str:
    outcomes: Counter[str] = Counter()

    async def cancel(working: _Working, kind: JobType) -> None:
        bank = working.bank
        job = await bank.job(kind, working.project_id)
        await working.reach_any_moment(job.id)
        try:
            cancelled = (await bank.store.cancel(ADMIN, job.id)).is_cancelled
        except Conflict:
            cancelled = False
        working.dispatcher.nudge()
        ended = await bank.check_ended(job.id)
        assert ended.is_cancelled == cancelled
        outcomes["cancelled" if cancelled else ended.status.value] += 1

    await _at_any_moment(cancel, folder, count, seed)
    return f"{count} cancels at random moments, 0 illegal histories: {dict(outcomes)}"


async def delete_at_any_moment(folder: Path, count: int, seed: int = 2) -> str:
    async def delete(working: _Working, kind: JobType) -> None:
        store = working.bank.store
        job = await working.bank.job(kind, working.project_id)
        await working.reach_any_moment(job.id)
        await store.delete_model(ADMIN, job.model_id)
        working.dispatcher.nudge()
        with suppress(NotFound):
            raise AssertionError(f"still there: {await store.get_job(ADMIN, job.id)}")

    await _at_any_moment(delete, folder, count, seed)
    return f"{count} deletes at random moments, 0 jobs and 0 files left"


async def repeat_at_any_moment(folder: Path, count: int, seed: int = 3) -> str:
    """The call that made a job is sent again, whatever has become of that by then."""

    async def repeat(working: _Working, kind: JobType) -> None:
        call = await working.bank.call(kind, working.project_id)
        job = (await call()).value
        await working.reach_any_moment(job.id)
        again = await call()
        assert (again.replayed, again.value) == (True, job)

    ended = await _at_any_moment(repeat, folder, count, seed)
    assert len(ended) == count, f"{count} calls made {len(ended)} jobs"
    return f"{count} calls repeated at random moments, each made one job"


async def _at_any_moment(
    act: Callable[[_Working, JobType], Awaitable[None]], folder: Path, count: int, seed: int
) -> list[Job]:
    """So many jobs, some at a time, each made and interfered with by `act`. Answers those that are there at the end."""
    chance = Random(seed)
    async with a_bank(folder) as bank:
        async with _Working(bank, await bank.project(), chance) as working:
            await _in_flight(lambda kind: act(working, kind), count, chance)
        return await _check_the_rest(folder, bank)


async def _in_flight(one: Callable[[JobType], Awaitable[None]], count: int, chance: Random) -> None:
    places = asyncio.Semaphore(8)

    async def placed() -> None:
        async with places:
            await one(chance.choice(QUEUED))

    async with asyncio.TaskGroup() as group:
        for _ in range(count):
            group.create_task(placed())


async def _check_the_rest(folder: Path, bank: Bank) -> list[Job]:
    """Every job has ended, and the files on disk are those of completed ones."""
    ended = await bank.check_all_ended()
    await bank.erase_all()
    bank.check_files(folder / "artifacts", [job.artifact for job in ended if job.artifact is not None])
    return ended
