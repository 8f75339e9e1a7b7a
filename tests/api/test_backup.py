"""A server that is backed up while it works, and the one that is made from the backup."""

import asyncio
import contextlib
import gzip
import io
import json
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import pytest
from sqlalchemy import update

from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.backup.making import back_up
from synthgen_ray.backup.manifest import ROWS, BackupFailed, Manifest, open_rows, read_manifest
from synthgen_ray.backup.restoring import restore
from synthgen_ray.domain.entities import Artifact, checkpoints_folder
from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.lifecycle import LOCAL, JobType
from synthgen_ray.store.dumping import dump
from synthgen_ray.store.tables import JobRow
from tests.api.conftest import SYNTHGEN, a_server
from tests.damage import flip_a_bit
from tests.databases import on_both_databases, on_sqlite
from tests.postgres import Postgres

NOBODYS = "somebody else's"


@pytest.fixture
def place(tmp_path) -> DiskArtifacts:
    return DiskArtifacts(tmp_path / "backups")


@pytest.fixture
def restored(tmp_path) -> DiskArtifacts:
    return DiskArtifacts(tmp_path / "restored" / "artifacts")


@pytest.fixture
def an_empty_database(request, tmp_path):
    @contextlib.contextmanager
    def given(kind: str) -> Iterator[str]:
        if kind == "sqlite":
            (tmp_path / "restored").mkdir(exist_ok=True)
            yield f"sqlite+aiosqlite:///{tmp_path}/restored/synthgen.db"
            return
        postgres: Postgres = request.getfixturevalue("postgres")
        name = postgres.new_database()
        yield postgres.url(name)
        postgres.drop_database(name)

    return given


@pytest.fixture
def kept(server, database_url, place):
    """A backup of the server as it is."""

    async def make() -> Manifest:
        return (await asyncio.to_thread(back_up, database_url, server.artifacts, place)).manifest

    return make


async def rows_of(url: str) -> set[str]:
    rows = io.StringIO()
    await dump(url, rows)
    return set(rows.getvalue().splitlines())


@on_both_databases
@pytest.mark.parametrize("into", ["the same kind", "the other kind"])
async def test_a_server_at_work_is_restored_with_all_that_it_had_and_what_ran_is_run_again(
    into, server, client, kept, place, restored, database_url, an_empty_database, given_output, tmp_path
):
    done = await given_output(num_rows=60, seed=3)
    path, download = f"{SYNTHGEN}/models/{done['model_id']}/generate", f"{SYNTHGEN}/jobs/{done['id']}/download"
    rows = (await client.get(download)).content
    running = (await client.post(path, json={"num_rows": 60, "seed": 3})).json()["synthgen_job_id"]
    assert await server.store.claim_next({JobType.GENERATE}, LOCAL)
    # Others write while it is made.
    manifest, *_ = await asyncio.gather(kept(), *(client.post(path, json={"num_rows": 5}) for _ in range(5)))

    kinds = ["sqlite", "postgresql"]
    kind = kinds[(database_url.startswith("postgresql")) ^ (into == "the other kind")]
    with an_empty_database(kind) as url:
        await asyncio.to_thread(restore, place, url, restored)
        assert not (tmp_path / "backups" / "scratch").exists()  # the place may be one that takes no files
        with open_rows(place, manifest) as lines:
            assert {line.rstrip("\n") for line in lines} == await rows_of(url)
        async with a_server(tmp_path / "restored", url, restored) as again, again.client() as its:
            assert await again.store.requeue_running() == 1
            # What comes after a loss comes after a rest.
            async with again.store._sessions.writing() as session:
                await session.execute(update(JobRow).values(not_before=JobRow.created_at))
            await again.run_queue()

            assert (await its.get(f"{SYNTHGEN}/jobs/{running}")).json()["status"] == "completed"
            for job in (done["id"], running):
                assert (await its.get(f"{SYNTHGEN}/jobs/{job}/download")).content == rows
            assert (await its.get("/api/audit")).json()["total"] > 0
            assert restored.find_owner() == str(manifest.server_id)


