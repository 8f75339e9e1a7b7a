"""Who may not come in, and what nobody may set."""

import hashlib

import httpx
import pytest

from synthgen_ray.api.app import create_app
from tests.api.bank import PROBLEM, Bank
from tests.api.conftest import NO_LIMITS, SYNTHGEN

FIXED = {
    "id": "02493dd3-4830-4596-bb2c-a682b412f3a3",
    "created_at": "2026-02-25T10:00:00Z",
    "status": "completed",
    "owner": "somebody else",
    "output_artifact_id": "02493dd3-4830-4596-bb2c-a682b412f3a3",
}


@pytest.mark.parametrize(
    "header",
    [
        *("", "Bearer", "Bearer ", "Bearer  ", "Basic x", "Token x", "x", "bearer", "Bearer\tx", "Digest a, Bearer b"),
        *("Bearer sg_unknown", "Bearer sg_" + "k" * 10_000, b"Bearer \xff\xfe", b"Bearer \0", b"Bearer a\nb", b"\xff"),
    ],
    ids=lambda header: repr(header)[:30],
)
async def test_401_without_a_key_that_is_one(bank: Bank, header):
    for method, path in (("GET", "/api/projects"), ("POST", f"{SYNTHGEN}/models"), ("GET", "/nowhere")):
        response = await bank.client.request(method, path, headers={"Authorization": header})

        assert response.status_code == 401
        assert response.headers["www-authenticate"] == "Bearer"
        assert set(response.json()) == PROBLEM
        assert len(response.content) < 1000


async def test_431_for_a_key_that_no_header_can_hold(bank: Bank):
    headers = {"Authorization": "Bearer " + "k" * 100_000}

    assert (await bank.client.get("/api/projects", headers=headers)).status_code == 431


async def test_401_for_a_key_in_the_address(bank: Bank):
    for name in ("key", "api_key", "access_token", "authorization"):
        response = await bank.client.get("/api/projects", params={name: bank.server.key}, headers={"Authorization": ""})

        assert response.status_code == 401
        assert bank.server.key not in response.text


async def test_a_key_that_is_almost_right_is_answered_like_any_other(bank: Bank):
    key, request_id = bank.server.key, {"X-Request-ID": "the-same"}
    wrong = [key[:-1], f"{key}x", key.swapcase(), key[:-1] + ("a" if key[-1] != "a" else "b"), "sg_" + "0" * 43, "x"]

    answers = [
        await bank.client.get("/api/projects", headers={"Authorization": f"Bearer {one}", **request_id})
        for one in wrong
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({(answer.content, str(answer.headers)) for answer in answers}) == 1


async def test_a_wrong_key_is_looked_up_once_by_the_hash_of_all_of_it(bank: Bank):
    """So the time of an answer tells nothing: there is no part of a key that is found, or compared, before the rest."""
    key, looked_up = bank.server.key, []
    wrong = [key[:-1], f"{key}x", key.swapcase(), "sg_" + "0" * 43, "x"]

    async def find(hashed: str) -> None:
        looked_up.append(hashed)

    app = create_app(bank.server.app.state.service, find, bank.server.checks, rate_limits=NO_LIMITS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        for one in wrong:
            await client.get("/api/projects", headers={"Authorization": f"Bearer {one}"})

    assert looked_up == [hashlib.sha256(one.encode()).hexdigest() for one in wrong]


@pytest.mark.parametrize("field", FIXED)
async def test_422_for_what_the_server_alone_sets(bank: Bank, field):
    extra = {field: FIXED[field]}
    model = f"{SYNTHGEN}/models/{bank.model_id}"
    form = {"project_id": bank.project_id, "name": "customers", **extra}

    for method, path, body in (
        ("POST", "/api/projects", {"name": "Another"}),
        ("PATCH", f"/api/projects/{bank.project_id}", {"name": "Another"}),
        ("POST", "/api/keys", {"name": "Another", "role": "viewer"}),
        ("POST", f"{SYNTHGEN}/models", bank.order),
        ("POST", f"{model}/generate", {"num_rows": 5}),
        ("POST", f"/api/datasets/{bank.dataset_id}/versions", {"uri": "s3://elsewhere/table.csv"}),
    ):
        await bank.refuses(method, path, 422, "unknown_field", json={**body, **extra})
    for path in ("/api/datasets/upload", f"{SYNTHGEN}/models/import"):
        await bank.refuses("POST", path, 422, "unknown_field", data=form, files={"file": ("c.csv", b"a\n1\n")})
