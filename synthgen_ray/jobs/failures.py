"""Why a job failed, in words that hold no value of a table."""

from collections.abc import Iterator
from contextlib import contextmanager

from synthgen_ray.domain.entities import JobFailure
from synthgen_ray.domain.errors import InsufficientStorage, SynthGenError, Unavailable
from synthgen_ray.synthesizers.numerics.faults import is_lack_of_memory


def public_reason(error: BaseException) -> JobFailure:
    """What the owner of a job may read of an error. A stranger's text may hold data: it is left out."""
    if isinstance(error, SynthGenError):
        return JobFailure(error.code, error.detail, isinstance(error, InsufficientStorage | Unavailable))
    if isinstance(error, MemoryError):
        return JobFailure("out_of_memory", "The job needs more memory than there is: try fewer columns or rows.")
    return JobFailure(
        "internal_error", "The job failed unexpectedly; the server's log has the reason under its id.", True
    )


@contextmanager
def computing() -> Iterator[None]:
    """What this block computes, perhaps on a GPU. Raises: MemoryError, also where PyTorch has an error of its own for
    it."""
    try:
        yield
    except RuntimeError as error:
        if is_lack_of_memory(error):
            raise MemoryError from error
        raise