@on_sqlite
async def test_a_backup_in_a_bucket_is_restored(
    server, database_url, given_dataset, restored, an_empty_database, s3, bucket, tmp_path
):
    await given_dataset()
    place = open_artifacts(s3.url(bucket), tmp_path / "aside")
    manifest = (await asyncio.to_thread(back_up, database_url, server.artifacts, place)).manifest

    with an_empty_database("sqlite") as url:
        await asyncio.to_thread(restore, place, url, restored)
        with open_rows(place, manifest) as lines:
            assert {line.rstrip("\n") for line in lines} == await rows_of(url)


@on_sqlite
class TestAgain:
    async def test_it_copies_what_is_new_and_lets_go_of_what_is_gone(
        self, client, server, kept, place, given_output, database_url, tmp_path
    ):
        first = await given_output(num_rows=30, seed=1)
        before = await kept()
        await client.delete(f"{SYNTHGEN}/models/{first['model_id']}")
        await client.post("/api/projects", json={"name": "Another"})

        made = await asyncio.to_thread(back_up, database_url, server.artifacts, place)

        assert (made.num_bytes, made.manifest.num_artifacts) == (0, 1)
        assert before.num_artifacts == 3
        assert {path.split("/")[0] for path in place.list_folders()} == {"datasets"}
        assert not (tmp_path / "backups" / before.rows.location).exists()

    async def test_a_file_of_the_backup_that_was_damaged_is_copied_anew(
        self, server, kept, place, restored, given_output, an_empty_database, tmp_path
    ):
        await given_output(num_rows=30, seed=1)
        await kept()
        for file in (tmp_path / "backups" / "jobs").rglob("part-*"):
            flip_a_bit(file)

        await kept()

        with an_empty_database("sqlite") as url:
            await asyncio.to_thread(restore, place, url, restored)


class LosesItsLastWrite(DiskArtifacts):
    """Where a restore is cut off when all is there, and nobody's yet."""

    def hand_over(self, owner: str) -> None:
        if not owner.startswith("restoring"):
            raise Unavailable("The artifacts cannot be reached now; try again.", "storage_unavailable")
        super().hand_over(owner)


@on_both_databases
async def test_a_restore_that_was_cut_off_at_its_last_step_is_ended_by_the_next(
    server, kept, place, restored, given_dataset, database_url, an_empty_database, tmp_path
):
    await given_dataset()
    manifest = await kept()

    with an_empty_database(database_url.partition("+")[0].partition(":")[0]) as url:
        with pytest.raises(Unavailable):
            await asyncio.to_thread(restore, place, url, LosesItsLastWrite(tmp_path / "restored" / "artifacts"))
        await asyncio.to_thread(restore, place, url, restored)

        assert restored.find_owner() == str(manifest.server_id)
        with pytest.raises(BackupFailed, match="restore into an empty one"):
            await asyncio.to_thread(restore, place, url, restored)


class LetsAnotherInFirst(DiskArtifacts):
    """A place at which another backup is made while this one is about to be, and lets go of what it does not name."""

    def __init__(self, root: Path, another: Callable[[], None]) -> None:
        super().__init__(root)
        self._another = another

    def writing(self, location: str, name: str) -> contextlib.AbstractContextManager[BinaryIO]:
        if name == ROWS:
            self._another()
        return super().writing(location, name)


@on_sqlite
async def test_of_two_backups_at_once_the_second_to_end_says_that_the_first_is_there(
    server, place, restored, kept, given_dataset, given_output, database_url, an_empty_database, tmp_path
):
    # As an old one that a lost connection left at work, whose rows are from before.
    await given_dataset()
    await kept()
    with contextlib.closing(sqlite3.connect(database_url.partition(":///")[2])) as database:
        database.execute("VACUUM INTO ?", [f"{tmp_path}/before.db"])
    await given_output(num_rows=30, seed=1)
    before = f"sqlite+aiosqlite:///{tmp_path}/before.db"
    this = LetsAnotherInFirst(tmp_path / "backups", lambda: back_up(before, server.artifacts, place))

    with pytest.raises(BackupFailed, match="Another backup"):
        await asyncio.to_thread(back_up, database_url, server.artifacts, this)

    assert len([*(tmp_path / "backups" / "backup").glob("*/")]) == 1
    with an_empty_database("sqlite") as url:
        await asyncio.to_thread(restore, place, url, restored)


