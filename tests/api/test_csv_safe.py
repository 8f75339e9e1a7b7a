"""A table with what spreadsheets run as formulas: out as it came in, or as plain text where that is asked for."""

import csv
import io

import pytest

from tests.api.conftest import SYNTHGEN

FORMULAS = ["=cmd|' /C calc'!A0", "@SUM(1)", "\t1", " +cell"]
NAMES = ["=1+1", "@x", "-a"]


@pytest.fixture
def table() -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(NAMES)
    writer.writerows([FORMULAS[row % 4], -row, "plain" if row % 2 else "-5"] for row in range(80))
    return text.getvalue().encode()


@pytest.fixture
def given_formulas(client, server, given_dataset, project_id, table):
    """A dataset of formulas, and a ready model of it."""

    async def given() -> tuple[str, str]:
        dataset = await given_dataset(table)
        order = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "formulas"}
        model = (await client.post(f"{SYNTHGEN}/models", json={**order, "model_type": "gaussian_copula"})).json()
        await server.run_queue()
        return dataset["dataset_id"], model["id"]

    return given


def read(content: bytes) -> tuple[list[str], list[list[str]]]:
    header, *rows = csv.reader(io.StringIO(content.decode(), newline=""))
    return header, rows


async def test_a_table_comes_back_as_it_went_or_without_formulas(client, given_formulas, table):
    url = f"/api/datasets/{(await given_formulas())[0]}/download"

    plain = await client.get(url)
    safe = await client.get(url, params={"csv_safe": "true"})

    assert plain.content == table
    header, rows = read(safe.content)
    assert header == [f"'{name}" for name in NAMES]
    assert [row[0] for row in rows] == [f"'{FORMULAS[row % 4]}" for row in range(80)]
    assert [row[1:] for row in rows] == [row[1:] for row in read(table)[1]]


async def test_generated_rows_hold_formulas_or_none(client, server, given_formulas):
    _, model_id = await given_formulas()
    made = []
    for safe in (False, True):
        body = {"num_rows": 100, "seed": 1, "csv_safe": safe}
        job = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=body)).json()
        await server.run_queue()
        shown = (await client.get(f"{SYNTHGEN}/jobs/{job['job_id']}")).json()
        assert shown["config"]["csv_safe"] is safe
        made.append(read((await client.get(f"{SYNTHGEN}/jobs/{job['job_id']}/download")).content))

    (header, rows), (safe_header, safe_rows) = made
    assert (header, safe_header) == (NAMES, [f"'{name}" for name in NAMES])
    assert {row[0] for row in rows} == set(FORMULAS)
    assert safe_rows == [[f"'{row[0]}", *row[1:]] for row in rows]


async def test_parquet_has_no_formulas_to_make_safe(client, given_dataset):
    url = f"/api/datasets/{(await given_dataset())['dataset_id']}/download"

    response = await client.get(url, params={"csv_safe": "true", "format": "parquet"})

    assert (response.status_code, response.json()["code"]) == (422, "csv_safe_needs_csv")
