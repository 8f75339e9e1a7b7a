"""How many parts of generations the samplers have at a time.

Of one generation as many as they draw at once, and one more each to go on with; of all together twice that. More would
only stand in their lines, where a sampler that comes up later cannot take them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
LOOK_S = 1.0
ONE = (1,)  # where none is up: what waits for a sampler has one started


@dataclass(eq=False)
class _Generation:
    held: int = 0


class Places:
    """Belongs to one event loop. `look` tells of each sampler that is up how many parts it draws at a time.

    `most` is of one generation, however many they could draw.
    """

    def __init__(self, look: Callable[[], Awaitable[Sequence[int]]], most: int | None = None) -> None:
        self._look, self._most = look, most
        self._at_once: Sequence[int] = ()
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
                    await self._take(mine)
                    group.create_task(make(part)).add_done_callback(give_back)
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None

    async def _take(self, mine: _Generation) -> None:
        self._waiting.add(mine)
        try:
            while not await self._has_room(mine):
                self._changed.clear()
                await self._changed.wait()
        finally:
            self._waiting.discard(mine)
            self._changed.set()  # for whom it was behind
        mine.held += 1
        self._taken += 1

    async def _has_room(self, mine: _Generation) -> bool:
        if self._taken == 0:
            return True  # most generations are of one part, and need not look
        now = asyncio.get_running_loop().time()
        if now - self._looked_at >= LOOK_S:
            self._looked_at = now
            self._at_once = await self._look()
        at_once = self._at_once or ONE
        busy = sum(at_once) + len(at_once)
        of_one = self._most or busy
        is_next = all(mine.held <= other.held for other in self._waiting)
        return is_next and mine.held < of_one and self._taken < 2 * max(busy, of_one)
