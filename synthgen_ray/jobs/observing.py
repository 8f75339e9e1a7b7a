"""What the dispatcher tells of the attempts at jobs: what an operator counts and times."""

from enum import StrEnum
from typing import Protocol

from synthgen_ray.domain.entities import Job


class Outcome(StrEnum):
    """What became of an attempt; after the last three the job runs again."""

    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"  # also one that a dispatcher gives back which stops
    LOST = "lost"
    UNAVAILABLE = "unavailable"
    POSTPONED = "postponed"


class AttemptObserver(Protocol):
    """Told in the dispatcher's process. Waits for nothing, raises nothing."""

    def began(self, job: Job) -> None:
        """An attempt was claimed, and begins."""

    def ended(self, job: Job, outcome: Outcome, seconds: float) -> None:
        """It has, and the store knows: a result that the store refused is none."""

    def generated(self, rows: int) -> None:
        """So many were published."""


class Unobserved:
    """Nobody counts."""

    def began(self, job: Job) -> None: ...

    def ended(self, job: Job, outcome: Outcome, seconds: float) -> None: ...

    def generated(self, rows: int) -> None: ...
