"""What Ray reads from the environment. Ray reads most of it while it is imported: set it before."""

import os

from synthgen_ray.runtime.data_dir import DataDir

PROXY = {"RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH": "synthgen_ray.runtime.proxy:middlewares"}
DEFAULTS = {
    **PROXY,
    "RAY_AUTH_MODE": "token",  # without it, whoever reaches the dashboard's port runs code here
    "RAY_USAGE_STATS_ENABLED": "0",
    # Else what is given no GPU sees all that a node has, and the engine takes one that it sees.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
    # Else Ray's metrics, which need no key, name each task, and a task of ours is called by a model.
    "RAY_metric_cardinality_level": "low",
    # Its controller looks ten times a second, and is the busiest process of a server that has nothing to do.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.3",
    # A lost HTTP proxy is replaced in 3.3 seconds, not in 27: after three looks, one in each second round of the
    # controller. The time that a live one may take to answer stays at ten: one with a thousand clients at once takes
    # more than two, and would be ended for it.
    "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S": "0.2",
    # A proxy imports for 2 seconds on an idle core. One that is given up on takes the whole start with it.
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "50",
    # Of a deployment of which none has started yet Serve gives up after three lost replicas, for ever: a machine that
    # was short of memory for some seconds would have no samplers. How often each may fail is in `app.py`.
    "RAY_SERVE_MAX_PER_REPLICA_RETRY_COUNT": "1000000",
    # Tuned for throughput Serve calls replicas by gRPC, which takes 4 MiB: rows that are drawn at once may be more.
    "RAY_SERVE_REPLICA_GRPC_MAX_MESSAGE_LENGTH": "-1",
    # A call of a client is some tasks, of which Ray's control store would keep the last 100,000.
    "RAY_task_events_max_num_task_in_gcs": "10000",
    # The process of a training stays for the next one, which then need not start Python and import PyTorch.
    "RAY_idle_worker_killing_time_threshold_ms": "60000",
}


def is_behind_haproxy() -> bool:
    return os.environ.get("RAY_SERVE_ENABLE_HA_PROXY") == "1"


def prepare_environment(data_dir: DataDir, address: str | None) -> None:
    """Secure defaults; what the operator set stays as it is."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if address is None:
        os.environ.pop("RAY_ADDRESS", None)  # never join a cluster by accident
        # What Ray calls its switch for Windows and macOS: a node of one machine that listens on loopback alone.
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        os.environ.setdefault("RAY_AUTH_TOKEN_PATH", str(data_dir.ray_token_file()))
        # Where memory is short Ray ends first whom it can start again, however small: the metadata actor, and the
        # dispatcher, with which all jobs lose an attempt. Linux ends who has most.
        os.environ.setdefault("RAY_memory_monitor_refresh_ms", "0")
