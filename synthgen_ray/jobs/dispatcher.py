"""The dispatcher: claims jobs, has them run, and turns whatever happens into a row.

The jobs table is the queue. A nudge makes the dispatcher look at once; without one it looks
every second, so a lost nudge costs a second and nothing else.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.entities import Artifact, Assignment, Job, MadeReport, Progress, TrainedModel
from synthgen_ray.domain.errors import Cancelled, Postponed, Unavailable, WorkerLost, frames_of
from synthgen_ray.domain.lifecycle import LEASE, LOCAL, REPORT_EVERY_S, Attempt, JobType
from synthgen_ray.domain.log_context import about
from synthgen_ray.domain.retention import Retention
from synthgen_ray.jobs.clock_watch import ClockWatch
from synthgen_ray.jobs.failures import public_reason
from synthgen_ray.jobs.observing import AttemptObserver, Outcome, Unobserved
from synthgen_ray.jobs.tidying import Tidying

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

log = logging.getLogger(__name__)

POLL_S = 1.0
HEARTBEAT_S = 10.0
HALT_S = 5.0

OnProgress = Callable[[Progress], Awaitable[None]]


class Launcher(Protocol):
    """Where jobs run: on Ray, or in a test's own process. A cancelled call stops what it started."""

    async def room(self, running: Collection[Assignment]) -> Collection[JobType]:
        """The kinds of jobs for which there is room beside these."""

    async def train(self, assignment: Assignment) -> TrainedModel: ...

    async def generate(self, assignment: Assignment, report: OnProgress) -> Artifact: ...

    async def judge(self, assignment: Assignment) -> MadeReport: ...

    async def forget(self, folders: tuple[str, ...]) -> None:
        """Let go what is kept in memory of files that were erased."""


