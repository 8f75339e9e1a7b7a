"""The client: one method for each endpoint, by resource, and waiting for models and reports."""

from types import TracebackType
from typing import Self

import httpx

from synthgen_ray.client.answers import JSON
from synthgen_ray.client.audit import Audit
from synthgen_ray.client.connection import Connection, Id
from synthgen_ray.client.datasets import Datasets
from synthgen_ray.client.jobs import POLL_S, Jobs, OnProgress
from synthgen_ray.client.keys import Keys
from synthgen_ray.client.models import Models
from synthgen_ray.client.projects import Projects
from synthgen_ray.client.reports import Reports

DEFAULT_URL = "http://127.0.0.1:8888"
TIMEOUT_S = 60.0


class SynthGen(Projects, Datasets, Models, Jobs, Reports, Keys, Audit):
    """A client of a server. Answers are the JSON of the REST API. Close it, or use `with`.

    Raises: ClientError, from each method. `transport` stands in for the network in tests.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_URL,
        api_key: str | None = None,
        transport: httpx.BaseTransport | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._connection = Connection(self.base_url, api_key, transport, timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def is_ready(self) -> bool:
        """Whether the server can work now; false too when there is none."""
        return self._connection.succeeds("/readyz")

    def get_limits(self) -> JSON:
        """What is too large or too much for this server."""
        return self._connection.get("/api/limits")

    def get_status(self) -> JSON:
        """Whether each part of the server works, how its queue is, what runs and what failed last, as it is now; for an
        admin key that is not bound to projects."""
        return self._connection.look("/api/status")

    def wait_for_model(
        self,
        model_id: Id,
        on_progress: OnProgress | None = None,
        poll_s: float = POLL_S,
        timeout_s: float | None = None,
    ) -> JSON:
        """The model once it is ready. `on_progress` sees its training job each time that it has changed.

        Raises: JobFailed; WaitTimedOut, after which the training goes on.
        """
        for job in self.get_model(model_id)["jobs"]:
            if job["job_type"] == "train":
                self.wait_for_job(job["id"], on_progress, poll_s, timeout_s)
        model: JSON = self.get_model(model_id)["model"]
        return model

    def wait_for_report(
        self,
        report_id: Id,
        on_progress: OnProgress | None = None,
        poll_s: float = POLL_S,
        timeout_s: float | None = None,
    ) -> JSON:
        """The report once it has succeeded. `on_progress` sees its job each time that it has changed.

        Raises: JobFailed; WaitTimedOut, after which the report goes on.
        """
        self.wait_for_job(report_id, on_progress, poll_s, timeout_s)
        return self.get_report(report_id)
