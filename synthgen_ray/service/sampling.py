"""Rows at once."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import TYPE_CHECKING
from uuid import UUID

from synthgen_ray.datasets.streaming import Joined
from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.chunks import chunks
from synthgen_ray.domain.entities import Draw
from synthgen_ray.domain.errors import Gone, InvalidRequest, JobError, SynthGenError, TooLarge
from synthgen_ray.domain.once import T
from synthgen_ray.domain.params import SampleFormat, SampleParams
from synthgen_ray.synthesizers.streams import fresh_seed

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

# The chunks of rows that are wanted at once, in their order, each as `datasets.streaming` encodes it.
DrawChunks = Callable[[Draw], AsyncGenerator[bytes, None]]
REFUSALS: dict[str, type[SynthGenError]] = {"conditions_unsatisfiable": InvalidRequest, "rows_too_large": TooLarge}


class Sampling:
    _store: "Store"
    _draw: DrawChunks
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
        source, chunk_rows = await self._store.admit_draw(principal, model_id, params)
        draw = Draw(source, tuple(chunks(params.num_rows, chunk_rows)), seed, params, form)
        blocks = self._joined(draw)
        try:
            if len(draw.chunks) == 1:  # whole: each message of an answer passes through three processes
                return seed, b"".join([block async for block in blocks])
            first = await anext(blocks)
        except JobError as error:
            raise REFUSALS.get(error.code, Gone)(error.detail, error.code) from error
        return seed, _with_first(first, blocks)

    async def _joined(self, draw: Draw) -> AsyncGenerator[bytes, None]:
        stream = Joined.of(draw.format)
        done = asyncio.to_thread if stream.computes else _at_once
        async with aclosing(self._draw(draw)) as drawn:
            async for chunk in drawn:
                yield await done(stream.add, chunk)
        yield await done(stream.end)


async def _at_once(call: Callable[..., T], *given: object) -> T:
    """A thread costs more than what hardly computes."""
    return call(*given)


async def _with_first(first: bytes, rest: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    async with aclosing(rest):
        yield first
        async for block in rest:
            yield block
