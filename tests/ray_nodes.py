"""A Ray cluster of several nodes on this machine, each with processes of its own that can be killed."""

import contextlib
import itertools
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from synthgen_ray.runtime.listening import free_port
from tests.folders import a_folder
from tests.servers import UpServer, clean_environment, kill_family, processes_below, running, wait_until

RAY = str(Path(sys.executable).parent / "ray")
LOOPBACK = "127.0.0.1"
STARTED = "Ray runtime started"  # said once the head has it among its nodes
MEMORY = "--object-store-memory=80000000"
UNSEEN = "--include-log-monitor=false"  # a process that shows all logs to drivers, of whom none here listens
# A node that is gone is noticed within some six seconds, not fifteen; one that is slow, of a busy machine, stays.
QUICK_TO_NOTICE = {
    "RAY_health_check_initial_delay_ms": "1000",
    "RAY_health_check_period_ms": "1000",
    "RAY_health_check_timeout_ms": "3000",
    "RAY_health_check_failure_threshold": "5",
}


@dataclass
class RayNodes:
    """The head, and nodes that joined it."""

    session: Path
    ip: str  # of the head
    port: int
    environment: dict[str, str]  # of Ray, and of all that speaks to it
    dashboard_port: int = field(default_factory=free_port)
    nodes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    @property
    def address(self) -> str:
        return f"{self.ip}:{self.port}"

    @property
    def head(self) -> subprocess.Popen[bytes]:
        return self.nodes[0]

    def start_head(self, num_cpus: int) -> None:
        known_as = [f"--node-ip-address={self.ip}"] * (self.ip != LOOPBACK)
        self._start(num_cpus, "--head", f"--port={self.port}", f"--dashboard-port={self.dashboard_port}", *known_as)

    def join(self, num_cpus: int, *options: str, within: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Another node, once the head knows it: two that join at once on one machine are in each other's way.

        It is started by `within`, a command that runs another.
        """
        return self._start(num_cpus, f"--address={self.address}", *options, within=within)

    def count(self) -> int:
        """The nodes that the head takes for alive."""
        command = [RAY, "status", f"--address={self.address}"]
        said = subprocess.run(command, env=self.environment, capture_output=True, text=True).stdout
        return len(re.findall(r"^ \d+ node_", said.split("Pending:")[0], re.MULTILINE))

    def kill(self, node: subprocess.Popen[bytes]) -> None:
        kill_family(node.pid)
        node.wait(30)
        self.nodes.remove(node)

    def silence(self, node: subprocess.Popen[bytes]) -> None:
        """As a network that is cut does: nothing on it answers any more, and no connection to it ends."""
        for process in [psutil.Process(node.pid), *psutil.Process(node.pid).children(recursive=True)]:
            process.suspend()

    def node_of(self, title: str) -> subprocess.Popen[bytes]:
        """The node on which there is a process with these words in its title."""
        for node in self.nodes:
            if processes_below(node.pid, title):
                return node
        raise LookupError(title)

    def _start(self, num_cpus: int, *options: str, within: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        command = [*within, RAY, "start", "--block", f"--num-cpus={num_cpus}", MEMORY, UNSEEN, *options]
        command += [f"--temp-dir={self.session}"] * ("--head" in options)
        said = self.session / f"said-{next(self._numbers)}"
        with said.open("wb") as out:
            node = subprocess.Popen(command, env=self.environment, stdout=out)
        self.nodes.append(node)
        wait_until(lambda: STARTED in said.read_text() or node.poll() is not None, "a node starts")
        assert node.poll() is None, said.read_text()
        return node


@contextlib.contextmanager
def ray_nodes(head_cpus: int, ip: str = LOOPBACK, **environment: str) -> Iterator[RayNodes]:
    with a_folder("ray-") as session:
        token = session / "token"
        token.write_text("a" * 64)
        token.chmod(0o600)
        ours = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0",
            **QUICK_TO_NOTICE,
        }
        nodes = RayNodes(session, ip, free_port(), {**clean_environment(), **ours, **environment})
        try:
            nodes.start_head(head_cpus)
            yield nodes
        finally:
            for node in reversed(nodes.nodes.copy()):
                nodes.kill(node)


@dataclass
class ServerOnNodes(UpServer):
    nodes: RayNodes

    def processes(self, title: str) -> list[psutil.Process]:
        return [process for node in self.nodes.nodes for process in processes_below(node.pid, title)]


@contextlib.contextmanager
def a_server_on(nodes: RayNodes, folder: Path, **settings: str) -> Iterator[ServerOnNodes]:
    """`synthgen up --address`, with all that it keeps in a folder."""
    ours = {
        "DATA_DIR": str(folder / "data"),
        "ADDRESS": nodes.address,
        "ARTIFACTS_URL": (folder / "artifacts").as_uri(),
        "TRAINING__CHECKPOINT_SECONDS": "0.2",
    }
    environment = {f"SYNTHGEN_{name}": value for name, value in {**ours, **settings}.items()}
    server = ServerOnNodes(folder / "data", free_port(), {**nodes.environment, **environment}, nodes)
    with running(server):
        yield server
