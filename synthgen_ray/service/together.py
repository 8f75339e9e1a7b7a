"""What many ask for at the same time, asked for once."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

GATHER_S = 0.005  # a call through Ray takes as long, and costs as much for one as for many

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


@dataclass
class _Turn(Generic[Asked, Answer]):
    answers: asyncio.Task[Sequence[Answer | Exception]]
    asked: list[Asked] = field(default_factory=list)


class Together(Generic[Asked, Answer]):
    """One call at a time, which answers all who asked before it began. Who asks while it is on its way, or just after,
    shares the next one, so that a thousand are a few calls, and each is answered by what was true after it asked.

    `call` answers each of those that it is given, in their order; an error is raised to whom it answers alone.
    `on_idle` hears that nobody asks any more.
    """

    def __init__(
        self,
        call: Callable[[Sequence[Asked]], Awaitable[Sequence[Answer | Exception]]],
        on_idle: Callable[[], object] = lambda: None,
    ) -> None:
        self._call, self._on_idle = call, on_idle
        self._next: _Turn[Asked, Answer] | None = None
        self._last: asyncio.Task[Sequence[Answer | Exception]] | None = None

    async def ask(self, asked: Asked) -> Answer:
        """Raises: the error that is the answer; what the call raises."""
        turn = self._next or self._begin()
        place = len(turn.asked)
        turn.asked.append(asked)
        answer = (await asyncio.shield(turn.answers))[place]  # who leaves does not take the others along
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _begin(self) -> _Turn[Asked, Answer]:
        # In nobody's context: in that of who asked first, Ray would take the call for a part of his request, and cancel
        # it for all when he leaves.
        turn: _Turn[Asked, Answer] = _Turn(asyncio.create_task(self._answers(self._last), context=Context()))
        self._next, self._last = turn, turn.answers
        turn.answers.add_done_callback(self._end)
        return turn

    async def _answers(self, before: asyncio.Task[Sequence[Answer | Exception]] | None) -> Sequence[Answer | Exception]:
        if before is not None:
            await asyncio.wait({before})
            await asyncio.sleep(GATHER_S)
        turn, self._next = self._next, None
        return await self._call(turn.asked) if turn else ()

    def _end(self, answers: asyncio.Task[Sequence[Answer | Exception]]) -> None:
        if self._last is answers:
            self._last = None
            self._on_idle()
        if not answers.cancelled():
            answers.exception()  # it may be that all who asked have left
