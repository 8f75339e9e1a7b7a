"""`/api/keys`: roles, bindings, expiry."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import delete

from synthgen_ray.api import auth
from synthgen_ray.api.app import create_app
from synthgen_ray.api.rate_limits import RateLimits
from synthgen_ray.domain.access import Principal
from synthgen_ray.store.tables import ProjectRow
from tests.databases import on_both_databases


@pytest.fixture
def given_key(client):
    async def given(headers: dict[str, str] | None = None, **fields) -> dict:
        body = {"name": "nightly", "role": "editor", **fields}
        response = await client.post("/api/keys", json=body, headers=headers)
        assert response.status_code == 201, response.text
        return response.json()

    return given


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch) -> Clock:
    """By which keys are remembered."""
    clock = Clock()
    monkeypatch.setattr(auth, "monotonic", clock)
    return clock


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def test_a_key_is_shown_once(client, given_key):
    made = await given_key()

    (listed,) = (await client.get("/api/keys")).json()["items"]

    assert made["key"].startswith("sg_")
    assert listed == {name: value for name, value in made.items() if name != "key"}
    assert made["project_ids"] is None


async def test_only_a_hash_of_it_is_kept(server, given_key, tmp_path):
    key = (await given_key())["key"]

    await server.store.dispose()

    assert not [file for file in tmp_path.rglob("*") if file.is_file() and key.encode() in file.read_bytes()]


async def test_a_revoked_key_works_for_five_seconds_at_most(client, given_key, clock):
    made = await given_key()
    assert (await client.get("/api/projects", headers=bearer(made["key"]))).status_code == 200

    deleted = await client.delete(f"/api/keys/{made['id']}")

    assert deleted.json() == {"ok": True, "key_id": made["id"]}
    clock.advance(4.9)
    assert (await client.get("/api/projects", headers=bearer(made["key"]))).status_code in (200, 401)
    clock.advance(0.1)
    assert (await client.get("/api/projects", headers=bearer(made["key"]))).status_code == 401
    assert (await client.delete(f"/api/keys/{made['id']}")).status_code == 404


async def test_a_store_that_takes_its_time_lengthens_no_keys_life(server, client, given_key, clock):
    made = await given_key()

    async def found_late(hashed: str) -> Principal | None:
        found = await server.store.find_admission(hashed)
        await client.delete(f"/api/keys/{made['id']}")
        clock.advance(3)
        return found

    app = create_app(server.app.state.service, found_late, server.checks)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as slow:
        first = await slow.get("/api/projects", headers=bearer(made["key"]))
        clock.advance(2)
        second = await slow.get("/api/projects", headers=bearer(made["key"]))

    assert [first.status_code, second.status_code] == [200, 401]


@on_both_databases
async def test_a_revoked_key_that_is_still_remembered_makes_nothing_that_outlives_it(client, given_key):
    maker = await given_key(role="admin")
    made = await given_key(headers=bearer(maker["key"]))
    await client.delete(f"/api/keys/{maker['id']}")

    late = [
        await client.post(path, json=body, headers={**bearer(maker["key"]), **once})
        for path, body in (("/api/keys", {"name": "k", "role": "admin"}), ("/api/projects", {"name": "P"}))
        for once in ({}, {"Idempotency-Key": "a"})
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in late] == [(401, "invalid_key")] * 4
    assert [key["id"] for key in (await client.get("/api/keys")).json()["items"]] == [made["id"]]
    assert (await client.get("/api/projects", headers=bearer(made["key"]))).status_code == 200


async def test_an_expired_key_works_no_longer_even_while_it_is_remembered(client, given_key):
    soon = datetime.now(UTC) + timedelta(seconds=2)
    made = await given_key(expires_at=soon.isoformat())
    assert (await client.get("/api/projects", headers=bearer(made["key"]))).status_code == 200

    await asyncio.sleep((soon - datetime.now(UTC)).total_seconds() + 0.01)

    assert (await client.get("/api/projects", headers=bearer(made["key"]))).status_code == 401


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"role": "owner"}, "unknown_value"),
        ({"name": ""}, "out_of_range"),
        ({"project_ids": []}, "out_of_range"),
        ({"project_ids": ["x"]}, "invalid_id"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "out_of_range"),
        ({"expires_at": "9999-12-31T23:59:59-23:59"}, "out_of_range"),  # of the year 10000 in UTC
        ({"expires_at": "0001-01-01T00:00:00+23:59"}, "out_of_range"),
        ({"expires_at": "2099-01-01T00:00:00"}, None),  # of no time zone
        ({"key": "mine"}, "unknown_field"),
    ],
)
async def test_422_for_a_key_that_cannot_be(client, fields, code):
    response = await client.post("/api/keys", json={"name": "nightly", "role": "editor", **fields})

    assert response.status_code == 422, response.text
    assert code in (None, response.json()["code"])


async def test_a_key_lasts_until_the_last_moment_that_there_is(given_key):
    assert (await given_key(expires_at="9999-12-31T22:59:59-01:00"))["expires_at"] == "9999-12-31T23:59:59Z"


async def test_a_key_that_expires_makes_none_that_lasts_longer(client, given_key):
    soon, sooner, later = [(datetime.now(UTC) + timedelta(hours=hours)).isoformat() for hours in (2, 1, 3)]
    maker = await given_key(role="admin", expires_at=soon)

    made = [await given_key(headers=bearer(maker["key"]), expires_at=asked) for asked in (None, later, sooner)]

    assert [key["expires_at"] for key in made[:2]] == [maker["expires_at"]] * 2
    assert made[2]["expires_at"] < maker["expires_at"]


async def test_404_for_a_key_to_a_project_that_is_not_there(client):
    body = {"name": "k", "role": "viewer", "project_ids": [str(uuid4())]}

    assert (await client.post("/api/keys", json=body)).status_code == 404


async def test_a_bound_key_makes_and_sees_only_keys_of_its_projects(client, given_key, project_id):
    other = (await client.post("/api/projects", json={"name": "Other"})).json()["id"]
    bound = bearer((await given_key(role="admin", project_ids=[project_id]))["key"])
    foreign = await given_key(project_ids=[project_id, other])

    wider = await client.post("/api/keys", json={"name": "k", "role": "viewer"}, headers=bound)
    elsewhere = await client.post(
        "/api/keys", json={"name": "k", "role": "viewer", "project_ids": [other]}, headers=bound
    )
    own = await client.post(
        "/api/keys", json={"name": "k", "role": "admin", "project_ids": [project_id]}, headers=bound
    )

    assert [wider.status_code, elsewhere.status_code, own.status_code] == [403, 403, 201]
    assert wider.json()["code"] == "scope_too_wide"
    listed = (await client.get("/api/keys", headers=bound)).json()["items"]
    assert foreign["id"] not in [key["id"] for key in listed]
    assert (await client.delete(f"/api/keys/{foreign['id']}", headers=bound)).status_code == 404


@on_both_databases
async def test_the_keys_of_a_deleted_project_go_with_it_and_are_nobodys_before(client, given_key, project_id, clock):
    """A project is there or gone, never switched off: its keys find nothing for five seconds, then are 401."""
    other = (await client.post("/api/projects", json={"name": "Other"})).json()["id"]
    watching = await given_key(role="admin", project_ids=[project_id])
    gone = [await given_key(role=role, project_ids=[other]) for role in ("admin", "viewer")]
    both = await given_key(project_ids=[project_id, other])
    for made in (watching, *gone, both):  # each is remembered by its hash
        assert (await client.get("/api/projects", headers=bearer(made["key"]))).status_code == 200

    await client.delete(f"/api/projects/{other}")

    for holder in (client.headers["Authorization"].removeprefix("Bearer "), watching["key"]):
        listed = (await client.get("/api/keys", headers=bearer(holder))).json()
        assert (listed["total"], {key["id"] for key in listed["items"]}) == (2, {watching["id"], both["id"]})
        for key_id in (gone[0]["id"], gone[1]["id"], str(uuid4())):
            assert (await client.delete(f"/api/keys/{key_id}", headers=bearer(holder))).status_code == 404
    assert (await client.get("/api/keys", headers=bearer(gone[0]["key"]))).json()["total"] == 0
    clock.advance(5)
    answers = [await client.get("/api/projects", headers=bearer(made["key"])) for made in (*gone, both)]
    assert [answer.status_code for answer in answers] == [401, 401, 200]
    events = (await client.get("/api/audit")).json()["items"][:3]
    assert [event["action"] for event in events] == ["project.delete", "key.delete", "key.delete"]
    assert {event["object_id"] for event in events} == {other, *(made["id"] for made in gone)}
    assert {event["project_id"] for event in events} == {other}


@on_both_databases
async def test_a_key_whose_project_is_gone_is_not_another_projects(client, server, given_key, project_id):
    """As an earlier release has left it: bound, to nothing."""
    other = (await client.post("/api/projects", json={"name": "Other"})).json()["id"]
    watching = bearer((await given_key(role="admin", project_ids=[project_id]))["key"])
    left = await given_key(project_ids=[other])
    async with server.store._sessions.writing() as session:
        await session.execute(delete(ProjectRow).where(ProjectRow.id == UUID(other)))

    listed = (await client.get("/api/keys", headers=watching)).json()["items"]
    foreign, absent = [
        await client.delete(f"/api/keys/{key_id}", headers={**watching, "X-Request-ID": "same"})
        for key_id in (left["id"], uuid4())
    ]

    assert left["id"] not in [key["id"] for key in listed]
    assert (foreign.status_code, foreign.content) == (absent.status_code, absent.content) == (404, absent.content)
    assert (await client.delete(f"/api/keys/{left['id']}")).status_code == 200  # by whom all are


async def test_a_guess_that_is_nearly_a_key_is_looked_for_as_any_other_is(server):
    """By a hash of all of it: how long a comparison takes tells nothing of the key."""
    asked: list[str] = []

    async def find(sha256: str) -> Principal | None:
        asked.append(sha256)
        return await server.store.find_admission(sha256)

    app = create_app(server.app.state.service, find, server.checks)
    guesses = [server.key[:-1] + ("b" if server.key.endswith("a") else "a"), "sg_" + "x" * (len(server.key) - 3)]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        near, far = [
            await client.get("/api/projects", headers={**bearer(guess), "X-Request-ID": "same"}) for guess in guesses
        ]

    assert asked == [hashlib.sha256(guess.encode()).hexdigest() for guess in guesses]
    assert (near.status_code, near.content, near.headers) == (401, far.content, far.headers)


async def test_429_for_an_address_that_guesses_and_for_a_key_in_a_hurry(server):
    app = create_app(
        server.app.state.service,
        server.store.find_admission,
        server.checks,
        rate_limits=RateLimits(requests_per_second=0.001, burst=3, wrong_keys_per_minute=5),
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        guesses = [(await client.get("/api/projects", headers=bearer(f"guess {n}"))) for n in range(6)]
        calls = [(await client.get("/api/projects", headers=bearer(server.key))) for _ in range(4)]

    assert [guess.status_code for guess in guesses] == [401] * 5 + [429]
    assert [call.status_code for call in calls] == [200] * 3 + [429]
    assert int(calls[-1].headers["retry-after"]) > 900
    assert guesses[-1].json()["code"] == "too_many_wrong_keys"


@pytest.mark.parametrize(("trusted", "last"), [([], 429), (["127.0.0.1"], 401)])
async def test_who_guesses_is_another_only_where_a_trusted_proxy_says_so(server, trusted, last):
    app = create_app(
        server.app.state.service,
        server.store.find_admission,
        server.checks,
        trusted_proxies=[ip_network(one) for one in trusted],
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        headers = [{**bearer(f"guess {n}"), "X-Forwarded-For": f"1.2.3.{n}"} for n in range(6)]
        guesses = [await client.get("/api/projects", headers=one) for one in headers]
        made = {**bearer(server.key), "X-Forwarded-For": "x" * 10_000}
        await client.post("/api/projects", json={"name": "p"}, headers=made)
        (event,) = (await client.get("/api/audit", headers=bearer(server.key))).json()["items"]

    assert [guess.status_code for guess in guesses] == [401] * 5 + [last]
    assert event["address"] == "127.0.0.1"
