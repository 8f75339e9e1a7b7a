"""Correcting a version's columns, and versions from storage."""

import asyncio
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from synthgen_ray.domain.quotas import Quotas
from synthgen_ray.service import datasets
from tests.api.conftest import SYNTHGEN, a_table

ZIPS = b"zip,plan,day\n" + b"".join(b"%05d,%d,0%d/04/2020\n" % (n * 7, n % 3, n % 9 + 1) for n in range(60))


@pytest.fixture
def correct(client):
    async def call(dataset: dict, body: dict, version: int = 0):
        url = f"/api/datasets/{dataset['dataset_id']}/versions/{version}/schema"
        return await client.patch(url, json=body)

    return call


def kinds(version: dict) -> dict[str, str]:
    return {column["name"]: column["kind"] for column in version["columns"]}


class TestCorrect:
    async def test_a_column_becomes_what_its_owner_says(self, client, server, given_dataset, correct):
        dataset = await given_dataset(ZIPS)

        corrected = await correct(dataset, {"columns": {"plan": {"kind": "categorical"}, "zip": {"kind": "text"}}})

        assert corrected.status_code == 200, corrected.text
        shown = (await client.get(f"/api/datasets/{dataset['dataset_id']}/versions/0")).json()
        assert shown == corrected.json()
        assert (kinds(shown)["plan"], kinds(shown)["zip"]) == ("categorical", "text")
        csv = (await client.get(f"/api/datasets/{dataset['dataset_id']}/download")).text.splitlines()
        assert csv[2].startswith("00007,1,")  # zeros and dates as they were
        assert csv[2].endswith(ZIPS.decode().splitlines()[2].split(",")[2])

    @pytest.mark.parametrize("kind", ["text", "categorical"])
    async def test_what_becomes_text_is_written_as_it_came(self, client, given_dataset, correct, kind):
        content = b"day,paid,share,n\n" + b"31.01.2024,TRUE,1.0,1\n01.02.2024,FALSE,2.0,2\n,TRUE,3.0,3\n" * 8
        dataset = await given_dataset(content)
        assert [column["kind"] for column in dataset["columns"]] == ["datetime", "boolean", "float", "integer"]

        corrected = await correct(dataset, {"columns": {name: {"kind": kind} for name in ("day", "paid", "share")}})

        assert corrected.status_code == 200, corrected.text
        assert (await client.get(f"/api/datasets/{dataset['dataset_id']}/download")).content == content

    async def test_what_was_said_of_an_id_goes_with_it(self, client, given_dataset, correct):
        content = b"account,n\n" + b"".join(b"%d,%d\n" % (pow(7, n % 60, 10**9), n) for n in range(600))
        dataset = await given_dataset(content)
        assert [warning["code"] for warning in dataset["warnings"]] == ["repeated_values"]

        await correct(dataset, {"columns": {"n": {"kind": "float"}}})
        corrected = await correct(dataset, {"columns": {"account": {"kind": "categorical"}}})
        once_more = await correct(dataset, {"columns": {"n": {"kind": "integer"}}})

        assert [warning["code"] for warning in corrected.json()["warnings"]] == ["personal_data"]
        assert once_more.json()["warnings"] == corrected.json()["warnings"]

    async def test_what_a_column_was_taken_for_is_told_until_its_owner_says_what_it_is(
        self, client, given_dataset, correct
    ):
        dataset = await given_dataset(
            b"day,at,key,n\n" + b"01-Feb-24,10:30,20240131,1\n02-Mar-25,02:45,20250301,2\n" * 9
        )
        codes = ["dates_as_text", "times_as_text", "dates_as_integers"]
        assert [warning["code"] for warning in dataset["warnings"]] == codes

        other = await correct(dataset, {"columns": {"n": {"kind": "float"}}})
        declared = {"day": ("datetime", "%d-%b-%y"), "at": ("categorical", None), "key": ("datetime", "%Y%m%d")}
        columns = {name: {"kind": kind, "format": written} for name, (kind, written) in declared.items()}
        corrected = await correct(dataset, {"columns": columns})

        assert [warning["code"] for warning in other.json()["warnings"]] == codes
        assert (corrected.status_code, corrected.json()["warnings"]) == (200, [])

    async def test_personal_data_is_told_as_long_as_it_is_learnt(self, client, given_dataset, correct):
        dataset = await given_dataset(
            b"phone,n\n" + b"".join(b"+1 (212) 555-%04d,%d\n" % (n, n % 9) for n in range(99))
        )

        told = []
        for kind in ("categorical", "categorical", "id"):
            corrected = await correct(dataset, {"columns": {"phone": {"kind": kind}}})
            told.append([warning["code"] for warning in corrected.json()["warnings"]])

        assert told == [["personal_data"], ["personal_data"], []]

    async def test_the_old_table_goes(self, server, given_dataset, correct):
        dataset = await given_dataset(ZIPS)

        await correct(dataset, {"columns": {"plan": {"kind": "categorical"}}})
        await server.dispatcher.tidy()

        assert len(list(server.artifacts.path("datasets", "").rglob("*.parquet"))) == 1

    async def test_429_where_it_takes_more_room_than_the_quota_leaves(
        self, client, server, project_id, given_dataset, correct
    ):
        dataset = await given_dataset(b"paid,n\n" + b"TRUE,1\nFALSE,2\n" * 30)
        used = (await client.get(f"/api/projects/{project_id}/usage")).json()["storage_bytes"]
        server.store._quotas = Quotas(storage_bytes=used)

        refused = await correct(dataset, {"columns": {"paid": {"kind": "text"}}})

        assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
        shown = (await client.get(f"/api/datasets/{dataset['dataset_id']}/versions/0")).json()
        assert (kinds(shown)["paid"], shown["size_bytes"]) == ("boolean", used)
        assert len(list(server.artifacts.path("datasets", "").rglob("*.parquet"))) == 1

    async def test_a_primary_key_is_an_id(self, given_dataset, correct):
        corrected = await correct(await given_dataset(), {"primary_key": "account"})

        assert kinds(corrected.json())["account"] == "id"

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"columns": {"nowhere": {"kind": "text"}}}, "unknown_column"),
            ({"columns": {"income": {"kind": "integer"}}}, None),
            ({"columns": {"income": {"kind": "colour"}}}, "unknown_value"),
            ({"primary_key": "income"}, "not_unique"),
            ({"kinds": {}}, "unknown_field"),
        ],
    )
    async def test_422_for_what_a_column_cannot_be(self, client, server, given_dataset, correct, body, code):
        dataset = await given_dataset()

        refused = await correct(dataset, body)

        assert refused.status_code == 422, refused.text
        assert code in (None, refused.json()["code"])
        assert (await client.get(f"/api/datasets/{dataset['dataset_id']}/versions/0")).json()["columns"] == dataset[
            "columns"
        ]
        assert len(list(server.artifacts.path("datasets", "").rglob("*.parquet"))) == 1

    async def test_409_once_a_model_was_trained_on_it(self, client, given_ready_model, correct):
        model_id = await given_ready_model()
        model = (await client.get(f"{SYNTHGEN}/models/{model_id}")).json()["model"]

        refused = await correct(model, {"columns": {"income": {"kind": "text"}}})

        assert (refused.status_code, refused.json()["code"]) == (409, "in_use")


