"""`/healthz` says that the process is alive, `/readyz` that the whole of it can work."""

from fastapi import APIRouter, Request

from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas.common import Alive

router = APIRouter(tags=["health"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def is_alive() -> Alive:
    """Say that the process is alive."""
    return Alive(status="alive")


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses=problems(503))
async def is_ready(request: Request) -> Alive:
    """Say whether the metadata store, the artifacts and the dispatcher work; 503 where one of them does not."""
    await request.app.state.checks.require_all()
    return Alive(status="ready")
