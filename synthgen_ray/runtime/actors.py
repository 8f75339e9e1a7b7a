"""The two named actors: the store ("metadata") and the dispatcher. One of each in a cluster."""

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from typing import Any, cast

import ray
from ray.actor import ActorHandle
from ray.exceptions import RayActorError, RayTaskError

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.errors import SynthGenError, Unavailable
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.jobs.dispatcher import Dispatcher
from synthgen_ray.runtime.launcher import RayLauncher
from synthgen_ray.runtime.names import DISPATCHER, HEAD, METADATA, NAMESPACE
from synthgen_ray.settings import Settings
from synthgen_ray.store.store import Store

log = logging.getLogger(__name__)

STALLED_S = 30.0
READ_AGAIN_S = 10.0
# What only reads may be repeated when the actor was lost on the way.
_READS = ("get_", "list_", "is_", "require_", "ping")
_NAMED = {
    "namespace": NAMESPACE,
    "lifetime": "detached",
    "get_if_exists": True,
    "num_cpus": 0,
    "max_restarts": -1,
    "resources": HEAD,
}


def metadata_store(sql_url: str) -> Store:
    """The cluster's store, started on first use. Looks like a `Store`; each call is one hop.

    A lost actor comes back. A lost read is repeated; a lost write is not, since it may have
    committed: it raises `Unavailable`.
    """
    actor = ray.remote(Store).options(name=METADATA, **_NAMED).remote(sql_url)
    return cast(Store, _Remote(actor))


def dispatcher(settings: Settings) -> ActorHandle:
    """The cluster's dispatcher, started on first use."""
    return ray.remote(DispatcherActor).options(name=DISPATCHER, **_NAMED).remote(settings)


def nudge(actor: ActorHandle) -> Callable[[], None]:
    """Fire and forget: the dispatcher looks by itself within a second."""

    def send() -> None:
        actor.nudge.remote()

    return send


async def check_dispatcher(actor: ActorHandle) -> None:
    """Raises: Unavailable, when the dispatcher is away or has not looked at the queue for long."""
    try:
        silence_s = await asyncio.wait_for(actor.seconds_since_tick.remote(), timeout=STALLED_S)
    except (RayActorError, TimeoutError) as error:
        raise Unavailable("The dispatcher does not answer.", "dispatcher_unavailable") from error
    if silence_s > STALLED_S:
        raise Unavailable("The dispatcher is stalled.", "dispatcher_unavailable")


class DispatcherActor:
    """The dispatcher as an actor. It starts with its process, so a restarted one goes on by itself."""

    def __init__(self, settings: Settings) -> None:
        slots = {JobType.TRAIN: settings.training.max_running, JobType.GENERATE: settings.generation.max_running}
        self._dispatcher = Dispatcher(
            metadata_store(settings.sql_url), Artifacts(settings.artifacts_dir), RayLauncher(settings), slots
        )
        self._work = asyncio.get_running_loop().create_task(self._dispatcher.run())
        self._work.add_done_callback(_end_process)

    async def nudge(self) -> None:
        self._dispatcher.nudge()

    async def seconds_since_tick(self) -> float:
        return self._dispatcher.seconds_since_tick

    async def stop(self) -> None:
        """Give back what runs, before the cluster stops."""
        self._work.remove_done_callback(_end_process)
        self._work.cancel()
        await self._dispatcher.stop()


def _end_process(work: "asyncio.Task[None]") -> None:
    # A dispatcher that no longer dispatches must not look alive: Ray starts a new one.
    log.critical("the dispatcher ended", exc_info=None if work.cancelled() else work.exception())
    os._exit(1)


class _Remote:
    """Turns `await store.claim_next()` into a call of the actor, and its errors back into ours."""

    def __init__(self, actor: ActorHandle) -> None:
        self._actor = actor

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._actor, name)
        again_s = READ_AGAIN_S if name.startswith(_READS) else 0.0

        async def call(*args: Any, **kwargs: Any) -> Any:
            give_up = time.monotonic() + again_s
            while True:
                try:
                    return await method.remote(*args, **kwargs)
                except RayTaskError as error:
                    if isinstance(error.cause, SynthGenError):
                        raise error.cause from None
                    raise
                except RayActorError as error:
                    if time.monotonic() >= give_up:
                        raise Unavailable("The metadata store is away; try again.", "store_unavailable") from error
                await asyncio.sleep(0.2)

        return call
