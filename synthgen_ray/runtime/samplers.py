"""How the rest of the cluster asks the samplers for rows.

What a sampler that dies takes down is drawn again elsewhere: the same rows.
"""

import asyncio
import logging
from collections import Counter, deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ray.exceptions import RayError, RayTaskError

from synthgen_ray.domain.entities import Artifact, Draw
from synthgen_ray.domain.errors import Postponed, SynthGenError, Unavailable, Unexpected, WorkerLost, frames_of
from synthgen_ray.domain.log_context import about, subject
from synthgen_ray.domain.params import ModelType
from synthgen_ray.runtime.names import APP, SAMPLER
from synthgen_ray.service.together import Together

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle

log = logging.getLogger(__name__)
ATTEMPTS = 5
REST_S = 0.5  # before another sampler is asked, and so much more each time
LOOK_S = 0.5
FORGET_S = 10.0
WAKE_S = 60.0
ASK_S = 2.0
FIRST_S = 120.0  # that somebody waits for his first rows, of which the rarest take a minute
AHEAD = 2  # chunks that are drawn before they are read
CROWD = 2 * AHEAD  # chunks of one model on their way from which on any sampler draws them: of two clients
OURS = (SynthGenError, WorkerLost, Postponed, MemoryError, Unexpected)  # which arrive as they were raised


def _find() -> "DeploymentHandle":
    from ray import serve

    return serve.get_deployment_handle(SAMPLER, APP)


async def _look(asked: Sequence[None]) -> Sequence["DeploymentHandle"]:
    # In a thread: Serve's controller may hang, and would halt all that this process does.
    return [await asyncio.to_thread(_find)] * len(asked)


_deployment: "Together[None, DeploymentHandle]" = Together(_look)  # a thread that waits for it is lost to others


async def deployed() -> "DeploymentHandle":
    """The samplers, as soon as they are deployed: after a start the queue goes on before that."""
    await _imported()
    from ray.serve.exceptions import RayServeException

    while True:
        try:
            return await _deployment.ask(None)
        except (KeyError, RayError, RayServeException):  # there are none yet, or who knows of them is lost or silent
            _look_anew()
            await asyncio.sleep(LOOK_S)


async def insist(samplers: "DeploymentHandle", method: str, *args: Any) -> Any:
    """The answer of any replica, however many wait for them; what a dying one takes down is asked of another.

    Raises: WorkerLost; Postponed, when none can be had; what the method raises.
    """
    from ray.serve.exceptions import DeploymentUnavailableError

    loss: BaseException | None = None
    for attempt in range(ATTEMPTS):
        if loss is not None:
            await asyncio.sleep(REST_S * attempt)
            why = type(loss).__name__ if isinstance(loss, RayError) else frames_of(loss)
            log.warning("a sampler was lost during %s: another is asked: %s", method, why)
        try:
            return await _answer_of(getattr(samplers, method), args)
        except asyncio.CancelledError as cancelled:
            if _is_cancelled():
                raise
            loss = cancelled  # by Ray, of what was asked: to let it through would end us as if somebody had wished so
        except RayTaskError as error:
            if isinstance(error.cause, OURS):
                raise error.cause from error
            loss = error
        except OURS:  # behind HAProxy they arrive as they were raised
            raise
        except DeploymentUnavailableError as error:
            _look_anew()
            raise Postponed from error
        # Its process, its node, what it answered or the way there, in words of Ray's, Serve's or gRPC's; Ray may have
        # killed it for its memory. Whatever our methods raise is ours (`raises_no_data`).
        except Exception as error:  # noqa: BLE001
            loss = error
    raise WorkerLost from loss


async def _answer_of(method: "DeploymentHandle", args: tuple[Any, ...]) -> Any:
    response = method.remote(*args)
    try:
        return await response
    except asyncio.CancelledError:
        response.cancel()
        raise


def _look_anew() -> None:
    """Have the next look begin anew: who was shut down would be asked for ever, and a handle that has heard that its
    samplers were taken away says so for ever, though others may be deployed since."""
    from ray.serve.context import _disconnect

    _disconnect()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def having(samplers: "DeploymentHandle", model: Artifact) -> "DeploymentHandle":
    """These, and of them rather one that has the model in memory."""
    return samplers.options(multiplexed_model_id=str(model.id))


