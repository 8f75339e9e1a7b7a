"""`/api/limits`: what is too large, too many or too fast here."""

from fastapi import APIRouter, Request

from synthgen_ray.api.auth import Viewer
from synthgen_ray.api.parameters import ServiceDep
from synthgen_ray.api.problems import problems
from synthgen_ray.api.request_limits import LIMITS
from synthgen_ray.api.schemas.limits import Limits

router = APIRouter(prefix="/api/limits", tags=["limits"])


@router.get("", responses=problems())
async def get_limits(request: Request, principal: Viewer, service: ServiceDep) -> Limits:  # noqa: ARG001 - for its check
    """Show the limits of this server; what is over one is refused, never cut. A project's quotas are in its usage."""
    return Limits.of(LIMITS, request.app.state.rate_limits, service.upload_limits, service.max_sample_rows)
