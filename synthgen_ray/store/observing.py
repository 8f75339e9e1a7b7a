"""What the store tells of that its answers do not: signs of trouble that an operator counts."""

from typing import Protocol


class Observer(Protocol):
    """Told in the store's process and after the fact. Waits for nothing, raises nothing."""

    def leases_expired(self, jobs: int) -> None:
        """So many running jobs were taken from dispatchers that had fallen silent."""

    def attempts_interrupted(self, jobs: int) -> None:
        """So many ran when their dispatcher ended, as the next one found."""

    def deadlines_exceeded(self, jobs: int) -> None:
        """So many jobs were failed since their time was over."""

    def write_fenced(self) -> None:
        """An attempt that was no longer wanted wanted to write."""

    def epochs_ended(self, epochs: int) -> None:
        """A training told that so many have, or none."""


class Unobserved:
    """Nobody counts."""

    def leases_expired(self, jobs: int) -> None: ...

    def attempts_interrupted(self, jobs: int) -> None: ...

    def deadlines_exceeded(self, jobs: int) -> None: ...

    def write_fenced(self) -> None: ...

    def epochs_ended(self, epochs: int) -> None: ...
