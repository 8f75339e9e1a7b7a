"""What Ray is told for each job that a process works on, how long one that leads others is kept for the next, and how
long what is begun is waited for."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import ray
from ray.actor import ActorClass
from ray.exceptions import GetTimeoutError
from ray.remote_function import RemoteFunction

from synthgen_ray.domain.errors import Postponed, WorkerLost
from synthgen_ray.runtime import processes
from synthgen_ray.runtime.names import HEAD
from synthgen_ray.runtime.nodes import on_node
from synthgen_ray.runtime.processes import STAYS_S, Leaders, run_warm


class IdleLeader:
    """Stands for Ray's handle of one that answers."""

    @property
    def node_id(self) -> "IdleLeader":
        return self

    async def remote(self) -> str:
        return "its node"


async def test_one_that_has_led_again_stays_as_long_as_after_the_first_time(monkeypatch):
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def after(seconds: float) -> None:
        monkeypatch.setattr(loop, "time", lambda: began + seconds)
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    leaders: Any = Leaders()
    leader = IdleLeader()
    leaders._keep(leader)
    await after(0.7 * STAYS_S)
    assert await leaders._free_one() is leader
    leaders._keep(leader)

    await after(1.4 * STAYS_S)
    assert list(leaders._idle) == [leader]
    await after(1.8 * STAYS_S)
    assert not leaders._idle


def work() -> None: ...


async def test_a_function_is_written_to_rays_head_once_however_many_tasks_there_are_of_it(monkeypatch):
    written: list[UUID] = []  # Ray has a name for each, and keeps it

    def begin(function: RemoteFunction, **_: object) -> None:
        written.append(function._uuid)
        raise ConnectionError

    monkeypatch.setattr(RemoteFunction, "_remote", begin)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await run_warm(work, "train a model", 1)
        with pytest.raises(ConnectionError):
            on_node("ab" * 28, work, name="tidy")

    assert written[:2] == written[2:]


async def test_who_leads_is_on_the_heads_node_and_has_a_name_of_its_own(monkeypatch):
    asked: list[dict[str, Any]] = []

    def begin(*_: object, **options: Any) -> None:
        asked.append(options)
        raise ConnectionError

    monkeypatch.setattr(ActorClass, "_remote", begin)
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await Leaders().lead(work, "lead")

    assert [one["resources"] for one in asked] == [HEAD, HEAD]
    names = {one["name"] for one in asked}
    assert (len(names), {name.partition("-")[0] for name in names}) == (2, {"leader"})


async def test_while_rays_head_is_silent_about_a_name_all_else_goes_on_and_then_the_job_is_put_off(monkeypatch):
    others_went_on = threading.Event()

    def begin(*_: object, **__: object) -> None:
        assert others_went_on.wait(20)
        raise GetTimeoutError("the GCS server is dead or under high load")

    monkeypatch.setattr(ActorClass, "_remote", begin)
    leading = asyncio.create_task(Leaders().lead(work, "lead"))
    asyncio.get_running_loop().call_later(0.05, others_went_on.set)

    with pytest.raises(Postponed):
        await leading


async def test_a_task_that_finds_no_room_for_long_is_put_off(monkeypatch):
    async def start() -> str:
        await asyncio.Event().wait()
        return "its node"

    monkeypatch.setattr(ray, "nodes", list)
    monkeypatch.setattr(processes, "ROOM_COMES_S", 0.05)

    with pytest.raises(Postponed):
        await processes._begun(start())


async def saying(*answers: str | None) -> "AsyncIterator[asyncio.Future[str | None]]":
    """Stands for the stream of a task, which hangs after that."""
    for answer in answers:
        said: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        said.set_result(answer)
        yield said
    await asyncio.Event().wait()


async def test_a_task_that_works_is_waited_for_and_one_that_says_nothing_for_long_is_lost(monkeypatch):
    assert await processes._last_of(saying(None, None, "its answer")) == "its answer"

    monkeypatch.setattr(processes, "SILENCE_S", 0.05)
    monkeypatch.setattr(processes, "SIGN_EVERY_S", 0.01)
    with pytest.raises(WorkerLost):
        await processes._last_of(saying(None, None))


async def test_what_was_said_while_the_machine_of_who_listens_stood_still_is_heard(monkeypatch):
    loop = asyncio.get_running_loop()
    said: asyncio.Future[str] = loop.create_future()

    async def stream() -> "AsyncIterator[asyncio.Future[str]]":
        yield said

    def stand_still() -> None:
        loop.call_soon(said.set_result, "its answer")
        time.sleep(0.1)

    monkeypatch.setattr(processes, "SILENCE_S", 0.05)
    listening = asyncio.create_task(processes._last_of(stream()))
    loop.call_later(0.01, stand_still)

    assert await listening == "its answer"
