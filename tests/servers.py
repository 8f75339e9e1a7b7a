"""Servers as users start them: `synthgen up` in a process of its own, on free ports and a new directory."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from synthgen_ray.client import SynthGen
from synthgen_ray.runtime.data_dir import DataDir
from synthgen_ray.runtime.listening import free_port
from tests.folders import a_folder

START_S = 200
WAIT_S = 120
LONGEST_PAUSE_S = 0.3
SAMPLER = "ServeReplica:synthgen:Sampler"  # the title of such a process
# For tests that ask more at once than a client should.
NO_RATE_LIMITS = json.dumps(
    dict.fromkeys(("requests_per_second", "open_requests", "event_streams", "wrong_keys_per_minute"))
)


def clean_environment() -> dict[str, str]:
    """This process's, without what is SynthGen's or Ray's, or tells a `make` that another one runs it."""
    others = ("SYNTHGEN_", "RAY_", "MAKE")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(others)}
    # Tests run beside one another: to a worker that gives way to all others, some of them leave next to nothing.
    return {**clean, "RAY_worker_niceness": "0", **(haproxy() if "BEHIND_HAPROXY" in os.environ else {})}


def haproxy() -> dict[str, str]:
    """What puts a server behind HAProxy, as `configs/serve/haproxy.yaml` asks for it; where BEHIND_HAPROXY is set, each
    one. The ports of each are its own: the tests have several at a time."""
    switches = ("RAY_SERVE_ENABLE_HA_PROXY", "RAY_SERVE_THROUGHPUT_OPTIMIZED")
    ports = ("RAY_SERVE_HAPROXY_STATS_PORT", "RAY_SERVE_HAPROXY_METRICS_PORT", "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT")
    return {**dict.fromkeys(switches, "1"), **{name: str(free_port()) for name in ports}}


def wait_until(
    claim: Callable[[], object],
    what: str,
    timeout_s: float = WAIT_S,
    longest_pause_s: float = LONGEST_PAUSE_S,
    seen: Callable[[], object] | None = None,
) -> None:
    """`seen` is what to say beside it if that never comes."""
    give_up, pause_s = time.monotonic() + timeout_s, 0.05
    while not claim():
        if time.monotonic() > give_up:
            raise AssertionError(f"{what}: not within {timeout_s} s" + (f"; {seen()}" if seen else ""))
        time.sleep(pause_s)
        pause_s = min(1.3 * pause_s, longest_pause_s)  # what is looked at does the work


def every(listed: Callable[..., dict[str, Any]]) -> list[dict[str, Any]]:
    """The items of all pages of a list of the client's."""
    items: list[dict[str, Any]] = []
    while True:
        page = listed(limit=500, offset=len(items))
        items += page["items"]
        if len(items) >= page["total"]:
            return items


@dataclass
class UpServer:
    data_dir: Path
    port: int
    environment: dict[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> str:
        return (self.data_dir / "admin_key").read_text().strip()

    def client(self) -> SynthGen:
        return SynthGen(self.url, self.key)

    def synthgen(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the command line as a user would."""
        command = [sys.executable, "-m", "synthgen_ray.cli", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=START_S)
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def up(self, check: bool = True) -> subprocess.CompletedProcess[str]:
        ports = ["--port", str(self.port), "--dashboard-port", str(free_port())]
        return self.synthgen("up", "--detach", *ports, check=check)

    def down(self) -> None:
        self.synthgen("down")

    def processes(self, title: str) -> list[psutil.Process]:
        """The server's processes with these words in their title, such as `ray::Metadata`."""
        info = DataDir(self.data_dir).find_info()
        assert info is not None
        return processes_below(info.pid, title)

    def wait_for_end_of(self, title: str) -> None:
        """Of such processes, whose job is over: within 30 s, as a cancel promises."""

        def left() -> list[dict[str, Any]]:
            found = []
            for process in self.processes(title):
                with contextlib.suppress(psutil.NoSuchProcess):  # it ended after it was found
                    found.append(process.as_dict(["pid", "cmdline", "status", "cpu_times"]))
            return found

        wait_until(lambda: not self.processes(title), f"the end of {title}", 30, seen=left)

    def kill(self, title: str) -> None:
        """Kill the first such process as a machine would: at once, without a word."""
        wait_until(lambda: self._killed(title), f"a process {title}", longest_pause_s=0.1)

    def _killed(self, title: str) -> bool:
        for process in self.processes(title):
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended after it was found
                process.send_signal(signal.SIGKILL)
                return True
        return False


@contextlib.contextmanager
def an_up_server(**settings: str) -> Iterator[UpServer]:
    with a_folder() as data_dir:
        environment = {**clean_environment(), "SYNTHGEN_DATA_DIR": str(data_dir), **settings}
        with running(UpServer(data_dir, free_port(), environment)) as server:
            yield server


@contextlib.contextmanager
def running(server: UpServer) -> Iterator[UpServer]:
    try:
        server.up()
        yield server
    finally:
        if DataDir(server.data_dir).is_locked():
            server.down()


@contextlib.contextmanager
def standing_still(processes: list[psutil.Process]) -> Iterator[None]:
    for process in processes:
        process.suspend()
    # One that waits for its disk stands still only then.
    wait_until(lambda: not any(map(_goes_on, processes)), "the processes stand still")
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):  # others may have ended it
                process.resume()


def _goes_on(process: psutil.Process) -> bool:
    return is_alive(process) and process.status() != psutil.STATUS_STOPPED


def processes_below(pid: int, title: str) -> list[psutil.Process]:
    """What a process has started and has these words in its title."""
    found = []
    for process in psutil.Process(pid).children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if title in " ".join(process.cmdline()):
                found.append(process)
    return found


def kill_family(pid: int) -> None:
    """A process and all that it started, at once, as a machine that loses its power."""
    try:
        family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:  # it ended by itself, and what it started with it
        return
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(signal.SIGKILL)
    psutil.wait_procs(family, timeout=30)


def is_alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
