"""The calls of a simulated world, made again on a real store: it must answer and hold what the model does."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select

from synthgen_ray.domain.entities import Artifact, JobFailure, MadeReport, Part, TrainedModel
from synthgen_ray.domain.errors import Cancelled, Conflict, NotFound
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.once import Once
from synthgen_ray.domain.params import GaussianCopulaParams, GenerateParams, ModelType, Resources
from synthgen_ray.domain.reports import ReportParams
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import ErasureRow, JobEventRow, JobRow
from tests.given import COLUMNS, LEARNED, SCORES, a_model_with_a_table, admit_admin, an_artifact
from tests.simulation.model import DEADLINE, START, Attempt, Folder, QueueModel
from tests.simulation.world import Call

BROKEN = JobFailure("broken", "It does not work.")
KEY_HASH = "a" * 64


class Replay:
    """A store under the names of the model: its jobs, projects and artifacts are numbers."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.now = START
        self.store = Store(url, deadlines=dict.fromkeys(JobType, DEADLINE), clock=lambda: self.now)
        self._projects: list[tuple[UUID, UUID]] = []  # with a version of a dataset each
        self._jobs: dict[int, UUID] = {}
        self._numbers: dict[UUID, int] = {}
        self._models: dict[str, UUID] = {}  # to generate from, by the key of the call
        self._model_of: dict[UUID, UUID] = {}
        self._artifacts: dict[int, Artifact] = {}

    async def prepare(self) -> None:
        await self.store.migrate()
        await self.store.set_admin_key(KEY_HASH)
        await admit_admin(self._url)
        principal = await self.store.find_admission(KEY_HASH)
        assert principal
        self._me = principal
        for name in "abc":
            project = (await self.store.create_project(self._me, name)).value
            table = (an_artifact(), COLUMNS, ())
            version = (await self.store.add_dataset_version(self._me, project.id, name, "", *table)).value
            self._projects.append((project.id, version.id))

    async def check(self, calls: Sequence[Call]) -> None:
        """Raises: AssertionError, at the first call after which store and model differ."""
        model = QueueModel()
        for number, call in enumerate(calls):
            self.now = call.now
            expected = getattr(model, call.method)(call.now, *call.arguments)
            answer = await getattr(self, call.method)(*call.arguments)
            assert answer == expected, (number, call, answer)
            held, meant = await self._rows(), _rows_of(model)
            assert held == meant, (
                number,
                call,
                [pair for pair in zip(held, meant, strict=False) if pair[0] != pair[1]],
            )

    # The methods of the model

    async def enqueue(self, key: str, project: int, kind: JobType) -> int:
        project_id, version_id = self._projects[project]
        once = Once(key, kind, "fingerprint")
        if kind is JobType.TRAIN:
            params = (ModelType.GAUSSIAN_COPULA, GaussianCopulaParams(), Resources())
            made = await self.store.create_model(self._me, project_id, version_id, key, *params, once)
        elif kind is JobType.REPORT:
            model_id = await self._ready_model(key, project_id)
            made = await self.store.enqueue_report(self._me, project_id, model_id, ReportParams(), once)
        else:
            made = await self.store.enqueue_generate(
                self._me, await self._ready_model(key, project_id), GenerateParams(), once
            )
        job = made.value
        if job.id not in self._numbers:
            self._numbers[job.id] = number = len(self._numbers) + 1
            self._jobs[number] = job.id
            self._model_of[job.id] = job.model_id
        return self._numbers[job.id]

    async def claim(self, kinds: Sequence[JobType], owner: str) -> Attempt | None:
        claimed = await self.store.claim_next(kinds, owner)
        return (self._numbers[claimed.job.id], claimed.job.attempt) if claimed else None

    async def find_held(self, attempts: Sequence[Attempt]) -> set[Attempt]:
        return self._numbered(await self.store.find_held([self._named(one) for one in attempts]))

    async def heartbeat(
        self, attempts: Sequence[Attempt], since: timedelta | None, reaps: bool, is_steady: bool
    ) -> set[Attempt]:
        named = [self._named(one) for one in attempts]
        return self._numbered(await self.store.heartbeat(named, since=since, reaps=reaps, is_steady=is_steady))

    async def complete(self, attempt: Attempt, number: int) -> bool:
        job_id, _ = self._named(attempt)
        location = f"jobs/{job_id}/{attempt[1]}"
        artifact = self._artifacts.setdefault(number, Artifact(uuid4(), location, (Part("p", 1, 1),), "ab" * 32))
        async with self.store._sessions.reading() as session:
            kind = await session.scalar(select(JobRow.job_type).where(JobRow.id == job_id))
        try:
            if kind is JobType.TRAIN:
                await self.store.complete_training(job_id, attempt[1], TrainedModel(artifact, LEARNED, 1000))
            elif kind is JobType.REPORT:
                await self.store.complete_report(job_id, attempt[1], MadeReport(artifact, SCORES))
            else:
                await self.store.complete_generation(job_id, attempt[1], artifact)
        except Cancelled:
            return False
        return True

    async def fail(self, attempt: Attempt) -> None:
        await self.store.fail(*self._named(attempt), BROKEN)

    async def requeue(self, attempt: Attempt, lost: bool) -> None:
        await self.store.requeue(*self._named(attempt), lost=lost)

    async def postpone(self, attempt: Attempt, is_away: bool) -> None:
        await self.store.postpone(*self._named(attempt), is_away=is_away)

    async def requeue_running(self, owner: str) -> None:
        await self.store.requeue_running(owner)

    async def requeue_unheard(self, owner: str, heard_of: Sequence[Attempt]) -> None:
        await self.store.requeue_unheard(owner, [self._named(one) for one in heard_of])

    async def cancel(self, number: int) -> str:
        try:
            await self.store.cancel(self._me, self._jobs[number])
        except (NotFound, Conflict) as refusal:
            return refusal.code
        return "cancelled"

    async def delete(self, number: int) -> bool:
        try:
            await self.store.delete_model(self._me, self._model_of[self._jobs[number]])
        except NotFound:
            return False
        return True

    async def discard(self, attempts: Sequence[Attempt]) -> None:
        await self.store.discard([self._named(one) for one in attempts])

    async def erased(self, folders: Sequence[Folder]) -> None:
        names = (f"jobs/{self._jobs[number]}" + "".join(f"/{one}" for one in rest) for number, *rest in folders)
        await self.store.erased(tuple(names))

    async def _ready_model(self, key: str, project_id: UUID) -> UUID:
        if key not in self._models:
            self._models[key] = await a_model_with_a_table(self.store, project_id, key)
        return self._models[key]

    def _named(self, attempt: Attempt) -> tuple[UUID, int]:
        return self._jobs[attempt[0]], attempt[1]

    def _numbered(self, attempts: set[tuple[UUID, int]]) -> set[Attempt]:
        return {(self._numbers[job_id], attempt) for job_id, attempt in attempts}

    async def _rows(self) -> list[Any]:
        names = {artifact.id: number for number, artifact in self._artifacts.items()}
        projects = [project_id for project_id, _ in self._projects]
        history: dict[UUID, list[Any]] = {}
        async with self.store._sessions.reading() as session:
            for event in await session.scalars(select(JobEventRow).order_by(JobEventRow.id)):
                told = (event.from_status, event.to_status, event.attempt, event.error_code)
                history.setdefault(event.job_id, []).append(told)
            rows = [
                (
                    self._numbers[row.id],
                    projects.index(row.project_id),
                    row.job_type,
                    (row.created_at, row.deadline_at, row.not_before, row.started_at, row.finished_at),
                    (row.status, row.attempt, row.failures, row.lease_owner, row.lease_expires_at),
                    (row.error_code, names.get(row.artifact_id) if row.artifact_id else None),
                    history[row.id],
                )
                for row in await session.scalars(select(JobRow))
            ]
            erasures = [
                self._folder(location)
                for location in await session.scalars(select(ErasureRow.location))
                if location.startswith("jobs/")
            ]
        return [*sorted(rows), sorted(erasures)]

    def _folder(self, location: str) -> Folder:
        _, job_id, *attempt = location.split("/")
        return (self._numbers[UUID(job_id)], *map(int, attempt))


def _rows_of(model: QueueModel) -> list[Any]:
    rows = [
        (
            job.id,
            job.project,
            job.kind,
            (job.created_at, job.deadline_at, job.not_before, job.started_at, job.finished_at),
            (job.status, job.attempt, job.failures, job.owner, job.lease_expires_at),
            (job.error, job.artifact),
            [(move.before, move.after, move.attempt, move.error) for move in job.history],
        )
        for job in model.jobs.values()
    ]
    return [*sorted(rows), sorted(model.erasures)]
