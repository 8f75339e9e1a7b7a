"""What the lines of a log are about. Set where a request or a job begins, so that no line below has to say it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID

FIELDS = ("request_id", "job_id", "model_id")
_ABOUT: ContextVar[dict[str, str]] = ContextVar("about", default={})  # noqa: B039 - never changed, only replaced


@contextmanager
def about(
    *, request_id: str | None = None, job_id: UUID | str | None = None, model_id: UUID | str | None = None
) -> Iterator[None]:
    """Inside, lines carry these ids and those from around it. `about(**subject())` goes on in another process."""
    given = dict(zip(FIELDS, (request_id, job_id, model_id), strict=True))
    token = _ABOUT.set({**_ABOUT.get(), **{name: str(value) for name, value in given.items() if value is not None}})
    try:
        yield
    finally:
        _ABOUT.reset(token)


def subject() -> dict[str, str | None]:
    """Each of `FIELDS`, `None` where a line is about none."""
    said = _ABOUT.get()
    return {name: said.get(name) for name in FIELDS}
