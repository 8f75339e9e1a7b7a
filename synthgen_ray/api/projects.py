"""`/api/projects`: where datasets and models belong."""

from fastapi import APIRouter

from synthgen_ray.api.parameters import Limit, Offset, ServiceDep
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas import Listed, ProjectCreate, ProjectSchema, listed

router = APIRouter(prefix="/api/projects", tags=["projects"])


@router.post("", status_code=201, responses=problems(422))
async def create_project(body: ProjectCreate, service: ServiceDep) -> ProjectSchema:
    """Make a project."""
    return ProjectSchema.of(await service.create_project(body.name, body.description))


@router.get("", responses=problems(422))
async def list_projects(service: ServiceDep, limit: Limit = 50, offset: Offset = 0) -> Listed[ProjectSchema]:
    """List projects, newest first."""
    return listed(await service.list_projects(limit, offset), ProjectSchema.of, limit, offset)
