"""Each test carries the mark of its folder, so that tiers can be chosen by mark too. And the databases of all tiers."""

import asyncio
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import torch
from threadpoolctl import threadpool_limits
from xdist.scheduler import LoadScopeScheduling

from synthgen_ray.runtime.logs import OURS
from synthgen_ray.store.migrating import migrate
from tests.databases import DEFAULT_DATABASE
from tests.folders import a_folder
from tests.given import admit_admin
from tests.postgres import Postgres, a_postgres
from tests.real_tables import SHARED
from tests.s3 import CREDENTIALS, Gate, S3Server, an_s3_server
from tests.statements import compile_once

HERE = Path(__file__).parent

# Of these folders one process runs all: a server that its tests share, or servers of their own, one after the other.
IN_ONE_PROCESS = ("cluster", "crashes", "e2e", "nodes")


def pytest_configure() -> None:
    compile_once()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(item.path.relative_to(HERE).parts[0])


class ByServer(LoadScopeScheduling):
    """Each process takes a folder of tests of servers, or a file of the others."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        tier = Path(file).parts[1]
        return tier if tier in IN_ONE_PROCESS else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return ByServer(config, log)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """Processes of ours set how they log; this one goes on with other tests."""
    logger = logging.getLogger(OURS)
    before = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, logger.level, logger.propagate = before


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """The tests share the cores; one that is about threads takes more."""
    torch.set_num_threads(1)
    with threadpool_limits(1):
        yield


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder of a test's own, for what starts a Ray in it."""
    with a_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Started for the first test that asks for it."""
    with a_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """A database of which others are copies: that is quicker than to migrate each."""
    name = postgres.new_database()
    asyncio.run(_prepare(postgres.url(name)))
    return name


@pytest.fixture(scope="session")
def reused(postgres: Postgres, migrated: str) -> str:
    """A copy that many tests have, one after the other."""
    name = postgres.new_database(migrated)
    postgres.remember(name)
    return name


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same for SQLite."""
    file = tmp_path_factory.mktemp("migrated") / "synthgen.db"
    asyncio.run(_prepare(f"sqlite+aiosqlite:///{file}"))
    return file


async def _prepare(url: str) -> None:
    await migrate(url)
    await admit_admin(url)


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database for one test."""
    if getattr(request, "param", DEFAULT_DATABASE) == "sqlite":
        yield _a_file(request, tmp_path)
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = request.getfixturevalue("reused")
    yield postgres.url(name)
    postgres.reset(name)


@pytest.fixture(scope="session")
def shared_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database for tests that share one."""
    if DEFAULT_DATABASE == "sqlite":
        return _a_file(request, tmp_path_factory.mktemp("shared"))
    postgres: Postgres = request.getfixturevalue("postgres")
    return postgres.url(postgres.new_database(request.getfixturevalue("migrated")))


def _a_file(request: pytest.FixtureRequest, folder: Path) -> str:
    shutil.copy(request.getfixturevalue("migrated_file"), folder / "synthgen.db")
    return f"sqlite+aiosqlite:///{folder}/synthgen.db"


@pytest.fixture(scope="session")
def s3() -> Iterator[S3Server]:
    """A server of object storage, and this process's credentials for it."""
    with pytest.MonkeyPatch.context() as environment, an_s3_server() as server:
        for name, value in CREDENTIALS.items():
            environment.setenv(name, value)
        yield server


@pytest.fixture
def bucket(s3: S3Server) -> str:
    name = f"bucket-{uuid4()}"
    s3.filesystem.create_dir(name)
    return name


@pytest.fixture
def gate(s3: S3Server) -> Iterator[Gate]:
    """What stands before the server; open again, with no connection left, once the test is over."""
    yield s3.gate
    s3.gate.shut()
    s3.gate.open()


@pytest.fixture(scope="session")
def real_tables() -> Path:
    """Their folder. Where it is missing a test is skipped, or fails under `TEST_TABLES=required`."""
    if not SHARED.is_dir():
        required = os.environ.get("TEST_TABLES") == "required"
        (pytest.fail if required else pytest.skip)(f"The real tables are not in {SHARED}.")
    return SHARED


@pytest.fixture
def own_umask() -> Iterator[None]:
    """Commands set it for their process, which here goes on with other tests."""
    before = os.umask(0o077)
    yield
    os.umask(before)
