"""`/api/synthgen/models`: make, list, show, sample and delete models."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body

from synthgen_ray.api import examples
from synthgen_ray.api.parameters import Limit, Offset, ProjectFilter, ServiceDep
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas import (
    GenerateAccepted,
    Listed,
    ModelAccepted,
    ModelCreate,
    ModelDeleted,
    ModelDetail,
    ModelItem,
    ModelJob,
    ModelSchema,
    listed,
)
from synthgen_ray.domain.params import GenerateParams, Resources

router = APIRouter(prefix="/api/synthgen/models", tags=["models"])


@router.post("", status_code=201, responses=problems(400, 404, 422))
async def create_model(body: ModelCreate, service: ServiceDep) -> ModelAccepted:
    """Make a model; its training starts by itself. Poll the model until `ready` or `failed`."""
    job = await service.create_model(
        body.project_id,
        body.dataset_version_id,
        body.name,
        body.model_type,
        body.config,
        body.resources or Resources(),
    )
    return ModelAccepted.of(job)


@router.get("", responses=problems(422))
async def list_models(
    service: ServiceDep, project_id: ProjectFilter = None, limit: Limit = 50, offset: Offset = 0
) -> Listed[ModelItem]:
    """List models, newest first."""
    return listed(await service.list_models(project_id, limit, offset), ModelItem.of, limit, offset)


@router.get("/{model_id}", responses=problems(404))
async def get_model(model_id: UUID, service: ServiceDep) -> ModelDetail:
    """Show a model and its jobs, newest first."""
    model, jobs = await service.get_model(model_id)
    return ModelDetail(model=ModelSchema.of(model), jobs=[ModelJob.of(job) for job in jobs])


@router.post("/{model_id}/generate", responses=problems(400, 404, 409, 422))
async def generate(
    model_id: UUID,
    service: ServiceDep,
    params: Annotated[GenerateParams | None, Body(examples=examples.GENERATE)] = None,
) -> GenerateAccepted:
    """Queue a generation from a ready model; poll the job, then download its rows."""
    return GenerateAccepted.of(await service.generate(model_id, params or GenerateParams()))


@router.delete("/{model_id}", responses=problems(404))
async def delete_model(model_id: UUID, service: ServiceDep) -> ModelDeleted:
    """Delete a model, its jobs and their files, for good; what runs of it is stopped."""
    await service.delete_model(model_id)
    return ModelDeleted(ok=True, model_id=model_id)
