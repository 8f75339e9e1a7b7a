"""A writer that is cancelled leaves no lock behind, however long Python keeps what it had in its hands."""

import asyncio

import pytest
from sqlalchemy import text

from tests.databases import on_both_databases
from tests.given import ADMIN

pytestmark = on_both_databases

# Works for a while, and then has an answer that nobody fetches.
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT max(i) FROM n",
    "postgresql": "SELECT max(i) FROM generate_series(1, 1000000) AS n(i), pg_sleep(0.2)",
}


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_the_next_writer_has_its_turn(store, times):
    began = asyncio.Event()

    async def write() -> None:
        async with store._sessions.writing() as session:
            await session.execute(text("SELECT 1"))
            began.set()
            await session.execute(text(SLOW[store._sessions.engine.dialect.name]))

    writer = asyncio.create_task(write())
    await began.wait()
    await asyncio.sleep(0.05)
    assert not writer.done()

    for _ in range(times):  # as a dispatcher does at each look, until it is heard
        writer.cancel()
        await asyncio.sleep(0.01)
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await writer

    assert (await store.create_project(ADMIN, "Next")).value.name == "Next"
    del cancelled  # whose traceback held all that the writer had
