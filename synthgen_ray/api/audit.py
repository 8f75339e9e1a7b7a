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

    Each event holds a hash of itself and of the one before it: `synthgen audit verify` checks the chain. A bound key,
    which sees parts of it, gets neither number nor hashes, and of keys that are not its projects' no id and no address.
    """
    return listed(await service.list_audit(principal, limit, offset), AuditEventSchema.of, limit, offset)
