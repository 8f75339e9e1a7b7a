"""A Prometheus of Debian's as a process, with the scrape configuration and the rules of `cluster/`."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from synthgen_ray.runtime.listening import free_port
from tests.servers import wait_until

CLUSTER = Path(__file__).parents[1] / "cluster"
CONFIG = CLUSTER / "prometheus"


def require_prometheus() -> None:
    """Skips where it is not installed; fails where it must be, as in `.ci/run`."""
    if shutil.which("prometheus") and shutil.which("promtool"):
        return
    if os.environ.get("TEST_PROMETHEUS") == "required":
        pytest.fail("prometheus is not installed: apt-get install prometheus")
    pytest.skip("prometheus is not installed: apt-get install prometheus")


@dataclass
class Prometheus:
    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The vector that it answers. Raises: HTTPStatusError, for what is no query."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=30)
        result: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
        return result

    def rules(self) -> list[dict[str, Any]]:
        groups = httpx.get(f"{self.url}/api/v1/rules", timeout=30).raise_for_status().json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@contextlib.contextmanager
def a_prometheus(folder: Path, discovery: Path) -> Iterator[Prometheus]:
    """One that finds what to scrape in this file of Ray's, each second instead of each quarter of a minute."""
    text = (CONFIG / "prometheus.yml").read_text()
    (folder / "prometheus.yml").write_text(text.replace("interval: 15s", "interval: 1s"))
    shutil.copy(CONFIG / "alerts.yml", folder)
    (folder / "ray.json").symlink_to(discovery)
    address = f"127.0.0.1:{free_port()}"
    command = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], cwd=folder, stdout=log, stderr=log)
    try:
        wait_until(lambda: _is_ready(f"http://{address}"), "Prometheus is ready", 60)
        yield Prometheus(f"http://{address}")
    finally:
        process.terminate()
        process.wait(30)


def _is_ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/-/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
