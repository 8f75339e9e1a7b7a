"""The processes that serve: which they are and how much memory they hold, before and after they were fuzzed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tests.servers import UpServer

SERVING = ("ServeReplica:synthgen:Api", "ray::Metadata", "ray::DispatcherActor", "ServeController", "ray::ProxyActor")
MAX_GROWTH_MIB = 200


@dataclass(frozen=True)
class Process:
    pid: int
    mib: float


Standing = Mapping[str, Process]


def standing(server: UpServer) -> Standing:
    """By its title, each process that serves."""
    found: dict[str, Process] = {}
    for title in SERVING:
        (process,) = server.processes(title)
        found[title] = Process(process.pid, process.memory_info().rss / 2**20)
    return found


def findings(before: Standing, after: Standing) -> Iterator[str]:
    for title in SERVING:
        if after[title].pid != before[title].pid:
            yield f"{title} died: it was {before[title].pid} and is {after[title].pid}"
        elif after[title].mib - before[title].mib > MAX_GROWTH_MIB:
            yield f"{title} went from {before[title].mib:.0f} to {after[title].mib:.0f} MiB"


def summary(before: Standing, after: Standing) -> str:
    return ", ".join(f"{title} {before[title].mib:.0f} -> {after[title].mib:.0f} MiB" for title in SERVING)
