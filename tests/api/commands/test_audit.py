"""`synthgen audit verify`"""

import json

from sqlalchemy import text


async def test_a_sound_trail_is_told_by_its_newest_hash(synthgen, client):
    for number in range(3):
        await client.post("/api/projects", json={"name": f"p{number}"})

    result = await synthgen("audit", "verify", "--json")

    newest = (await client.get("/api/audit?limit=1")).json()["items"][0]
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"sound": True, "newest": newest})


async def test_a_bound_key_is_told_that_it_sees_no_chain(synthgen, client, project_id):
    bound = {"name": "a", "role": "admin", "project_ids": [project_id]}
    key = (await client.post("/api/keys", json=bound)).json()["key"]

    result = await synthgen("audit", "verify", "--key", key)
    listed = await synthgen("audit", "list", "--key", key)

    assert (result.exit_code, "not bound to projects" in result.stderr) == (1, True)
    assert (listed.exit_code, listed.stdout.splitlines()[1].startswith("-\t")) == (0, True)


async def test_pages_are_one_chain(synthgen, client, monkeypatch):
    monkeypatch.setattr("synthgen_ray.client.audit.PAGE", 2)
    for number in range(5):
        await client.post("/api/projects", json={"name": f"p{number}"})

    result = await synthgen("audit", "verify")

    assert (result.exit_code, "Sound up to event 5" in result.stdout) == (0, True)


async def test_a_changed_event_is_named_and_the_command_fails(synthgen, server, client):
    for number in range(3):
        await client.post("/api/projects", json={"name": f"p{number}"})
    async with server.store._sessions.writing() as session:
        await session.execute(text("DROP TRIGGER audit_events_stay"))
        await session.execute(text("UPDATE audit_events SET action = 'key.create' WHERE number = 2"))

    result = await synthgen("audit", "verify")

    assert (result.exit_code, result.stdout) == (1, "The chain is broken at event 2.\n")
