"""What the service and the process that converts an upload say to each other, as JSON."""

import struct
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.datasets.reading import TableSummary
from synthgen_ray.domain.corrections import SchemaCorrection
from synthgen_ray.domain.errors import (
    FieldError,
    InsufficientStorage,
    InvalidTable,
    SynthGenError,
    TooLarge,
    Unavailable,
    Unreadable,
    UnsupportedMedia,
)

_KINDS = (Unreadable, InvalidTable, UnsupportedMedia, TooLarge, InsufficientStorage, Unavailable)
REFUSALS = {kind.__name__: kind for kind in _KINDS}


@dataclass(frozen=True)
class Conversion:
    """What to convert, where to, and within which limits."""

    source: Path
    filename: str
    target: Path
    limits: UploadLimits
    correction: SchemaCorrection | None = None
    formats: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refusal:
    """An error of ours by the name of its class: only those in `REFUSALS` are ever made again."""

    kind: str
    detail: str
    code: str
    errors: tuple[FieldError, ...]

    @classmethod
    def of(cls, error: SynthGenError) -> "Refusal":
        return cls(type(error).__name__, error.detail, error.code, error.errors)

    @property
    def error(self) -> SynthGenError:
        return REFUSALS[self.kind](self.detail, self.code, self.errors)


@dataclass(frozen=True)
class Outcome:
    """One of three: a summary, a refusal, or the frames of an error that nobody expected."""

    summary: TableSummary | None = None
    refusal: Refusal | None = None
    unexpected: str | None = None


CONVERSION = TypeAdapter(Conversion)
OUTCOME = TypeAdapter(Outcome)
# What stands before the one and after the other.
LENGTH = struct.Struct("!Q")
EXIT_CODE = struct.Struct("!i")
