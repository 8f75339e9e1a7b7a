"""Rows at once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from functools import partial
from uuid import UUID

from synthgen_ray.datasets.streaming import Joined
from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.chunks import chunks
from synthgen_ray.domain.entities import Artifact, Draw, DrawRequest
from synthgen_ray.domain.errors import Gone, InvalidRequest, JobError, SynthGenError, TooLarge
from synthgen_ray.domain.once import T
from synthgen_ray.domain.params import SampleFormat, SampleParams
from synthgen_ray.service.together import Together
from synthgen_ray.synthesizers.numerics.streams import fresh_seed

# The chunks of rows that are wanted at once, in their order, each as `datasets.streaming` encodes it.
DrawChunks = Callable[[Draw], AsyncGenerator[bytes, None]]
REFUSALS: dict[str, type[SynthGenError]] = {"conditions_unsatisfiable": InvalidRequest, "rows_too_large": TooLarge}
MOST_REMEMBERED = 1000


class Sampling:
    _admissions: Together[DrawRequest, tuple[Artifact, int]]
    _returns: Together[DrawRequest, None]
    _draw: DrawChunks
    _lately: dict[tuple[UUID, UUID], tuple[Artifact, int]]  # what the store answered to a key that asked for a model
    _returning: set[asyncio.Task[None]]  # an event loop alone would lose them
    max_sample_rows: int

    async def sample(
        self, principal: Principal, model_id: UUID, params: SampleParams, form: SampleFormat
    ) -> tuple[int, bytes | AsyncIterator[bytes]]:
        """The seed and the rows of a ready model. More than a chunk are drawn as they are read; the first ones are
        there.

        Raises: NotFound; Conflict, when the model is not ready; InvalidRequest, for the conditions; TooLarge; TooMany;
        Unavailable, when the samplers have too much to do; Gone, when the model's file is damaged.
        """
        if params.num_rows > self.max_sample_rows:
            detail = f"At most {self.max_sample_rows:,} rows come with the answer: generate makes a file of more."
            raise TooLarge(detail, "too_many_rows")
        if params.csv_safe and form is not SampleFormat.CSV:
            raise InvalidRequest("csv_safe is for CSV: the other formats hold no formulas.", "csv_safe_needs_csv")
        seed = fresh_seed() if params.seed is None else params.seed

        def begin(source: Artifact, chunk_rows: int) -> _Drawing:
            draw = Draw(model_id, source, tuple(chunks(params.num_rows, chunk_rows)), seed, params, form)
            return _Drawing(self._joined(draw), is_whole=len(draw.chunks) == 1)

        request = DrawRequest(principal, model_id, params, form)
        drawing = await self._admitted(request, begin)
        try:
            return seed, await drawing.rows()
        except (Exception, asyncio.CancelledError) as error:
            await self._returns.ask(request)  # none of them came
            if isinstance(error, JobError):
                raise REFUSALS.get(error.code, Gone)(error.detail, error.code) from error
            raise

    async def _admitted(self, request: DrawRequest, begin: Callable[[Artifact, int], "_Drawing"]) -> "_Drawing":
        """The store takes as long as a sampler does. For a key that it let in lately rows are drawn meanwhile, and
        nothing is seen of them by whom it then turns away. Wishes wait for it: it is what checks them."""
        asked, params = (request.principal.key_id, request.model_id), request.params
        lately = None if params.conditions or params.distribution else self._lately.get(asked)
        drawing = begin(*lately) if lately else None
        admission = asyncio.create_task(self._admissions.ask(request))
        try:
            admitted = await asyncio.shield(admission)
        except BaseException:
            admission.add_done_callback(partial(self._unwanted, request))  # who left may be let in yet
            self._lately.pop(asked, None)
            if drawing:
                await drawing.stop()
            raise
        if drawing:  # by the same file: a model has one and never another
            return drawing
        if len(self._lately) >= MOST_REMEMBERED:
            self._lately.clear()
        self._lately[asked] = admitted
        return begin(*admitted)

    def _unwanted(self, request: DrawRequest, admission: asyncio.Task[tuple[Artifact, int]]) -> None:
        if not admission.cancelled() and admission.exception() is None:
            returning = asyncio.create_task(self._returns.ask(request))
            self._returning.add(returning)
            returning.add_done_callback(self._returning.discard)

    async def _joined(self, draw: Draw) -> AsyncGenerator[bytes, None]:
        stream = Joined.of(draw.format)
        done = asyncio.to_thread if stream.computes else _at_once
        async with aclosing(self._draw(draw)) as drawn:
            async for chunk in drawn:
                yield await done(stream.add, chunk)
        yield await done(stream.end)


class _Drawing:
    """Rows on their way. Those of one chunk come whole: each message of an answer passes through three processes."""

    def __init__(self, blocks: AsyncGenerator[bytes, None], *, is_whole: bool) -> None:
        self._blocks, self._is_whole = blocks, is_whole
        self._first = asyncio.create_task(self._begin())

    async def rows(self) -> bytes | AsyncIterator[bytes]:
        first = await self._first
        return first if self._is_whole else self._from(first)

    async def stop(self) -> None:
        self._first.cancel()
        await asyncio.gather(self._first, return_exceptions=True)
        await self._blocks.aclose()

    async def _begin(self) -> bytes:
        if self._is_whole:
            return b"".join([block async for block in self._blocks])
        return await anext(self._blocks)

    async def _from(self, first: bytes) -> AsyncIterator[bytes]:
        async with aclosing(self._blocks):
            yield first
            async for block in self._blocks:
                yield block


async def _at_once(call: Callable[..., T], *given: object) -> T:
    """A thread costs more than what hardly computes."""
    return call(*given)
