"""A job's publication, broken at each step of it in turn.

Every write, fsync and rename of its files, every commit before and after it happens, is a point. The Nth point that is
met fails, for N = 1, 2 and so on until none is left: the process is killed, the step raises an error, or it takes
longer than two leases, while another dispatcher takes over; or all of the process is stopped meanwhile, as by a machine
that sleeps. The product has no hooks: they are put around its calls in a
forked process. Afterwards a new dispatcher goes on, and the job must have one end, its file, and no other.
"""

import asyncio
import errno
import os
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.lifecycle import LEASE, JobType
from synthgen_ray.jobs import dispatcher as dispatching
from synthgen_ray.jobs.clock_watch import ClockWatch
from synthgen_ray.jobs.dispatcher import Dispatcher
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import utc_now
from tests.chaos.bank import Bank, a_bank, sqlite_url
from tests.fakes import FakeClock, WritingLauncher
from tests.folders import a_folder
from tests.given import ADMIN
from tests.servers import wait_until

LOOKS = 400
# Of a publication: a file is synced, renamed and its folder synced, a claim and an end are committed. A sweep that does
# not meet these has nothing to break any more.
LEAST = {"fsync": 2, "rename": 1, "before_commit": 2, "after_commit": 2}
BROKEN = "broken a promise"


class Action(StrEnum):
    CRASH = "crash"
    ERROR = "error"
    DELAY = "delay"
    STOP = "stop"


