"""What is asked of samplers: of those that have much to do, and of those that are lost."""

import asyncio
import threading
from collections.abc import Mapping
from copy import copy
from uuid import UUID, uuid4

import pytest
from grpc import RpcError
from ray.exceptions import (
    ActorDiedError,
    GetTimeoutError,
    NodeDiedError,
    ObjectLostError,
    OutOfMemoryError,
    RayTaskError,
    TaskCancelledError,
    WorkerCrashedError,
)
from ray.serve import context as serve_context
from ray.serve._private.common import DeploymentID
from ray.serve.exceptions import DeploymentUnavailableError, RayServeException

from synthgen_ray.domain.entities import Artifact, Draw
from synthgen_ray.domain.errors import Postponed, Unavailable, WorkerLost
from synthgen_ray.domain.log_context import FIELDS, about
from synthgen_ray.domain.params import SampleFormat, SampleParams
from synthgen_ray.runtime import samplers as asking
from synthgen_ray.runtime.samplers import ATTEMPTS, CROWD, OnlineDraws, insist

CHUNKS = 4
MODEL = uuid4()


class HeldSamplers:
    """Stands for Serve's handle: each call waits until it is answered, the first one first."""

    def __init__(self) -> None:
        self.waiting: list[asyncio.Future[bytes]] = []
        self.wanted: list[str] = []  # of each call the model that its sampler is to have
        self.subjects: list[Mapping[str, str | None]] = []  # and what its lines are about
        self._model = ""

    def options(self, multiplexed_model_id: str) -> "HeldSamplers":
        other = copy(self)
        other._model = multiplexed_model_id
        return other

    @property
    def draw(self) -> "HeldSamplers":
        return self

    def remote(self, _draw: Draw, _index: int, subject: Mapping[str, str | None]) -> "asyncio.Future[bytes]":
        self.wanted.append(self._model)
        self.subjects.append(subject)
        self.waiting.append(asyncio.get_running_loop().create_future())
        return self.waiting[-1]

    async def answer(self) -> None:
        call = await self.next_call()
        if not call.cancelled():
            call.set_result(b"rows")

    async def fail(self, error: BaseException) -> None:
        (await self.next_call()).set_exception(error)

    async def next_call(self) -> "asyncio.Future[bytes]":
        await self.asked(1)
        return self.waiting.pop(0)

    async def asked(self, calls: int) -> None:
        async with asyncio.timeout(10):
            while len(self.waiting) < calls:
                await asyncio.sleep(0)


@pytest.fixture
def samplers() -> HeldSamplers:
    return HeldSamplers()


def a_draw(num_chunks: int = CHUNKS, model_id: UUID | None = None) -> Draw:
    source = Artifact(model_id or uuid4(), "models/m", (), "")
    return Draw(MODEL, source, tuple((index, 10) for index in range(num_chunks)), 1, SampleParams(), SampleFormat.CSV)


async def all_of(draws: OnlineDraws, num_chunks: int = CHUNKS, model_id: UUID | None = None) -> int:
    return len([chunk async for chunk in draws.chunks(a_draw(num_chunks, model_id))])


async def test_an_answer_that_has_begun_goes_on_when_others_are_refused(samplers):
    draws = OnlineDraws(samplers, most=3)
    first, second = [asyncio.create_task(all_of(draws)) for _ in range(2)]
    await samplers.asked(4)

    with pytest.raises(Unavailable) as refused:
        await all_of(draws)
    for _ in range(2 * CHUNKS):
        await samplers.answer()

    assert refused.value.code == "busy"
    assert await asyncio.wait_for(asyncio.gather(first, second), 10) == [CHUNKS, CHUNKS]


async def test_whoever_leaves_makes_room_for_the_next(samplers):
    draws = OnlineDraws(samplers, most=1)
    leaving = asyncio.create_task(all_of(draws, 1))
    await samplers.asked(1)
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)

    coming = asyncio.create_task(all_of(draws, 1))
    for _ in ("the one that was left", "the new one"):
        await samplers.answer()

    assert await asyncio.wait_for(coming, 10) == 1


