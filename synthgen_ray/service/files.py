"""Files on their way in and out, and artifacts made of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, suppress
from contextvars import copy_context
from pathlib import Path

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.converter import Converter
from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.entities import Artifact
from synthgen_ray.domain.errors import SynthGenError, Unavailable
from synthgen_ray.domain.once import Made, Once, T


class Files:
    _artifacts: Artifacts
    _converter: Converter
    _storage: ThreadPoolExecutor  # that wait for it: asyncio's own, of which Serve gives five, are everybody's

    @property
    def upload_limits(self) -> UploadLimits:
        return self._converter.limits

    @asynccontextmanager
    async def upload_folder(self) -> AsyncIterator[Path]:
        """A private folder for an upload on its way in, gone afterwards.

        Raises: InsufficientStorage, when the disk is almost full.
        """
        await self.aside(self.check_free)
        async with self._held(self._artifacts.scratch.folder()) as folder:
            yield folder

    def check_free(self) -> None:
        """Raises: InsufficientStorage, when the disk is almost full."""
        self._artifacts.scratch.check_free(self.upload_limits.min_free_bytes, self.upload_limits.min_free_share)

    async def read(self, artifact: Artifact) -> Callable[[int, int], Iterator[bytes]]:
        """A reader of the artifact's bytes from a start to before a stop.

        Raises: Gone, when they are no longer those that were published; of a large artifact perhaps while it is read.
        """
        return await self.aside(self._artifacts.reader, artifact)

    async def check(self, artifact: Artifact) -> None:
        """By the sizes of its files. Raises: Gone; Unavailable."""
        await self.aside(self._artifacts.check, artifact)

    async def aside(self, call: Callable[..., T], *given: object) -> T:
        """In a thread that may take its time."""
        return await asyncio.get_running_loop().run_in_executor(self._storage, copy_context().run, call, *given)

    @asynccontextmanager
    async def _held(self, what: AbstractContextManager[T]) -> AsyncIterator[T]:
        """What is begun and ended in threads that may take their time."""
        held = ExitStack()
        begun = await self.aside(held.enter_context, what)
        try:
            yield begun
        finally:
            await self.aside(held.close)

    def _publish(self, file: Path, location: str, name: str, num_rows: int) -> Artifact:
        self._artifacts.adopt(file, location, name)
        return self._artifacts.seal(location, [self._artifacts.part(location, name, num_rows)])

    async def _made_before(
        self, find: Callable[[Principal, Once], Awaitable[T | None]], principal: Principal, once: Once | None
    ) -> Made[T] | None:
        """What an earlier call with this key made, whatever has become since of what it was made of."""
        before = await find(principal, once) if once else None
        return None if before is None else Made(before, replayed=True)

    async def _made_of(self, artifact: Artifact, call: Awaitable[Made[T]]) -> Made[T]:
        """What a call makes of an artifact; one that is of no use to it is erased."""
        async with self._kept(artifact):
            made = await call
        if made.replayed:
            await self._discard(artifact)
        return made

    @asynccontextmanager
    async def _kept(self, artifact: Artifact) -> AsyncIterator[None]:
        """While it is registered: one that the store refuses is erased."""
        try:
            yield
        except SynthGenError as error:
            if not isinstance(error, Unavailable):  # then it may be registered
                await self._discard(artifact)
            raise

    async def _discard(self, artifact: Artifact) -> None:
        """Erase what no row names; what cannot be reached now is found later, as all that no row names is."""
        with suppress(Unavailable):
            await self.aside(self._artifacts.erase, artifact.location)
