"""`/api/datasets` and `/api/projects`. What a file may hold is tested in `unit/datasets`."""

import asyncio
import gzip
import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Artifact
from tests.api.conftest import a_server, a_table

KINDS = {
    "account": "id",
    "age": "integer",
    "income": "categorical",
    "balance": "float",
    "active": "boolean",
    "opened": "datetime",
    "bank": "constant",
}


class TestUpload:
    async def test_201_answers_what_was_found(self, given_dataset):
        dataset = await given_dataset()

        assert {
            "id",
            "dataset_id",
            "dataset_version_id",
            "version",
            "artifact_id",
            "num_rows",
            "num_columns",
            "columns",
            "warnings",
        } <= set(dataset)
        assert (dataset["version"], dataset["num_rows"], dataset["num_columns"]) == (0, 200, 7)
        assert {column["name"]: column["kind"] for column in dataset["columns"]} == KINDS

    async def test_gzip_and_parquet_are_taken_too(self, given_dataset):
        zipped = await given_dataset(gzip.compress(a_table()), filename="accounts.csv.gz")
        parquet = io.BytesIO()
        pq.write_table(pyarrow.csv.read_csv(io.BytesIO(a_table())), parquet)
        packed = await given_dataset(parquet.getvalue(), filename="accounts.parquet")

        assert zipped["num_rows"] == packed["num_rows"] == 200

    @pytest.mark.parametrize(
        ("content", "filename", "status", "code"),
        [
            (b"\n", "t.csv", 422, "empty_file"),
            (b"a,b\n", "t.csv", 422, "no_rows"),
            (b"a,a,b\n1,2,3\n", "t.csv", 422, "duplicate_column"),
            (b"a,b\n1,2\n3\n", "t.csv", 422, "ragged_row"),
            (b'a,b\n1,"x\n2,y\n', "t.csv", 422, "malformed_csv"),
            (b"a\nJos\xe9\n", "t.csv", 422, "invalid_encoding"),
            (b"PAR1PAR1", "t.parquet", 422, "invalid_parquet"),
            (b"\x89PNG\r\n\x1a\n0000", "t.csv", 415, "unsupported_file_type"),
        ],
    )
    async def test_a_bad_file_is_refused_and_leaves_nothing(
        self, client, server, project_id, content, filename, status, code
    ):
        response = await client.post(
            "/api/datasets/upload",
            data={"project_id": project_id, "name": "bad"},
            files={"file": (filename, content)},
        )

        assert (response.status_code, response.json()["code"]) == (status, code)
        assert (await client.get("/api/datasets")).json()["total"] == 0
        assert [path for path in server.artifacts.path("", "").rglob("*") if path.is_file()] == []

    async def test_an_error_names_the_row_and_never_the_cell(self, client, project_id):
        response = await client.post(
            "/api/datasets/upload",
            data={"project_id": project_id, "name": "bad"},
            files={"file": ("t.csv", b"a,b\n1,2\nsecret-cell\n")},
        )

        assert "Row 2 (line 3)" in response.json()["detail"]
        assert "secret-cell" not in response.text

    async def test_404_for_no_project_and_for_no_dataset(self, client, project_id):
        for ids in ({"project_id": str(uuid4())}, {"project_id": project_id, "dataset_id": str(uuid4())}):
            response = await client.post(
                "/api/datasets/upload", data={**ids, "name": "n"}, files={"file": ("t.csv", a_table())}
            )
            assert response.status_code == 404

    async def test_an_evil_name_never_becomes_a_path(self, server, given_dataset, tmp_path):
        before = {path for path in tmp_path.rglob("*") if "evil" in path.name}

        await given_dataset(filename="../../evil.csv", name="../evil")

        assert {path for path in tmp_path.rglob("*") if "evil" in path.name} == before

    async def test_a_second_upload_is_the_next_version(self, client, project_id, given_dataset):
        first = await given_dataset()
        response = await client.post(
            "/api/datasets/upload",
            data={"project_id": project_id, "name": "ignored", "dataset_id": first["dataset_id"]},
            files={"file": ("t.csv", a_table(30))},
        )

        assert response.json()["version"] == 1
        (listed,) = (await client.get("/api/datasets", params={"project_id": project_id})).json()["items"]
        assert (listed["name"], listed["version"], listed["num_rows"]) == ("accounts", 1, 30)


class TestProjects:
    async def test_201_answers_the_project(self, client):
        response = await client.post("/api/projects", json={"name": "Bank", "description": "cards"})

        assert response.status_code == 201
        assert set(response.json()) == {"id", "name", "description", "created_at"}

    @pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "a", "owner": "me"}, [], "x", None])
    async def test_422_stores_nothing(self, client, body):
        response = await client.post("/api/projects", json=body)

        assert response.status_code == 422
        assert (await client.get("/api/projects")).json()["total"] == 0


class SlowArtifacts(DiskArtifacts):
    """Whose files come when the test says so."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.asked, self.answers = 0, threading.Event()

    @contextmanager
    def verified_file(self, artifact: Artifact) -> Iterator[Path]:
        self.asked += 1
        self.answers.wait()
        with super().verified_file(artifact) as file:
            yield file


async def test_downloads_that_wait_for_their_storage_keep_nobody_else_waiting(tmp_path, database_url):
    artifacts, threads = SlowArtifacts(tmp_path / "artifacts"), min(32, (os.cpu_count() or 1) + 4)
    async with a_server(tmp_path, database_url, artifacts) as server, server.client() as client:
        project = (await client.post("/api/projects", json={"name": "Bank"})).json()
        form = {"project_id": project["id"], "name": "accounts"}
        made = (await client.post("/api/datasets/upload", data=form, files={"file": ("a.csv", a_table())})).json()
        address = f"/api/datasets/{made['dataset_id']}/download"
        downloads = [asyncio.create_task(client.get(address)) for _ in range(threads + 1)]
        try:
            while artifacts.asked < threads:
                await asyncio.sleep(0.01)

            assert (await client.get("/readyz")).status_code == 200
        finally:
            artifacts.answers.set()
            answers = await asyncio.gather(*downloads)
    assert {answer.status_code for answer in answers} == {200}
