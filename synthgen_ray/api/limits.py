"""`/api/limits`: what is too large, too many or too fast here."""

from fastapi import APIRouter

from synthgen_ray.api.auth import Viewer
from synthgen_ray.api.parameters import ServiceDep
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas import Limits

router = APIRouter(prefix="/api/limits", tags=["limits"])


@router.get("", responses=problems())
async def get_limits(principal: Viewer, service: ServiceDep) -> Limits:  # noqa: ARG001 - the principal, for its check
    """Show the limits of this server; what is over one is refused, never cut."""
    return Limits.of(service.upload_limits)