class ErasesWhenAsked(DiskArtifacts):
    """A server's own files, of which a folder goes while they are copied, as when its model is deleted: at the first
    one, or the first of that kind."""

    def __init__(self, root: Path, delete: Callable[[], None], at: str = "") -> None:
        super().__init__(root)
        self._delete: Callable[[], None] | None = delete
        self._at = at

    def check(self, artifact: Artifact) -> None:
        if self._delete and artifact.location.startswith(self._at):
            delete, self._delete = self._delete, None
            delete()
        super().check(artifact)


@on_sqlite
class TestWhatIsLost:
    async def test_what_is_deleted_while_it_is_copied_is_not_in_the_backup_at_all(
        self, client, server, place, given_output, database_url, tmp_path
    ):
        job = await given_output(num_rows=30, seed=1)
        loop = asyncio.get_running_loop()

        async def delete() -> None:
            await client.delete(f"{SYNTHGEN}/models/{job['model_id']}")
            await server.dispatcher._tidying.round()

        def wait_for_it() -> None:
            asyncio.run_coroutine_threadsafe(delete(), loop).result()

        artifacts = ErasesWhenAsked(tmp_path / "artifacts", wait_for_it)
        made = await asyncio.to_thread(back_up, database_url, artifacts, place)

        assert (made.manifest.num_artifacts, made.manifest.lost) == (1, ())
        with open_rows(place, made.manifest) as lines:
            assert not [line for line in lines if line.startswith('["models"')]

    @pytest.mark.parametrize(("when", "kept"), [("datasets", True), ("jobs", False)])
    async def test_a_checkpoint_that_a_training_drops_meanwhile_is_nothing_that_the_server_has_lost(
        self, when, kept, server, place, restored, given_model, database_url, an_empty_database, tmp_path
    ):
        await given_model()
        job = (await server.store.claim_next({JobType.TRAIN}, LOCAL)).job
        location = f"{checkpoints_folder(job.id)}/1-10"
        with server.artifacts.writing(location, "checkpoint.safetensors") as sink:
            sink.write(b"weights")
        part = server.artifacts.part(location, "checkpoint.safetensors", 0)
        checkpoint = server.artifacts.seal(location, [part])
        assert await server.store.name_checkpoint(job.id, job.attempt, checkpoint)
        artifacts = ErasesWhenAsked(tmp_path / "artifacts", lambda: server.artifacts.erase(location), at=when)

        made = await asyncio.to_thread(back_up, database_url, artifacts, place)

        assert made.lost == frozenset()
        with an_empty_database("sqlite") as url:
            await asyncio.to_thread(restore, place, url, restored)
        assert restored.path(location, "checkpoint.safetensors").exists() == kept

    async def test_a_file_that_the_server_has_no_longer_is_named_and_all_else_is_kept(
        self, client, server, kept, place, restored, given_output, an_empty_database, tmp_path
    ):
        job = await given_output(num_rows=30, seed=1)
        for file in (tmp_path / "artifacts" / "jobs").rglob("part-*"):
            file.unlink()

        manifest = await kept()

        assert len(manifest.lost) == 1
        with an_empty_database("sqlite") as url:
            await asyncio.to_thread(restore, place, url, restored)
            async with a_server(tmp_path / "restored", url, restored) as again, again.client() as its:
                assert (await its.get(f"{SYNTHGEN}/jobs/{job['id']}/download")).status_code == 410
                path = f"{SYNTHGEN}/models/{job['model_id']}/generate"
                assert (await its.post(path, json={"num_rows": 5})).status_code == 200


