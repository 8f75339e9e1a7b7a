"""What the client raises, one tree. The text of each is a sentence for people.

ClientError
├── ApiError            the server refused; `status`, `code` and `detail` say why
├── ConnectionFailed    no server, or none that could be understood
├── JobFailed           a job that was waited for failed; `job["error"]` says why
└── WaitTimedOut        a job that was waited for goes on
"""

from collections.abc import Iterable
from typing import Any


class ClientError(Exception):
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
        request_id: str = "",
        errors: Iterable[dict[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.code = code
        self.request_id = request_id
        self.errors = list(errors)

    @property
    def may_pass(self) -> bool:
        return self.status == 503


class ConnectionFailed(ClientError):
    @property
    def may_pass(self) -> bool:
        return True


class JobFailed(ClientError):
    def __init__(self, job: dict[str, Any]) -> None:
        error = job.get("error") or {"code": "unknown", "message": "It does not say why."}
        super().__init__(f"The {job['job_type']} job {job['id']} failed: {error['message']} ({error['code']})")
        self.job = job
        self.code: str = error["code"]


class WaitTimedOut(ClientError):
    pass
