"""`/api/projects`: where datasets and models belong."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from synthgen_ray.api.auth import Admin, Viewer
from synthgen_ray.api.once import OnceDep, value_of
from synthgen_ray.api.parameters import Limit, Offset, ServiceDep
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas.common import Listed, listed
from synthgen_ray.api.schemas.projects import ProjectChange, ProjectCreate, ProjectDeleted, ProjectSchema, UsageSchema

router = APIRouter(prefix="/api/projects", tags=["projects"])


@router.post("", status_code=201, responses=problems(400, 403, 409, 422))
async def create_project(
    body: ProjectCreate, principal: Admin, service: ServiceDep, once: OnceDep, response: Response
) -> ProjectSchema:
    """Make a project. Needs an admin key that is not bound to projects."""
    made = await service.create_project(principal, body.name, body.description, once)
    return ProjectSchema.of(value_of(made, response))


@router.get("", responses=problems(422))
async def list_projects(
    principal: Viewer, service: ServiceDep, limit: Limit = 50, offset: Offset = 0
) -> Listed[ProjectSchema]:
    """List the projects that the key sees, newest first."""
    return listed(await service.list_projects(principal, limit, offset), ProjectSchema.of, limit, offset)


@router.get("/{project_id:uuid}", responses=problems(404))
async def get_project(project_id: UUID, principal: Viewer, service: ServiceDep) -> ProjectSchema:
    """Show a project."""
    return ProjectSchema.of(await service.get_project(principal, project_id))


@router.patch("/{project_id:uuid}", responses=problems(400, 403, 404, 422))
async def change_project(project_id: UUID, body: ProjectChange, principal: Admin, service: ServiceDep) -> ProjectSchema:
    """Change a project's name or description."""
    return ProjectSchema.of(await service.change_project(principal, project_id, body.name, body.description))


@router.delete("/{project_id:uuid}", responses=problems(403, 404, 409, 422))
async def delete_project(
    project_id: UUID,
    principal: Admin,
    service: ServiceDep,
    force: Annotated[bool, Query(description="Delete all that it holds with it, for good.")] = False,
) -> ProjectDeleted:
    """Delete a project, and with it the keys that are bound to no other. One that holds datasets or models is refused
    unless `force` is given."""
    await service.delete_project(principal, project_id, force=force)
    return ProjectDeleted(ok=True, project_id=project_id)


@router.get("/{project_id:uuid}/usage", responses=problems(404))
async def get_usage(project_id: UUID, principal: Viewer, service: ServiceDep) -> UsageSchema:
    """Show what a project has used, and its quotas; `null` is no limit."""
    return UsageSchema.of(await service.get_usage(principal, project_id))
