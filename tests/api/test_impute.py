"""`POST /api/synthgen/models/{id}/impute`: a table comes back without its gaps."""

import csv
import io
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.api.conftest import SYNTHGEN, a_table

LEARNT = ("age", "income", "balance", "active", "opened")


def with_gaps(table: bytes, share: float = 0.3) -> bytes:
    """The table with cells of every column gone at random."""
    chance = random.Random(3)
    header, *rows = csv.reader(io.StringIO(table.decode()))
    gaps = [["" if chance.random() < share else cell for cell in row] for row in rows]
    text = io.StringIO()
    csv.writer(text).writerows([header, *gaps])
    return text.getvalue().encode()


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.fixture(scope="module")
def refined() -> dict[str, bytes]:
    """The file of a model that need not first learn from its own rows what its columns say of each other."""
    return {}


@pytest.fixture
def given_refined_model(client, project_id, given_ready_model, refined):
    """It, trained once."""

    async def given() -> str:
        if not refined:
            model_id = await given_ready_model(config={"refine": True, "seed": 1})
            refined["file"] = (await client.get(f"{SYNTHGEN}/models/{model_id}/export")).content
        form, files = {"project_id": project_id, "name": "Refined"}, {"file": ("a.synthgen", refined["file"])}
        response = await client.post(f"{SYNTHGEN}/models/import", data=form, files=files)
        assert response.status_code == 201, response.text
        return response.json()["id"]

    return given


@pytest.fixture
def impute(client, server):
    """Asks for it; answers the job once it has ended."""

    async def impute(model_id: str, dataset: dict, **params: object) -> dict:
        body = {"dataset_version_id": dataset["dataset_version_id"], **params}
        response = await client.post(f"{SYNTHGEN}/models/{model_id}/impute", json=body)
        assert response.status_code == 200, response.text
        await server.run_queue()
        return (await client.get(f"{SYNTHGEN}/jobs/{response.json()['synthgen_job_id']}")).json()

    return impute


@pytest.fixture
def output(client):
    async def output(job: dict) -> bytes:
        response = await client.get(f"{SYNTHGEN}/jobs/{job['id']}/download")
        assert response.status_code == 200, (response.text, job["error"])
        return response.content

    return output


async def test_what_is_there_stays_and_what_was_learnt_has_no_gaps(given_refined_model, given_dataset, impute, output):
    model_id = await given_refined_model()
    gaps = with_gaps(a_table(150))

    job = await impute(model_id, await given_dataset(gaps, "gaps"), seed=1)
    given, filled = rows_of(gaps), rows_of(await output(job))

    assert (job["job_type"], job["result"]["num_rows"], job["config"]["seed"]) == ("generate", 150, 1)
    assert [list(row) for row in filled] == [list(row) for row in given]
    for before, after in zip(given, filled, strict=True):
        assert not before["balance"] or float(after["balance"]) == float(before["balance"])
        others = [name for name in before if before[name] and name != "balance"]
        assert [after[name] for name in others] == [before[name] for name in others]
        assert all(after[name] for name in LEARNT)
        assert after["bank"] == "First"
        assert after["account"] == before["account"]  # an id is not made up
    assert {row["income"] for row in filled} == {">50K", "<=50K"}


async def test_the_values_follow_from_their_rows(given_ready_model, given_dataset, impute, output):
    model_id = await given_ready_model()
    rows = rows_of(a_table(200))
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows({**row, "income": ""} for row in rows)

    filled = rows_of(await output(await impute(model_id, await given_dataset(text.getvalue().encode(), "b"), seed=1)))

    rich = {True: 0, False: 0}
    for row in filled:
        rich[int(row["age"]) > 45] += row["income"] == ">50K"
    assert rich[True] > 3 * rich[False]


async def test_the_same_seed_gives_the_same_bytes_in_every_part(given_refined_model, given_dataset, impute, server):
    model_id = await given_refined_model()
    dataset = await given_dataset(with_gaps(a_table(60_000)), "long")  # of more chunks than a part has

    first, second, other = [await impute(model_id, dataset, seed=seed, format="jsonl") for seed in (1, 1, 2)]

    assert first["result"]["num_rows"] == 60_000
    assert first["result"]["sha256"] == second["result"]["sha256"] != other["result"]["sha256"]


async def test_in_parquet_the_types_are_the_models(given_refined_model, given_dataset, impute, output):
    model_id = await given_refined_model()

    job = await impute(model_id, await given_dataset(with_gaps(a_table(100)), "gaps"), format="parquet")

    table = pq.read_table(io.BytesIO(await output(job)))
    assert table.num_rows == 100
    assert table.schema.field("age").type == pa.int64()
    assert pa.types.is_temporal(table.schema.field("opened").type)


async def test_columns_of_its_own_stay_as_they_are(given_refined_model, given_dataset, impute, output):
    lines = with_gaps(a_table(100)).decode().splitlines()
    more = "\n".join([f"shop,{lines[0]}", *(f"{'S-1' if n % 2 else ''},{line}" for n, line in enumerate(lines[1:]))])

    job = await impute(await given_refined_model(), await given_dataset(more.encode(), "more"), seed=1)

    assert [row["shop"] for row in rows_of(await output(job))] == ["", "S-1"] * 50


