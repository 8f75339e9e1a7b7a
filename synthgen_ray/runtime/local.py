"""Start and stop everything on one machine, or on a Ray cluster that runs already."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import ray
from ray.exceptions import RayError, RayTaskError

from synthgen_ray.domain.errors import SynthGenError
from synthgen_ray.runtime.bootstrap import bootstrap
from synthgen_ray.runtime.data_dir import DataDir, ServerInfo, StartFailed
from synthgen_ray.runtime.environment import is_behind_haproxy
from synthgen_ray.runtime.listening import (
    check_haproxys_folder,
    check_host,
    check_metrics_port,
    check_port,
    free_port,
)
from synthgen_ray.runtime.names import APP, DISPATCHER, METADATA, NAMESPACE
from synthgen_ray.runtime.own_ray import end_leftovers, start_ray
from synthgen_ray.settings import Settings

STOP_S = 20.0
ANSWER_S = 30.0


class Served(StartFailed):
    """Another server is on that cluster."""


@contextmanager
def running(settings: Settings) -> Iterator[ServerInfo]:
    """A server that answers while the block runs. On the way out its jobs go back to the queue.

    The environment must be prepared before this module is imported.
    Raises: StartFailed; AlreadyRunning and Served, which are some, when another server uses the data directory or the
    cluster.
    """
    data_dir = DataDir(settings.data_dir)
    with data_dir.lock():
        data_dir.forget_info()  # of one that was killed: its number may be another process's by now
        for folder in data_dir.ray_dirs():
            end_leftovers(folder)
        with data_dir.ray_session_dir() as session_dir:
            check_host(settings.host, allow_remote=settings.allow_remote)
            if settings.address is None:
                check_port(settings.host, settings.port)
                check_metrics_port(settings.metrics_port)
                if is_behind_haproxy():
                    check_haproxys_folder()
            try:
                info = _start(settings, session_dir)
                data_dir.write_info(info)
                yield info
            except Served:
                ray.shutdown()  # and no more: what is there is the other one's
                raise
            finally:
                _stop(settings)
                data_dir.forget_info()  # not before: where it hangs, who wants it ended has to find it


def _start(settings: Settings, session_dir: Path) -> ServerInfo:
    # Started first: it imports what it needs while Ray starts.
    deployment = subprocess.Popen(
        [sys.executable, "-m", "synthgen_ray.runtime.deploy"], stdin=subprocess.PIPE, text=True
    )
    try:
        context = _connect(settings, session_dir)
        _bootstrap(settings)
        deployment.communicate(f"{context.address_info['gcs_address']}\n{settings.to_json()}\n")
    finally:
        deployment.kill()  # does nothing to one that has ended
    if deployment.returncode:
        raise StartFailed("The application could not be deployed; the lines above say why.")
    url = f"http://{settings.host}:{settings.port}"
    dashboard = f"http://{context.dashboard_url}" if context.dashboard_url else None
    return ServerInfo(url=url, dashboard=dashboard, pid=os.getpid())


def _bootstrap(settings: Settings) -> None:
    """By this process, whose Ray job lasts as long as the server: Ray keeps no process for the next training once the
    job that the dispatcher belongs to has ended."""
    try:
        _check_whose(settings)
        asyncio.run(bootstrap(settings))
    except SynthGenError as error:
        raise StartFailed(f"{error.detail} 'synthgen doctor' tells why.") from error
    except RayTaskError as error:  # itself it says where it was raised, in sixty lines
        raise StartFailed(f"The metadata store does not start: {error.cause}") from error
    except RayError as error:
        raise StartFailed(f"The metadata store does not start: {error}") from error


def _check_whose(settings: Settings) -> None:
    """Raises: Served, also where nobody says whose it is. The other one would keep its database, and lose its admin key
    and what it serves."""
    try:
        metadata = ray.get_actor(METADATA, NAMESPACE)
        is_ours = ray.get(metadata.keeps.remote(settings.sql_url), timeout=ANSWER_S)
    except ValueError:  # nobody's
        return
    except RayError as error:
        raise Served(
            f"The Ray cluster at {settings.address} has a server already, which does not answer: try again, or end its "
            f"actors {METADATA} and {DISPATCHER} first."
        ) from error
    if not is_ours:
        raise Served(
            f"The Ray cluster at {settings.address} has a server already, of another database: choose another cluster, "
            "or end that server first."
        )


def _connect(settings: Settings, session_dir: Path) -> "ray._private.worker.RayContext":
    if settings.address:
        try:
            return ray.init(address=settings.address, namespace=NAMESPACE, log_to_driver=False)
        except (ConnectionError, RuntimeError, ValueError, RayError) as error:
            raise StartFailed(f"The Ray cluster at {settings.address} cannot be joined: {error}") from error
    try:
        return start_ray(
            session_dir,
            namespace=NAMESPACE,
            num_cpus=settings.num_cpus or max(2, os.cpu_count() or 2),
            object_store_memory=settings.object_store_mb * 2**20,
            include_dashboard=True,
            dashboard_host="127.0.0.1",
            dashboard_port=free_port(settings.dashboard_port, settings.port, settings.metrics_port),
            _metrics_export_port=settings.metrics_port,
        )
    except TimeoutError as error:
        raise StartFailed(str(error)) from error


def _stop(settings: Settings) -> None:
    """Stop what this process started; a cluster that it joined goes on."""
    if not ray.is_initialized():
        return
    with contextlib.suppress(RayError, ValueError):
        ray.get(ray.get_actor(DISPATCHER, NAMESPACE).stop.remote(), timeout=STOP_S)
    try:
        if settings.address:
            _leave()
    finally:
        ray.shutdown()


def _leave() -> None:
    """Take all that is ours off the cluster, whatever becomes of Serve's part: to the next server on it a dispatcher
    that was stopped, and stayed, would be the one that works."""
    from ray import serve
    from ray.serve.exceptions import RayServeException

    _kill(DISPATCHER)
    try:
        with contextlib.suppress(RayServeException):  # it had not started yet
            serve.delete(APP)
            if not serve.status().applications:
                serve.shutdown()  # its proxy would keep the port, and its options for the next server
    finally:
        _kill(METADATA)


def _kill(name: str) -> None:
    with contextlib.suppress(ValueError):
        ray.kill(ray.get_actor(name, NAMESPACE))
