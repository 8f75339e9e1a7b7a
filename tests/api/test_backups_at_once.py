"""Two backups at once to one place, of which each has found the same one there: one is made, and the other says so."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from synthgen_ray.artifacts import Artifacts, open_artifacts
from synthgen_ray.backup.making import BackupMade, back_up
from synthgen_ray.backup.manifest import FOLDER, BackupFailed, open_rows, read_manifest
from synthgen_ray.backup.restoring import restore
from tests.api.conftest import SYNTHGEN
from tests.databases import on_sqlite

pytestmark = on_sqlite
WAIT_S = 60.0


@pytest.fixture(params=["disk", "s3"])
def url(request, tmp_path) -> str:
    if request.param == "disk":
        return (tmp_path / "backups").as_uri()
    return request.getfixturevalue("s3").url(request.getfixturevalue("bucket"))


@pytest.fixture
def a_place(url, tmp_path):
    """The place, as one more backup has it."""
    numbers = iter(range(9))
    return lambda: open_artifacts(url, tmp_path / f"aside-{next(numbers)}")


@pytest.fixture
async def kept(client, server, given_output, database_url, a_place, tmp_path):
    """A backup is there, and since then a model was deleted. Answers of what makes another at a place: the one of the
    rows as they are, and the one of those from before, as one that began then would."""
    job = await given_output(num_rows=30, seed=1)
    await asyncio.to_thread(back_up, database_url, server.artifacts, a_place())
    with contextlib.closing(sqlite3.connect(database_url.partition(":///")[2])) as database:
        database.execute("VACUUM INTO ?", [f"{tmp_path}/before.db"])
    await client.delete(f"{SYNTHGEN}/models/{job['model_id']}")

    def making(rows: str) -> Callable[[Artifacts], BackupMade]:
        return lambda place: back_up(rows, server.artifacts, place)

    return making(database_url), making(f"sqlite+aiosqlite:///{tmp_path}/before.db")


def paused(place: Artifacts, at: str, pause: Callable[[], object]) -> Artifacts:
    """The place, where the first call of that kind waits; of writing, the first one of a manifest."""
    call, pauses = getattr(place, at), [pause]

    def waits(*given: str) -> object:
        if pauses and (at != "writing" or given[0] == FOLDER):
            pauses.pop()()
        return call(*given)

    setattr(place, at, waits)
    return place


class Meeting:
    """Where one says that it has come, and waits until it may go on."""

    def __init__(self) -> None:
        self._came, self._goes_on = threading.Event(), threading.Event()

    def come(self) -> None:
        self._came.set()
        assert self._goes_on.wait(WAIT_S)

    async def has_come(self) -> None:
        assert await asyncio.to_thread(self._came.wait, WAIT_S)

    def go_on(self) -> None:
        self._goes_on.set()


async def restored_models(place: Artifacts, tmp_path: Path) -> int:
    folder = tmp_path / "restored"
    folder.mkdir()
    database = f"sqlite+aiosqlite:///{folder}/synthgen.db"
    manifest = await asyncio.to_thread(restore, place, database, open_artifacts(None, folder))
    with open_rows(place, manifest) as lines:
        return sum(line.startswith('["models"') for line in lines)


async def test_both_are_about_to_write_their_manifest(kept, a_place, tmp_path):
    together = threading.Barrier(2)
    places = [paused(a_place(), "writing", lambda: together.wait(WAIT_S)) for _ in kept]

    made = await asyncio.gather(*map(asyncio.to_thread, kept, places), return_exceptions=True)

    (failed,) = (one for one in made if isinstance(one, BackupFailed))
    (there,) = (one for one in made if isinstance(one, BackupMade))
    assert "Another backup was made at the place meanwhile" in str(failed)
    assert read_manifest(a_place()) == there.manifest
    assert await restored_models(a_place(), tmp_path) == made.index(
        there
    )  # none in the rows of now, one in those of before


async def test_one_has_looked_and_is_about_to_replace_the_manifest(kept, a_place, tmp_path):
    of_now, of_before = kept
    replacing = Meeting()
    first = asyncio.create_task(asyncio.to_thread(of_now, paused(a_place(), "rename", replacing.come)))
    await replacing.has_come()
    second = asyncio.create_task(asyncio.to_thread(of_before, paused(a_place(), "remove", replacing.go_on)))

    made = await first
    with pytest.raises(BackupFailed, match="Another backup"):
        await second

    assert read_manifest(a_place()) == made.manifest
    assert await restored_models(a_place(), tmp_path) == 0


async def test_one_that_was_taken_for_dead_there_is_not_made(kept, a_place, tmp_path, monkeypatch):
    monkeypatch.setattr("synthgen_ray.backup.replacing.DEAD_S", 0.1)
    of_now, of_before = kept
    replacing = Meeting()
    first = asyncio.create_task(asyncio.to_thread(of_before, paused(a_place(), "rename", replacing.come)))
    await replacing.has_come()

    made = await asyncio.to_thread(of_now, a_place())
    replacing.go_on()
    with pytest.raises(BackupFailed, match="Another backup"):
        await first

    assert read_manifest(a_place()) == made.manifest
    assert await restored_models(a_place(), tmp_path) == 0


async def test_one_whose_rows_are_from_before_the_other_ended_names_nothing_that_this_lets_go_of_then(
    kept, a_place, tmp_path
):
    of_now, of_before = kept
    has_rows, has_copied, is_ended = Meeting(), Meeting(), Meeting()
    first = paused(paused(a_place(), "claim", has_rows.come), "writing", has_copied.come)
    old = asyncio.create_task(asyncio.to_thread(of_before, first))
    await has_rows.has_come()
    new = asyncio.create_task(asyncio.to_thread(of_now, paused(a_place(), "list_folders", is_ended.come)))
    await is_ended.has_come()  # and has let go of nothing yet
    has_rows.go_on()
    await has_copied.has_come()
    is_ended.go_on()
    made = await new
    has_copied.go_on()

    with pytest.raises(BackupFailed, match="Another backup"):
        await old

    assert read_manifest(a_place()) == made.manifest
    assert await restored_models(a_place(), tmp_path) == 0
