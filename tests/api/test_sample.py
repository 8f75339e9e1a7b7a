"""`POST /api/synthgen/models/{id}/sample`: rows that come with the answer."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncGenerator

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgen_ray.datasets.converter import Converter
from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.domain.entities import Draw
from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.service.sampling import DrawChunks
from synthgen_ray.service.service import Service
from tests.api.conftest import SYNTHGEN, Server, an_app

MEDIA = {
    "csv": "text/csv",
    "json": "application/json",
    "jsonl": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
}
SEED = "x-synthgen-seed"


@pytest.fixture
def sample(client):
    async def sample(model_id: str, form: str = "json", **params: object):
        headers = {"Accept": MEDIA[form]}
        return await client.post(f"{SYNTHGEN}/models/{model_id}/sample", json=params, headers=headers)

    return sample


@pytest.fixture
def used(client, project_id):
    async def used() -> int:
        return (await client.get(f"/api/projects/{project_id}/usage")).json()["generated_rows"]

    return used


async def no_sampler_is_free(_draw: Draw) -> AsyncGenerator[bytes, None]:
    raise Unavailable("The samplers have more to do than they can: try again soon.", "busy")
    yield b""


def client_of(server: Server, draw: DrawChunks, headers: httpx.Headers) -> httpx.AsyncClient:
    """Of the same server with other samplers."""
    service = Service(server.store, server.artifacts, server.dispatcher.nudge, Converter(UploadLimits()), draw)
    transport = httpx.ASGITransport(an_app(service, server.store, server.checks))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers)


class TestRows:
    async def test_are_records_without_a_wish(self, client, given_ready_model):
        response = await client.post(f"{SYNTHGEN}/models/{await given_ready_model()}/sample")

        assert (response.status_code, response.headers["content-type"]) == (200, "application/json")
        assert len(response.json()) == 100
        assert list(response.json()[0]) == ["account", "age", "income", "balance", "active", "opened", "bank"]

    async def test_are_the_same_in_every_format(self, sample, given_ready_model):
        model_id = await given_ready_model()

        answers = {form: await sample(model_id, form, num_rows=50, seed=3) for form in MEDIA}

        for form, answer in answers.items():
            assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, MEDIA[form])
            assert answer.headers[SEED] == "3"
        records = answers["json"].json()
        assert [json.loads(line) for line in answers["jsonl"].text.splitlines()] == records
        text = [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in records]
        assert list(csv.DictReader(io.StringIO(answers["csv"].text))) == text
        parquet = pq.read_table(io.BytesIO(answers["parquet"].content)).to_pylist()
        assert [{**row, "opened": str(row["opened"])} for row in parquet] == records
        assert pa.ipc.open_stream(answers["arrow"].content).read_all().to_pylist() == parquet

    async def test_come_in_what_any_line_of_accept_takes(self, client, given_ready_model):
        url = f"{SYNTHGEN}/models/{await given_ready_model()}/sample"

        response = await client.post(url, headers=[("Accept", "image/png"), ("Accept", "text/csv")])

        assert (response.status_code, response.headers["content-type"]) == (200, "text/csv; charset=utf-8")

    async def test_are_those_of_a_generation_of_the_same_seed(self, client, server, sample, given_ready_model):
        model_id = await given_ready_model()
        # More than a chunk, so that the second one's place in the seed's streams is told too.
        asked = {"num_rows": 25_000, "seed": 11, "conditions": {"income": ">50K"}}
        job = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=asked)).json()
        await server.run_queue()

        drawn = await sample(model_id, "csv", **asked)

        generated = await client.get(f"{SYNTHGEN}/jobs/{job['job_id']}/download")
        assert drawn.content == generated.content

    async def test_come_again_by_the_seed_that_the_answer_names(self, sample, given_ready_model):
        model_id = await given_ready_model()
        first, other = await sample(model_id, "csv", num_rows=20), await sample(model_id, "csv", num_rows=20)

        again = await sample(model_id, "csv", num_rows=20, seed=int(first.headers[SEED]))

        assert again.content == first.content != other.content

    async def test_obey_conditions_and_shares(self, sample, given_ready_model):
        model_id = await given_ready_model()

        obeying = await sample(model_id, num_rows=30, conditions={"income": ">50K", "age": {"min": 50, "max": 60}})
        shared = await sample(model_id, num_rows=100, distribution={"income": {">50K": 0.5, "<=50K": 0.5}})

        assert {row["income"] for row in obeying.json()} == {">50K"}
        assert all(50 <= row["age"] <= 60 for row in obeying.json())
        assert sum(row["income"] == ">50K" for row in shared.json()) == 50

    async def test_count_as_generated(self, sample, used, given_ready_model):
        model_id = await given_ready_model()
        for num_rows in (20, 30):
            assert (await sample(model_id, num_rows=num_rows)).status_code == 200

        assert await used() == 50


class TestRefusals:
    @pytest.mark.parametrize(
        ("params", "status", "code"),
        [
            ({"num_rows": 0}, 422, "out_of_range"),
            ({"num_rows": 100_001}, 413, "too_many_rows"),
            ({"seed": -1}, 422, "out_of_range"),
            ({"rows": 5}, 422, "unknown_field"),
            ({"format": "csv"}, 422, "unknown_field"),
            ({"csv_safe": True}, 422, "csv_safe_needs_csv"),
            ({"conditions": {"city": "Rome"}}, 422, "unknown_column"),
            ({"conditions": {"income": "rich"}}, 422, "unknown_value"),
            ({"conditions": {"age": {"min": 10**15}}}, 422, "conditions_unsatisfiable"),
        ],
    )
    async def test_are_problems_and_not_cut_answers(self, sample, given_ready_model, params, status, code):
        response = await sample(await given_ready_model(), **params)

        assert (response.status_code, response.json()["code"]) == (status, code), response.text
        assert response.headers["content-type"] == "application/problem+json"

    async def test_406_for_a_format_that_we_do_not_have(self, client, used, given_ready_model):
        url = f"{SYNTHGEN}/models/{await given_ready_model()}/sample"

        response = await client.post(url, headers={"Accept": "text/html"})

        assert (response.status_code, response.json()["code"]) == (406, "not_acceptable")
        assert await used() == 0

    async def test_409_before_the_model_is_ready(self, sample, given_model):
        response = await sample((await given_model())["id"])

        assert (response.status_code, response.json()["code"]) == (409, "model_not_ready")

    async def test_410_when_its_file_is_damaged(self, sample, tmp_path, given_ready_model):
        model_id = await given_ready_model()
        (file,) = (tmp_path / "artifacts").rglob("model.synthgen")
        file.write_bytes(b"damaged")

        response = await sample(model_id)

        assert (response.status_code, response.json()["code"]) == (410, "artifact_corrupt")

    @pytest.mark.parametrize("asked_before", [False, True])
    async def test_rows_that_never_came_count_not(self, server, sample, used, given_ready_model, asked_before):
        model_id = await given_ready_model()
        unsatisfiable = {"conditions": {"age": {"min": 10**15}}}
        server.store._quotas = Quotas(generated_rows=50)
        before = 10 if asked_before else 0
        if before:
            await sample(model_id, num_rows=before)

        statuses = [(await sample(model_id, num_rows=40, **unsatisfiable)).status_code for _ in range(3)]

        assert statuses == [422, 422, 422]
        assert await used() == before
        assert (await sample(model_id, num_rows=40)).status_code == 200

    async def test_nor_do_those_for_which_no_sampler_was_free(self, server, client, used, given_ready_model):
        url = f"{SYNTHGEN}/models/{await given_ready_model()}/sample"

        async with client_of(server, no_sampler_is_free, client.headers) as crowded:
            refused = await asyncio.gather(*(crowded.post(url) for _ in range(5)))

        assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(503, "busy")}
        assert await used() == 0

    async def test_429_over_the_quota_of_rows(self, server, sample, used, given_ready_model):
        model_id = await given_ready_model()
        server.store._quotas = Quotas(generated_rows=50)
        assert (await sample(model_id, num_rows=40)).status_code == 200

        response = await sample(model_id, num_rows=11)

        assert (response.status_code, response.json()["code"]) == (429, "quota_exceeded")
        assert await used() == 40


class TestAgain:
    """Who asked before has rows drawn while the store is still asked."""

    async def test_the_same_rows_come_and_count(self, sample, used, given_ready_model):
        model_id = await given_ready_model()

        answers = [await sample(model_id, "csv", num_rows=12_000, seed=3) for _ in range(3)]

        assert answers[0].status_code == 200
        assert {answer.content for answer in answers} == {answers[0].content}
        assert await used() == 36_000

    @pytest.mark.parametrize(
        ("params", "code"),
        [({"conditions": {"income": "rich"}}, "unknown_value"), ({"num_rows": 10**5, "seed": 1}, "quota_exceeded")],
    )
    async def test_what_the_store_refuses_is_refused_by_its_reason(
        self, server, sample, used, given_ready_model, params, code
    ):
        model_id = await given_ready_model()
        server.store._quotas = Quotas(generated_rows=50)
        before = await sample(model_id, num_rows=10, seed=1)

        refused = await sample(model_id, **params)

        assert refused.json()["code"] == code
        assert await used() == 10
        assert (await sample(model_id, num_rows=10, seed=1)).content == before.content

    async def test_a_model_that_was_deleted_is_gone(self, client, sample, given_ready_model):
        model_id = await given_ready_model()
        assert (await sample(model_id)).status_code == 200
        await client.delete(f"{SYNTHGEN}/models/{model_id}")

        assert (await sample(model_id)).json()["code"] == "not_found"
