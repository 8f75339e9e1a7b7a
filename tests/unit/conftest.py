import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest

from synthgen_ray.domain.entities import Job, Project
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import GaussianCopulaParams, ModelType, Resources
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.settings import LogFormat
from synthgen_ray.store.store import Store
from tests.fakes import FakeClock
from tests.given import ADMIN, COLUMNS, a_trained_model, an_artifact


@pytest.fixture
def our_lines(capfd) -> Callable[[], list[dict[str, Any]]]:
    """What was logged since, as a process of ours writes it."""
    write_logs(LogFormat.JSON)
    return lambda: [json.loads(line) for line in capfd.readouterr().err.splitlines()]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def store(database_url: str, clock: FakeClock) -> AsyncIterator[Store]:
    store = Store(database_url, clock=clock)
    yield store
    await store.dispose()


@pytest.fixture
async def project(store: Store) -> Project:
    return (await store.create_project(ADMIN, "Bank")).value


@pytest.fixture
def given_training(store: Store, project: Project):
    async def given(name: str = "Transactions") -> Job:
        version = (
            await store.add_dataset_version(ADMIN, project.id, "adult", "", an_artifact(), COLUMNS, ("a guess",))
        ).value
        return (
            await store.create_model(
                ADMIN, project.id, version.id, name, ModelType.GAUSSIAN_COPULA, GaussianCopulaParams(), Resources()
            )
        ).value

    return given


@pytest.fixture
def given_ready_model(store: Store, given_training):
    async def given(name: str = "Transactions") -> UUID:
        await given_training(name)
        assignment = await store.claim_next({JobType.TRAIN})
        await store.complete_training(assignment.job.id, assignment.job.attempt, a_trained_model())
        return assignment.job.model_id

    return given
