"""Calls that make something once, however often they are sent."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Once:
    """The caller's key, the route that it was sent to, and the hash of what was asked for."""

    key: str
    route: str
    fingerprint: str


@dataclass(frozen=True)
class Made(Generic[T]):
    """What a creating call made, or had made before."""

    value: T
    replayed: bool = False
