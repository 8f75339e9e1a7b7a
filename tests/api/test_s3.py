"""The whole way of a table, with all files in an object store: nothing of it stays on this machine."""

import csv
import io
from collections.abc import AsyncIterator
from datetime import timedelta

import pyarrow.parquet as pq
import pytest

from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.store import queue
from tests.api.conftest import SYNTHGEN, Server, a_server


@pytest.fixture
async def server(s3, bucket, database_url, tmp_path) -> AsyncIterator[Server]:
    artifacts = open_artifacts(s3.url(f"{bucket}/synthgen"), tmp_path / "data")
    async with a_server(tmp_path, database_url, artifacts) as server:
        yield server


async def test_a_table_is_learnt_generated_downloaded_exported_imported_and_gone(
    client, server, given_output, project_id, s3, bucket, tmp_path
):
    job = await given_output(num_rows=60, seed=3)
    path = f"{SYNTHGEN}/jobs/{job['id']}/download"
    model = f"{SYNTHGEN}/models/{job['model_id']}"

    # Downloads: all of it, a range, each format; the dataset itself.
    whole = await client.get(path)
    part = await client.get(path, headers={"Range": "bytes=10-99"})
    assert len(list(csv.reader(io.StringIO(whole.text)))) == 61
    assert (part.status_code, part.content) == (206, whole.content[10:100])
    assert whole.headers["content-length"] == str(len(whole.content))
    for form in ("parquet", "jsonl"):
        made = (await client.post(f"{model}/generate", json={"num_rows": 60, "seed": 3, "format": form})).json()
        await server.run_queue()
        rows = (await client.get(f"{SYNTHGEN}/jobs/{made['job_id']}/download")).content
        assert (pq.read_table(io.BytesIO(rows)).num_rows if form == "parquet" else rows.count(b"\n")) == 60
    dataset_id = (await client.get(model)).json()["model"]["dataset_id"]
    assert (await client.get(f"/api/datasets/{dataset_id}/download")).text.count("\n") == 201

    # A model that was exported and imported draws the same rows.
    file = (await client.get(f"{model}/export")).content
    form = {"project_id": project_id, "name": "back"}
    imported = await client.post(f"{SYNTHGEN}/models/import", data=form, files={"file": ("m.synthgen", file)})
    again = {"num_rows": 60, "seed": 3}
    made = (await client.post(f"{SYNTHGEN}/models/{imported.json()['model_id']}/generate", json=again)).json()
    await server.run_queue()
    assert (await client.get(f"{SYNTHGEN}/jobs/{made['job_id']}")).json()["result"] == job["result"]

    # A column is corrected: the table is read, and written anew.
    second = await client.post("/api/datasets/upload", data={**form, "name": "b"}, files={"file": ("b.csv", b"a\n1\n")})
    corrected = await client.patch(
        f"/api/datasets/{second.json()['dataset_id']}/versions/0/schema", json={"columns": {"a": {"kind": "text"}}}
    )
    assert corrected.status_code == 200, corrected.text

    await client.delete(f"/api/projects/{project_id}?force=true")
    await server.dispatcher.tidy()
    assert s3.files(bucket) == {"synthgen/server/owner"}
    assert {file.parent.name for file in (tmp_path / "data").rglob("*") if file.is_file()} == {"copies"}


async def test_503_while_the_object_store_is_away_and_then_all_is_well(client, given_output, project_id, gate):
    job = await given_output(num_rows=10)
    path = f"{SYNTHGEN}/jobs/{job['id']}/download"
    form = {"data": {"project_id": project_id, "name": "b"}, "files": {"file": ("b.csv", b"a\n1\n2\n")}}

    gate.shut()
    away = [await client.get(path), await client.post("/api/datasets/upload", **form)]
    gate.open()

    assert {(answer.status_code, answer.json()["code"]) for answer in away} == {(503, "artifacts_unavailable")}
    assert all(int(answer.headers["retry-after"]) > 0 for answer in away)
    assert (await client.get(path)).status_code == 200
    assert (await client.post("/api/datasets/upload", **form)).status_code == 201


async def test_a_generation_that_found_the_object_store_away_runs_again(
    client, server, given_ready_model, gate, monkeypatch
):
    monkeypatch.setattr(queue, "AWAY_RESTS", (timedelta(0),))
    model_id = await given_ready_model()
    made = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={"num_rows": 10})).json()
    job = f"{SYNTHGEN}/jobs/{made['job_id']}"

    gate.shut()
    await server.dispatcher.tick()
    await server.dispatcher.tasks[0]
    waits = (await client.get(job)).json()["status"]
    gate.open()
    await server.run_queue()

    assert waits == "pending"
    assert (await client.get(job)).json()["status"] == "completed"


async def test_an_object_that_was_damaged_or_deleted_is_410(client, given_output, s3, bucket):
    job = await given_output(num_rows=10)
    (part,) = [name for name in s3.files(bucket) if name.startswith(f"synthgen/jobs/{job['id']}/")]
    path = f"{SYNTHGEN}/jobs/{job['id']}/download"

    with s3.filesystem.open_output_stream(f"{bucket}/{part}") as sink:
        sink.write(bytes(job["result"]["size_bytes"]))
    damaged = await client.get(path)
    s3.filesystem.delete_file(f"{bucket}/{part}")
    deleted = await client.get(path)

    assert [(answer.status_code, answer.json()["code"]) for answer in (damaged, deleted)] == [
        (410, "artifact_corrupt"),
        (410, "artifact_missing"),
    ]
