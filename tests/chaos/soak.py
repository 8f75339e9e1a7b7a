"""Clients at work for long, while what draws and trains for them dies every half a minute: what was promised them holds
as it does for one kill, and what serves them all the time grows neither in memory nor in open files.
"""

import contextlib
import random
import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from scipy.stats import theilslopes

from synthgen_ray.runtime.data_dir import DataDir
from tests.chaos.kills import VICTIMS, kill
from tests.chaos.workload import Shop

DYING = ("sampler", "training worker", "training job")
BETWEEN_KILLS_S = (20.0, 60.0)
LOOK_S = 5.0
MIB_PER_MINUTE = 1.0
MORE_FILES = 15  # connections come and go
RAYS_LOGS = "log_monitor.py"  # keeps the newest 200 files open


@dataclass(frozen=True)
class Size:
    minute: float
    mib: float  # of memory that is the process's alone
    files: int


@dataclass(frozen=True)
class Growth:
    title: str
    mib: float
    mib_per_minute: float
    files: float

    @classmethod
    def over(cls, title: str, sizes: Sequence[Size]) -> "Growth":
        # By Theil and Sen: a busy moment leaves a step behind, which is no growth.
        slope = theilslopes([one.mib for one in sizes], [one.minute for one in sizes]).slope
        quarter = max(1, len(sizes) // 4)
        before, after = (statistics.median(one.files for one in few) for few in (sizes[:quarter], sizes[-quarter:]))
        return cls(title, sizes[-1].mib, slope, after - before)

    def findings(self) -> Iterator[str]:
        if self.mib_per_minute > MIB_PER_MINUTE:
            yield f"{self} in memory: {MIB_PER_MINUTE:g} is allowed"
        if self.files > MORE_FILES and RAYS_LOGS not in self.title:
            yield f"{self.title} has {self.files:.0f} files more open: {MORE_FILES} are allowed"

    def __str__(self) -> str:
        return f"{self.title} ({self.mib:.0f} MiB) {self.mib_per_minute:+.2f} MiB a minute"


@dataclass
class Scales:
    """Looks now and then how large a process and all that it started are."""

    pid: int
    seen: dict[psutil.Process, list[Size]] = field(default_factory=lambda: defaultdict(list))

    @contextmanager
    def looking(self) -> Iterator[None]:
        stop = threading.Event()
        thread = threading.Thread(target=self._repeat, args=(stop,))
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def growths(self) -> list[Growth]:
        """Of each that was there in the second half and is still: by then it has all that it keeps. Largest first."""
        first = min(sizes[0].minute for sizes in self.seen.values())
        middle = (first + time.monotonic() / 60) / 2
        grown = []
        for process, sizes in self.seen.items():
            with contextlib.suppress(psutil.NoSuchProcess):
                if sizes[0].minute < middle:
                    late = [one for one in sizes if one.minute >= middle]
                    grown.append(Growth.over(_title(process), late))
        return sorted(grown, key=lambda growth: growth.mib_per_minute, reverse=True)

    def _repeat(self, stop: threading.Event) -> None:
        root = psutil.Process(self.pid)
        while not stop.wait(LOOK_S):
            minute = time.monotonic() / 60
            for process in (root, *root.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    memory = process.memory_info()
                    size = Size(minute, (memory.rss - memory.shared) / 2**20, process.num_fds())
                    self.seen[process].append(size)


def _title(process: psutil.Process) -> str:
    words = " ".join(process.cmdline()).split()
    return " ".join([Path(word).name for word in words if not word.startswith("-")][:2])


def soaked(shop: Shop, seconds: float, seed: int = 1) -> str:
    """Raises: AssertionError, with what is not as promised."""
    chance, until = random.Random(seed), time.monotonic() + seconds
    by_name = {victim.name: victim for victim in VICTIMS}
    victims = [by_name[name] for name in DYING]
    info = DataDir(shop.server.data_dir).find_info()
    assert info is not None
    scales, kills = Scales(info.pid), []
    with scales.looking():
        while time.monotonic() < until:
            after_s = chance.uniform(*BETWEEN_KILLS_S)
            kills.append(kill(shop, chance.choice(victims), f"soak {len(kills)}", after_s))
    growths = scales.growths()
    findings = [f"{one.victim.name}: {finding}" for one in kills for finding in one.findings]
    findings += [finding for growth in growths for finding in growth.findings()]
    told = f"{len(kills)} kills in {seconds / 60:.0f} minutes; of {len(growths)} processes grew most: "
    told += ", ".join(map(str, growths[:5]))
    assert not findings, "\n".join([told, *findings])
    return told
