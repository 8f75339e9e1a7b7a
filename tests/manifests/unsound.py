"""What a check says, and where."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from synthgen_ray.settings import unread


class Unsound(Exception):
    """What is wrong with a file."""


@contextmanager
def within(place: str) -> Iterator[None]:
    """Of what is wrong in here it says where that is."""
    try:
        yield
    except Unsound as error:
        raise Unsound(f"{place}: {error}") from error


def check_names(text: str) -> None:
    """That all that begins like a variable of ours is one, wherever it stands: a slip would be read by nothing."""
    for number, line in enumerate(text.splitlines(), 1):
        for said in unread(dict.fromkeys(re.findall(r"\bSYNTHGEN_\w+", line), "")):
            raise Unsound(f"line {number}: {said}")
