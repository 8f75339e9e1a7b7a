"""`/api/status`: whether the server is well, and what it is at."""

import asyncio

from fastapi import APIRouter, Request

from synthgen_ray.api.auth import Operator
from synthgen_ray.api.checks import Checks, Component
from synthgen_ray.api.parameters import ServiceDep
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas.status import Status

router = APIRouter(prefix="/api/status", tags=["status"])


@router.get("", responses=problems(403, 503))
async def get_status(request: Request, principal: Operator, service: ServiceDep) -> Status:
    """Show whether each part works, how the queue is, what runs and what failed last, in all projects.

    For an admin key that is not bound to projects. It answers 200 also while a part is away, with all that is known.
    """
    checks: Checks = request.app.state.checks
    healths, room = await asyncio.gather(checks.look(), service.find_room())
    activity = await service.get_activity(principal) if healths[Component.STORE].ok else None
    return Status.of(request.app.version, list(healths.values()), room, activity)
