"""What a store asks of its database, and how that goes about it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, event

from synthgen_ray.store.store import Store


@contextmanager
def statements() -> Iterator[list[tuple[str, Any]]]:
    """What is asked of the database, with its values."""
    seen: list[tuple[str, Any]] = []

    def see(_connection: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        seen.append((statement, values))

    event.listen(Engine, "before_cursor_execute", see)
    yield seen
    event.remove(Engine, "before_cursor_execute", see)


async def explained(store: Store, statement: str, values: Any) -> str:
    """How the database goes about it in a table that is not small."""
    is_sqlite = store._sessions.engine.dialect.name == "sqlite"
    async with store._sessions.engine.connect() as connection:
        if not is_sqlite:
            await connection.exec_driver_sql("SET enable_seqscan = off")
        plan = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        return str((await connection.exec_driver_sql(f"{plan} {statement}", values)).all())
