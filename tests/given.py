"""Small values that tests start from."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import update

from synthgen_ray.domain.access import Principal, Role
from synthgen_ray.domain.columns import Column, ColumnKind, LearnedColumn
from synthgen_ray.domain.entities import Artifact, Job, Part, Progress, TrainedModel
from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.domain.params import ModelType
from synthgen_ray.domain.reports import ReportScores
from synthgen_ray.store.sessions import Sessions
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import ApiKeyRow, ModelRow

COLUMNS = (Column("age", ColumnKind.INTEGER, cardinality=60), Column("income", ColumnKind.CATEGORICAL, cardinality=2))
ADMIN = Principal(UUID(int=1), Role.ADMIN)  # the same in each process of a test
LEARNED = (
    LearnedColumn("age", ColumnKind.INTEGER, nullable=False, minimum=17, maximum=90),
    LearnedColumn("income", ColumnKind.CATEGORICAL, nullable=False, categories=("<=50K", ">50K")),
)

SCORES = ReportScores("good", 0.98, 0.96, 0.53, 0.91, 0.92, 0.0, 0.5)


async def admit_admin(url: str) -> None:
    """Give the database the key of `ADMIN`, as that of the server itself: the first `set_admin_key` takes its place."""
    sessions = Sessions(url)
    async with sessions.writing() as session:
        session.add(ApiKeyRow(id=ADMIN.key_id, name="admin", sha256="", role=Role.ADMIN, is_bootstrap=True))
    await sessions.dispose()


def a_job(job_type: JobType, **given: Any) -> Job:
    """One that runs, without a store."""
    now = datetime(2026, 2, 25, tzinfo=UTC)
    job = Job(
        id=UUID(int=1),
        background_id=uuid4(),
        project_id=uuid4(),
        project_name="Bank",
        model_id=UUID(int=2),
        model_name="copula",
        model_type=ModelType.GAUSSIAN_COPULA,
        job_type=job_type,
        status=JobStatus.RUNNING,
        config={},
        attempt=1,
        progress=Progress(0.0),
        failure=None,
        artifact=None,
        created_at=now,
        started_at=now,
        finished_at=None,
    )
    return replace(job, **given)


def an_artifact(num_rows: int = 100) -> Artifact:
    artifact_id = uuid4()
    return Artifact(artifact_id, f"somewhere/{artifact_id}", (Part("part-00000", num_rows, 1234),), "ab" * 32)


def a_trained_model(seconds: float = 0.0) -> TrainedModel:
    return TrainedModel(an_artifact(), LEARNED, chunk_rows=1000, seconds=seconds)


async def a_model_with_a_table(store: Store, project_id: UUID, name: str = "m") -> UUID:
    """One that is ready, as if it had been trained here, without a job that has."""
    version = (await store.add_dataset_version(ADMIN, project_id, "t", "", an_artifact(), COLUMNS, ())).value
    trained = (ModelType.TVAE, {}, a_trained_model())
    model = (await store.add_trained_model(ADMIN, project_id, name, *trained)).value
    learn = update(ModelRow).where(ModelRow.id == model.id).values(dataset_version_id=version.id)
    async with store._sessions.writing() as session:
        await session.execute(learn)
    return model.id