async def test_a_sampler_that_has_the_model_is_asked_until_many_ask_then_whichever_has_least_to_do(samplers):
    draws, model, other = OnlineDraws(samplers, most=100), uuid4(), uuid4()
    asking = [asyncio.create_task(all_of(draws, 1, model)) for _ in range(CROWD + 2)]
    await samplers.asked(CROWD + 2)
    asking.append(asyncio.create_task(all_of(draws, 1, other)))
    await samplers.asked(CROWD + 3)

    assert samplers.wanted == [str(model)] * CROWD + ["", "", str(other)]

    for _ in asking:
        await samplers.answer()
    await asyncio.wait_for(asyncio.gather(*asking), 10)
    asking = [asyncio.create_task(all_of(draws, 1, model))]
    await samplers.answer()
    await asking[0]
    assert samplers.wanted[-1] == str(model)


LOSSES = [
    ActorDiedError(),
    NodeDiedError("the node is dead"),
    ObjectLostError("00", None, ""),
    OutOfMemoryError("the node is low on memory"),
    TaskCancelledError(),
    WorkerCrashedError(),
    RayServeException("an upstream actor died before finishing a dependent task"),
    RpcError(),
    KeyError("a replica that Serve's router has just forgotten"),
    RayTaskError("handle_request", "", RuntimeError("the replica is about to end")).as_instanceof_cause(),
]
NONE_TO_BE_HAD = DeploymentUnavailableError(DeploymentID("Sampler", "synthgen"))


@pytest.fixture
def at_once(monkeypatch):
    """Another is asked without a rest."""
    monkeypatch.setattr(asking, "REST_S", 0.0)


def asked_for(samplers: HeldSamplers) -> "asyncio.Task[bytes]":
    return asyncio.create_task(insist(samplers, "draw", a_draw(1), 0, {}))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
@pytest.mark.usefixtures("at_once")
async def test_whatever_takes_a_sampler_away_another_is_asked(samplers, loss):
    rows = asked_for(samplers)
    for _ in range(ATTEMPTS - 1):
        await samplers.fail(loss)
    await samplers.answer()

    assert await asyncio.wait_for(rows, 10) == b"rows"


@pytest.mark.usefixtures("at_once")
async def test_a_handle_whose_first_call_finds_no_controller_of_serve_asks_again(samplers, monkeypatch):
    ask = samplers.remote

    def find_none_at_first(*args: object) -> "asyncio.Future[bytes]":
        monkeypatch.setattr(samplers, "remote", ask)
        raise RayServeException("There is no Serve instance running on this Ray cluster.")

    monkeypatch.setattr(samplers, "remote", find_none_at_first)
    rows = asked_for(samplers)
    await samplers.answer()

    assert await asyncio.wait_for(rows, 10) == b"rows"


@pytest.mark.usefixtures("at_once")
async def test_who_loses_one_after_the_other_is_told_so(samplers):
    lost, refused = asked_for(samplers), asyncio.create_task(all_of(OnlineDraws(samplers, most=9), 1))
    for _ in range(2 * ATTEMPTS):
        await samplers.fail(OutOfMemoryError("the node is low on memory"))

    with pytest.raises(WorkerLost):
        await asyncio.wait_for(lost, 10)
    with pytest.raises(Unavailable):
        await asyncio.wait_for(refused, 10)


async def test_first_rows_are_waited_for_so_long_and_others_for_as_long_as_they_take(samplers, monkeypatch):
    monkeypatch.setattr(asking, "FIRST_S", 0.2)
    draws = OnlineDraws(samplers, most=1)
    begun = asyncio.create_task(all_of(draws, 2))
    await samplers.answer()
    await asyncio.sleep(0.4)
    await samplers.answer()
    assert await asyncio.wait_for(begun, 10) == 2

    with pytest.raises(Unavailable) as refused:
        await asyncio.wait_for(all_of(draws, 1), 10)

    assert "within" in refused.value.detail
    assert samplers.waiting[0].cancelled()


