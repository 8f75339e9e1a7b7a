"""What a server's metrics endpoints say, as Prometheus would read it."""

import json
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx

from tests.prometheus import CONFIG
from tests.servers import wait_until

# Ray's autoscaler and dashboard tell theirs at these ports or, where another Ray has them, not at all.
OF_ONE_RAY = ("44217", "44227")
# Ray has new figures every ten seconds, and writes out all of them for each who asks.
FIGURES_S = 40.0
wait_for_figures = partial(wait_until, timeout_s=FIGURES_S, longest_pause_s=1.5)
_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Sample:
    name: str
    labels: dict[str, str]
    value: float


def targets_of(data_dir: Path) -> list[str]:
    """The endpoints of the nodes of a server's Ray, by the file that Ray keeps of them for Prometheus."""
    groups = json.loads((data_dir / "ray" / "prom_metrics_service_discovery.json").read_text())
    targets = [target for group in groups for target in group["targets"]]
    return [target for target in targets if target.rpartition(":")[2] not in OF_ONE_RAY]


def metrics_promised() -> list[str]:
    """The names that operators are told of."""
    table = (CONFIG / "README.md").read_text().partition("| metric, after `ray_synthgen_` |")[2].partition("\n\n")[0]
    return [f"ray_synthgen_{name}" for row in table.splitlines() for name in re.findall(r"`(\w+)", row.split("|")[1])
            if row.startswith("| `")]  # fmt: skip


def scrape(data_dir: Path) -> list[Sample]:
    """All samples of all of them."""
    pages = [httpx.get(f"http://{target}/metrics", timeout=30).text for target in targets_of(data_dir)]
    lines = [line for page in pages for line in page.splitlines() if line and not line.startswith("#")]
    found = [_SAMPLE.fullmatch(line) for line in lines]
    return [Sample(one[1], dict(_LABEL.findall(one[2] or "")), float(one[3])) for one in found if one]


def total(samples: list[Sample], name: str, **labels: str) -> float | None:
    """The sum over the processes that report it; `None` where none does."""
    fitting = [one.value for one in samples if one.name == name and labels.items() <= one.labels.items()]
    return sum(fitting) if fitting else None
