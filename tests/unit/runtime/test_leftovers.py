"""Which of the room that was reserved for workers nobody needs any more."""

from types import SimpleNamespace

import pytest
import ray
from ray._private.state import state
from ray.core.generated.gcs_pb2 import PlacementGroupTableData
from ray.util.placement_group import PlacementGroup

from synthgen_ray.runtime import leftovers
from synthgen_ray.runtime.leftovers import free_leftovers

OURS, ANOTHERS = ray.JobID.from_int(1), ray.JobID.from_int(2)
THIS, OTHER = (bytes([number] * ray.ActorID.size()) for number in (1, 2))
GROUP = bytes([3] * ray.PlacementGroupID.size())
CREATED, REMOVED = PlacementGroupTableData.CREATED, PlacementGroupTableData.REMOVED


@pytest.mark.parametrize(
    ("group", "is_freed"),
    [
        ({"creator_actor_id": OTHER}, False),
        ({"creator_actor_id": OTHER, "creator_actor_dead": True}, True),
        ({"creator_actor_id": OTHER, "creator_actor_dead": True, "creator_job_id": ANOTHERS.binary()}, False),
        ({"creator_actor_id": OTHER, "creator_actor_dead": True, "is_detached": True}, False),
        ({"creator_actor_id": THIS}, True),  # it leads nobody now
        ({"creator_actor_id": THIS, "state": REMOVED}, False),
    ],
)
def test_what_is_freed_is_of_the_dead_and_of_who_frees(monkeypatch, group, is_freed):
    row = {"placement_group_id": GROUP, "creator_job_id": OURS.binary(), "state": CREATED, **group}
    table = [PlacementGroupTableData(**row).SerializeToString()]
    accessor = SimpleNamespace(get_placement_group_table=lambda: table)
    here = SimpleNamespace(get_job_id=OURS.hex, get_actor_id=THIS.hex)
    freed: list[bytes] = []

    def remove(group: PlacementGroup) -> None:
        freed.append(group.id.binary())

    monkeypatch.setattr(state, "_connect_and_get_accessor", lambda: accessor)
    monkeypatch.setattr(ray, "get_runtime_context", lambda: here)
    monkeypatch.setattr(leftovers, "remove_placement_group", remove)

    free_leftovers()

    assert freed == [GROUP] * is_freed
