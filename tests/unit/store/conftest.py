from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from synthgen_ray.domain.columns import Column, ColumnKind, LearnedColumn
from synthgen_ray.domain.entities import Artifact, Job, Part, Project, TrainedModel
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import GaussianCopulaParams, ModelType, Resources
from synthgen_ray.store.store import Store

COLUMNS = (Column("age", ColumnKind.INTEGER, cardinality=60), Column("income", ColumnKind.CATEGORICAL, cardinality=2))
LEARNED = (
    LearnedColumn("age", ColumnKind.INTEGER, nullable=False, minimum=17, maximum=90),
    LearnedColumn("income", ColumnKind.CATEGORICAL, nullable=False, categories=("<=50K", ">50K")),
)


def an_artifact(num_rows: int = 100) -> Artifact:
    artifact_id = uuid4()
    return Artifact(artifact_id, f"somewhere/{artifact_id}", (Part("part-00000", num_rows, 1234),), "ab" * 32)


def a_trained_model() -> TrainedModel:
    return TrainedModel(an_artifact(), LEARNED, chunk_rows=1000)


@pytest.fixture
async def store(tmp_path) -> AsyncIterator[Store]:
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/synthgen.db")
    await store.migrate()
    yield store
    await store.dispose()


@pytest.fixture
async def project(store: Store) -> Project:
    return await store.create_project("Bank")


@pytest.fixture
def given_training(store: Store, project: Project):
    async def given(name: str = "Transactions") -> Job:
        version = await store.add_dataset_version(project.id, "adult", "", an_artifact(), COLUMNS, ("a guess",))
        return await store.create_model(
            project.id, version.id, name, ModelType.GAUSSIAN_COPULA, GaussianCopulaParams(), Resources()
        )

    return given


@pytest.fixture
def given_ready_model(store: Store, given_training):
    async def given(name: str = "Transactions") -> UUID:
        await given_training(name)
        assignment = await store.claim_next({JobType.TRAIN})
        await store.complete_training(assignment.job.id, assignment.job.attempt, a_trained_model())
        return assignment.job.model_id

    return given
