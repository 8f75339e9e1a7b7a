"""What a server's metrics endpoints say, as Prometheus would read it."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import httpx

_SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True)
class Sample:
    name: str
    labels: dict[str, str]
    value: float


def targets_of(data_dir: Path) -> list[str]:
    """The endpoints of a server's Ray, by the file that Ray keeps of them for Prometheus."""
    groups = json.loads((data_dir / "ray" / "prom_metrics_service_discovery.json").read_text())
    return [target for group in groups for target in group["targets"]]


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
