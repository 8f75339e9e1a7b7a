"""`/models/{id}/export` and `/models/import`: a model moves as one file, which is refused when it was touched."""

import io
import json
import zipfile

import pyarrow as pa
import pytest

from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
from tests.api.conftest import SYNTHGEN
from tests.damage import with_a_bit_flipped


@pytest.fixture
async def exported(client, given_ready_model) -> bytes:
    response = await client.get(f"{SYNTHGEN}/models/{await given_ready_model()}/export")
    assert response.status_code == 200
    return response.content


@pytest.fixture
def imported(client, project_id):
    async def call(content: bytes, name: str = "Imported", **headers: str):
        return await client.post(
            f"{SYNTHGEN}/models/import",
            data={"project_id": project_id, "name": name},
            files={"file": ("model.synthgen", content)},
            headers=headers,
        )

    return call


async def test_it_is_ready_at_once_and_gives_the_same_rows(client, server, given_ready_model, imported):
    original = await given_ready_model()
    export = await client.get(f"{SYNTHGEN}/models/{original}/export")

    made = await imported(export.content)

    assert made.status_code == 201, made.text
    assert made.json()["status"] == "ready"
    rows = []
    for model_id in (original, made.json()["id"]):
        job = await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={"num_rows": 50, "seed": 3})
        await server.run_queue()
        rows.append((await client.get(f"{SYNTHGEN}/jobs/{job.json()['job_id']}/download")).content)
    assert rows[0] == rows[1]
    shown = (await client.get(f"{SYNTHGEN}/models/{made.json()['id']}")).json()
    assert (shown["model"]["dataset_name"], shown["model"]["dataset_version"]) == (None, None)
    again = await client.get(f"{SYNTHGEN}/models/{made.json()['id']}/export")
    assert again.content == export.content


async def test_409_for_the_export_of_one_that_is_not_ready(client, given_model):
    response = await client.get(f"{SYNTHGEN}/models/{(await given_model())['id']}/export")

    assert (response.status_code, response.json()["code"]) == (409, "model_not_ready")


async def test_it_is_made_once(imported, exported):
    first, again = [await imported(exported, **{"Idempotency-Key": "a"}) for _ in range(2)]

    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"


async def test_its_file_goes_with_it(client, server, imported, exported):
    made = await imported(exported)

    await client.delete(f"{SYNTHGEN}/models/{made.json()['id']}")
    await server.dispatcher.tidy()

    assert not list(server.artifacts.path("models", "").rglob("*.synthgen"))


async def test_413_for_more_long_rows_than_there_is_room_for(client, imported, tmp_path):
    model = GaussianCopula(seed=0).fit(pa.table({"text": ["a" * 300_000, "b" * 300_000] * 15, "n": range(30)}))
    model.chunk_rows = 10_000  # as releases before this one drew them
    model.save(tmp_path / "model")
    model_id = (await imported((tmp_path / "model").read_bytes())).json()["id"]

    asked = {num_rows: {"num_rows": num_rows, "seed": 0} for num_rows in (3, 10_000)}
    drawn = await client.post(f"{SYNTHGEN}/models/{model_id}/sample", json=asked[3])
    refused = [
        await client.post(f"{SYNTHGEN}/models/{model_id}/{how}", json=asked[10_000]) for how in ("sample", "generate")
    ]

    assert (drawn.status_code, len(drawn.json())) == (200, 3)
    assert [(answer.status_code, answer.json()["code"]) for answer in refused] == [(413, "rows_too_large")] * 2


async def test_413_for_more_json_than_there_is_room_for_where_names_are_long(client, imported, tmp_path):
    names = [f"{place}" + "\U0001f600" * 250 for place in range(10)]
    model = GaussianCopula(seed=0).fit(pa.table({name: range(30) for name in names}))
    model.chunk_rows = 100_000
    model.save(tmp_path / "model")
    address = f"{SYNTHGEN}/models/{(await imported((tmp_path / 'model').read_bytes())).json()['id']}"

    many = {"num_rows": 60_000}
    sampled = await client.post(f"{address}/sample", json=many)
    written = {
        form: await client.post(f"{address}/generate", json={**many, "format": form}) for form in ("jsonl", "csv")
    }

    assert (sampled.status_code, sampled.json()["code"]) == (413, "rows_too_large")
    assert (written["jsonl"].status_code, written["jsonl"].json()["code"]) == (413, "rows_too_large")
    assert written["csv"].status_code == 200


async def test_a_model_of_long_rows_that_draws_few_at_a_time_is_ours(client, imported, tmp_path):
    model = GaussianCopula(seed=0).fit(pa.table({"text": ["a" * 300_000, "b" * 300_000] * 15, "n": range(30)}))
    model.save(tmp_path / "model")

    made = await imported((tmp_path / "model").read_bytes())

    assert (made.status_code, model.chunk_rows < 250) == (201, True)


async def test_a_repeat_is_answered_though_the_quota_is_used_up_by_now(client, server, imported, exported):
    first = await imported(exported, **{"Idempotency-Key": "a"})
    server.store._quotas = Quotas(storage_bytes=1)

    again, anew = await imported(exported, **{"Idempotency-Key": "a"}), await imported(exported)

    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    assert (anew.status_code, anew.json()["code"]) == (429, "quota_exceeded")


def a_zip(**members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def with_chunks_of(num_rows: int, content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        card, weights = json.loads(archive.read("model.json")), archive.read("weights.safetensors")
    card["chunk_rows"] = num_rows
    return a_zip(**{"model.json": json.dumps(card).encode(), "weights.safetensors": weights})


TOUCHED = {
    "cut": lambda content: content[:-30],
    "a bit flipped": with_a_bit_flipped,
    "no model": lambda _: b"a,b\n1,2\n",
    "a pickle": lambda _: b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x94.",
    "another zip": lambda _: a_zip(**{"model.json": b"{}", "weights.safetensors": b""}),
    "empty": lambda _: b"",
    "a chunk of a row": lambda content: with_chunks_of(1, content),
    "chunks of a hundred rows": lambda content: with_chunks_of(100, content),
}


@pytest.mark.parametrize("touch", TOUCHED.values(), ids=TOUCHED)
async def test_422_for_a_file_that_was_touched(client, server, imported, exported, touch):
    refused = await imported(touch(exported))

    assert (refused.status_code, refused.json()["code"]) == (422, "model_corrupt")
    assert (await client.get(f"{SYNTHGEN}/models")).json()["total"] == 1
    assert not list(server.artifacts.path("models", "").rglob("*.synthgen"))
