"""What a training says of itself while it runs, where it goes on from, and when it must stop."""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, SupportsFloat

import numpy as np

from synthgen_ray.domain.entities import Progress
from synthgen_ray.domain.errors import diverged
from synthgen_ray.synthesizers.training.checkpoint import Checkpoint, Checkpoints, Losses, NoCheckpoints

if TYPE_CHECKING:
    from synthgen_ray.synthesizers.training.training_state import TrainingState

SECONDS_BETWEEN_REPORTS = 1.0
OnProgress = Callable[[Progress], None]


class Pace:
    """Counts the epochs of a training, reports each of them and at least every second, keeps the time limit."""

    def __init__(
        self,
        on_progress: OnProgress | None,
        max_seconds: float | None,
        checkpoints: Checkpoints | None = None,
        first_part: float = 1.0,
    ) -> None:
        """`first_part`: how much of the whole is done once its first `part` is."""
        self._on_progress = on_progress or (lambda _: None)
        self._checkpoints = checkpoints or NoCheckpoints()
        self.losses: Losses = {}  # of the whole training so far
        self._started, self._max_seconds, self._part = time.monotonic(), max_seconds, 1.0
        self._begins, self._ends = 0.0, first_part  # what is worked on now, as parts of the whole
        self._reported = time.monotonic()
        self.is_limited = max_seconds is not None
        self._is_settled: Callable[[int], bool] = _never
        self._seen = np.empty(0)
        self._has_settled = False
        self._latest = latest = self._checkpoints.latest()
        # Before this attempt, which goes on with it.
        self._reached = self._of_all(latest.fraction) if latest else 0.0
        self._seconds_before = latest.seconds if latest else 0.0
        self._last = Progress(self._reached)

    def say(self, fraction: float, message: str) -> None:
        """`fraction` is that of the part which is worked on."""
        self._report(Progress(self._of_all(fraction), message))

    def breathe(self) -> None:
        """In what takes long: say the same again, if the last time is a while ago. It is how a training learns that
        it is no longer wanted."""
        if time.monotonic() - self._reported >= SECONDS_BETWEEN_REPORTS:
            self._report(self._last)

    def steps(self, epochs: int, steps: int, state: "TrainingState") -> Iterator[tuple[int, int]]:
        """(epoch, step) of the whole training, or of what a checkpoint leaves of it. Keeps one when it is due."""
        total = epochs * steps
        state.watch(self._seen)
        for step in range(self._resumed(state, total), total):
            yield divmod(step, steps)
            if self._checkpoints.is_due():
                done = Checkpoint(step + 1, total, state.tensors(), dict(self.losses), self._seconds_of_work)
                self._checkpoints.save(done)

    def _resumed(self, state: "TrainingState", total: int) -> int:
        """How many steps are done."""
        latest, self._latest = self._latest, None  # whose tensors the state has from here on
        done = state.resume(latest, total)
        self._reached = self._of_all(done / total)
        if latest and done:
            self.losses = dict(latest.losses)
            self.say(done / total, f"going on after {done:,} of {total:,} steps")
        else:
            self._seconds_before = 0.0
        return done

    @contextmanager
    def part(self, share: float) -> Iterator[None]:
        """The first part. Inside, the time is over after this share of it: the rest is for what comes next."""
        self._part = share
        try:
            yield
        finally:
            self._part = 1.0
        self._begins, self._ends = self._ends, 1.0

    @contextmanager
    def watched(self, is_settled: Callable[[int], bool], seen: np.ndarray) -> Iterator[None]:
        """Inside, the training is also over once `is_settled`, asked at the end of each epoch, says so. All that it
        remembers from one time to the next is in `seen`."""
        was_limited = self.is_limited
        self._is_settled, self._seen, self.is_limited = is_settled, seen, True
        try:
            yield
        finally:
            self._is_settled, self.is_limited, self._has_settled = _never, was_limited, False

    def after_step(self, epoch: int, step: int, epochs: int, steps: int, losses: Mapping[str, SupportsFloat]) -> None:
        """Reports at the end of an epoch, inside of a long one, and where the training is over; only then the losses
        become numbers.

        Raises: JobError, for losses after which no weight is a number any more.
        """
        is_last = step == steps - 1
        if is_last or self.is_over or time.monotonic() - self._reported >= SECONDS_BETWEEN_REPORTS:
            numbers = {name: float(loss) for name, loss in losses.items()}
            if any(map(math.isnan, numbers.values())):
                raise diverged()
            if is_last:
                self._has_settled = self._is_settled(epoch)
            fraction = 1.0 if self.is_over else (epoch * steps + step + 1) / (epochs * steps)
            # JSON has no infinity: a loss that is as large shows the last number that it was.
            shown = {name: loss for name, loss in numbers.items() if math.isfinite(loss)}
            self.losses[epoch + 1] = shown
            settled = ", settled" if self._has_settled else ""
            said = f"epoch {epoch + 1} of {epochs}{settled}"
            self._report(Progress(self._of_all(fraction), said, shown, epochs=int(is_last)))

    @property
    def seconds(self) -> float:
        """Of this training so far, with all that earlier attempts at it took."""
        return self._checkpoints.seconds_used + time.monotonic() - self._started

    @property
    def is_over(self) -> bool:
        if self._max_seconds is None:
            return self._has_settled
        return self._has_settled or self._seconds_of_work >= self._part * self._max_seconds

    @property
    def _seconds_of_work(self) -> float:
        """Without what was lost: else a training that has to start anew would be over before it has learnt anything."""
        return self._seconds_before + time.monotonic() - self._started

    def _of_all(self, fraction: float) -> float:
        return self._begins + fraction * (self._ends - self._begins)

    def _report(self, progress: Progress) -> None:
        self._reported, self._last = time.monotonic(), replace(progress, epochs=0)  # which were told
        fraction = max(progress.fraction, self._reached)
        lost = self._checkpoints.seconds_used - self._seconds_before
        self._on_progress(replace(progress, fraction=fraction, seconds=self.seconds, seconds_lost=lost))


def _never(epoch: int) -> bool:  # noqa: ARG001
    return False