class TestFetch:
    @pytest.fixture
    def fetch(self, client, given_dataset):
        async def call(uri: str):
            dataset = await given_dataset()
            return await client.post(f"/api/datasets/{dataset['dataset_id']}/versions", json={"uri": uri})

        return call

    async def test_a_version_comes_from_where_the_operator_allows(self, client, fetch, tmp_path):
        (tmp_path / "tables").mkdir()
        (tmp_path / "tables" / "more.csv").write_bytes(a_table(40))

        made = await fetch(f"file://{tmp_path}/tables/more.csv")

        assert made.status_code == 201, made.text
        assert (made.json()["version"], made.json()["num_rows"]) == (1, 40)
        shown = (await client.get(f"/api/datasets/{made.json()['dataset_id']}")).json()
        assert (shown["name"], shown["version"]) == ("accounts", 1)

    async def test_storage_that_is_slow_keeps_nobody_else_waiting(self, client, given_dataset, monkeypatch, tmp_path):
        answers = threading.Event()

        def slow(_uri: str, target: Path, *_: object) -> str:
            answers.wait()
            target.write_bytes(a_table(40))
            return "more.csv"

        monkeypatch.setattr(datasets, "fetch", slow)
        address = f"/api/datasets/{(await given_dataset())['dataset_id']}/versions"
        body = {"uri": f"file://{tmp_path}/tables/more.csv"}
        more_than_threads = min(32, (os.cpu_count() or 1) + 4) + 1
        asked = [asyncio.create_task(client.post(address, json=body)) for _ in range(more_than_threads)]
        try:
            while len(list((tmp_path / "artifacts" / "scratch").iterdir())) < more_than_threads:
                await asyncio.sleep(0.01)

            assert (await client.get("/readyz")).status_code == 200
        finally:
            answers.set()
            made = await asyncio.gather(*asked)
        assert {response.status_code for response in made} == {201}

    async def test_who_leaves_keeps_no_thread_at_it(self, client, given_dataset, monkeypatch, tmp_path):
        begun, goes_on, ended = threading.Event(), threading.Event(), threading.Event()

        def slow(_uri: str, target: Path, _most: int, before_each: Callable[[], None]) -> str:
            target.write_bytes(b"a block")
            before_each()
            begun.set()
            goes_on.wait()
            try:
                before_each()
            except OSError:
                ended.set()
            return "more.csv"

        monkeypatch.setattr(datasets, "fetch", slow)
        address = f"/api/datasets/{(await given_dataset())['dataset_id']}/versions"
        leaving = asyncio.create_task(client.post(address, json={"uri": f"file://{tmp_path}/tables/more.csv"}))
        await asyncio.to_thread(begun.wait)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        goes_on.set()

        assert await asyncio.to_thread(ended.wait, 20)

    @pytest.mark.parametrize(
        "uri",
        [
            "file:///etc/passwd",
            "file://{}/tables/../secret.csv",
            "file://{}/tables/%2e%2e/secret.csv",
            "file://{}/tables2/secret.csv",
            "file://{}/tables",
            "s3://bucket/t.csv",
            "s3://key:secret@bucket/t.csv",
            "http://169.254.169.254/latest/meta-data",
            "file://{}/tables/x.csv?a=b",
            "/etc/passwd",
            "x",
        ],
    )
    async def test_422_for_any_other_place(self, fetch, tmp_path, uri):
        (tmp_path / "secret.csv").write_bytes(a_table(40))

        refused = await fetch(uri.format(tmp_path))

        assert (refused.status_code, refused.json()["code"]) == (422, "uri_not_allowed")
        assert uri.format(tmp_path) not in refused.text

    async def test_422_where_there_is_no_file_or_no_table(self, fetch, tmp_path):
        (tmp_path / "tables").mkdir()
        (tmp_path / "tables" / "evil.csv").write_bytes(b"\x00\x01")

        absent = await fetch(f"file://{tmp_path}/tables/absent.csv")
        evil = await fetch(f"file://{tmp_path}/tables/evil.csv")

        assert (absent.status_code, absent.json()["code"]) == (422, "uri_not_found")
        assert evil.status_code == 422

    async def test_429_over_the_quota_before_the_storage_is_asked(self, client, server, given_dataset, tmp_path):
        dataset = await given_dataset()
        server.store._quotas = Quotas(storage_bytes=1)

        url, uri = f"/api/datasets/{dataset['dataset_id']}/versions", f"file://{tmp_path}/tables/absent.csv"
        refused = await client.post(url, json={"uri": uri})

        assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")

    async def test_a_name_may_hold_blanks(self, fetch, tmp_path):
        (tmp_path / "tables").mkdir()
        (tmp_path / "tables" / "a b.csv").write_bytes(a_table(40))

        made = await fetch(f"file://{tmp_path}/tables/a b.csv")

        assert (made.status_code, made.json()["num_rows"]) == (201, 40)

    @pytest.mark.parametrize("name", ["." * 300, "a" * 300, "/a" * 700, "a.csv/b.csv", " "])
    async def test_422_for_a_name_that_no_file_can_have(self, fetch, tmp_path, name):
        (tmp_path / "tables").mkdir()
        (tmp_path / "tables" / "a.csv").write_bytes(a_table(40))

        refused = await fetch(f"file://{tmp_path}/tables/{name}")

        assert (refused.status_code, refused.json()["code"]) == (422, "uri_not_found")

    async def test_a_link_out_of_the_place_is_not_followed(self, fetch, tmp_path):
        (tmp_path / "tables").mkdir()
        (tmp_path / "secret.csv").write_bytes(a_table(40))
        (tmp_path / "tables" / "link.csv").symlink_to(tmp_path / "secret.csv")

        refused = await fetch(f"file://{tmp_path}/tables/link.csv")

        assert (refused.status_code, refused.json()["code"]) == (422, "uri_not_allowed")


async def test_a_corrected_table_is_what_a_model_learns(client, server, given_dataset, correct, project_id):
    dataset = await given_dataset(ZIPS)
    await correct(dataset, {"columns": {"plan": {"kind": "categorical"}, "zip": {"kind": "text"}}})
    body = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "m"}

    made = await client.post(f"{SYNTHGEN}/models", json=body | {"model_type": "gaussian_copula"})
    await server.run_queue()
    await server.dispatcher.tidy()

    export = await client.get(f"{SYNTHGEN}/models/{made.json()['id']}/export")
    assert export.status_code == 200
    (file,) = server.artifacts.path("datasets", "").rglob("*.parquet")
    assert str(pq.read_schema(file).field("zip").type) == "string"
