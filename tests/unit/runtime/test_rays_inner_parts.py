"""All that is used of Ray beside its public API: what a release of it renames fails here, and says who relied on it."""

import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import ray

from synthgen_ray.runtime import train

SOURCES = Path(train.__file__).parent
# By the module of ours that relies on it. A last part in brackets is a parameter.
INNER_PARTS = {
    "own_ray": (
        "ray._private.parameter:RayParams.__init__(dashboard_agent_listen_port)",
        "ray._private.parameter:RayParams.__init__(include_log_monitor)",
        "ray._private.parameter:RayParams.__init__(no_monitor)",
        "ray._private.utils:write_ray_address(temp_dir)",
    ),
    "app": (
        "ray.serve.context:_get_global_client",
        "ray.serve._private.client:ServeControllerClient.http_config",
    ),
    "leftovers": (
        "ray._private.state:state._connect_and_get_accessor",
        "ray._raylet:GlobalStateAccessor.get_placement_group_table",
        "ray.core.generated.gcs_pb2:PlacementGroupTableData.CREATOR_ACTOR_DEAD_FIELD_NUMBER",
        "ray.core.generated.gcs_pb2:PlacementGroupTableData.CREATOR_ACTOR_ID_FIELD_NUMBER",
        "ray.core.generated.gcs_pb2:PlacementGroupTableData.CREATOR_JOB_ID_FIELD_NUMBER",
        "ray.core.generated.gcs_pb2:PlacementGroupTableData.IS_DETACHED_FIELD_NUMBER",
        "ray.core.generated.gcs_pb2:PlacementGroupTableData.PLACEMENT_GROUP_ID_FIELD_NUMBER",
        "ray.core.generated.gcs_pb2:PlacementGroupTableData.REMOVED",
        "ray.core.generated.gcs_pb2:PlacementGroupTableData.STATE_FIELD_NUMBER",
    ),
    "listening": (
        "ray._common.tls_utils:add_port_to_grpc_server",
        "ray.serve._private.replica:add_port_to_grpc_server(address)",
    ),
    "proxy": ("ray.serve._private.constants:RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD",),
    "metrics": ("ray.util.metrics:Counter._record(tags)",),
    "nodes": (
        "ray.experimental.internal_kv:internal_kv_get_gcs_client",
        "ray._raylet:InnerGcsClient.get_cluster_resource_state",
        "ray.core.generated.autoscaler_pb2:GetClusterResourceStateReply.CLUSTER_RESOURCE_STATE_FIELD_NUMBER",
        "ray.core.generated.autoscaler_pb2:NodeState.IDLE_DURATION_MS_FIELD_NUMBER",
        "ray.core.generated.autoscaler_pb2:NodeStatus.DEAD",
        "ray.core.generated.autoscaler_pb2:NodeStatus.DRAINING",
    ),
    "receiving": (
        "ray.serve._private.http_util:ASGIReceiveProxy.__call__",
        "ray.serve._private.http_util:ASGIReceiveProxy.fetch_until_disconnect",
        "ray.serve._private.http_util:ASGIReceiveProxy.queue",
        "ray.serve._private.replica:ASGIReceiveProxy",
    ),
    "samplers": ("ray.serve.context:_disconnect",),
    "spread": (
        "ray.data:Dataset.map(ray_remote_args)",  # deprecated: 2.64 is to drop it
        "ray.data:DataContext.execution_no_progress_timeout_s",
        "ray.data.exceptions:ExecutionTimeoutError",
        "ray.data.exceptions:logger",
        "ray.data._internal.execution.streaming_executor_state:logger",
    ),
    "train": (
        "ray.train.torch:TorchTrainer._create_default_callbacks",
        "ray.train.torch:TorchTrainer._initialize_and_run_controller",
        "ray.train.v2._internal.callbacks.datasets:DatasetsCallback",
        "ray.train.v2._internal.callbacks.placement_group_callback:PlacementGroupCleanerCallback",
        "ray.train.v2._internal.exceptions:InsufficientClusterResourcesError",
        "ray.train.v2._internal.exceptions:RayTrainError",
        "ray.train.v2._internal.exceptions:WorkerGroupStartupTimeoutError",
        "ray.train.v2._internal.execution.controller:TrainController.get_result",
        "ray.train.v2._internal.execution.controller:TrainController.run",
    ),
}
VARIABLES = {name for source in SOURCES.rglob("*.py") for name in re.findall(r'"(RAY_\w+)"', source.read_text())}


@pytest.mark.parametrize(
    "part", [pytest.param(part, id=f"{user}-{part}") for user, parts in INNER_PARTS.items() for part in parts]
)
def test_it_is_there(part):
    assert is_there(part)


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_a_variable_is_read(name):
    known = name if name.isupper() else name.removeprefix("RAY_")  # as its own library knows them
    assert known.encode() in all_of_ray()


def test_what_a_start_that_took_too_long_says_is_what_own_ray_looks_for():
    assert b"timed out during startup" in all_of_ray()


def test_who_imports_of_it_is_in_the_list():
    inner = re.compile(r"from ray\.\S*(_common|_private|_internal|generated)|\._get_global_client|\._record\(")

    assert {source.stem for source in SOURCES.rglob("*.py") if inner.search(source.read_text())} <= INNER_PARTS.keys()


def is_there(part: str) -> bool:
    module, names = part.split(":")
    names, _, parameter = names.rstrip(")").partition("(")
    found: Any = import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    return not parameter or parameter in inspect.signature(found).parameters


@cache
def all_of_ray() -> bytes:
    root = Path(ray.__file__).parent
    folders = ("_common", "_private", "serve", "train", "util")
    files = [file for folder in folders for file in (root / folder).rglob("*.py")]
    return b"".join(file.read_bytes() for file in (*files, root / "_raylet.so"))
