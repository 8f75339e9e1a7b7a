"""How the parts of a running cluster reach its two named actors: the store and the dispatcher.

Who only talks to them does not import what they are made of, which keeps idle processes small.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayError, RayTaskError

from synthgen_ray.domain.errors import SynthGenError, Unavailable
from synthgen_ray.domain.log_context import subject
from synthgen_ray.runtime.names import DISPATCHER, METADATA, NAMESPACE

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

STALLED_S = 30.0
READ_AGAIN_S = 10.0
# An actor that is alive and silent, as one whose machine hangs. Writers wait for their turn for up to a minute.
READ_S, WRITE_S = 30.0, 120.0
PATIENCE_S: dict[str, float | None] = {
    "heartbeat": 20.0,  # longer than a few of these, and what they keep alive has lost its lease
    "migrate": None,  # of large tables, or another server's: given up, it would begin anew at each start
}
# What only reads may be repeated when the actor was lost on the way: methods that begin so write nothing.
READS = ("get_", "list_", "find_", "require_", "ping")


def metadata_store() -> "Store":
    """The cluster's store. Looks like a `Store`; each call is one hop.

    A lost actor comes back. A lost read is repeated; a lost write is not, since it may have
    committed: it raises `Unavailable`, as does a call that is not answered.
    """
    return cast("Store", _Remote(ray.get_actor(METADATA, NAMESPACE)))


def dispatcher() -> ActorHandle:
    return ray.get_actor(DISPATCHER, NAMESPACE)


def nudge(actor: ActorHandle) -> Callable[[], None]:
    """Fire and forget: the dispatcher looks by itself within a second."""

    def send() -> None:
        actor.nudge.remote()

    return send


async def check_dispatcher(actor: ActorHandle) -> None:
    """Raises: Unavailable, when the dispatcher is away or has not looked at the queue for long."""
    try:
        async with asyncio.timeout(STALLED_S):
            silence_s: float = await actor.seconds_since_tick.remote()
    except (RayActorError, TimeoutError) as error:
        raise Unavailable("The dispatcher does not answer.", "dispatcher_unavailable") from error
    if silence_s > STALLED_S:
        raise Unavailable("The dispatcher is stalled.", "dispatcher_unavailable")


class _Remote:
    """Turns `await store.claim_next()` into a call of the actor, and its errors back into ours."""

    def __init__(self, actor: ActorHandle) -> None:
        self._actor = actor

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = self._actor.call.options(name=f"Metadata.{name}")
        again_s, usual_s = (READ_AGAIN_S, READ_S) if name.startswith(READS) else (0.0, WRITE_S)
        patience_s = PATIENCE_S.get(name, usual_s)

        async def call(*args: Any, **kwargs: Any) -> Any:
            give_up = time.monotonic() + again_s
            while True:
                try:
                    async with asyncio.timeout(patience_s):
                        return await method.remote(name, subject(), *args, **kwargs)
                except RayTaskError as error:
                    if isinstance(error.cause, SynthGenError):
                        raise error.cause from None
                    raise
                except TimeoutError as error:
                    detail = "The metadata store does not answer; try again."
                    raise Unavailable(detail, "store_unavailable") from error
                except RayError as error:  # its process, its node, or what it answered
                    if time.monotonic() >= give_up:
                        raise Unavailable("The metadata store is away; try again.", "store_unavailable") from error
                await asyncio.sleep(0.2)

        return call
