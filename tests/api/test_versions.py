"""`/api/datasets/{id}`: versions, columns, download, delete."""

import csv
import io

import pyarrow.parquet as pq
import pytest

from tests.api.conftest import SYNTHGEN, a_table


@pytest.fixture
def dataset_url(given_dataset):
    async def given(content: bytes | None = None) -> str:
        return f"/api/datasets/{(await given_dataset(content))['dataset_id']}"

    return given


async def test_a_dataset_shows_its_latest_version(client, given_dataset, project_id):
    first = await given_dataset()
    more = {"project_id": project_id, "name": "ignored", "dataset_id": first["dataset_id"]}
    second = await client.post("/api/datasets/upload", data=more, files={"file": ("t.csv", a_table(40))})

    url = f"/api/datasets/{first['dataset_id']}"
    shown = (await client.get(url)).json()
    versions = (await client.get(f"{url}/versions")).json()

    assert (shown["version"], shown["num_rows"], shown["name"]) == (1, 40, "accounts")
    assert [(one["version"], one["num_rows"]) for one in versions["items"]] == [(1, 40), (0, 200)]
    assert versions["items"][0]["id"] == second.json()["dataset_version_id"]
    shown = (await client.get(f"{url}/versions/0")).json()
    assert versions["items"][1] == {name: shown[name] for name in shown if name not in ("columns", "warnings")}


async def test_columns_are_those_of_the_version(client, dataset_url):
    url = await dataset_url()

    columns = (await client.get(f"{url}/columns", params={"version": 0})).json()

    assert columns == {"version": 0, "columns": (await client.get(f"{url}/versions/0")).json()["columns"]}
    kinds = {column["name"]: column["kind"] for column in columns["columns"]}
    assert kinds["account"] == "id"
    assert kinds["bank"] == "constant"


@pytest.mark.parametrize("suffix", ["", "/versions", "/versions/7", "/columns?version=7", "/download?version=7"])
async def test_404_for_one_that_is_not_there(client, dataset_url, suffix):
    url = await dataset_url() if "7" in suffix else "/api/datasets/6f9619ff-8b86-4d01-b42d-00cf4fc964ff"

    assert (await client.get(url + suffix)).status_code == 404


@pytest.mark.parametrize("version", ["-1", "x", "1e3", "9999999999999"])
async def test_a_version_is_a_number(client, dataset_url, version):
    url = await dataset_url()

    assert (await client.get(f"{url}/versions/{version}")).status_code == 404
    assert (await client.get(f"{url}/columns", params={"version": version})).status_code == 422


class TestDownload:
    async def test_csv_comes_as_it_was(self, client, dataset_url):
        content = a_table(150)
        url = await dataset_url(content)

        response = await client.get(f"{url}/download")

        assert response.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in response.headers["content-disposition"]
        sent, came = (list(csv.reader(io.StringIO(text))) for text in (content.decode(), response.text))
        for place in (0, 1, 2, 5, 6):  # ids, integers, text and dates; decimals lose their last zeros
            assert [row[place] for row in came] == [row[place] for row in sent]
        assert len(came) == len(sent)

    async def test_parquet_is_the_canonical_table_with_ranges(self, client, dataset_url):
        url = await dataset_url()

        whole = await client.get(f"{url}/download", params={"format": "parquet"})
        part = await client.get(f"{url}/download", params={"format": "parquet"}, headers={"Range": "bytes=0-3"})

        assert pq.read_table(io.BytesIO(whole.content)).num_rows == 200
        assert (part.status_code, part.content) == (206, b"PAR1")

    async def test_head_answers_the_headers_alone(self, client, dataset_url):
        response = await client.head(f"{await dataset_url()}/download")

        assert (response.status_code, response.content) == (200, b"")

    async def test_head_of_csv_claims_no_length_and_reads_no_byte(self, client, server, dataset_url, monkeypatch):
        path = f"{await dataset_url()}/download"
        whole = await client.get(path)
        monkeypatch.setattr(type(server.artifacts), "verified_file", None)

        head = await client.head(path)

        assert (head.status_code, head.content, "content-length" in head.headers) == (200, b"", False)
        assert {name: head.headers[name] for name in ("content-type", "content-disposition")} == {
            name: whole.headers[name] for name in ("content-type", "content-disposition")
        }

    async def test_head_of_csv_is_410_where_the_file_is_gone(self, client, server, dataset_url):
        path = f"{await dataset_url()}/download"
        (table,) = server.artifacts.path("datasets", "").rglob("*.parquet")
        table.unlink()

        assert (await client.head(path)).status_code == 410

    async def test_422_for_another_format(self, client, dataset_url):
        response = await client.get(f"{await dataset_url()}/download", params={"format": "xml"})

        assert (response.status_code, response.json()["code"]) == (422, "unknown_format")


class TestDelete:
    async def test_one_that_was_learnt_is_kept_until_its_model_is_gone(self, client, server, given_ready_model):
        model_id = await given_ready_model()
        model = (await client.get(f"{SYNTHGEN}/models/{model_id}")).json()["model"]
        url = f"/api/datasets/{model['dataset_id']}"

        refused = await client.delete(url)
        await client.delete(f"{SYNTHGEN}/models/{model_id}")
        deleted = await client.delete(url)

        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")
        assert deleted.json() == {"ok": True, "dataset_id": model["dataset_id"]}
        assert (await client.get(url)).status_code == 404
        await server.dispatcher.tidy()
        assert not list(server.artifacts.path("datasets", "").rglob("*.parquet"))
