"""`/api/audit`: who did what."""

from fastapi import APIRouter

from synthgen_ray.api.auth import Admin
from synthgen_ray.api.parameters import Limit, Offset, ServiceDep
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas.audit import AuditEventSchema
from synthgen_ray.api.schemas.common import Listed, listed

router = APIRouter(prefix="/api/audit", tags=["audit"])


@router.get("", responses=problems(403, 422))
async def list_audit(
    principal: Admin, service: ServiceDep, limit: Limit = 50, offset: Offset = 0
) -> Listed[AuditEventSchema]:
    """List what was made, changed, deleted, drawn and downloaded, newest first; a bound key sees that of its projects.

    Each event holds a hash of itself and of the one before it: `synthgen audit verify` checks the chain. A bound key
    sees only parts of it: numbers and hashes are null, and so are the id and the address of keys that are not bound to
    its projects.
    """
    return listed(await service.list_audit(principal, limit, offset), AuditEventSchema.of, limit, offset)
