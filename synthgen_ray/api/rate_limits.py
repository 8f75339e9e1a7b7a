"""How fast and how much a key may ask, and how often an address may guess. Each ingress process counts for itself."""

import math
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass

from synthgen_ray.domain.errors import FieldError, TooMany

MOST_COUNTED = 10_000  # keys or addresses; of more the one that was quiet for longest is forgotten


@dataclass(frozen=True)
class RateLimits:
    """`None` is without end."""

    requests_per_second: float | None = 20.0  # of one key
    burst: int = 40  # requests that may come at once
    open_requests: int | None = 100  # of one key, that are answered at the same time: streams of events among them
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


class RateLimiter:
    def __init__(self, limits: RateLimits) -> None:
        self._limits = limits
        per_second, per_minute = limits.requests_per_second, limits.wrong_keys_per_minute
        self._requests = Buckets(per_second, limits.burst) if per_second else None
        self._open: Counter[str] = Counter()
        self._guesses = Buckets(per_minute / 60, per_minute) if per_minute else None

    def count_request(self, key: str) -> None:
        """Raises: RateLimited."""
        wait_s = self._requests.take(key) if self._requests else 0.0
        if wait_s:
            detail = f"The key asks too fast: at most {self._limits.requests_per_second:g} requests a second."
            raise RateLimited(detail, "rate_limited", retry_after_s=math.ceil(wait_s))

    def begin(self, key: str) -> None:
        """A request that is open until its `end`: no key takes all the room that there is. Raises: RateLimited."""
        most = self._limits.open_requests
        if most is not None and self._open[key] >= most:
            detail = f"The key has {most} requests open: let one of them end before the next."
            raise RateLimited(detail, "too_many_open")
        self._open[key] += 1

    def end(self, key: str) -> None:
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]

    def count_wrong_key(self, address: str) -> None:
        """A known key is never held up by the wrong ones from its address. Raises: RateLimited."""
        wait_s = self._guesses.take(address) if self._guesses else 0.0
        if wait_s:
            detail = "Too many wrong keys came from this address: wait before the next one."
            raise RateLimited(detail, "too_many_wrong_keys", retry_after_s=math.ceil(wait_s))
