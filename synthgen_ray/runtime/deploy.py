"""`python -m synthgen_ray.runtime.deploy`: put the application on a Ray cluster that runs, and leave.

`local` runs it as a child process and hands it the address and the settings on standard input: what a
deployment needs in memory is gone when it is done.
"""

import os
import sys

import ray
from ray import serve

from synthgen_ray.runtime.app import app
from synthgen_ray.runtime.data_dir import StartFailed
from synthgen_ray.runtime.environment import PROXY
from synthgen_ray.runtime.listening import check_port
from synthgen_ray.runtime.names import APP, NAMESPACE
from synthgen_ray.settings import Settings

# Of Serve's own processes and, said a second time, of the replicas. What calls they take is in the metrics.
LOGGING = {"encoding": "JSON", "enable_access_log": False}
CALL_S = 3600  # as in the files of `serve deploy`: an upload, a download or a stream of events may last so long


def deploy(address: str, settings: Settings) -> None:
    """Returns when the application answers."""
    # A cluster that was there before has an environment of its own, in which Serve's proxy would be bare.
    runtime_env = {"env_vars": PROXY} if settings.address else None
    ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, runtime_env=runtime_env)
    if settings.address and not serve.status().proxies:  # else it is Serve that listens there
        check_port(settings.host, settings.port)
    serve.start(
        proxy_location="HeadOnly",
        http_options={"host": settings.host, "port": settings.port, "request_timeout_s": CALL_S},
        logging_config=LOGGING,
    )
    serve.run(app(settings), name=APP, route_prefix="/", logging_config=LOGGING)


def main() -> None:
    address = sys.stdin.readline().strip()
    if not address:  # the parent gave up
        sys.exit(1)
    try:
        deploy(address, Settings.model_validate_json(sys.stdin.readline()))
    except StartFailed as error:
        sys.exit(f"synthgen: {error}")
    # The cluster keeps what was deployed: there is nothing to wind down here.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
