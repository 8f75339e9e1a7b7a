"""What a look at a server has found."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    OK = "ok"
    WARN = "warn"  # it works, and will not always
    FAIL = "fail"  # it does not work, or is open to others


@dataclass(frozen=True)
class Finding:
    check: str
    level: Level
    said: str
    advice: str = ""  # what to do; of all that is not ok


def ok(check: str, said: str) -> Finding:
    return Finding(check, Level.OK, said)


def warn(check: str, said: str, advice: str) -> Finding:
    return Finding(check, Level.WARN, said, advice)


def fail(check: str, said: str, advice: str) -> Finding:
    return Finding(check, Level.FAIL, said, advice)
