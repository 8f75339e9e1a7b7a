"""The parts without which the server cannot work, and how each of them is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from synthgen_ray.domain.errors import SynthGenError, Unavailable, frames_of

log = logging.getLogger(__name__)

PATIENCE_S = 5.0  # of who looks at all parts: one that is silent for longer does not work
MEMORY_S = 1.0  # of a look: /readyz needs no key, and a look may be a write to an object store


class Part(StrEnum):
    STORE = "store"
    ARTIFACTS = "artifacts"
    DISPATCHER = "dispatcher"


Check = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Finding:
    """How a part is; `code` and `detail` say what is wrong with one that does not work."""

    name: Part
    ok: bool
    code: str | None = None
    detail: str | None = None


class Checks:
    """A check of each part: it raises what is wrong."""

    def __init__(self, checks: Mapping[Part, Check], patience_s: float = PATIENCE_S) -> None:
        self._checks = checks
        self._patience_s = patience_s
        self._looks: dict[Part, asyncio.Task[Finding]] = {}
        self._found: dict[Part, float] = {}  # when the last look ended

    async def require_all(self) -> None:
        """Raises: Unavailable, with what is wrong with the first part that does not work."""
        for finding in (await self.look()).values():
            if not finding.ok:
                raise Unavailable(finding.detail or "", finding.code or "")

    async def look(self) -> dict[Part, Finding]:
        """How all parts are, or were a second ago, looked at beside each other: one that is away, or silent, hides no
        other."""
        looks = {part: self._look(part) for part in self._checks}
        await asyncio.wait(looks.values(), timeout=self._patience_s)
        return {part: look.result() if look.done() else self._silent(part) for part, look in looks.items()}

    def _look(self, part: Part) -> asyncio.Task[Finding]:
        # One at a time: who asks again and again would leave more and more threads waiting for a disk that hangs.
        look = self._looks.get(part)
        if look is None or (look.done() and monotonic() >= self._found.get(part, 0.0) + MEMORY_S):
            look = self._looks[part] = asyncio.create_task(self._find(part))
        return look

    async def _find(self, part: Part) -> Finding:
        try:
            return await self._ask(part)
        finally:
            self._found[part] = monotonic()

    async def _ask(self, part: Part) -> Finding:
        try:
            await self._checks[part]()
        except SynthGenError as error:
            return Finding(part, False, error.code, error.detail)
        except Exception as error:  # noqa: BLE001 - whatever a sick part raises is what was asked for
            log.error("the check of the %s failed: %s", part, frames_of(error))
            return Finding(part, False, f"{part}_unavailable", "Its check failed; the server's log says why.")
        return Finding(part, True)

    def _silent(self, part: Part) -> Finding:
        return Finding(part, False, f"{part}_unavailable", f"It has been silent for {self._patience_s:g} seconds.")
