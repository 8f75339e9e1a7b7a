"""A batch in the metadata of the server on whose cluster it runs: others see there how it stands, and may cancel it."""

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from ray.exceptions import RayError

from synthgen_ray.domain.entities import BATCH_STOPPED, Job, JobFailure, Progress
from synthgen_ray.domain.errors import Cancelled, NotFound, Unavailable, WorkerLost, frames_of
from synthgen_ray.domain.keys import key_hash
from synthgen_ray.domain.log_context import about
from synthgen_ray.domain.params import DrawParams
from synthgen_ray.jobs.batch import OnRows
from synthgen_ray.jobs.failures import public_reason
from synthgen_ray.runtime.actors import metadata_store

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

log = logging.getLogger(__name__)
HEARTBEAT_S = 2.0
STOP = signal.SIGUSR1
INSIST_S = 60.0  # that a store may be away while a batch has failed: the end of its lease tells it too
INSIST_ON_SUCCESS_S = 900.0  # and while all rows are there, of which nothing else tells


def begin(key: str, model_id: UUID, params: DrawParams, config: dict[str, Any]) -> Job | None:
    """The batch as a job. `None` where the cluster has no server, or one that knows not this key or not this model.

    Raises: Forbidden; Conflict; InvalidRequest; TooMany; Unavailable.
    """
    if not _has_server() or (principal := _call("find_admission", key_hash(key))) is None:
        return None
    try:
        return _call("begin_batch", principal, model_id, params, config)
    except NotFound:
        return None


@contextmanager
def shown(job: Job, num_rows: int) -> Iterator[OnRows]:
    """While it works: who is told of its rows has them shown, and ends with the job, which lines are about. For the
    main thread.

    Raises: Cancelled, when somebody cancelled it, or it was taken for stopped: at once, in the middle of a file too.
    """
    state = _State(job, num_rows)
    with about(job_id=job.id, model_id=job.model_id):
        # A thread does not know by itself what lines are about.
        beating = threading.Thread(target=copy_context().run, args=(state.beat,), daemon=True)
        with _ending_with(state):
            beating.start()
            try:
                yield state.on_rows
            except BaseException as error:
                state.end(beating)
                with suppress(Unavailable):  # then the end of its lease ends it
                    _insist("fail", job.id, job.attempt, _reason(error), for_s=INSIST_S)
                raise
            state.end(beating)
        _insist("complete_batch", job.id, job.attempt, for_s=INSIST_ON_SUCCESS_S)


class _State:
    def __init__(self, job: Job, num_rows: int) -> None:
        self._job, self._num_rows = job, num_rows
        self._rows, self._made, self._began = 0, 0, time.monotonic()
        self.is_held = True
        self._ended, self._lock = threading.Event(), threading.Lock()

    def on_rows(self, rows: int, made: int) -> None:
        """So many are there, and so many of these were made since it began. Raises: Cancelled."""
        self._rows, self._made = rows, made
        if rows == self._num_rows and self.is_held:  # what is published next cannot be taken back
            self._renew()
        if not self.is_held:
            raise _cancelled()

    def progress(self) -> Progress:
        """With the seconds that all these rows would have taken: what an earlier run made tells nothing of the rest."""
        seconds = (time.monotonic() - self._began) * self._rows / self._made if self._made else 0.0
        return Progress.of_rows(self._rows, self._num_rows, seconds)

    def beat(self) -> None:
        while self.is_held and not self._ended.wait(HEARTBEAT_S):
            self._renew()
        with self._lock:
            if not self._ended.is_set():
                signal.pthread_kill(threading.main_thread().ident or 0, STOP)

    def _renew(self) -> None:
        try:
            self.is_held = _call("renew_batch", self._job.id, self._job.attempt, self.progress())
        except Unavailable:
            pass  # the next one may find it
        except Exception as error:  # noqa: BLE001 - without signs of life it would be taken for stopped
            log.error("a batch could not show that it lives, and tries it again: %s", frames_of(error))

    def end(self, beating: threading.Thread) -> None:
        """From here on nobody is stopped."""
        with self._lock:
            self._ended.set()
        beating.join()


@contextmanager
def _ending_with(state: _State) -> Iterator[None]:
    """Raises: Cancelled, wherever this thread is when the batch is no longer held."""
    before = signal.signal(STOP, signal.default_int_handler)  # what else a signal raises, Ray prints and forgets
    try:
        yield
    except KeyboardInterrupt:
        if state.is_held:
            raise
        raise _cancelled() from None
    finally:
        signal.signal(STOP, before)


def _cancelled() -> Cancelled:
    return Cancelled("The batch was cancelled, or taken for stopped by its server: --resume goes on with it.")


def _reason(error: BaseException) -> JobFailure:
    """A signal, and the loss of its workers, leave it to be gone on with."""
    is_stopped = isinstance(error, WorkerLost) or not isinstance(error, Exception)
    return BATCH_STOPPED if is_stopped else public_reason(error)


def _insist(method: str, *args: Any, for_s: float) -> Any:
    """Each of these writes is fenced by its attempt, so a repeat of one that did commit changes nothing."""
    give_up = time.monotonic() + for_s
    while True:
        try:
            return _call(method, *args)
        except Unavailable:
            if time.monotonic() > give_up:
                raise
            time.sleep(HEARTBEAT_S)


def _has_server() -> bool:
    try:
        metadata_store()
    except ValueError:  # there is no actor of that name
        return False
    except RayError as error:
        raise Unavailable("Ray's head does not answer; try again.", "store_unavailable") from error
    return True


def _call(method: str, *args: Any) -> Any:
    """Raises: Unavailable; what the method raises."""
    try:
        return asyncio.run(getattr(_store(), method)(*args))
    except Exception:
        _store.cache_clear()  # a server that was started anew has another
        raise


@cache
def _store() -> "Store":
    """Found once: that takes Ray's head, which may be silent for longer than a lease. Raises: Unavailable."""
    try:
        return metadata_store()
    except (ValueError, RayError) as error:  # it has no such actor, or its head is silent
        raise Unavailable("The server is away; try again.", "store_unavailable") from error
