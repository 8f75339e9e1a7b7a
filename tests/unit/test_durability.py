"""What was acknowledged survives a power cut: all of it is on disk before anybody hears of it, in this order."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from synthgen_ray.artifacts import Artifacts, open_artifacts
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import GenerateParams
from synthgen_ray.store.store import Store
from tests.databases import on_sqlite
from tests.given import ADMIN, a_model_with_a_table

CONTENT = b"rows\n" * 1000
FULL = 2  # of `PRAGMA synchronous`


@pytest.fixture
async def store(database_url) -> Store:
    store = Store(database_url)
    yield store
    await store.dispose()


@pytest.fixture
def artifacts(tmp_path) -> Artifacts:
    return open_artifacts(None, tmp_path)


@pytest.fixture
def steps(monkeypatch, tmp_path) -> Iterator[list[str]]:
    """What is done to make files and rows last. Of a file that is synced, the size that it then has."""
    done: list[str] = []
    sync, rename = os.fsync, Path.rename

    def watched_sync(descriptor: int) -> None:
        about = os.fstat(descriptor)
        is_folder = stat.S_ISDIR(about.st_mode)
        done.append(f"sync {_name_of(about, tmp_path)}" if is_folder else f"sync {about.st_size} bytes")
        sync(descriptor)

    def watched_rename(path: Path, target: Path) -> Path:
        done.append("rename")
        return rename(path, target)

    def watched_commit(_session: Session) -> None:
        done.append("commit")

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Path, "rename", watched_rename)
    event.listen(Session, "before_commit", watched_commit)
    yield done
    event.remove(Session, "before_commit", watched_commit)


def _name_of(folder: os.stat_result, root: Path) -> str:
    return next(
        path.relative_to(root).as_posix() for path in (root, *root.rglob("*")) if path.stat().st_ino == folder.st_ino
    )


@pytest.mark.parametrize("is_reading", [False, True])
@on_sqlite
async def test_each_connection_to_sqlite_waits_for_the_disk_and_leaves_nothing_of_what_was_deleted(store, is_reading):
    begin = store._sessions.reading if is_reading else store._sessions.writing
    pragmas = {}
    async with begin() as session:
        connection = await session.connection()
        for name in ("synchronous", "secure_delete", "foreign_keys", "journal_mode"):
            pragmas[name] = (await connection.exec_driver_sql(f"PRAGMA {name}")).scalar_one()

    assert pragmas == {"synchronous": FULL, "secure_delete": 1, "foreign_keys": 1, "journal_mode": "wal"}


@on_sqlite
async def test_a_file_is_on_disk_under_its_name_before_a_row_names_it(store, artifacts, steps):
    project = (await store.create_project(ADMIN, "Bank")).value
    await store.enqueue_generate(ADMIN, await a_model_with_a_table(store, project.id), GenerateParams())
    job = (await store.claim_next({JobType.GENERATE})).job
    steps.clear()

    with artifacts.writing(job.folder, "part-0") as sink:
        sink.write(CONTENT)
    rows = artifacts.seal(job.folder, [artifacts.part(job.folder, "part-0", 1000)])
    await store.complete_generation(job.id, job.attempt, rows)

    folder = Path("artifacts", job.folder)
    made = [f"sync {parent}" for parent in folder.parents]
    assert steps == [*made, f"sync {len(CONTENT)} bytes", "rename", f"sync {folder}", "commit"]


def test_a_scratch_file_is_on_disk_before_it_has_its_name(artifacts, steps):
    with artifacts.scratch.file() as file:
        file.write_bytes(CONTENT)
        artifacts.adopt(file, "models/m", "model.synthgen")

    made = ["sync artifacts/models", "sync artifacts"]
    assert steps == [*made, f"sync {len(CONTENT)} bytes", "rename", "sync artifacts/models/m"]
