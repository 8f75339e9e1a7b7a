"""What the client raises, one tree. The text of each is a sentence for people.

ClientError
├── ApiError            the server refused; `status`, `code` and `detail` say why
├── ConnectionFailed    no server, or none that could be understood
├── DownloadDamaged     a file arrived with other bytes than the server has
├── JobFailed           a job that was waited for failed; `job["error"]` says why
└── WaitTimedOut        a job that was waited for goes on
"""

from collections.abc import Iterable
from typing import Any

PASSING_STATUSES = frozenset({429, 502, 503, 504})
BUSY = "busy"  # the samplers, or the server
PASSING_CODES = frozenset({"idempotency_in_progress"})


class ClientError(Exception):
    retry_after_s: float | None = None  # where the server says so

    @property
    def may_pass(self) -> bool:
        """Whether the same question may be answered a little later."""
        return False


class ApiError(ClientError):
    """`code` is stable; `errors` names the fields at fault, each with a message."""

    def __init__(
        self,
        status: int,
        detail: str,
        code: str = "",
        errors: Iterable[dict[str, str]] = (),
        request_id: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.errors = list(errors)
        self.request_id = request_id
        self.retry_after_s = retry_after_s

    @property
    def may_pass(self) -> bool:
        return self.status in PASSING_STATUSES or self.code in PASSING_CODES

    @property
    def was_not_begun(self) -> bool:
        """Whether it was turned away before anything was done."""
        return self.status == 429 or self.code == BUSY


class ConnectionFailed(ClientError):
    @property
    def may_pass(self) -> bool:
        return True


class DownloadDamaged(ClientError):
    pass


class JobFailed(ClientError):
    def __init__(self, job: dict[str, Any]) -> None:
        error = job.get("error") or {"code": "unknown", "message": "It does not say why."}
        super().__init__(f"The {job['job_type']} job {job['id']} failed: {error['message']} ({error['code']})")
        self.job = job
        self.code: str = error["code"]


class WaitTimedOut(ClientError):
    pass