@pytest.mark.usefixtures("at_once")
async def test_what_is_said_of_rows_at_once_here_and_by_samplers_is_about_their_model_and_request(samplers, our_lines):
    with about(request_id="r-1"):
        rows = asyncio.create_task(all_of(OnlineDraws(samplers, most=9), 1))
    await samplers.fail(OutOfMemoryError("the node is low on memory"))
    await samplers.answer()
    await asyncio.wait_for(rows, 10)

    (line,) = our_lines()
    assert "a sampler was lost" in line["message"]
    asked = {"request_id": "r-1", "job_id": None, "model_id": str(MODEL)}
    assert [{name: said[name] for name in FIELDS} for said in (line, *samplers.subjects)] == [asked] * 3


async def test_where_none_can_be_had_a_part_is_put_off_and_rows_are_refused(samplers):
    part, rows = asked_for(samplers), asyncio.create_task(all_of(OnlineDraws(samplers, most=9), 1))
    for _ in range(2):
        await samplers.fail(NONE_TO_BE_HAD)

    with pytest.raises(Postponed):
        await asyncio.wait_for(part, 10)
    with pytest.raises(Unavailable):
        await asyncio.wait_for(rows, 10)


async def test_samplers_that_were_taken_away_are_looked_for_anew(samplers, monkeypatch):
    monkeypatch.setattr(serve_context, "_global_client", "what keeps the handle of those that were there")
    part = asked_for(samplers)
    await samplers.fail(NONE_TO_BE_HAD)

    with pytest.raises(Postponed):
        await asyncio.wait_for(part, 10)

    assert serve_context._global_client is None


@pytest.mark.parametrize("silence", [ActorDiedError(), GetTimeoutError("the GCS server is dead or under high load")])
async def test_who_asked_a_controller_of_serve_that_was_shut_down_or_is_not_found_asks_the_next_one(
    monkeypatch, silence
):
    monkeypatch.setattr(serve_context, "_global_client", "what asks the one that has ended, for ever")
    monkeypatch.setattr(asking, "LOOK_S", 0.0)

    def look() -> str:
        if serve_context._global_client:
            raise silence
        return "samplers"

    monkeypatch.setattr(asking, "_find", look)

    assert await asyncio.wait_for(asking.deployed(), 20) == "samplers"


@pytest.mark.usefixtures("at_once")
async def test_a_call_that_a_stranger_cancels_is_asked_of_another_and_our_own_cancel_ends_it(samplers):
    staying, leaving = asked_for(samplers), asked_for(samplers)
    for _ in range(2):
        (await samplers.next_call()).cancel()
    await samplers.asked(2)
    leaving.cancel()
    await samplers.answer()

    assert await asyncio.wait_for(staying, 10) == b"rows"
    await asyncio.gather(leaving, return_exceptions=True)
    assert leaving.cancelled()
    assert samplers.waiting[0].cancelled()


async def test_while_the_samplers_cannot_be_found_all_else_goes_on_and_one_thread_waits(monkeypatch):
    controller, looks = threading.Event(), []

    def look() -> str:
        looks.append("a look")
        controller.wait(20)
        return "samplers"

    monkeypatch.setattr(asking, "_find", look)
    leaving, *staying = [asyncio.create_task(asking._deployment.ask(None)) for _ in range(10)]
    async with asyncio.timeout(10):
        while not looks:
            await asyncio.sleep(0)
    late = asyncio.create_task(asking.deployed())
    leaving.cancel()
    await asyncio.gather(leaving, return_exceptions=True)
    assert len(looks) == 1
    controller.set()

    assert await asyncio.gather(*staying, late) == ["samplers"] * 10
    assert leaving.cancelled()
