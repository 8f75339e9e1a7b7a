"""Each test carries the mark of its folder, so that tiers can be chosen by mark too. And the databases of all tiers."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from synthgen_ray.store.migrating import migrate
from tests.postgres import Postgres

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        tier = item.path.relative_to(HERE).parts[0]
        item.add_marker(tier)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Started for the first test that asks for it."""
    server = Postgres()
    try:
        server.start()
        yield server
    finally:
        server.delete()


@pytest.fixture(scope="session")
def migrated(postgres: Postgres) -> str:
    """A database of which others are copies: that is quicker than to migrate each."""
    name = postgres.new_database()
    asyncio.run(migrate(postgres.url(name)))
    return name


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """SQLite, unless a test asks for others with `on_both_databases`."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/synthgen.db"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    name = postgres.new_database(request.getfixturevalue("migrated"))
    yield postgres.url(name)
    postgres.drop_database(name)
