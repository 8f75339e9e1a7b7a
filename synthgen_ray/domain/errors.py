"""What can go wrong, one tree. Every error that a caller can act on is a `SynthGenError`.

SynthGenError
├── InvalidRequest (422)      the request is well formed but wrong
│   └── InvalidTable            an uploaded or given table cannot be used
├── Unreadable (400)          bytes that cannot be parsed
├── UnsupportedMedia (415)    a kind of file or body that we do not take
├── TooLarge (413)            over a configured maximum
├── Unauthenticated (401)
├── Forbidden (403)          the key's role or scope does not allow it
├── NotFound (404)
├── Conflict (409)            the state does not allow it
├── Gone (410)                it was there, and no longer is as it was
├── TooMany (429)            over a quota or a rate limit; retry later
├── Unavailable (503)         a store or the queue cannot serve now; retry
├── InsufficientStorage (507) the disk has no room for it
└── JobError                  why a job failed; becomes the job's `error`
"""

import errno
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Self

LONGEST_NAME = 255  # of a column; an unknown name can be of any length
# Of a disk that fails, of one elsewhere that is away, of too many open files.
_PASSING = (errno.EIO, errno.EROFS, errno.ESTALE, errno.ETIMEDOUT, errno.ENOTCONN, errno.EMFILE, errno.ENFILE)


@dataclass(frozen=True)
class FieldError:
    """One field of a body, a query or a form that does not fit."""

    field: str
    message: str

    @classmethod
    def at(cls, steps: Iterable[str], message: str) -> Self:
        """Of the field to which these steps lead, each as far as an answer may repeat it."""
        return cls(".".join(step[:LONGEST_NAME] for step in steps), message)

    def __str__(self) -> str:
        return f"{self.field}: {self.message}" if self.field else self.message


class SynthGenError(Exception):
    """Base of every error a caller can act on. Read `detail`, not `str(error)`, which is the same here: after an
    actor call the latter is the remote traceback.

    `detail` says what is wrong and what would be right, and holds no value of a table.
    """

    status = 500
    title = "Internal error"
    retry_after_s: int | None = None  # when it is worth to try again
    headers: Mapping[str, str] = MappingProxyType({})  # more of the answer, that HTTP asks for

    def __init__(self, detail: str, code: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail, code, errors)  # all there is: pickle rebuilds an error from these
        self.detail = detail
        self.code = code
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return self.detail


class InvalidRequest(SynthGenError):
    status = 422
    title = "Invalid request"


class InvalidTable(InvalidRequest):
    title = "Unusable table"


class Unreadable(SynthGenError):
    status = 400
    title = "Unreadable"


class UnsupportedMedia(SynthGenError):
    status = 415
    title = "Unsupported media type"


class TooLarge(SynthGenError):
    status = 413
    title = "Too large"


class Unauthenticated(SynthGenError):
    status = 401
    title = "Not authenticated"

    @classmethod
    def of_key(cls) -> "Unauthenticated":
        return cls("The API key is not known here, or is no longer valid.", "invalid_key")


class Forbidden(SynthGenError):
    status = 403
    title = "Not allowed"


class NotFound(SynthGenError):
    status = 404
    title = "Not found"

    @classmethod
    def of(cls, what: str) -> "NotFound":
        return cls(f"There is no such {what}.", "not_found")


class Conflict(SynthGenError):
    status = 409
    title = "Conflict"


class Gone(SynthGenError):
    status = 410
    title = "Gone"


class TooMany(SynthGenError):
    status = 429
    title = "Too many"
    retry_after_s = 30


class Unavailable(SynthGenError):
    status = 503
    title = "Not available now"
    retry_after_s = 2


class InsufficientStorage(SynthGenError):
    status = 507
    title = "Insufficient storage"


def is_disk_full(error: BaseException) -> bool:
    """Of the whole disk, or of what this user may have of it."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


def is_disk_away(error: BaseException) -> bool:
    """That it does not do now what it may do later."""
    return isinstance(error, OSError) and error.errno in _PASSING


def artifacts_away() -> Unavailable:
    return Unavailable("The artifact store cannot be reached now; try again.", "artifacts_unavailable")


def insufficient_storage() -> InsufficientStorage:
    detail = "The server's disk has no room for this; free some, or ask the operator to."
    return InsufficientStorage(detail, "insufficient_storage")


class JobError(SynthGenError):
    """Why a job failed, in words for its owner. Raised by the work, stored in the job's row."""

    title = "Job failed"


def corrupt_model(why: str) -> JobError:
    return JobError(f"The model's file is damaged or not ours: {why}.", "model_corrupt")


def diverged() -> JobError:
    detail = (
        "The training diverged: its networks hold no numbers any more. Try lower learning rates, a smaller loss_factor,"
        " or another seed."
    )
    return JobError(detail, "training_diverged")


class Cancelled(JobError):
    """The job was cancelled, or its attempt was superseded: stop, publish nothing."""

    def __init__(
        self, detail: str = "The job was cancelled.", code: str = "cancelled", errors: Sequence[FieldError] = ()
    ) -> None:
        super().__init__(detail, code, errors)


class WorkerLost(Exception):
    """A process behind an attempt is gone: not the job's fault, worth another attempt. No caller sees it."""


class Postponed(Exception):
    """An attempt could not begin, as the cluster is now: it costs none of those that a job has. No caller sees it."""


class Unexpected(Exception):
    """An error that is none of ours, as `frames_of` tells it."""


def loggable(error: Exception) -> Exception:
    """The same for who handles it, and no more of it than a log may hold: Ray's have all that another process raises.

    Of an error of ours the errors behind it are left out, of a stranger's its text.
    """
    if isinstance(error, SynthGenError | WorkerLost | Postponed):
        error.__cause__ = error.__context__ = None
        return error
    return (MemoryError if isinstance(error, MemoryError) else Unexpected)(frames_of(error))


def told(error: SynthGenError) -> str:
    """To who runs the server, who may hear what the database, the storage or the disk said; for no log."""
    cause = getattr(error.__cause__, "orig", None) or error.__cause__
    return f"{error.detail} ({cause})" if str(cause or "") else error.detail


def frames_of(error: BaseException) -> str:
    """What a log may hold of an unexpected error: its type and where it came from.

    Not its message: a library's may repeat a cell.
    """
    if isinstance(error, Unexpected):
        return str(error)
    lines = "".join(traceback.format_exception(error)).splitlines()
    frames = [line.strip() for line in lines if line.startswith('  File "')]
    return "\n  ".join([type(error).__name__, *frames])
