"""Whose key it is, found once for all who use it."""

import asyncio

import pytest

from synthgen_ray.api.auth import KeyGate
from synthgen_ray.api.rate_limits import RateLimits
from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.keys import key_hash
from tests.given import ADMIN


class Admissions:
    """A store that takes its time, and may be away."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.is_away = False

    async def find(self, hashed: str):
        self.asked.append(hashed)
        await asyncio.sleep(0.01)
        if self.is_away:
            raise Unavailable("The metadata store is away; try again.", "store_unavailable")
        return ADMIN if hashed == key_hash("right") else None


@pytest.fixture
def admissions() -> Admissions:
    return Admissions()


@pytest.fixture
def answered(admissions):
    """The status that a call with a key gets."""

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    gate = KeyGate(app, admissions.find, frozenset(), RateLimits())

    async def call(key: str) -> int:
        statuses = []

        async def send(message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {
            "type": "http",
            "method": "GET",
            "path": "/api/projects",
            "headers": [(b"authorization", f"Bearer {key}".encode())],
            "client": ("127.0.0.1", 1),
            "state": {"request_id": "r"},
        }
        await gate(scope, None, send)
        return statuses[0]

    return call


async def test_many_calls_with_one_key_ask_the_store_once_or_twice(answered, admissions):
    assert await asyncio.gather(*(answered("right") for _ in range(10))) == [200] * 10

    assert admissions.asked == [key_hash("right")]
    assert await answered("right") == 200
    assert len(admissions.asked) == 1


async def test_each_key_is_answered_by_what_it_is(answered, admissions):
    keys = ["right", "wrong", "right", "other"]

    assert await asyncio.gather(*map(answered, keys)) == [200, 401, 200, 401]
    assert sorted(admissions.asked) == sorted(map(key_hash, {*keys}))


async def test_a_store_that_is_away_is_asked_again_by_the_next(answered, admissions):
    admissions.is_away = True
    assert await asyncio.gather(*(answered("right") for _ in range(3))) == [503] * 3

    admissions.is_away = False
    assert await answered("right") == 200


async def test_who_leaves_does_not_take_the_others_along(answered):
    calls = [asyncio.create_task(answered("right")) for _ in range(3)]
    await asyncio.sleep(0.001)

    calls[0].cancel()

    assert await asyncio.gather(*calls[1:]) == [200, 200]