@on_sqlite
class TestRefused:
    async def refuses(self, why: str, place: DiskArtifacts, url: str, artifacts: DiskArtifacts) -> None:
        with pytest.raises(BackupFailed, match=why):
            await asyncio.to_thread(restore, place, url, artifacts)

    async def test_a_place_with_anything_else(self, server, kept, place, given_dataset):
        await given_dataset()
        place.hand_over(NOBODYS)

        with pytest.raises(BackupFailed, match="name one that is empty"):
            await kept()

    async def test_the_servers_own_artifacts_as_a_place(self, server, database_url, given_dataset):
        await given_dataset()

        with pytest.raises(BackupFailed, match="name one that is empty"):
            await asyncio.to_thread(back_up, database_url, server.artifacts, server.artifacts)

    async def test_a_database_with_tables(self, server, kept, place, restored, database_url):
        await kept()

        await self.refuses("restore into an empty one", place, database_url, restored)

    async def test_a_database_that_takes_no_tables_before_anything_is_copied(
        self, server, kept, place, restored, postgres, an_empty_database, given_dataset
    ):
        await given_dataset()
        await kept()

        with an_empty_database("postgresql") as url:
            name = url.rpartition("/")[2]
            postgres.sql("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN PASSWORD 'guest'")
            postgres.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC", name)
            guests = f"postgresql+asyncpg://guest:guest@127.0.0.1:{postgres.port}/{name}"
            await self.refuses("takes no tables from its user", place, guests, restored)

        assert restored.list_folders() == ()

    async def test_a_database_that_is_none_of_ours(self, server, place, an_empty_database):
        with an_empty_database("sqlite") as url, pytest.raises(BackupFailed, match="no tables of SynthGen"):
            await asyncio.to_thread(back_up, url, server.artifacts, place)

    async def test_artifacts_where_some_are(self, server, kept, place, given_dataset, an_empty_database):
        await given_dataset()
        await kept()

        with an_empty_database("sqlite") as url:
            await self.refuses("name an empty place", place, url, server.artifacts)
            server.artifacts.claim(str(await server.store.get_server_id()))
            await self.refuses("name an empty place", place, url, server.artifacts)

    @pytest.mark.parametrize("which", ["datasets/*/*", "backup/*/rows.jsonl.gz", "backup/manifest.json"])
    async def test_a_file_that_was_changed(
        self, which, server, kept, place, restored, given_dataset, an_empty_database, tmp_path
    ):
        await given_dataset()
        await kept()
        (file,) = (tmp_path / "backups").glob(which)
        flip_a_bit(file)

        with an_empty_database("sqlite") as url:
            await self.refuses("damaged|names|backup of this server", place, url, restored)
            flip_a_bit(file)
            await asyncio.to_thread(restore, place, url, restored)  # the one that was refused left nothing in the way

    async def test_a_schema_of_a_newer_version(self, server, kept, place, restored, an_empty_database, tmp_path):
        await kept()
        file = tmp_path / "backups" / "backup" / "manifest.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "revision": "9999"}))

        with an_empty_database("sqlite") as url:
            await self.refuses("schema 9999", place, url, restored)

    async def test_a_place_without_a_backup(self, server, place, restored, an_empty_database):
        with an_empty_database("sqlite") as url:
            await self.refuses("no backup", place, url, restored)

    @pytest.mark.parametrize("how", ["copied", "lost", "erased"])
    async def test_rows_that_name_files_elsewhere(
        self, how, server, client, kept, place, restored, given_dataset, an_empty_database, tmp_path
    ):
        dataset = await given_dataset()
        if how == "erased":
            (await client.delete(f"/api/datasets/{dataset['id']}")).raise_for_status()
        manifest = await kept()
        file = tmp_path / "backups" / manifest.rows.location / "rows.jsonl.gz"
        lines = gzip.decompress(file.read_bytes())
        assert b'"location": "datasets/' in lines
        file.write_bytes(gzip.compress(lines.replace(b'"location": "datasets/', b'"location": "../datasets/')))
        sealed = place.seal(manifest.rows.location, [place.part(manifest.rows.location, file.name, 0)])
        file.parent.rename(file.parent.parent / sealed.sha256)
        about = tmp_path / "backups" / "backup" / "manifest.json"
        lost = [dataset["artifact_id"]] if how == "lost" else []
        changed = {"rows_sha256": sealed.sha256, "rows_bytes": sealed.size_bytes, "lost": lost}
        about.write_text(json.dumps({**json.loads(about.read_text()), **changed}))
        assert read_manifest(place).rows_sha256 == sealed.sha256

        with an_empty_database("sqlite") as url:
            await self.refuses("tampered", place, url, restored)
