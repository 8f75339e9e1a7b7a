"""A store on a file, with projects whose jobs wait: what the checks of the queue start from."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import UUID, uuid4

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Artifact, Job
from synthgen_ray.domain.lifecycle import DEADLINES, JobStatus, JobType
from synthgen_ray.domain.once import Made, Once
from synthgen_ray.domain.params import GaussianCopulaParams, GenerateParams, ModelType, Resources
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.domain.reports import ReportParams
from synthgen_ray.store.moves import enqueue
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import JobEventRow, ModelRow, utc_now
from tests.given import ADMIN, COLUMNS, a_model_with_a_table, a_trained_model, admit_admin, an_artifact
from tests.history import all_events, check_history, events_of, every_erasure

PROJECTS = 4
NO_QUOTAS = Quotas(pending_jobs=None, queue_length=1_000_000)


def sqlite_url(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder}/synthgen.db"


class Bank:
    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.store = Store(url or sqlite_url(folder), NO_QUOTAS)
        self.artifacts = DiskArtifacts(folder / "artifacts")

    async def project(self, name: str = "Bank") -> UUID:
        return (await self.store.create_project(ADMIN, name)).value.id

    async def ready_model(self, project_id: UUID) -> UUID:
        trained = a_trained_model()
        return (await self.store.add_trained_model(ADMIN, project_id, "m", ModelType.TVAE, {}, trained)).value.id

    async def generation(self, model_id: UUID) -> Job:
        return (await self.store.enqueue_generate(ADMIN, model_id, GenerateParams())).value

    async def job(self, kind: JobType, project_id: UUID) -> Job:
        """One with a model of its own."""
        return (await (await self.call(kind, project_id))()).value

    async def call(self, kind: JobType, project_id: UUID) -> Callable[[], Awaitable[Made[Job]]]:
        """What makes such a job, once, however often it is sent."""
        once = Once(str(uuid4()), kind, "what is asked for")
        if kind is JobType.TRAIN:
            table = (an_artifact(), COLUMNS, ())
            version = (await self.store.add_dataset_version(ADMIN, project_id, "t", "", *table)).value
            order = (version.id, "m", ModelType.GAUSSIAN_COPULA, GaussianCopulaParams(), Resources())
            return lambda: self.store.create_model(ADMIN, project_id, *order, once)
        if kind is JobType.REPORT:
            model_id = await a_model_with_a_table(self.store, project_id)
            return lambda: self.store.enqueue_report(ADMIN, project_id, model_id, ReportParams(), once)
        model_id = await self.ready_model(project_id)
        return lambda: self.store.enqueue_generate(ADMIN, model_id, GenerateParams(), once)

    async def check_ended(self, job_id: UUID) -> Job:
        """A job that has ended in one way, after moves that are all legal, and whose file is there if it completed.

        Raises: AssertionError; Gone.
        """
        job = await self.store.get_job(ADMIN, job_id)
        self._check(job, await events_of(self.store, job_id))
        return job

    async def check_all_ended(self) -> list[Job]:
        """The same of every job."""
        listed = (await self.store.list_jobs(ADMIN, None, None, None, 1_000_000, 0)).items
        jobs = [await self.store.get_job(ADMIN, job.id) for job in listed]
        events = await all_events(self.store)
        for job in jobs:
            self._check(job, events[job.id])
        return jobs

    def _check(self, job: Job, events: list[JobEventRow]) -> None:
        check_history(events, job.status)
        assert sum(event.to_status.is_final for event in events) == 1, [event.to_status for event in events]
        assert (job.artifact is not None) == (job.status is JobStatus.COMPLETED)
        if job.artifact is not None:
            for _ in self.artifacts.verified(job.artifact):
                pass

    async def erase_all(self) -> None:
        """As dispatchers do, once the times of all folders have come."""
        for location in await every_erasure(self.store):
            self.artifacts.erase(location)

    def check_files(self, root: Path, named: list[Artifact]) -> None:
        """Under the folder of the artifacts there are the files of these, and no others but the one that says whose it
        is."""
        meant = {root / artifact.location / part.name for artifact in named for part in artifact.parts}
        found = {path for path in root.rglob("*") if path.is_file()}
        assert found - {root / "server/owner"} == meant, (found - meant, meant - found)


async def fill(bank: Bank, count: int) -> list[UUID]:
    """So many generations that wait, half of them one project's. Answers whose."""
    projects = [await bank.project(str(number)) for number in range(PROJECTS)]
    models = [await bank.ready_model(project) for project in projects]
    config = GenerateParams().model_dump(mode="json")
    async with bank.store._sessions.writing() as session:  # all at once: by thousands of calls it takes a minute
        rows = [await session.get_one(ModelRow, model) for model in models]
        for number in range(count):
            model = rows[0] if number < count / 2 else rows[1 + number % (PROJECTS - 1)]
            now = utc_now()
            await enqueue(session, model, JobType.GENERATE, config, now, now + DEADLINES[JobType.GENERATE])
    return projects


@asynccontextmanager
async def a_bank(folder: Path) -> AsyncIterator[Bank]:
    bank = Bank(folder)
    await bank.store.migrate()
    await admit_admin(sqlite_url(folder))
    bank.artifacts.prepare()
    try:
        yield bank
    finally:
        await bank.store.dispose()