class OnlineDraws:
    """Rows that somebody waits for. With `most` chunks of this process on their way nobody else is let in; whoever was
    has all of his drawn, since his answer may have begun."""

    def __init__(self, samplers: "DeploymentHandle", most: int) -> None:
        self._samplers, self._most = samplers, most
        self._under_way: Counter[UUID] = Counter()  # by their model

    async def chunks(self, draw: Draw) -> AsyncGenerator[bytes, None]:
        """The encoded chunks in their order, some of them asked for ahead. Who closes it stops the drawing.

        Raises: Unavailable, before the first when the samplers have too much to do or none is up in time, or when they
        are lost; what the drawing raises.
        """
        if self._under_way.total() >= self._most:
            raise Unavailable("The samplers have more to do than they can: try again soon.", "busy")
        asked: deque[asyncio.Task[bytes]] = deque()
        indexes = iter(range(len(draw.chunks)))
        patience: float | None = FIRST_S  # an answer that has begun is waited for
        try:
            while True:
                while len(asked) < AHEAD and (index := next(indexes, None)) is not None:
                    asked.append(self._ask(draw, index))
                if not asked:
                    return
                yield await asyncio.wait_for(asked[0], patience)
                asked.popleft()
                patience = None
        except TimeoutError as error:
            detail = f"No sampler drew the first rows within {FIRST_S:.0f} seconds: try again, or make a file of them."
            raise Unavailable(detail, "unavailable") from error
        except (WorkerLost, Postponed) as error:
            raise Unavailable("The samplers were lost; try again.", "unavailable") from error
        except MemoryError as error:
            raise Unavailable("The samplers have no memory for these rows: try fewer.", "out_of_memory") from error
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    def _ask(self, draw: Draw, index: int) -> asyncio.Task[bytes]:
        model = draw.source
        samplers = having(self._samplers, model) if self._under_way[model.id] < CROWD else self._samplers
        with about(model_id=draw.model_id):  # the task takes it along
            task = asyncio.create_task(insist(samplers, "draw", draw, index, subject()))
        self._under_way[model.id] += 1
        task.add_done_callback(partial(self._ended, model.id))
        return task

    def _ended(self, model_id: UUID, _: asyncio.Task[bytes]) -> None:
        self._under_way[model_id] -= 1
        if not self._under_way[model_id]:
            del self._under_way[model_id]


async def wake(model_type: ModelType) -> None:
    """Have a sampler up that has imported what draws from such a model. That takes seconds, of which the first rows
    would wait for each; while a training runs nobody does."""
    try:
        async with asyncio.timeout(WAKE_S):
            await insist(await deployed(), "wake", model_type)
    except (Postponed, TimeoutError, WorkerLost):
        log.info("no sampler is up yet; who asks for rows will wait for one")


async def turns() -> Sequence[int] | None:
    """Of each replica that is up how many parts it draws at a time; `None` when one does not answer."""
    await _imported()
    from ray.serve.exceptions import DeploymentUnavailableError, RayServeException

    try:
        async with asyncio.timeout(ASK_S):
            samplers = await deployed()
            said = await samplers.broadcast("turns").results_async(return_exceptions=True)
    except DeploymentUnavailableError:  # no replica is up
        return ()
    except (RayError, RayServeException, TimeoutError):
        return None
    return [number for number in said if isinstance(number, int)]


async def forget(folders: tuple[str, ...]) -> None:
    """Have each replica let go what it keeps of these folders. One that does not answer is ending, or lets it go when
    it needs the room."""
    await _imported()
    from ray.serve.exceptions import RayServeException

    with suppress(RayError, RayServeException, TimeoutError):  # no replica is up, or the way there is not
        async with asyncio.timeout(FORGET_S):
            samplers = await deployed()
            await samplers.broadcast("forget", folders).results_async(return_exceptions=True)


async def _imported() -> None:
    """Ray Serve: 60 MB that an idle dispatcher does without, and most of a second in which others go on."""
    await asyncio.to_thread(import_module, "ray.serve")


def cause_of(error: RayTaskError) -> BaseException:
    """What was raised there: errors of ours as they were, others as they arrive."""
    return error.cause if isinstance(error.cause, OURS) else error
