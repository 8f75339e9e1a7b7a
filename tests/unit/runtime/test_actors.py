"""How long the store is waited for, and the dispatcher."""

import asyncio
from typing import Any

import pytest
from ray.exceptions import ActorDiedError, ActorUnavailableError, ObjectLostError

from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.runtime import actors
from synthgen_ray.runtime.actors import STALLED_S, _Remote, check_dispatcher


class HeldActor:
    """Stands for Ray's handle: each call waits until it is answered."""

    def __init__(self) -> None:
        self.calls: dict[str, asyncio.Future[Any]] = {}

    @property
    def call(self) -> "HeldActor":
        return self

    def options(self, name: str) -> "HeldActor":
        return self

    def remote(self, method: str, *_: object) -> "asyncio.Future[Any]":
        self.calls[method] = asyncio.get_running_loop().create_future()
        return self.calls[method]


async def test_a_migration_is_waited_for_as_long_as_it_takes_and_no_other_write_is(monkeypatch):
    monkeypatch.setattr(actors, "WRITE_S", 0.01)
    actor = HeldActor()
    store: Any = _Remote(actor)
    migrating = asyncio.create_task(store.migrate())

    with pytest.raises(Unavailable):
        await store.set_admin_key("ab" * 32)

    assert not migrating.done()
    actor.calls["migrate"].set_result(None)
    await migrating


LOSSES = [ActorUnavailableError("it starts again", None), ObjectLostError("00", None, "")]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
async def test_a_lost_answer_is_asked_for_again_where_that_writes_nothing_and_else_is_a_503(loss):
    actor = HeldActor()
    store: Any = _Remote(actor)
    reading, writing = asyncio.create_task(store.find_held(())), asyncio.create_task(store.claim_next(()))
    await asyncio.sleep(0)
    reads = actor.calls.pop("find_held")
    for call in (reads, actor.calls["claim_next"]):
        call.set_exception(loss)

    with pytest.raises(Unavailable):
        await writing
    async with asyncio.timeout(20):
        while "find_held" not in actor.calls:
            await asyncio.sleep(0.01)
    actor.calls["find_held"].set_result("held")
    assert await reading == "held"


class HeldDispatcher:
    """Stands for Ray's handle: it answers when the test says so."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    @property
    def seconds_since_tick(self) -> "HeldDispatcher":
        return self

    def remote(self) -> "asyncio.Future[float]":
        return self.answer


async def test_a_dispatcher_that_is_gone_silent_or_has_not_looked_for_long_is_unavailable(monkeypatch):
    at_work, stalled, gone, silent = (HeldDispatcher() for _ in range(4))
    at_work.answer.set_result(STALLED_S - 1)
    stalled.answer.set_result(STALLED_S + 1)
    gone.answer.set_exception(ActorDiedError())

    await check_dispatcher(at_work)
    for dispatcher in (stalled, gone):
        with pytest.raises(Unavailable):
            await check_dispatcher(dispatcher)
    monkeypatch.setattr(actors, "STALLED_S", 0.01)
    with pytest.raises(Unavailable):
        await check_dispatcher(silent)
