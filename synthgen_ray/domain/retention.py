"""How long is kept what could be made again, or that nobody looks at."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True)
class Retention:
    """`None` is for ever."""

    outputs: timedelta | None = None
    reports: timedelta | None = None
    failed_jobs: timedelta | None = None
    audit: timedelta | None = None