class Dispatcher:
    """Runs the queue. One in a cluster, whose leases are for `owner`; a second one would only claim other jobs."""

    def __init__(
        self,
        store: "Store",
        artifacts: Artifacts,
        launcher: Launcher,
        slots: Mapping[JobType, int],
        owner: str = LOCAL,
        retention: Retention = Retention(),  # noqa: B008  (frozen)
        clock: ClockWatch | None = None,
        observer: AttemptObserver | None = None,
    ) -> None:
        self._store = store
        self._tidying = Tidying(store, artifacts, retention, launcher.forget)
        self._tidying_task: asyncio.Task[bool] | None = None
        self._launcher = launcher
        self._slots = slots
        self._owner = owner
        self._clock = clock or ClockWatch(LEASE.total_seconds())
        self._observer = observer or Unobserved()
        self._running: dict[Attempt, tuple[Assignment, asyncio.Task[None]]] = {}
        self._nudged = asyncio.Event()
        self._halts = False
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        self._has_unheard = False  # perhaps a job was claimed whose name did not arrive
        self._last_heartbeat: float | None = None
        self._last_tick = time.monotonic()

    def nudge(self) -> None:
        """Say that there may be work."""
        self._nudged.set()

    @property
    def tasks(self) -> tuple["asyncio.Task[None]", ...]:
        """One for each job that runs here."""
        return tuple(task for _, task in self._running.values())

    @property
    def seconds_since_tick(self) -> float:
        return time.monotonic() - self._last_tick

    async def run(self) -> None:
        """Work until it is to halt. What an earlier dispatcher left running goes back to the queue first."""
        recovered = False
        self._at_rest.clear()
        try:
            while not self._halts:
                recovered = recovered or await self._attempted(self._recover)
                if recovered:
                    await self._attempted(self.tick)
                await self._rest()
        finally:
            self._at_rest.set()

    async def halt(self) -> None:
        """Claim nothing more. A claim that is under way is waited for, within bounds: `stop` can give back only what it
        has heard of, and the rest would count as lost."""
        self._halts = True
        self.nudge()
        with suppress(TimeoutError):
            async with asyncio.timeout(HALT_S):
                await self._at_rest.wait()

    async def tick(self) -> None:
        """One look at the queue, and at what was cancelled or deleted since the last one."""
        since = self._since_heartbeat()
        if since is None or since.total_seconds() >= HEARTBEAT_S:
            await self.heartbeat()
            self._tidy_beside()
        elif self._running:
            attempts = tuple(self._running)
            await self._keep_only(await self._store.find_held(attempts), attempts)
        if self._has_unheard:
            await self._store.requeue_unheard(self._owner, tuple(self._running))
            self._has_unheard = False
        began = time.monotonic()
        while not self._halts and (free := await self._free_types()):
            try:
                assignment = await self._store.claim_next(free, self._owner)
            except BaseException:
                self._has_unheard = True
                raise
            if assignment is None:
                break
            self._start(assignment)
            if time.monotonic() - began >= POLL_S:  # where jobs end at once there is always room for another
                self.nudge()
                break
        self._last_tick = time.monotonic()

    async def stop(self) -> None:
        """Give back what runs, so that the next dispatcher starts it at once and counts no loss. What cannot
        be given back keeps no other job.
        """
        running = list(self._running.values())
        tasks = [*self.tasks, *([self._tidying_task] if self._tidying_task else ())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        jobs = [assignment.job for assignment, _ in running]
        calls = [self._store.requeue(job.id, job.attempt, lost=False) for job in jobs]
        for job, failed in zip(jobs, await asyncio.gather(*calls, return_exceptions=True), strict=True):
            if failed is not None:
                with about(job_id=job.id, model_id=job.model_id):
                    log.warning("job %s cannot be given back: %s", job.id, frames_of(failed))

    async def _free_types(self) -> set[JobType]:
        """Those of which another one may be claimed: fewer run than may, and there is room for it."""
        running = [assignment for assignment, _ in self._running.values()]
        busy = [assignment.job.job_type for assignment in running]
        free = {job_type for job_type, slots in self._slots.items() if busy.count(job_type) < slots}
        return free.intersection(await self._launcher.room(running))

    def _start(self, assignment: Assignment) -> None:
        job = assignment.job
        with about(job_id=job.id, model_id=job.model_id):  # the task takes it along
            log.info("job %s (%s) starts, attempt %d", job.id, job.job_type, job.attempt)
            self._running[job.id, job.attempt] = (assignment, asyncio.create_task(self._finish(assignment)))

    async def _finish(self, assignment: Assignment) -> None:
        """Run one job; whatever happens becomes a row. The only place that finishes a job."""
        job, began, outcome = assignment.job, time.monotonic(), Outcome.CANCELLED
        self._observer.began(job)
        try:
            await self._run(assignment)
            outcome = Outcome.COMPLETED
            log.info("job %s completed", job.id)
        except WorkerLost:
            outcome = Outcome.LOST
            log.warning("job %s lost its worker in attempt %d", job.id, job.attempt)
            await self._insist(lambda: self._store.requeue(job.id, job.attempt, lost=True))
        except Postponed:
            outcome = Outcome.POSTPONED
            log.info("job %s: the cluster has no room for attempt %d now", job.id, job.attempt)
            await self._insist(lambda: self._store.postpone(job.id, job.attempt))
        except Unavailable as error:
            outcome = Outcome.UNAVAILABLE
            log.warning("job %s found a store away in attempt %d: %s", job.id, job.attempt, error.code)
            await self._insist(lambda: self._store.postpone(job.id, job.attempt, is_away=True))
        except Cancelled:
            log.info("job %s: attempt %d was superseded or deleted", job.id, job.attempt)
            await self._insist(lambda: self._store.discard([(job.id, job.attempt)]))
        except Exception as error:  # noqa: BLE001 - the border: whatever it is becomes a row
            outcome, reason = Outcome.FAILED, public_reason(error)
            log.error("job %s failed: %s, %s", job.id, reason.code, frames_of(error))
            await self._insist(lambda: self._store.fail(job.id, job.attempt, reason))
        finally:
            self._observer.ended(job, outcome, time.monotonic() - began)
            del self._running[job.id, job.attempt]
            self.nudge()

    async def _run(self, assignment: Assignment) -> None:
        job = assignment.job
        if job.job_type is JobType.TRAIN:
            trained = await self._launcher.train(assignment)
            await self._insist(lambda: self._store.complete_training(job.id, job.attempt, trained))
        elif job.job_type is JobType.REPORT:
            made = await self._launcher.judge(assignment)
            await self._insist(lambda: self._store.complete_report(job.id, job.attempt, made))
        else:
            artifact = await self._launcher.generate(assignment, self._reporter(job))
            await self._insist(lambda: self._store.complete_generation(job.id, job.attempt, artifact))
            self._observer.generated(artifact.num_rows)

    def _reporter(self, job: Job) -> OnProgress:
        began, last = time.monotonic(), float("-inf")

        async def report(progress: Progress) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last < REPORT_EVERY_S:
                return
            last = now
            try:
                timed = replace(progress, seconds=now - began)
                wanted = await self._store.report_progress(job.id, job.attempt, timed)
            except Unavailable:
                return  # the store is away for a moment; the rows are not worth less for it
            if not wanted:
                raise Cancelled

        return report

    async def _insist(self, write: Callable[[], Awaitable[None]]) -> None:
        """A result must not be lost because the store is away for a moment.

        Each of these writes is fenced by its attempt, so a repeat of one that did commit changes nothing.
        """
        while True:
            try:
                await write()
            except Unavailable:
                await asyncio.sleep(POLL_S)
            else:
                return

    async def heartbeat(self) -> None:
        """Renew the leases of what runs, and stop what is superseded."""
        attempts = tuple(self._running)
        since = self._since_heartbeat()
        # The first one cannot tell which deadlines are to move. One after a store was away takes nothing either: it was
        # so for others, whose leases ran out meanwhile, and results that waited for it are to be written first.
        is_first = since is None or since >= LEASE / 2
        if is_first:
            self._clock.begin_anew()
        is_steady = self._clock.is_steady()
        held = await self._store.heartbeat(attempts, since=since, reaps=not is_first, is_steady=is_steady)
        await self._keep_only(held, attempts)
        self._last_heartbeat = time.monotonic()

    def _since_heartbeat(self) -> timedelta | None:
        if self._last_heartbeat is None:
            return None
        return timedelta(seconds=time.monotonic() - self._last_heartbeat)

    async def _keep_only(self, held: Collection[Attempt], asked: Collection[Attempt]) -> None:
        """Stop those attempts that we asked about and that are not held any more.

        They are discarded first: where the store does not hear it, the next look finds them here again.
        """
        unwanted = [attempt for attempt in asked if attempt not in held and attempt in self._running]
        if unwanted:
            await self._store.discard(unwanted)
        for attempt in self._running.keys() & unwanted:  # some may have ended meanwhile
            assignment, task = self._running[attempt]
            if not task.cancelling():
                with about(job_id=assignment.job.id, model_id=assignment.job.model_id):
                    log.info("job %s: attempt %d is no longer wanted and stops", *attempt)
                task.cancel()

    async def tidy(self) -> None:
        """Erase what nobody needs any more."""
        await self._tidying.round()

    def _tidy_beside(self) -> None:
        # Not in line with the heartbeat: an object store takes its time, and leases run out.
        if self._tidying_task is None or self._tidying_task.done():
            self._tidying_task = asyncio.create_task(self._attempted(self.tidy))

    async def _recover(self) -> None:
        if requeued := await self._store.requeue_running(self._owner):
            log.warning("%d jobs were running when the last dispatcher ended; they run again", requeued)

    async def _attempted(self, step: Callable[[], Awaitable[None]]) -> bool:
        try:
            await step()
        except Unavailable as error:
            log.warning("a store is away: %s", error.detail)
            return False
        except Exception as error:  # noqa: BLE001 - what runs is not to be lost for it; /readyz tells of looks that fail
            log.error("a look of the dispatcher failed unexpectedly, and is repeated: %s", frames_of(error))
            return False
        return True

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._nudged.wait()
        except TimeoutError:
            return
        finally:
            self._nudged.clear()
