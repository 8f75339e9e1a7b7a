"""What a training says of itself while it runs, and when it must stop."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import SupportsFloat

from synthgen_ray.domain.entities import Progress

SECONDS_BETWEEN_REPORTS = 1.0
OnProgress = Callable[[Progress], None]


class Pace:
    """Counts the epochs of a training, reports each of them and at least every second, keeps the time limit."""

    def __init__(self, on_progress: OnProgress | None, max_seconds: float | None) -> None:
        self._on_progress = on_progress or (lambda _: None)
        self._started, self._max_seconds, self._part = time.monotonic(), max_seconds, 1.0
        self._reported = time.monotonic()
        self.is_limited = max_seconds is not None
        self._is_settled: Callable[[int], bool] = _never
        self._has_settled = False

    def say(self, fraction: float, message: str) -> None:
        self._report(Progress(fraction, message))

    def steps(self, epochs: int, steps: int) -> Iterator[tuple[int, int]]:
        """(epoch, step) of the whole training."""
        for epoch in range(epochs):
            for step in range(steps):
                yield epoch, step

    @contextmanager
    def part(self, share: float) -> Iterator[None]:
        """Inside, the time is over after this share of it: the rest is for what comes next."""
        self._part = share
        yield
        self._part = 1.0

    @contextmanager
    def watched(self, is_settled: Callable[[int], bool]) -> Iterator[None]:
        """Inside, the training is also over once `is_settled`, asked at the end of each epoch, says so."""
        was_limited = self.is_limited
        self._is_settled, self.is_limited = is_settled, True
        yield
        self._is_settled, self.is_limited, self._has_settled = _never, was_limited, False

    def after_step(self, epoch: int, step: int, epochs: int, steps: int, losses: Mapping[str, SupportsFloat]) -> None:
        """Reports at the end of an epoch, and inside of a long one; only then the losses become numbers."""
        is_last = step == steps - 1
        if is_last:
            self._has_settled = self._is_settled(epoch)
        if is_last or time.monotonic() - self._reported >= SECONDS_BETWEEN_REPORTS:
            fraction = (epoch * steps + step + 1) / (epochs * steps)
            numbers = {name: float(loss) for name, loss in losses.items()}
            # JSON has no NaN: a training that diverges shows the last losses that were numbers.
            shown = {name: loss for name, loss in numbers.items() if math.isfinite(loss)}
            self._report(Progress(fraction, f"epoch {epoch + 1} of {epochs}", shown))

    @property
    def is_over(self) -> bool:
        if self._max_seconds is None:
            return self._has_settled
        return self._has_settled or time.monotonic() >= self._started + self._part * self._max_seconds

    def _report(self, progress: Progress) -> None:
        self._reported = time.monotonic()
        self._on_progress(progress)


def _never(epoch: int) -> bool:  # noqa: ARG001
    return False
