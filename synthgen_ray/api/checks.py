"""The components without which the server cannot work, and how each of them is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from synthgen_ray.domain.errors import SynthGenError, Unavailable, frames_of

log = logging.getLogger(__name__)

PATIENCE_S = 5.0  # of who looks at all components: one that is silent for longer does not work
MEMORY_S = 1.0  # of a look: /readyz needs no key, and a look may be a write to an object store


class Component(StrEnum):
    STORE = "store"
    ARTIFACTS = "artifacts"
    DISPATCHER = "dispatcher"


Check = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Health:
    """How a component is; `code` and `detail` say what is wrong with one that does not work."""

    name: Component
    ok: bool
    code: str | None = None
    detail: str | None = None


class Checks:
    """A check of each component: it raises what is wrong."""

    def __init__(self, checks: Mapping[Component, Check], patience_s: float = PATIENCE_S) -> None:
        self._checks = checks
        self._patience_s = patience_s
        self._looks: dict[Component, asyncio.Task[Health]] = {}
        self._found: dict[Component, float] = {}  # when the last look ended

    async def require_all(self) -> None:
        """Raises: Unavailable, with what is wrong with the first component that does not work."""
        for health in (await self.look()).values():
            if not health.ok:
                raise Unavailable(health.detail or "", health.code or "")

    async def look(self) -> dict[Component, Health]:
        """How all components are, or were a second ago, looked at beside each other: one that is away, or silent,
        hides no other."""
        looks = {name: self._look(name) for name in self._checks}
        await asyncio.wait(looks.values(), timeout=self._patience_s)
        return {name: look.result() if look.done() else self._silent(name) for name, look in looks.items()}

    def _look(self, name: Component) -> asyncio.Task[Health]:
        # One at a time: who asks again and again would leave more and more threads waiting for a disk that hangs.
        look = self._looks.get(name)
        if look is None or (look.done() and monotonic() >= self._found.get(name, 0.0) + MEMORY_S):
            # In nobody's context: Ray would cancel what is a part of a request, when that one's client leaves.
            look = self._looks[name] = asyncio.create_task(self._find(name), context=Context())
        return look

    async def _find(self, name: Component) -> Health:
        try:
            return await self._ask(name)
        finally:
            self._found[name] = monotonic()

    async def _ask(self, name: Component) -> Health:
        try:
            await self._checks[name]()
        except SynthGenError as error:
            return Health(name, False, error.code, error.detail)
        except Exception as error:  # noqa: BLE001 - whatever a sick component raises is what was asked for
            log.error("the check of the %s failed: %s", name, frames_of(error))
            return Health(name, False, f"{name}_unavailable", "Its check failed; the server's log says why.")
        return Health(name, True)

    def _silent(self, name: Component) -> Health:
        return Health(name, False, f"{name}_unavailable", f"It has been silent for {self._patience_s:g} seconds.")
