"""One method for each endpoint, and waiting for jobs."""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import httpx

from synthgen_ray.client.connection import JSON, Connection, given
from synthgen_ray.client.errors import ClientError, JobFailed, WaitTimedOut

Id = str | UUID
OnProgress = Callable[[JSON], None]

DEFAULT_URL = "http://127.0.0.1:8888"
TIMEOUT_S = 60.0
POLL_S = 0.5
OUTAGE_S = 60.0  # how long waiting for a job outlasts a server that restarts
OUTAGE_PAUSE_S = 1.0
PREFIX = "/api/synthgen"


class SynthGen:
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

    def create_project(self, name: str, description: str = "") -> JSON:
        return self._connection.post("/api/projects", {"name": name, "description": description})

    def list_projects(self, limit: int = 50, offset: int = 0) -> JSON:
        """A page of a list, newest first: `items`, and in `total` how many there are in all."""
        return self._connection.get("/api/projects", limit=limit, offset=offset)

    def upload_dataset(
        self, project_id: Id, name: str, file: Path, description: str | None = None, dataset_id: Id | None = None
    ) -> JSON:
        """Upload a CSV, CSV.gz or Parquet file; with `dataset_id` as that dataset's next version."""
        form = given(project_id=project_id, name=name, description=description, dataset_id=dataset_id)
        return self._connection.upload("/api/datasets/upload", form, file)

    def list_datasets(self, project_id: Id | None = None, limit: int = 50, offset: int = 0) -> JSON:
        return self._connection.get("/api/datasets", project_id=project_id, limit=limit, offset=offset)

    def model_types(self) -> list[JSON]:
        types: list[JSON] = self._connection.get(f"{PREFIX}/model-types")["model_types"]
        return types

    def create_model(
        self,
        project_id: Id,
        dataset_version_id: Id,
        name: str,
        model_type: str = "ctgan",
        config: Mapping[str, Any] | None = None,
        resources: Mapping[str, Any] | None = None,
    ) -> JSON:
        """Make a model. Its training starts by itself; `wait_for_model` waits for it."""
        body = given(
            project_id=str(project_id),
            dataset_version_id=str(dataset_version_id),
            name=name,
            model_type=model_type,
            config=config,
            resources=resources,
        )
        return self._connection.post(f"{PREFIX}/models", body)

    def list_models(self, project_id: Id | None = None, limit: int = 50, offset: int = 0) -> JSON:
        return self._connection.get(f"{PREFIX}/models", project_id=project_id, limit=limit, offset=offset)

    def get_model(self, model_id: Id) -> JSON:
        """The model as `model` and its jobs, newest first, as `jobs`."""
        return self._connection.get(f"{PREFIX}/models/{model_id}")

    def generate(
        self,
        model_id: Id,
        num_rows: int = 1000,
        seed: int | None = None,
        conditions: Mapping[str, Any] | None = None,
        distribution: Mapping[str, Mapping[str, float]] | None = None,
        format: str = "csv",
    ) -> JSON:
        """Queue a generation. Wait for its `synthgen_job_id`, then download that.

        `conditions` hold for every row: column to a value, a list of values, `{"min": a, "max": b}`
        or `None` for a missing one. `distribution` sets the shares of one column's values.
        """
        body = given(num_rows=num_rows, seed=seed, conditions=conditions, distribution=distribution, format=format)
        return self._connection.post(f"{PREFIX}/models/{model_id}/generate", body)

    def delete_model(self, model_id: Id) -> JSON:
        """Delete a model, its jobs and their files, for good."""
        return self._connection.delete(f"{PREFIX}/models/{model_id}")

    def list_jobs(
        self,
        project_id: Id | None = None,
        model_id: Id | None = None,
        status: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> JSON:
        filters = {"project_id": project_id, "model_id": model_id, "status": status}
        return self._connection.get(f"{PREFIX}/jobs", **filters, limit=limit, offset=offset)

    def get_job(self, job_id: Id) -> JSON:
        """A job, by its id or by its background job's id."""
        return self._connection.get(f"{PREFIX}/jobs/{job_id}")

    def download(self, job_id: Id, to: Path) -> Path:
        """The rows of a completed generation as the file `to`, which appears whole or not at all."""
        return self._connection.download(f"{PREFIX}/jobs/{job_id}/download", to)

    def wait_for_job(
        self,
        job_id: Id,
        on_progress: OnProgress | None = None,
        poll_s: float = POLL_S,
        timeout_s: float | None = None,
    ) -> JSON:
        """The job once it is completed. `on_progress` sees it at each look, the last one included.

        Raises: JobFailed; WaitTimedOut, after which the job goes on.
        """
        give_up = math.inf if timeout_s is None else time.monotonic() + timeout_s
        job = self.get_job(job_id)
        while True:
            if on_progress:
                on_progress(job)
            if job["status"] == "failed":
                raise JobFailed(job)
            if job["status"] == "completed":
                return job
            if time.monotonic() >= give_up:
                raise WaitTimedOut(f"Job {job_id} is not done after {timeout_s:g} s; it goes on.")
            time.sleep(poll_s)
            job = self._get_job_despite_outages(job_id)

    def wait_for_model(
        self,
        model_id: Id,
        on_progress: OnProgress | None = None,
        poll_s: float = POLL_S,
        timeout_s: float | None = None,
    ) -> JSON:
        """The model once it is ready. `on_progress` sees its training job at each look.

        Raises: JobFailed; WaitTimedOut, after which the training goes on.
        """
        for job in self.get_model(model_id)["jobs"]:
            if job["job_type"] == "train":
                self.wait_for_job(job["id"], on_progress, poll_s, timeout_s)
        model: JSON = self.get_model(model_id)["model"]
        return model

    def _get_job_despite_outages(self, job_id: Id) -> JSON:
        give_up = time.monotonic() + OUTAGE_S
        while True:
            try:
                return self.get_job(job_id)
            except ClientError as error:
                if not error.may_pass or time.monotonic() >= give_up:
                    raise
            time.sleep(OUTAGE_PAUSE_S)
