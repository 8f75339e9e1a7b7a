"""The room that Ray Train reserved for workers, and that nobody gives back when its controller is killed.

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


async def free_leftovers() -> None:
    """Free what actors of this server reserved that are dead. Nothing that goes wrong here is a training's fault."""
    try:
        await asyncio.to_thread(_free)
    except Exception as error:  # noqa: BLE001 - of Ray's inner parts anything may be raised, and all of it is logged
        log.warning("what dead actors reserved cannot be freed: %s", frames_of(error))


async def free_leftovers_soon() -> None:
    """The same for some seconds, after who reserves was killed."""
    for _ in range(LOOKS):
        await asyncio.sleep(EACH_S)
        await free_leftovers()


def _free() -> None:
    for group in _leftovers():
        log.warning("placement group %s outlived who made it, and is removed", group.id.hex())
        remove_placement_group(group)


def _leftovers() -> list[PlacementGroup]:
    # The public table does not tell who made a group.
    from ray._private.state import state
    from ray.core.generated.gcs_pb2 import PlacementGroupTableData

    ours = ray.JobID.from_hex(ray.get_runtime_context().get_job_id()).binary()
    table = map(PlacementGroupTableData.FromString, state._connect_and_get_accessor().get_placement_group_table())
    return [
        PlacementGroup(ray.PlacementGroupID(group.placement_group_id))
        for group in table
        if group.creator_job_id == ours
        and group.creator_actor_dead
        and not group.is_detached
        and group.state != PlacementGroupTableData.REMOVED
    ]
