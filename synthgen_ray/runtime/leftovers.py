"""The room that Ray Train reserved for workers, and that nobody gives back: when its controller is killed, or when one
of them dies while they are made ready, and Ray Train forgets the others.

Ray frees a placement group only when the whole job ends in which it was made, which here is the server. Ray Train's own
cleaner, which this replaces, knows of one only once the workers in it have started.
"""

import asyncio
import logging

import ray
from ray.util.placement_group import PlacementGroup, remove_placement_group

from synthgen_ray.domain.errors import frames_of

log = logging.getLogger(__name__)
LOOKS, EACH_S = 10, 1.0  # it takes a moment until a death is known


def free_leftovers() -> None:
    """Free what actors of this server reserved that are dead, and what this one did, who leads nobody now. Nothing that
    goes wrong here is a training's fault."""
    try:
        for group in _leftovers():
            log.warning("placement group %s outlived those for whom it was made, and is removed", group.id.hex())
            remove_placement_group(group)
    except Exception as error:  # noqa: BLE001 - of Ray's inner parts anything may be raised, and all of it is logged
        log.warning("what nobody needs any more cannot be freed: %s", frames_of(error))


async def free_leftovers_soon() -> None:
    """The same for some seconds, after who reserves was killed."""
    for _ in range(LOOKS):
        await asyncio.sleep(EACH_S)
        await asyncio.to_thread(free_leftovers)


def _leftovers() -> list[PlacementGroup]:
    # The public table does not tell who made a group.
    from ray._private.state import state
    from ray.core.generated.gcs_pb2 import PlacementGroupTableData

    here = ray.get_runtime_context()
    our_job, this_actor = bytes.fromhex(here.get_job_id()), bytes.fromhex(here.get_actor_id() or "")
    table = map(PlacementGroupTableData.FromString, state._connect_and_get_accessor().get_placement_group_table())
    return [
        PlacementGroup(ray.PlacementGroupID(group.placement_group_id))
        for group in table
        if group.creator_job_id == our_job
        and (group.creator_actor_dead or group.creator_actor_id == this_actor)
        and not group.is_detached
        and group.state != PlacementGroupTableData.REMOVED
    ]
