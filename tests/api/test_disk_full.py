"""A disk that is really full: one of 64 MB in memory, with ballast on it."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from synthgen_ray.cli import app
from synthgen_ray.runtime.data_dir import DataDir, StartFailed
from synthgen_ray.runtime.doctor.disks import disk as doctor_looks_at_disks
from synthgen_ray.runtime.doctor.finding import Level
from synthgen_ray.settings import Settings
from tests.api.conftest import SYNTHGEN, Server, a_server, a_table

LITTLE = 64 << 10  # bytes
FOR_ROWS_OF_SQL = 512 << 10  # less than an output needs


@pytest.fixture
def disk(tmp_path) -> Iterator[Path]:
    """Skipped where nothing may be mounted, but not in CI."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(tmp_path)], capture_output=True)
    if mounted.returncode:
        assert os.environ.get("CI") != "true", mounted.stderr
        pytest.skip("no disk can be mounted here")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.fixture
async def server(disk, database_url) -> AsyncIterator[Server]:
    async with a_server(disk, database_url, min_free_bytes=0, min_free_share=0) as server:
        yield server


@pytest.fixture
def ballast(disk):
    """Fill the disk up to a little, or take that away."""
    file = disk / "ballast"

    def fill(left: int = LITTLE) -> None:
        free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
        file.write_bytes(bytes(free - left))

    return fill, file.unlink


def files(server: Server) -> set[Path]:
    return {path for path in server.artifacts.path("", "").rglob("*") if path.is_file()}


async def test_an_upload_is_refused_with_507_as_soon_as_less_than_stays_free_is_left(disk, database_url):
    async with (
        a_server(disk, database_url, min_free_bytes=32 << 20, min_free_share=0) as server,
        server.client() as client,
    ):
        project = (await client.post("/api/projects", json={"name": "Bank"})).json()
        form = {
            "data": {"project_id": project["id"], "name": "n"},
            "files": {"file": ("a.csv", b"x\n" + b"12345\n" * 7_000_000)},
        }

        refused = await client.post("/api/datasets/upload", **form)

        assert (refused.status_code, refused.json()["code"]) == (507, "insufficient_storage")
        assert "upload" not in {path.name for path in files(server)}


async def test_an_upload_is_refused_with_507_and_leaves_nothing_and_works_once_there_is_room(
    client, server, project_id, ballast
):
    fill, clear = ballast
    form = {"data": {"project_id": project_id, "name": "accounts"}, "files": {"file": ("a.csv", a_table(20_000))}}

    fill()
    refused = await client.post("/api/datasets/upload", **form)
    left = files(server)
    clear()

    assert (refused.status_code, refused.json()["code"]) == (507, "insufficient_storage")
    assert left == set()
    assert (await client.get("/api/datasets")).json()["total"] == 0
    assert (await client.post("/api/datasets/upload", **form)).status_code == 201


async def test_a_table_whose_copy_finds_no_room_is_refused_with_507(client, server, project_id, disk, ballast):
    fill, clear = ballast
    table = a_table(20_000)
    form = {"data": {"project_id": project_id, "name": "accounts"}, "files": {"file": ("a.csv", table)}}
    fill()
    with (disk / "ballast").open("r+b") as file:  # room for the upload, and for little more
        file.truncate(file.seek(0, os.SEEK_END) - len(table))

    refused = await client.post("/api/datasets/upload", **form)
    left = files(server)
    clear()

    assert (refused.status_code, refused.json()["code"]) == (507, "insufficient_storage")
    assert left == set()


async def test_a_generation_fails_by_name_and_another_works_once_there_is_room(
    client, server, given_ready_model, ballast
):
    fill, clear = ballast
    path = f"{SYNTHGEN}/models/{await given_ready_model()}/generate"
    before = files(server)

    fill(FOR_ROWS_OF_SQL)
    failed = (await client.post(path, json={"num_rows": 20_000})).json()
    await server.run_queue()
    left = files(server) - before
    clear()

    job = (await client.get(f"{SYNTHGEN}/jobs/{failed['job_id']}")).json()
    assert (job["status"], job["error"]["code"], job["error"]["retryable"]) == ("failed", "insufficient_storage", True)
    assert left == set()
    again = (await client.post(path, json={"num_rows": 20_000})).json()
    await server.run_queue()
    assert (await client.get(f"{SYNTHGEN}/jobs/{again['job_id']}")).json()["status"] == "completed"


def test_nothing_starts_on_a_full_disk_and_it_is_said(disk, ballast):
    place, (fill, unfill) = DataDir(disk / "data"), ballast
    fill()

    with pytest.raises(StartFailed, match=r"0 MiB are free at .*: make room"):
        place.prepare()

    unfill()
    place.prepare()


def test_doctor_looks_at_the_disk_of_the_artifacts_too(disk, tmp_path_factory):
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("data"),
        artifacts_url=(disk / "artifacts").as_uri(),
        upload={"min_free_bytes": 65 << 20, "min_free_share": 0},
    )

    of_data, of_artifacts = doctor_looks_at_disks(settings)

    assert (of_data.level, of_artifacts.level) == (Level.OK, Level.FAIL)
    assert str(disk) in of_artifacts.said


@pytest.mark.usefixtures("own_umask")
def test_a_backup_for_which_there_is_no_room_says_where_and_of_one_that_cannot_be_written_why(
    disk, ballast, migrated_file, tmp_path_factory, monkeypatch
):
    data_dir = tmp_path_factory.mktemp("data")
    shutil.copy(migrated_file, data_dir)
    fill, _ = ballast
    fill(left=0)

    def backed_up(place: Path) -> Result:
        return CliRunner().invoke(app, ["backup", str(place), "--data-dir", str(data_dir)])

    no_room, no_folder = backed_up(disk / "backup"), backed_up(data_dir / "synthgen.db" / "backup")
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    no_way = backed_up(data_dir / "backup")

    assert (no_room.exit_code, no_way.exit_code) == (1, 1)
    assert no_room.stderr.startswith(f"synthgen: There is no room for it at {disk / 'backup'}, or ")
    assert no_way.stderr.endswith(f"on its way there in {data_dir} or {disk}.\n")
    assert (no_folder.exit_code, no_folder.stderr.strip().rpartition(": ")[2]) == (1, "Not a directory")
