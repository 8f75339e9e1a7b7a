"""What a training says of itself while it runs, and when it must stop."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import SupportsFloat

from synthgen_ray.domain.entities import Progress

SECONDS_BETWEEN_REPORTS = 1.0
OnProgress = Callable[[Progress], None]


class Pace:
    """Counts the epochs of a training, reports each of them and at least every second, keeps the time limit."""

    def __init__(self, on_progress: OnProgress | None, max_seconds: float | None) -> None:
        self._on_progress = on_progress or (lambda _: None)
        self._deadline = time.monotonic() + max_seconds if max_seconds else None
        self._reported = time.monotonic()
        self.is_limited = max_seconds is not None

    def say(self, fraction: float, message: str) -> None:
        self._report(Progress(fraction, message))

    def steps(self, epochs: int, steps: int) -> Iterator[tuple[int, int]]:
        """(epoch, step) of the whole training."""
        for epoch in range(epochs):
            for step in range(steps):
                yield epoch, step

    def after_step(self, epoch: int, step: int, epochs: int, steps: int, losses: Mapping[str, SupportsFloat]) -> None:
        """Reports at the end of an epoch, and inside of a long one; only then the losses become numbers."""
        is_last = step == steps - 1
        if is_last or time.monotonic() - self._reported >= SECONDS_BETWEEN_REPORTS:
            fraction = (epoch * steps + step + 1) / (epochs * steps)
            self._report(
                Progress(
                    fraction, f"epoch {epoch + 1} of {epochs}", {name: float(loss) for name, loss in losses.items()}
                )
            )

    @property
    def is_over(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _report(self, progress: Progress) -> None:
        self._reported = time.monotonic()
        self._on_progress(progress)
