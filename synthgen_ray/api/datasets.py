"""`/api/datasets`: the tables that models learn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, UploadFile

from synthgen_ray.api import examples
from synthgen_ray.api.parameters import Limit, Offset, ProjectFilter, ServiceDep
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas import DatasetSchema, Description, Listed, Name, UploadAccepted, listed

router = APIRouter(prefix="/api/datasets", tags=["datasets"])
BLOCK = 1 << 20


@router.post("/upload", status_code=201, responses=problems(400, 404, 413, 415, 422))
async def upload_dataset(
    service: ServiceDep,
    project_id: Annotated[UUID, Form(description="The project it belongs to.", examples=[examples.PROJECT_ID])],
    name: Annotated[Name, Form(description="Name of the dataset.", examples=["payments"])],
    file: Annotated[UploadFile, File(description="CSV with a header, CSV.gz or Parquet.")],
    description: Annotated[Description, Form()] = "",
    dataset_id: Annotated[UUID | None, Form(description="Add a version to this dataset.")] = None,
) -> UploadAccepted:
    """Upload a table: a new dataset, or with `dataset_id` the next version of one."""
    async with _on_disk(file) as path:
        version = await service.upload_dataset(project_id, name, description, path, file.filename or "", dataset_id)
    return UploadAccepted.of(version)


@router.get("", responses=problems(422))
async def list_datasets(
    service: ServiceDep, project_id: ProjectFilter = None, limit: Limit = 50, offset: Offset = 0
) -> Listed[DatasetSchema]:
    """List datasets, newest first, each with its latest version."""
    return listed(await service.list_datasets(project_id, limit, offset), DatasetSchema.of, limit, offset)


@asynccontextmanager
async def _on_disk(file: UploadFile) -> AsyncIterator[Path]:
    """The upload under a name of ours: what the client calls it never becomes a path."""
    with TemporaryDirectory(prefix="synthgen-upload-") as folder:
        path = Path(folder) / "upload"
        with path.open("wb") as target:
            while block := await file.read(BLOCK):
                await asyncio.to_thread(target.write, block)
        yield path
