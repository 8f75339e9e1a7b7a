"""`/api/synthgen/jobs`: lists, details and downloads."""

import hashlib
import io
import itertools
import json
from uuid import uuid4

import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from synthgen_ray.domain.entities import Progress
from synthgen_ray.domain.lifecycle import JobType
from tests.api.conftest import SYNTHGEN


class TestDownload:
    async def test_409_while_there_is_no_output_and_for_what_never_has_one(self, client, server, given_ready_model):
        model_id = await given_ready_model()
        generation = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={})).json()
        training = (await client.get(f"{SYNTHGEN}/models/{model_id}")).json()["jobs"][-1]

        waiting = await client.get(f"{SYNTHGEN}/jobs/{generation['job_id']}/download")
        never = await client.get(f"{SYNTHGEN}/jobs/{training['id']}/download")

        assert (waiting.status_code, waiting.json()["code"]) == (409, "not_ready")
        assert (never.status_code, never.json()["code"]) == (409, "no_output")

    async def test_the_bytes_are_those_that_the_job_names(self, client, given_output):
        job = await given_output(num_rows=50)

        response = await client.get(f"{SYNTHGEN}/jobs/{job['id']}/download")

        assert response.headers["content-length"] == str(job["result"]["size_bytes"]) == str(len(response.content))
        assert response.headers["etag"] == f'"{job["result"]["sha256"]}"'
        assert hashlib.sha256(response.content).hexdigest() == job["result"]["sha256"]
        assert response.headers["content-type"] == "text/csv; charset=utf-8"
        assert response.headers["x-content-type-options"] == "nosniff"

    async def test_head_answers_the_headers_alone(self, client, given_output):
        job = await given_output(num_rows=50)

        response = await client.head(f"{SYNTHGEN}/jobs/{job['id']}/download")

        assert response.status_code == 200
        assert response.headers["content-length"] == str(job["result"]["size_bytes"])
        assert response.content == b""

    @pytest.mark.parametrize("asked", ["bytes=0-9", "bytes=100000000-"])
    async def test_head_knows_no_range(self, client, given_output, asked):
        job = await given_output(num_rows=50)

        response = await client.head(f"{SYNTHGEN}/jobs/{job['id']}/download", headers={"Range": asked})

        assert (response.status_code, "content-range" in response.headers) == (200, False)
        assert response.headers["content-length"] == str(job["result"]["size_bytes"])

    @pytest.mark.parametrize(
        ("asked", "start", "stop"),
        [
            ("bytes=0-0", 0, 1),
            ("bytes=0-9", 0, 10),
            ("bytes=10-", 10, None),
            ("bytes=-7", -7, None),
            ("bytes=5-100000000", 5, None),
            (f"bytes=5-{10**30}", 5, None),
            (f"bytes=-{10**30}", 0, None),
            ("BYTES=0-9", 0, 10),
        ],
    )
    async def test_a_range_is_answered_with_its_bytes(self, client, given_output, asked, start, stop):
        job = await given_output(num_rows=50)
        path = f"{SYNTHGEN}/jobs/{job['id']}/download"
        whole = (await client.get(path)).content

        response = await client.get(path, headers={"Range": asked})

        assert response.status_code == 206
        assert response.content == whole[start:stop]
        assert response.headers["content-range"].endswith(f"/{len(whole)}")

    @pytest.mark.parametrize("form", ["csv", "parquet"])
    async def test_ranges_at_the_borders_of_parts_are_the_bytes_of_the_whole(self, client, server, given_output, form):
        job = await given_output(num_rows=100_001, format=form)
        path = f"{SYNTHGEN}/jobs/{job['id']}/download"
        whole = (await client.get(path)).content
        parts = sorted(server.artifacts.path("jobs", job["id"]).glob(f"1/part-*.{form}"))
        borders = list(itertools.accumulate(part.stat().st_size for part in parts))
        assert len(borders) == 3

        for border, (before, after) in itertools.product(borders, [(1, 1), (0, 1), (1, 0), (10, 10)]):
            first, last = border - before, border + after - 1
            response = await client.get(path, headers={"Range": f"bytes={first}-{last}"})

            if first >= len(whole):
                assert response.status_code == 416
            else:
                assert (response.status_code, response.content) == (206, whole[first : last + 1]), (first, last)
        across = await client.get(path, headers={"Range": f"bytes={borders[0] - 1}-{borders[1]}"})
        assert across.content == whole[borders[0] - 1 : borders[1] + 1]

    @pytest.mark.parametrize("asked", ["bytes=10-", "bytes=100000000-"])
    @pytest.mark.parametrize("named", ['"another"', "W/{}", "Wed, 25 Feb 2026 10:00:00 GMT", ""])
    async def test_of_a_file_that_if_range_does_not_name_all_of_it_comes(self, client, given_output, named, asked):
        job = await given_output(num_rows=50)
        path, etag = f"{SYNTHGEN}/jobs/{job['id']}/download", f'"{job["result"]["sha256"]}"'

        again = await client.get(path, headers={"Range": asked, "If-Range": named.format(etag)})
        goes_on = await client.get(path, headers={"Range": "bytes=10-", "If-Range": etag})

        assert (again.status_code, len(again.content)) == (200, job["result"]["size_bytes"])
        assert (goes_on.status_code, goes_on.content) == (206, again.content[10:])

    async def test_a_range_outside_is_416_and_several_are_answered_with_all(self, client, given_output):
        job = await given_output(num_rows=50)
        path = f"{SYNTHGEN}/jobs/{job['id']}/download"

        outside = await client.get(path, headers={"Range": "bytes=100000000-"})
        several, thousands, too_many = [
            await client.get(path, headers={"Range": "bytes=" + ",".join(["0-"] * count)})
            for count in (2, 5000, 10_000)
        ]

        far_outside = await client.get(path, headers={"Range": f"bytes={10**18}-"})
        absurd = await client.get(path, headers={"Range": f"bytes={'9' * 4301}-"})
        assert (outside.status_code, outside.json()["code"]) == (416, "range_not_satisfiable")
        assert (far_outside.status_code, absurd.status_code) == (416, 200)
        assert outside.headers["content-range"] == f"bytes */{job['result']['size_bytes']}"
        backwards = await client.get(path, headers={"Range": "bytes=5-1"})
        assert (backwards.status_code, len(backwards.content)) == (200, job["result"]["size_bytes"])
        for whole in (several, thousands):
            assert (whole.status_code, len(whole.content)) == (200, job["result"]["size_bytes"])
        assert (too_many.status_code, too_many.json()["code"]) == (431, "headers_too_large")

    async def test_a_known_etag_is_304(self, client, given_output):
        job = await given_output(num_rows=50)
        etag = f'"{job["result"]["sha256"]}"'

        for had in (etag, f"W/{etag}", f'"another, one", W/{etag}', "*"):
            response = await client.get(f"{SYNTHGEN}/jobs/{job['id']}/download", headers={"If-None-Match": had})

            assert (response.status_code, response.content) == (304, b""), had

    @pytest.mark.parametrize(
        ("named", "status"),
        [("{}", 304), ('"another, one", {}', 304), ("*", 304), ("W/{}", 412), ('"another"', 412), ("", 412)],
    )
    async def test_of_a_file_that_if_match_does_not_name_nothing_is_sent(self, client, given_output, named, status):
        job = await given_output(num_rows=50)
        etag = f'"{job["result"]["sha256"]}"'
        headers = {"If-Match": named.format(etag), "If-None-Match": etag, "Range": "bytes=0-4"}

        for method in ("GET", "HEAD"):
            response = await client.request(method, f"{SYNTHGEN}/jobs/{job['id']}/download", headers=headers)

            assert response.status_code == status
        if status == 412:
            assert response.headers["content-type"] == "application/problem+json"

    @pytest.mark.parametrize(("harm", "code"), [("erased", "artifact_missing"), ("changed", "artifact_corrupt")])
    async def test_410_for_an_output_that_is_gone_or_not_as_it_was(self, client, server, given_output, harm, code):
        job = await given_output(num_rows=50)
        (file,) = server.artifacts.path("jobs", job["id"]).rglob("part-*")
        content = file.read_bytes()
        file.unlink() if harm == "erased" else file.write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])

        for headers in ({}, {"Range": "bytes=0-4"}):
            response = await client.get(f"{SYNTHGEN}/jobs/{job['id']}/download", headers=headers)

            assert (response.status_code, response.json()["code"]) == (410, code)

    async def test_only_bytes_that_are_sent_are_looked_at(self, client, server, given_output):
        job = await given_output(num_rows=50)
        path, etag = f"{SYNTHGEN}/jobs/{job['id']}/download", f'"{job["result"]["sha256"]}"'
        (file,) = server.artifacts.path("jobs", job["id"]).rglob("part-*")
        content = file.read_bytes()

        file.write_bytes(b"?" * len(content))
        assert (await client.head(path)).status_code == 200
        assert (await client.get(path, headers={"If-None-Match": etag})).status_code == 304
        file.write_bytes(content[:-1])
        assert (await client.head(path)).status_code == 410

    @pytest.mark.parametrize("form", ["csv", "parquet"])
    async def test_410_for_a_table_that_is_not_as_it_was(self, client, server, given_dataset, form):
        dataset = await given_dataset()
        (file,) = server.artifacts.path("datasets", "").rglob("table.parquet")
        file.write_bytes(b"?" * file.stat().st_size)

        response = await client.get(f"/api/datasets/{dataset['dataset_id']}/download", params={"format": form})

        assert (response.status_code, response.json()["code"]) == (410, "artifact_corrupt")

    async def test_all_formats_hold_the_same_rows(self, client, server, given_ready_model):
        model_id = await given_ready_model()
        contents = {}
        for output in ("csv", "jsonl", "parquet"):
            params = {"num_rows": 200, "seed": 1, "format": output}
            accepted = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=params)).json()
            await server.run_queue()
            contents[output] = (await client.get(f"{SYNTHGEN}/jobs/{accepted['job_id']}/download")).content

        csv = pyarrow.csv.read_csv(io.BytesIO(contents["csv"])).to_pydict()
        parquet = pq.read_table(io.BytesIO(contents["parquet"])).to_pydict()
        lines = [json.loads(line) for line in contents["jsonl"].splitlines()]
        assert list(csv) == list(parquet) == list(lines[0])
        assert csv["age"] == parquet["age"] == [line["age"] for line in lines]
        assert csv["opened"] == parquet["opened"]
        assert parquet["balance"] == [line["balance"] for line in lines]


