"""Ids, pages and filters: what is no id is nowhere, what no page can be is refused, a filter is taken to the letter."""

from uuid import UUID

import pytest

from tests.api.bank import Bank
from tests.api.conftest import SYNTHGEN

ID = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff"
# Of each resource the name of its id in the bank, and its address.
RESOURCES = [
    ("project_id", "/api/projects/{}"),
    ("project_id", "/api/projects/{}/usage"),
    ("dataset_id", "/api/datasets/{}"),
    ("dataset_id", "/api/datasets/{}/columns"),
    ("dataset_id", "/api/datasets/{}/download"),
    ("model_id", f"{SYNTHGEN}/models/{{}}"),
    ("model_id", f"{SYNTHGEN}/models/{{}}/export"),
    ("output_id", f"{SYNTHGEN}/jobs/{{}}"),
    ("output_id", f"{SYNTHGEN}/jobs/{{}}/download"),
    ("output_id", f"{SYNTHGEN}/jobs/{{}}/events"),
]
ADDRESSES = [address for _, address in RESOURCES]
LISTS = ["/api/projects", "/api/keys", "/api/datasets", f"{SYNTHGEN}/models", f"{SYNTHGEN}/jobs"]
FILTERED = ["/api/datasets", f"{SYNTHGEN}/models", f"{SYNTHGEN}/jobs"]

NOT_IDS = [
    *("x", ID[:-1], f"{ID}0", f"{ID}%00", f"%7B{ID}%7D", f"urn:uuid:{ID}", f"{ID} ", f"{ID}%0a", "0", "null"),
    *("..%2f..%2fetc%2fpasswd", "%2e%2e", "%252e%252e", "..%5c..%5cx", "%f0%9f%a6%9c", "%ff", f"{ID}%2f"),
]
ABSENT = [
    str(UUID(int=0)),
    str(UUID(int=2**128 - 1)),
    "02493dd3-4830-4596-bb2c-a682b412f3a3",
    ID.upper(),
    ID.replace("-", ""),
]

QUERIES = [
    *((f"limit={value}", "out_of_range") for value in ("0", "501", "999999999")),
    *((f"limit={value}", "invalid_type") for value in ("-1", "1000000000", "9" * 20, "%2B5", "1_000", "%EF%BC%95")),
    *((f"limit={value}", "invalid_type") for value in ("%205", "5%20", "5.0", "", "abc", "%00", "5%00", "0x5", "1e2")),
    *((f"offset={value}", "invalid_type") for value in ("-1", "1" + "0" * 20, "x", "", "%2B1")),
    ("limit=5&limit=5", "duplicate_parameter"),
    ("offset=0&limit=1&offset=1", "duplicate_parameter"),
    ("sort=name", "unknown_parameter"),
]
FILTERS = [
    *((f"project_id={value}", "invalid_id") for value in (*NOT_IDS[:10], "")),
    ("project_id=%27%20OR%20%271%27=%271", "invalid_id"),
    ("project_id=%25", "invalid_id"),
    ("project_id=%25%27", "invalid_id"),
    ("project_id=_", "invalid_id"),
]
JOB_FILTERS = [
    *(
        (f"status={value}", "unknown_status")
        for value in ("done", "Completed", "pending,running", "", "cancelled", "_")
    ),
    ("status=%27%20OR%20%271%27=%271", "unknown_status"),
    ("status=completed&status=failed", "duplicate_parameter"),
    ("model_id=%25", "invalid_id"),
]


@pytest.mark.parametrize("wrong", NOT_IDS)
async def test_404_for_what_is_no_id(bank: Bank, wrong):
    for address in ADDRESSES:
        response = await bank.client.get(address.format(wrong))

        assert (response.status_code, response.json()["code"]) == (404, "not_found"), address
        assert "passwd" not in response.text
    await bank.refuses("POST", f"{SYNTHGEN}/models/{wrong}/generate", 404, "not_found", json={})


@pytest.mark.parametrize("absent", ABSENT)
async def test_404_for_an_id_of_nothing(bank: Bank, absent):
    for address in ADDRESSES:
        response = await bank.client.get(address.format(absent))

        assert (response.status_code, response.json()["code"]) == (404, "not_found"), address
    await bank.refuses("DELETE", f"{SYNTHGEN}/models/{absent}", 404, "not_found")


async def test_an_id_may_be_in_capitals_and_without_hyphens_wherever_it_stands(bank: Bank):
    for name, address in RESOURCES:
        for written in (bank.ids[name].upper(), bank.ids[name].replace("-", "")):
            assert (await bank.client.get(address.format(written))).status_code == 200, address
    for path in FILTERED:
        filtered = await bank.client.get(path, params={"project_id": bank.project_id.upper()})
        assert filtered.json()["total"] > 0


async def test_422_for_a_wrong_id_in_a_body_by_the_same_rule(bank: Bank):
    for written in (f"{{{bank.project_id}}}", f"urn:uuid:{bank.project_id}", f"{bank.project_id} ", "../../etc"):
        order = {**bank.order, "project_id": written}
        await bank.refuses("POST", f"{SYNTHGEN}/models", 422, "invalid_id", json=order)
        form = {"project_id": written, "name": "customers"}
        await bank.refuses(
            "POST", "/api/datasets/upload", 422, "invalid_id", data=form, files={"file": ("c.csv", b"a\n1\n")}
        )


async def test_404_behind_a_slash_and_414_for_an_address_of_8_kilobytes(bank: Bank):
    for name, address in RESOURCES:
        await bank.refuses("GET", f"{address.format(bank.ids[name])}/", 404, "not_found")
    for path in LISTS:
        await bank.refuses("GET", f"{path}/", 404, "not_found")
    await bank.refuses("GET", f"/api/projects/{'0' * 8192}", 414, "url_too_long")


@pytest.mark.parametrize(("query", "code"), QUERIES)
async def test_422_for_a_page_that_cannot_be(bank: Bank, query, code):
    for path in LISTS:
        response = await bank.client.get(f"{path}?{query}")

        assert (response.status_code, response.json()["code"]) == (422, code), path


@pytest.mark.parametrize(("query", "code"), FILTERS)
async def test_422_for_a_filter_by_what_is_no_id(bank: Bank, query, code):
    for path in FILTERED:
        response = await bank.client.get(f"{path}?{query}")

        assert (response.status_code, response.json()["code"]) == (422, code), path


@pytest.mark.parametrize(("query", "code"), JOB_FILTERS)
async def test_422_for_a_filter_of_jobs_that_cannot_be(bank: Bank, query, code):
    await bank.refuses("GET", f"{SYNTHGEN}/jobs?{query}", 422, code)


@pytest.mark.parametrize("path", LISTS)
async def test_an_offset_beyond_the_end_is_an_empty_page_of_the_right_total(bank: Bank, path):
    total = (await bank.client.get(path)).json()["total"]

    page = (await bank.client.get(path, params={"offset": 999_999_999, "limit": 500})).json()

    assert page == {"items": [], "total": total, "limit": 500, "offset": 999_999_999}


@pytest.mark.parametrize("path", FILTERED)
async def test_the_things_of_an_absent_project_are_none(bank: Bank, path):
    page = (await bank.client.get(path, params={"project_id": ID})).json()

    assert (page["items"], page["total"]) == ([], 0)


async def test_the_jobs_of_a_model_are_none_under_another_project(bank: Bank):
    params = {"model_id": bank.model_id, "project_id": ID}

    page = (await bank.client.get(f"{SYNTHGEN}/jobs", params=params)).json()

    assert (page["items"], page["total"]) == ([], 0)
