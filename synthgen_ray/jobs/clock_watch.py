"""Whether the wall clock runs as a clock should."""

import math
import time
from collections.abc import Callable

TOLERANCE_S = 5.0  # more than it is corrected by between two looks


class ClockWatch:
    """Leases end at moments of the wall clock: when it is set, those of dispatchers that live may look old.

    So nobody's are taken for `grace_s` after a jump, nor after the start, before which a jump would go unseen: by
    then whoever lives has renewed its own. `begin_anew` starts that time again.
    """

    def __init__(
        self,
        grace_s: float,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._grace_s = grace_s
        self._wall = wall
        self._monotonic = monotonic
        self._offset = math.inf
        self._steady_from = math.inf

    def begin_anew(self) -> None:
        """For when nobody could renew anything."""
        self._offset = math.inf

    def is_steady(self) -> bool:
        now = self._monotonic()
        offset = self._wall() - now
        if abs(offset - self._offset) > TOLERANCE_S:
            self._offset, self._steady_from = offset, now + self._grace_s
        return now >= self._steady_from
