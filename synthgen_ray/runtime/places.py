"""How many parts of generations the samplers have at a time.

Of one generation as many as they draw at once, and one more each to go on with; of all together twice that. More would
only stand in their lines, where a sampler that comes up later cannot take them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from synthgen_ray.domain.errors import frames_of

log = logging.getLogger(__name__)
T = TypeVar("T")
LOOK_S = 1.0
OLD_S = 10.0  # a look before that says nothing of now
ONE = (1,)  # where none is up: what waits for a sampler has one started


@dataclass(eq=False)
class _Generation:
    held: int = 0


class Places:
    """Belongs to one event loop. `look` tells of each sampler that is up how many parts it draws at a time; `None` when
    that cannot be said, and what was known before holds.

    `most` is of one generation, however many they could draw.
    """

    def __init__(self, look: Callable[[], Awaitable[Sequence[int] | None]], most: int | None = None) -> None:
        self._look, self._most = look, most
        self._at_once: Sequence[int] = ()
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")
        self._taken = 0
        self._waiting: set[_Generation] = set()
        self._changed = asyncio.Event()

    async def each(self, parts: Iterable[T], make: Callable[[T], Coroutine[Any, Any, None]]) -> None:
        """Make the parts of one generation, in their order as far as they begin.

        Raises: what the first of them to fail raises; the others are cancelled.
        """
        mine = _Generation()

        def give_back(_: asyncio.Task[None]) -> None:
            mine.held -= 1
            self._taken -= 1
            self._changed.set()

        try:
            async with asyncio.TaskGroup() as group:
                for part in parts:
                    await self._room(mine)
                    group.create_task(make(part)).add_done_callback(give_back)
                    # Not before: what a group that comes to its end does not take, nobody would give back.
                    mine.held += 1
                    self._taken += 1
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _room(self, mine: _Generation) -> None:
        """Ends when there is some, which is there until the loop goes on."""
        self._waiting.add(mine)
        try:
            while not await self._has_room(mine):
                self._changed.clear()
                await self._changed.wait()
        finally:
            self._waiting.discard(mine)
            self._changed.set()  # for whom it was behind

    async def _has_room(self, mine: _Generation) -> bool:
        if self._taken == 0:
            return True  # most generations are of one part, and need not look
        at_once = await self._known() or ONE
        busy = sum(at_once) + len(at_once)
        of_one = self._most or busy
        is_next = all(mine.held <= other.held for other in self._waiting)
        return is_next and mine.held < of_one and self._taken < 2 * max(busy, of_one)

    async def _known(self) -> Sequence[int]:
        """What was seen lately. Nobody waits for the next look: a sampler that is silent would hold up the others."""
        age = asyncio.get_running_loop().time() - self._looked_at
        if self._looking is None and age >= LOOK_S:
            self._looking = asyncio.create_task(self._look_once())
        if self._looking is not None and age >= OLD_S:
            await asyncio.shield(self._looking)
        return self._at_once

    async def _look_once(self) -> None:
        seen = None
        try:
            seen = await self._look()
        except Exception as error:  # noqa: BLE001 - it is a hint, for which no generation is to fail
            log.warning("the samplers cannot be counted: %s", frames_of(error))
        finally:
            self._looking, self._looked_at = None, asyncio.get_running_loop().time()
        if seen is not None and seen != self._at_once:
            self._at_once = seen
            self._changed.set()
