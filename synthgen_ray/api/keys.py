"""`/api/keys`: who may do what, where, and until when."""

from uuid import UUID

from fastapi import APIRouter

from synthgen_ray.api.auth import Admin
from synthgen_ray.api.once import OnceDep
from synthgen_ray.api.parameters import Limit, Offset, ServiceDep
from synthgen_ray.api.problems import problems
from synthgen_ray.api.schemas.common import Listed, listed
from synthgen_ray.api.schemas.keys import KeyCreate, KeyCreated, KeyDeleted, KeySchema

router = APIRouter(prefix="/api/keys", tags=["keys"])


@router.post("", status_code=201, responses=problems(400, 403, 404, 409, 422))
async def create_key(body: KeyCreate, principal: Admin, service: ServiceDep, once: OnceDep) -> KeyCreated:
    """Make a key. It is shown this once; only a hash of it is kept. A bound key makes only keys bound to the same
    projects, and none works longer than the key that made it."""
    projects = None if body.project_ids is None else frozenset(body.project_ids)
    made, key = await service.create_key(principal, body.name, body.role, projects, body.expires_at, once)
    return KeyCreated.of_new(made, key)


@router.get("", responses=problems(403, 422))
async def list_keys(principal: Admin, service: ServiceDep, limit: Limit = 50, offset: Offset = 0) -> Listed[KeySchema]:
    """List keys, newest first, without the keys themselves. The one that comes with the server is not among them."""
    return listed(await service.list_keys(principal, limit, offset), KeySchema.of, limit, offset)


@router.delete("/{key_id:uuid}", responses=problems(403, 404))
async def delete_key(key_id: UUID, principal: Admin, service: ServiceDep) -> KeyDeleted:
    """Revoke a key: within five seconds it works nowhere."""
    await service.delete_key(principal, key_id)
    return KeyDeleted(ok=True, key_id=key_id)