async def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(client, server, given_ready_model):
    model_id = await given_ready_model()
    shas = []
    for seed in (5, 5, 6):
        params = {"num_rows": 500, "seed": seed}
        accepted = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=params)).json()
        await server.run_queue()
        shas.append((await client.get(f"{SYNTHGEN}/jobs/{accepted['job_id']}")).json()["result"]["sha256"])

    assert shas[0] == shas[1] != shas[2]


async def test_a_list_leaves_out_what_is_long_of_a_config_and_the_job_shows_it(client, given_ready_model):
    generate = f"{SYNTHGEN}/models/{await given_ready_model()}/generate"
    long = {"age": [10**300] * 100}
    for conditions in ({"age": 30}, long):
        job = (await client.post(generate, json={"conditions": conditions})).json()

    listed = (await client.get(f"{SYNTHGEN}/jobs")).json()["items"]
    shown = (await client.get(f"{SYNTHGEN}/jobs/{job['synthgen_job_id']}")).json()

    assert [item["config"].get("conditions") for item in listed[:2]] == [None, {"age": 30}]
    assert shown["config"]["conditions"] == long


async def test_404_for_no_job(client):
    for job_id in (str(uuid4()), "x", "00000000-0000-0000-0000-000000000000"):
        assert (await client.get(f"{SYNTHGEN}/jobs/{job_id}")).status_code == 404
        assert (await client.get(f"{SYNTHGEN}/jobs/{job_id}/download")).status_code == 404


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("limit=0", "out_of_range"),
        ("limit=501", "out_of_range"),
        ("limit=-1", "invalid_type"),
        ("limit=%2B5", "invalid_type"),
        ("limit=1_000", "invalid_type"),
        ("limit=99999999999999999999", "invalid_type"),
        ("offset=-1", "invalid_type"),
        ("offset=abc", "invalid_type"),
        ("status=done", "unknown_status"),
        ("status=Completed", "unknown_status"),
        ("project_id=x", "invalid_id"),
    ],
)
async def test_422_for_a_query_that_does_not_fit(client, query, code):
    response = await client.get(f"{SYNTHGEN}/jobs?{query}")

    assert (response.status_code, response.json()["code"]) == (422, code)


async def test_an_offset_beyond_the_end_is_an_empty_page(client, given_model):
    await given_model()

    page = (await client.get(f"{SYNTHGEN}/jobs?offset=10")).json()

    assert page == {"items": [], "total": 1, "limit": 50, "offset": 10}


class TestEta:
    async def test_it_goes_by_the_seconds_of_training_that_were_not_in_vain(self, client, server, given_model):
        model = await given_model()
        job = (await server.store.claim_next({JobType.TRAIN})).job

        await server.store.report_progress(job.id, job.attempt, Progress(0.2, seconds=110.0, seconds_lost=90.0))

        assert (await client.get(f"{SYNTHGEN}/jobs/{model['job_id']}")).json()["eta_seconds"] == 80.0

    async def test_there_is_none_before_there_is_a_pace(self, client, server, given_model):
        model = await given_model()
        await server.store.claim_next({JobType.TRAIN})

        assert (await client.get(f"{SYNTHGEN}/jobs/{model['job_id']}")).json()["eta_seconds"] is None
