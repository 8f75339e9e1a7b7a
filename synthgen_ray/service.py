"""The use cases, one method each. No web, no Ray: what the API, a script or a test may ask for."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.datasets.reading import TableSummary, convert
from synthgen_ray.domain.entities import Artifact, Dataset, DatasetVersion, Job, Model, Page, Project
from synthgen_ray.domain.errors import Conflict
from synthgen_ray.domain.lifecycle import JobStatus, JobType
from synthgen_ray.domain.params import GenerateParams, ModelType, Resources
from synthgen_ray.domain.validation import parse_train_params

if TYPE_CHECKING:
    from synthgen_ray.store.store import Store

TABLE_FILE = "table.parquet"


class Service:
    """`nudge` tells the dispatcher that there is work; it may be lost without harm."""

    def __init__(self, store: "Store", artifacts: Artifacts, nudge: Callable[[], None], limits: UploadLimits) -> None:
        self._store = store
        self._artifacts = artifacts
        self._nudge = nudge
        self._limits = limits

    async def create_project(self, name: str, description: str) -> Project:
        return await self._store.create_project(name, description)

    async def list_projects(self, limit: int, offset: int) -> Page[Project]:
        return await self._store.list_projects(limit, offset)

    async def upload_dataset(
        self,
        project_id: UUID,
        name: str,
        description: str,
        upload: Path,
        filename: str,
        dataset_id: UUID | None = None,
    ) -> DatasetVersion:
        """Check an uploaded file, keep it as a canonical table, register it.

        Raises: NotFound, for the project or dataset; what `convert` says of the file.
        """
        await self._store.require_upload_target(project_id, dataset_id)
        artifact, summary = await asyncio.to_thread(self._keep_table, upload, filename)
        return await self._store.add_dataset_version(
            project_id, name, description, artifact, summary.columns, summary.warnings, dataset_id
        )

    async def list_datasets(self, project_id: UUID | None, limit: int, offset: int) -> Page[Dataset]:
        return await self._store.list_datasets(project_id, limit, offset)

    async def create_model(
        self,
        project_id: UUID,
        dataset_version_id: UUID,
        name: str,
        model_type: ModelType,
        config: Mapping[str, Any],
        resources: Resources,
    ) -> Job:
        """Make a model and queue its training. Once this returns both exist.

        Raises: InvalidRequest, for the config; NotFound; InvalidTable, with too few rows to learn from.
        """
        params = parse_train_params(model_type, config)
        job = await self._store.create_model(project_id, dataset_version_id, name, model_type, params, resources)
        self._nudge()
        return job

    async def list_models(self, project_id: UUID | None, limit: int, offset: int) -> Page[Model]:
        return await self._store.list_models(project_id, limit, offset)

    async def get_model(self, model_id: UUID) -> tuple[Model, tuple[Job, ...]]:
        return await self._store.get_model(model_id)

    async def delete_model(self, model_id: UUID) -> None:
        await self._store.delete_model(model_id)
        self._nudge()

    async def generate(self, model_id: UUID, params: GenerateParams) -> Job:
        """Queue a generation. Once this returns the job exists, whether or not the nudge arrives."""
        job = await self._store.enqueue_generate(model_id, params)
        self._nudge()
        return job

    async def list_jobs(
        self, project_id: UUID | None, model_id: UUID | None, status: JobStatus | None, limit: int, offset: int
    ) -> Page[Job]:
        return await self._store.list_jobs(project_id, model_id, status, limit, offset)

    async def get_job(self, job_id: UUID) -> Job:
        return await self._store.get_job(job_id)

    async def get_output(self, job_id: UUID) -> tuple[Job, Artifact]:
        """The rows of a completed generation.

        Raises: NotFound; Conflict, for a job that has no rows yet or never will.
        """
        job = await self._store.get_job(job_id)
        if job.job_type is not JobType.GENERATE:
            raise Conflict("A training has no rows to download: generate from its model first.", "no_output")
        if job.status is JobStatus.FAILED:
            raise Conflict("The job failed and has no output; its error says why.", "job_failed")
        if job.artifact is None:
            raise Conflict(f"The job is {job.status}: download when its status is completed.", "not_ready")
        return job, job.artifact

    def read(self, artifact: Artifact) -> Callable[[int, int], Iterator[bytes]]:
        """A reader of a range of the artifact's bytes.

        Raises: NotFound, at once when a file of it is gone.
        """
        self._artifacts.check(artifact)
        return lambda start, stop: self._artifacts.read(artifact, start, stop)

    def _keep_table(self, upload: Path, filename: str) -> tuple[Artifact, TableSummary]:
        location = f"datasets/{uuid4()}"
        with self._artifacts.scratch_file() as canonical:
            summary = convert(upload, filename, canonical, self._limits)
            self._artifacts.adopt(canonical, location, TABLE_FILE)
        part = self._artifacts.part(location, TABLE_FILE, summary.num_rows)
        return self._artifacts.seal(location, [part]), summary
