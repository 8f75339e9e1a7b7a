"""What goes on beside the queue: files that nobody needs any more are erased.

Whatever drops a file remembers its folder in the same transaction (`store.erasures`), so here is where all erasing is.
What nobody remembered, since the process that wrote it died, is found by looking.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.errors import Unavailable, frames_of
from synthgen_ray.domain.lifecycle import LEASE, JobType
from synthgen_ray.domain.retention import Retention

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

log = logging.getLogger(__name__)

EXPIRE_EVERY_S = 60.0
SWEEP_EVERY_S = 3600.0
FOLDERS_AT_ONCE = 100
ERASED_AT_ONCE = 4  # an object store takes some fifth of a second for each
# Longer than an upload takes from its file to its row, and than a lost attempt may go on writing.
UNNAMED_S = max(2 * LEASE.total_seconds(), 3600.0)


Forget = Callable[[tuple[str, ...]], Awaitable[None]]
Step = tuple[str, Callable[[], Awaitable[object]]]  # by its name


class Tidying:
    """One round after the other, each of them short. Those who keep in memory what was in a folder are told to `forget`
    it."""

    def __init__(self, store: "Store", artifacts: Artifacts, retention: Retention, forget: Forget) -> None:
        self._store = store
        self._artifacts = artifacts
        self._retention = retention
        self._forget = forget
        self._last_expiry = -EXPIRE_EVERY_S
        self._last_sweep = -SWEEP_EVERY_S
        self._unseen: deque[str] = deque()  # folders that this sweep has not come to
        self._erasers = ThreadPoolExecutor(ERASED_AT_ONCE, "erase")  # a store that hangs takes nobody else's threads

    async def round(self) -> None:
        """A step that fails is logged and keeps no other; what was left out is done later.

        Raises: Unavailable, for the store or the artifacts.
        """
        await self._all_of(self._steps())

    async def _all_of(self, steps: Iterable[Step]) -> None:
        away: Unavailable | None = None
        for name, step in steps:
            try:
                await step()
            except Unavailable as error:
                away = error
            except Exception as error:  # noqa: BLE001 - what one row or disk does to it must not keep what is to go
                log.error("tidying failed, and is tried again: %s, %s", name, frames_of(error))
        if away:
            raise away

    def _steps(self) -> Iterator[Step]:
        if time.monotonic() - self._last_expiry >= EXPIRE_EVERY_S:
            self._last_expiry = time.monotonic()
            yield "what is old", self._expire
        yield "unnamed files", self._sweep
        yield "files to erase", self._erase
        yield "this machine", partial(asyncio.to_thread, self._artifacts.tidy_machine)

    async def _expire(self) -> None:
        now = await self._store.ask_time()
        if now is None:
            log.warning(
                "the clock was set, or leaps ahead: for a day, or until it is right again, nothing old is let go"
            )
        else:
            await self._all_of(self._expiries(now))

    def _expiries(self, now: datetime) -> Iterator[Step]:
        yield "old calls", partial(self._store.forget_old_calls, now)
        keep = self._retention
        if keep.outputs:
            yield "outputs", partial(self._expire_outputs, now - keep.outputs)
        if keep.reports:
            yield "reports", partial(self._store.expire_outputs, now - keep.reports, JobType.REPORT)
        if keep.failed_jobs:
            yield "failed jobs", partial(self._store.delete_failed, now - keep.failed_jobs)
        if keep.audit:
            yield "audit events", partial(self._store.forget_audit, now - keep.audit)

    async def _expire_outputs(self, before: datetime) -> None:
        if expired := await self._store.expire_outputs(before):
            log.info("the rows of %d generations are no longer kept", expired)

    async def _sweep(self) -> None:
        """Look into some folders more, for what no row names."""
        if not self._unseen:
            if time.monotonic() - self._last_sweep < SWEEP_EVERY_S:
                return
            self._unseen.extend(await self._folders())
            self._last_sweep = time.monotonic()
        some = [self._unseen.popleft() for _ in range(min(FOLDERS_AT_ONCE, len(self._unseen)))]
        idle = await asyncio.to_thread(self._idle, some)
        if idle and (unnamed := await self._store.erase_unnamed(idle)):
            log.warning("%d folders of artifacts that nothing names are erased", unnamed)

    async def _folders(self) -> tuple[str, ...]:
        """All that may be swept: nothing where other metadata names the files, as after a change of the database."""
        owner = str(await self._store.get_server_id())
        if await asyncio.to_thread(self._artifacts.claim, owner):
            return await asyncio.to_thread(self._artifacts.list_folders)
        log.error("the artifacts are those of another server's metadata: what nothing here names is left there")
        return ()

    def _idle(self, folders: list[str]) -> list[str]:
        before = time.time() - UNNAMED_S
        return [location for folder in folders for location in self._artifacts.list_idle(folder, before)]

    async def _erase(self) -> None:
        """What cannot be erased now keeps no other folder."""
        loop, locations = asyncio.get_running_loop(), await self._store.list_erasures()
        erased: list[str] = []
        failed: list[BaseException] = []
        try:
            for start in range(0, len(locations), ERASED_AT_ONCE):
                some = locations[start : start + ERASED_AT_ONCE]
                ends = [loop.run_in_executor(self._erasers, self._artifacts.erase, location) for location in some]
                errors = await asyncio.gather(*ends, return_exceptions=True)
                failed += [error for error in errors if error is not None]
                if gone := tuple(location for location, error in zip(some, errors, strict=True) if error is None):
                    erased += gone
                    await self._store.erased(gone)
        finally:
            if erased:
                await self._forget(tuple(erased))
        if failed:
            raise failed[0]