async def test_a_column_with_nothing_in_it_is_filled(given_refined_model, given_dataset, impute, output):
    header, *rows = csv.reader(io.StringIO(a_table(100).decode()))
    text = io.StringIO()
    csv.writer(text).writerows([header, *([row[0], "", *row[2:5], "", row[6]] for row in rows)])

    job = await impute(await given_refined_model(), await given_dataset(text.getvalue().encode(), "empty"), seed=1)

    filled = rows_of(await output(job))
    assert all(18 <= int(row["age"]) <= 80 for row in filled)
    assert all(row["opened"].startswith("20") for row in filled)


async def test_cells_that_the_table_has_stay_where_an_upload_reads_them_otherwise(
    given_dataset, given_ready_model, impute, output
):
    """In training some cells of these columns are words; in the table to fill none is."""
    flags, sums = ("TRUE", "FALSE", "MAYBE"), ("1.50", "2.50", "n.v.")
    learnt = await given_dataset(
        "\n".join(["flag,sum,y", *(f"{flags[n % 3]},{sums[n % 3]},{n % 17}" for n in range(200))]).encode(), "words"
    )
    model_id = await given_ready_model(dataset_version_id=learnt["dataset_version_id"])
    gaps = [f"{flags[n % 2]},{sums[n % 2]}," for n in range(40)]

    job = await impute(model_id, await given_dataset("\n".join(["flag,sum,y", *gaps]).encode(), "gaps"), seed=1)

    assert [f"{row['flag']},{row['sum']}," for row in rows_of(await output(job))] == gaps


class TestRefusals:
    async def test_422_for_a_table_that_lacks_a_column(self, client, given_refined_model, given_dataset):
        model_id = await given_refined_model()
        dataset = await given_dataset(b"age,income\n" + b"30,>50K\n40,<=50K\n" * 20, "short")

        response = await client.post(
            f"{SYNTHGEN}/models/{model_id}/impute", json={"dataset_version_id": dataset["dataset_version_id"]}
        )

        assert (response.status_code, response.json()["code"]) == (422, "column_mismatch")
        assert "'balance'" in response.json()["detail"]

    async def test_a_column_of_another_type_ends_the_job_with_a_reason_and_no_cell(
        self, given_refined_model, given_dataset, impute
    ):
        words = a_table(100).replace(b",<=50K,", b",<=50K,eleven")
        words = words.replace(b",>50K,", b",>50K,eleven")

        job = await impute(await given_refined_model(), await given_dataset(words, "words"))

        assert (job["status"], job["error"]["code"]) == ("failed", "column_mismatch")
        assert "'balance'" in job["error"]["message"]
        assert "eleven" not in job["error"]["message"]

    async def test_404_for_no_dataset_version(self, client, given_refined_model):
        body = {"dataset_version_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}

        response = await client.post(f"{SYNTHGEN}/models/{await given_refined_model()}/impute", json=body)

        assert (response.status_code, response.json()["code"]) == (404, "not_found")

    async def test_422_for_the_table_of_another_project(self, client, given_refined_model):
        other = (await client.post("/api/projects", json={"name": "Other"})).json()["id"]
        form = {"project_id": other, "name": "theirs"}
        theirs = (await client.post("/api/datasets/upload", data=form, files={"file": ("a.csv", a_table())})).json()
        body = {"dataset_version_id": theirs["dataset_version_id"]}

        response = await client.post(f"{SYNTHGEN}/models/{await given_refined_model()}/impute", json=body)

        assert (response.status_code, response.json()["code"]) == (422, "project_mismatch")

    async def test_409_before_the_model_is_ready(self, client, given_model, given_dataset):
        model = await given_model()
        body = {"dataset_version_id": (await given_dataset(name="more"))["dataset_version_id"]}

        response = await client.post(f"{SYNTHGEN}/models/{model['id']}/impute", json=body)

        assert (response.status_code, response.json()["code"]) == (409, "model_not_ready")

    @pytest.mark.parametrize(
        "body",
        [
            None,
            {},
            {"dataset_version_id": "x"},
            {"dataset_version_id": 5},
            {"dataset_version_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "seed": -1},
            {"dataset_version_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "format": "xml"},
            {"dataset_version_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "format": "jsonl", "csv_safe": True},
            {"dataset_version_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7", "num_rows": 5},
        ],
    )
    async def test_422_for_a_bad_body(self, bank, body):
        response = await bank.client.post(f"{SYNTHGEN}/models/{bank.ids['model_id']}/impute", json=body)

        assert response.status_code == 422, response.text


async def test_a_table_that_was_deleted_meanwhile_ends_the_job_with_a_reason(
    client, server, given_refined_model, given_dataset
):
    dataset = await given_dataset(with_gaps(a_table()), "gaps")
    body = {"dataset_version_id": dataset["dataset_version_id"]}
    queued = (await client.post(f"{SYNTHGEN}/models/{await given_refined_model()}/impute", json=body)).json()
    assert (await client.delete(f"/api/datasets/{dataset['dataset_id']}")).status_code == 200

    await server.run_queue()

    job = (await client.get(f"{SYNTHGEN}/jobs/{queued['synthgen_job_id']}")).json()
    assert (job["status"], job["error"]["code"]) == ("failed", "dataset_deleted")
    assert job["config"] == {**body, "seed": None, "format": "csv", "csv_safe": False, "num_rows": 200}


async def test_one_key_fills_once(client, given_refined_model, given_dataset):
    body = {"dataset_version_id": (await given_dataset(with_gaps(a_table()), "gaps"))["dataset_version_id"]}
    model_id, once = await given_refined_model(), {"Idempotency-Key": "once"}

    first, second = [
        (await client.post(f"{SYNTHGEN}/models/{model_id}/impute", json=body, headers=once)).json() for _ in range(2)
    ]

    assert first == second
