"""What a project may use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quotas:
    """Of each project, `None` without end; `queue_length` is of all projects together."""

    pending_jobs: int | None = 100
    storage_bytes: int | None = None
    generated_rows: int | None = None
    training_seconds: float | None = None
    queue_length: int = 10_000