class Failpoints:
    """Counts the points that are met, and makes the Nth of them fail."""

    def __init__(self, number: int, action: Action, delay: Callable[[], None]) -> None:
        self._left = number
        self._action = action
        self._delay = delay
        self.fired = False
        self.met: Counter[str] = Counter()

    def meet(self, kind: str, error: Callable[[], Exception] = lambda: OSError(errno.EIO, "broken")) -> None:
        self.met[kind] += 1
        self._left -= 1
        if self._left != 0:
            return
        self.fired = True
        if self._action is Action.CRASH:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._action is Action.ERROR:
            raise error()
        self._delay()

    def put(self) -> None:
        """Around the calls by which files and rows get onto the disk; for this process, for good."""
        for owner, name in ((os, "fsync"), (Path, "rename"), (Path, "write_bytes")):
            setattr(owner, name, self._around(name, getattr(owner, name)))
        open_path: Any = Path.open

        def watched_open(path: Path, mode: str = "r") -> Any:
            file = open_path(path, mode)
            return _Watched(file, self) if mode == "xb" else file

        setattr(Path, "open", watched_open)  # noqa: B010
        for moment in ("before_commit", "after_commit"):
            event.listen(Session, moment, lambda _session, kind=moment: self.meet(kind, _database_error))

    def _around(self, kind: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def failing(*arguments: Any) -> Any:
            self.meet(kind)
            return call(*arguments)

        return failing


class _Watched:
    """A file whose writes are points."""

    def __init__(self, file: Any, points: Failpoints) -> None:
        self._file = file
        self._points = points

    def __enter__(self) -> "_Watched":
        return self

    def __exit__(self, *error: object) -> None:
        self._file.__exit__(*error)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def write(self, content: bytes) -> None:
        self._points.meet("write")
        self._file.write(content)


def _database_error() -> Exception:
    return OperationalError("COMMIT", {}, OSError(errno.EIO, "broken"))


def swept(kind: JobType, action: Action, start: int = 1, stride: int = 1) -> str:
    """Whichever point breaks, it passes, and the job completes.

    Raises: AssertionError, naming the point after which a promise was broken.
    """
    with a_folder() as prepared:
        _in_child(lambda: asyncio.run(_prepare(prepared, kind)))
        number = start
        while True:
            with a_folder() as folder:
                shutil.copytree(prepared, folder, dirs_exist_ok=True)
                fired = _broken_run(folder, number, action)
                ended = _in_child(lambda folder=folder: _say(asyncio.run(_recover(folder))))
            if BROKEN in (fired, ended) or not ended:
                raise AssertionError(f"{kind}: point {number}, {action}: a promise is broken, see above")
            assert ended == "completed", f"{kind}: point {number}, {action}: it ends {ended}"
            if fired == "not met":
                points = f"points {start} to {number - 1} by {stride}"
                return f"{kind}, {action}: {points}, all completed, 0 broken promises"
            number += stride


def _in_child(work: Callable[[], None]) -> str:
    """What a forked process says on its way; nothing of one that was killed."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.dup2(writing, 3)
        try:
            work()
        except BaseException:  # noqa: BLE001 - whatever it is, the parent hears of it
            traceback.print_exc()
            _say(BROKEN)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return said


def _say(text: str) -> None:
    os.write(3, text.encode())


async def _prepare(folder: Path, kind: JobType) -> None:
    async with a_bank(folder) as bank:
        await bank.job(kind, await bank.project())


def _broken_run(folder: Path, number: int, action: Action) -> str:
    """Whether the point was met; nothing when it killed the process."""

    def run() -> None:
        points = Failpoints(number, action, delay=_successor(folder, stops=action is Action.STOP))
        points.put()
        asyncio.run(_run(folder, "victim"))
        if not points.fired:
            few = {kind: points.met[kind] for kind, least in LEAST.items() if points.met[kind] < least}
            assert not few, f"points that are met too seldom: {few}, of {LEAST}"
        _say("met" if points.fired else "not met")

    return _in_child(run)


def _successor(folder: Path, *, stops: bool) -> Callable[[], None]:
    """Another dispatcher, for whom all leases have run out: it goes on while the caller's thread stands still, or all
    of its process does. It is forked here, before there are threads."""
    reading, writing = os.pipe()
    victim = psutil.Process()
    successor = os.fork()
    if successor == 0:
        os.close(writing)
        if os.read(reading, 1):  # nothing of a victim that has ended without it
            os._exit(_go_on_after(folder, victim if stops else None))
        os._exit(0)
    os.close(reading)

    def succeed() -> None:
        os.write(writing, b".")
        if stops:
            os.kill(os.getpid(), signal.SIGSTOP)
        if os.waitpid(successor, 0)[1] != 0:
            _say(BROKEN)
            os._exit(1)

    return succeed


def _go_on_after(folder: Path, stopped: psutil.Process | None) -> int:
    """Its exit status."""
    try:
        if stopped:
            wait_until(lambda: stopped.status() == psutil.STATUS_STOPPED, "the process is stopped")
        asyncio.run(_run(folder, "successor", ahead=2 * LEASE, patient=False))
    except BaseException:  # noqa: BLE001 - whatever it is, the victim hears of it
        traceback.print_exc()
        return 1
    finally:
        if stopped:
            stopped.send_signal(signal.SIGCONT)
    return 0


class _Steady(ClockWatch):
    def is_steady(self) -> bool:
        return True


async def _run(folder: Path, owner: str, ahead: timedelta = timedelta(0), *, patient: bool = True) -> None:
    """Look at the queue until nothing waits or runs any more, a second of the store's time after the other.

    Who is not patient leaves when the store is away, as it is for all others when a commit takes long.
    Raises: AssertionError, when the job does not end.
    """
    dispatching.POLL_S = 0.01
    clock = FakeClock()
    clock.now = utc_now() + ahead
    store, artifacts = Store(sqlite_url(folder), clock=clock), DiskArtifacts(folder / "artifacts")
    launcher, slots = WritingLauncher(artifacts), dict.fromkeys(JobType, 1)
    dispatcher = Dispatcher(store, artifacts, launcher, slots, owner, clock=_Steady(0))
    await _finds_the_store(dispatcher._recover)
    for _ in range(LOOKS):
        there = await _finds_the_store(dispatcher.heartbeat) and await _finds_the_store(dispatcher.tick)
        await asyncio.gather(*dispatcher.tasks, return_exceptions=True)
        if await _is_over(store) or not (there or patient):
            break
        clock.advance(timedelta(seconds=1))
    else:
        raise AssertionError(f"{owner}: the job has no end")
    await store.dispose()


async def _finds_the_store(step: Callable[[], Awaitable[None]]) -> bool:
    """As the dispatcher does by itself, which also goes on after what should never be raised."""
    try:
        await step()
    except Unavailable:
        return False
    return True


async def _is_over(store: Store) -> bool:
    try:
        (job,) = (await store.list_jobs(ADMIN, None, None, None, 10, 0)).items
    except Unavailable:
        return False
    return job.status.is_final


async def _recover(folder: Path) -> str:
    """The end of the job, once a new dispatcher has gone on and all that was to be erased is."""
    await _run(folder, "victim", ahead=timedelta(minutes=10))
    bank = Bank(folder)
    (job,) = await bank.check_all_ended()
    await bank.erase_all()
    bank.artifacts.prepare()  # as the next server does: scratch files of processes that were killed go
    bank.check_files(folder / "artifacts", [job.artifact] if job.artifact else [])
    await bank.store.dispose()
    return job.failure.code if job.failure else job.status.value
