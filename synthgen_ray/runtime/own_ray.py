"""A Ray of this process's own: one node on this machine, which ends with the process."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partialmethod
from pathlib import Path
from typing import Any

import psutil
import ray
from ray._private.parameter import RayParams
from ray._private.utils import write_ray_address

log = logging.getLogger(__name__)

ATTEMPTS = 3
STOP_S = 10.0
# A node's agent wants port 52365, and where another Ray on the machine has it, goes without what takes Ray jobs.
ANY_PORT = {"dashboard_agent_listen_port": 0}
# Two processes that show logs to other drivers, and the nodes to a dashboard.
UNSEEN = {"include_log_monitor": False, "no_monitor": True}


def start_ray(folder: Path, *, unseen: bool = False, **options: Any) -> "ray._private.worker.RayContext":
    """`ray.init` of a new node that has its files in this folder, with these options of it. An `unseen` one has nothing
    but what this process needs.

    Ray gives a node 30 seconds to register, and knows no setting for it: on a machine with much else to do that
    may be too few, and the next attempt finds more in the caches.

    Raises: TimeoutError when none of the attempts was in time; what `ray.init` raises.
    """
    this = psutil.Process()
    others = set(this.children())
    if unseen:
        options["include_dashboard"] = False
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with _ray_params(**ANY_PORT, **(UNSEEN if unseen else {})):
                context = ray.init(address="local", log_to_driver=False, _temp_dir=str(folder), **options)
        except Exception as error:
            _end([child for child in this.children() if child not in others])
            if "timed out during startup" not in str(error):  # Ray has no class for it
                raise
            log.warning("Ray did not start in its time (attempt %d of %d).", attempt, ATTEMPTS)
        else:
            # What starts the driver of a Ray job looks for it here, as `ray start` wrote it; where it finds nothing,
            # it takes any Ray of the machine.
            write_ray_address(context.address_info["gcs_address"], str(folder))
            return context
    raise TimeoutError("Ray did not start within its 30 seconds, whatever else runs here; see its logs for more.")


def end_leftovers(folder: Path) -> None:
    """End what a Ray with its files in this folder has left running, whose server was killed.

    Its agents ask the dead Ray for a minute and more before they end, and the next one cannot have their ports.
    """
    left = [process for process in psutil.process_iter() if _is_left_by(process, folder)]
    if left:
        log.warning("A server was killed here: %d processes of its Ray are ended.", len(left))
    _end(left)


def _is_left_by(process: psutil.Process, folder: Path) -> bool:
    try:
        is_rays = " ".join(process.cmdline()).startswith("ray::")  # and not, say, a pager on one of its logs
        return is_rays and any(Path(file.path).is_relative_to(folder) for file in process.open_files())
    except psutil.Error:  # it has ended, or is of another user
        return False


@contextmanager
def _ray_params(**given: Any) -> Iterator[None]:
    """What `ray start` has options for, or no command has, and `ray.init` does not take."""
    usual = RayParams.__init__
    RayParams.__init__ = partialmethod(usual, **given)
    try:
        yield
    finally:
        RayParams.__init__ = usual


def _end(processes: list[psutil.Process]) -> None:
    """Have them end, as far as they have not, and wait for it."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=STOP_S)
