"""How fast and how much a key may ask, and how often an address may guess. Each ingress process counts for itself."""

import logging
import math
import time
from collections import Counter, OrderedDict
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from uuid import UUID

from synthgen_ray.domain.access import Principal
from synthgen_ray.domain.errors import FieldError, TooMany

log = logging.getLogger(__name__)

MOST_COUNTED = 10_000  # keys or addresses; of more the one that was quiet for longest is forgotten
MOST_STREAMS = 100  # of events, of all keys together: half of what a process answers at a time
_Place = tuple[str, UUID | None]  # what there are so many of, and whose: a key's or a project's


@dataclass(frozen=True)
class RateLimits:
    """`None` is without end."""

    requests_per_second: float | None = 20.0  # of one key
    burst: int = 40  # requests that may come at once
    open_requests: int | None = 50  # of one key, or all keys to one project, that are answered at the same time
    event_streams: int | None = 10  # of one key: they are open for as long as somebody watches
    wrong_keys_per_minute: int | None = 5  # from one address


class RateLimited(TooMany):
    def __init__(self, detail: str, code: str, errors: tuple[FieldError, ...] = (), retry_after_s: int = 1) -> None:
        super().__init__(detail, code, errors)
        self.retry_after_s = retry_after_s


class Buckets:
    """A bucket of tokens for each name: a request takes one, and they come back at a rate."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second, self._burst = per_second, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str) -> float:
        """0 if there was a token, else the seconds until there is one."""
        now = time.monotonic()
        tokens, since = self._left.pop(name, (float(self._burst), now))
        tokens = min(tokens + (now - since) * self._per_second, float(self._burst))
        wait_s = 0.0 if tokens >= 1 else (1 - tokens) / self._per_second
        self._left[name] = (tokens - 1 if tokens >= 1 else tokens, now)
        if len(self._left) > MOST_COUNTED:
            self._left.popitem(last=False)
        return wait_s

    def is_empty(self, name: str) -> bool:
        """Of one that was taken from."""
        return self._left[name][0] < 1


class RateLimiter:
    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        per_second, per_minute = limits.requests_per_second, limits.wrong_keys_per_minute
        self._requests = Buckets(per_second, limits.burst) if per_second else None
        self._open = Counter[_Place]()
        self._guesses = Buckets(per_minute / 60, per_minute) if per_minute else None

    def count_request(self, key: str) -> None:
        """Raises: RateLimited."""
        wait_s = self._requests.take(key) if self._requests else 0.0
        if wait_s:
            detail = f"The key asks too fast: at most {self._limits.requests_per_second:g} requests a second."
            raise RateLimited(detail, "rate_limited", retry_after_s=math.ceil(wait_s))

    def one_open(self, principal: Principal, *, is_stream: bool) -> AbstractContextManager[None]:
        """A request while it is answered: neither a key nor the keys to a project take all the room that there is.

        Raises: RateLimited, by the call itself.
        """
        places = self._places(principal, is_stream)
        for place, most in places.items():
            if self._open[place] >= most:
                raise RateLimited(
                    f"{place[0].format(most)} open: let one of them end before the next.", "too_many_open"
                )
        return self._held(places)

    @contextmanager
    def _held(self, places: Collection[_Place]) -> Iterator[None]:
        for place in places:
            self._open[place] += 1
        try:
            yield
        finally:
            for place in places:
                self._open[place] -= 1
                if not self._open[place]:
                    del self._open[place]

    def _places(self, principal: Principal, is_stream: bool) -> dict[_Place, int]:
        """What such a request takes one of, and how many of it there are."""
        limits, places = self._limits, dict[_Place, int]()
        if limits.open_requests is not None:
            places["The key has {} requests", principal.key_id] = limits.open_requests
            for project_id in principal.projects or ():
                places["The keys to a project have {} requests", project_id] = limits.open_requests
        if is_stream and limits.event_streams is not None:
            places["The key has {} streams of events", principal.key_id] = limits.event_streams
            places["There are {} streams of events", None] = MOST_STREAMS
        return places

    def count_wrong_key(self, address: str) -> None:
        """A known key is never held up by the wrong ones from its address. Raises: RateLimited."""
        if self._guesses is None:
            return
        if wait_s := self._guesses.take(address):
            detail = "Too many wrong keys came from this address: wait before the next one."
            raise RateLimited(detail, "too_many_wrong_keys", retry_after_s=math.ceil(wait_s))
        if self._guesses.is_empty(address):  # a line for the last one that is let try, not for all that are held up
            log.warning("wrong keys came from %s: the next ones have to wait", address or "an unknown address")
