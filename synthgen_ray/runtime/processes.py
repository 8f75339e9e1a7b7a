"""A process for what takes long: a task's, which may have imported all for an earlier one, or that of an actor that
leads others.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from secrets import token_hex
from typing import Any, TypeVar, cast

import ray
from ray.exceptions import RayError, RayTaskError

from synthgen_ray.domain.errors import Postponed, WorkerLost
from synthgen_ray.runtime.names import HEAD, LEADER, SHORT
from synthgen_ray.runtime.nodes import remote, unless_it_dies, unless_one_dies
from synthgen_ray.runtime.raising import without_data
from synthgen_ray.runtime.samplers import cause_of

T = TypeVar("T")
# Who works says so every ten seconds. Who does not for longer than a lease and a half hangs, as on a disk that is away.
SIGN_EVERY_S = 10.0
SILENCE_S = 90
# There is room for it, or nodes that are away or to come make it. After that others get their turn.
ROOM_COMES_S = 900
STAYS_S = 60.0  # with nothing to do, as long as the process of a task (`environment.py`)
WAKES_S = 10.0


async def run_warm(function: Callable[..., T], name: str, cpus: float, *order: Any) -> T:
    """What it answers, run in a task, that is killed when nobody waits for it any more.

    Raises: WorkerLost; Postponed; what it raises.
    """
    task = remote(_tell).options(name=name, num_cpus=cpus, max_retries=0).remote(function, *order)

    async def end(is_done: bool) -> None:
        # Ray aborts the process of who cancels what is about to be done (ray-project/ray#54260).
        if not (is_done and await _has_ended(task)):
            ray.cancel(task, force=True)

    return cast(T, await _answer_from(task, _begun(_next_of(task)), end))


class Leader:
    """A process that leads others, for one job after the other: of tasks Ray Train would not know how to tell."""

    def node_id(self) -> str:
        return _node_id()

    def lead(self, function: Callable[..., T], *order: Any) -> Iterator[str | T | None]:
        yield from _tell(function, *order)


class Leaders:
    """Those of a dispatcher, which end with it, on its node. Ray Train and Ray Data bind actors that stay for ever to
    the node of who calls them: another one no autoscaler would let go, and with it other generations would be lost."""

    def __init__(self) -> None:
        self._idle: dict[ray.actor.ActorHandle[Leader], asyncio.TimerHandle] = {}  # and when each is let go

    async def lead(self, function: Callable[..., T], name: str, *order: Any) -> T:
        """What it answers, run in an actor, that is killed with all whom it leads when nobody waits for it any more.

        Raises: WorkerLost; Postponed, also when Ray's head does not answer; what it raises.
        """
        leader = await self._free_one()
        work = leader.lead.options(name=name, num_returns="streaming").remote(function, *order)

        async def end(is_done: bool) -> None:
            if is_done:
                self._keep(leader)
            else:
                ray.kill(leader)

        return cast(T, await _answer_from(work, _next_of(work), end))

    async def _free_one(self) -> "ray.actor.ActorHandle[Leader]":
        while self._idle:
            leader, end = self._idle.popitem()
            end.cancel()
            with suppress(WorkerLost, TimeoutError):  # it died, or hangs, since it was last heard of
                async with asyncio.timeout(WAKES_S):
                    await _answer_of(leader.node_id.remote())
                return leader
            ray.kill(leader)
        # Of a job it has no name: it leads the next one too. A random one is never that of one that is about to end.
        name = f"{LEADER}-{token_hex(SHORT // 2)}"
        leading = remote(Leader).options(name=name, num_cpus=0, max_restarts=0, resources=HEAD)
        try:
            # In a thread: of a name Ray asks its head whether it is free, which may be silent for a minute.
            leader = await asyncio.to_thread(leading.remote)
        except RayError as error:
            raise Postponed from error  # nothing has begun
        await _answer_of(leader.node_id.remote())
        return leader

    def _keep(self, leader: "ray.actor.ActorHandle[Leader]") -> None:
        self._idle[leader] = asyncio.get_running_loop().call_later(STAYS_S, self._idle.pop, leader)


async def _answer_from(
    work: "ray.ObjectRefGenerator[Any]", start: Coroutine[Any, Any, str], end: Callable[[bool], Awaitable[None]]
) -> Any:
    """What `_tell` answers there, after the node of its start; `end` hears whether it answered or raised by itself.

    Raises: what the start raises; WorkerLost; what the function raises.
    """
    is_done = False
    try:
        node_id = await start
        answer = await unless_it_dies(node_id, _last_of(work))
        is_done = True
        return answer
    except Exception as error:
        is_done = isinstance(error.__cause__, RayTaskError)
        raise
    finally:
        await end(is_done)


def _tell(function: Callable[..., T], *order: Any) -> Iterator[str | T | None]:
    """The node that this runs on, nothing as a sign of life while it works, then what the function answers."""
    yield _node_id()
    with ThreadPoolExecutor(1) as thread:
        answer = thread.submit(without_data(function), *order)
        while not wait([answer], SIGN_EVERY_S).done:
            yield None
        yield answer.result()


def _node_id() -> str:
    return ray.get_runtime_context().get_node_id()


async def _begun(start: Coroutine[Any, Any, str]) -> str:
    """Raises: Postponed, when there was no room for it in `ROOM_COMES_S`, or a node died that it may have been sent to;
    what the start raises."""
    try:
        async with asyncio.timeout(ROOM_COMES_S):
            return await unless_one_dies(start)
    except TimeoutError as error:
        raise Postponed from error


async def _last_of(task: "ray.ObjectRefGenerator[Any]") -> Any:
    """Raises: WorkerLost, also when it falls silent; what the function raises."""
    said = None
    while said is None:
        saying = asyncio.ensure_future(_next_of(task))
        try:
            await asyncio.wait({saying}, timeout=SILENCE_S)
            # As the machine of who listens may stand still, and what was said meanwhile is heard only now.
            await asyncio.wait({saying}, timeout=SIGN_EVERY_S)
            if not saying.done():
                raise WorkerLost
            said = saying.result()
        finally:
            saying.cancel()
    return said


async def _has_ended(task: "ray.ObjectRefGenerator[Any]") -> bool:
    """Whether its stream has, within the time in which it would say something."""
    with suppress(RayError, TimeoutError):
        async with asyncio.timeout(SILENCE_S):
            async for _ in task:
                pass
            return True
    return False


async def _next_of(task: "ray.ObjectRefGenerator[Any]") -> Any:
    return await _answer_of(await anext(task))


async def _answer_of(call: "ray.ObjectRef[Any]") -> Any:
    try:
        return await call
    except RayTaskError as error:
        raise cause_of(error) from error
    except RayError as error:
        raise WorkerLost from error
