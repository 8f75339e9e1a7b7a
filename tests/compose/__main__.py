"""Starts compose.yaml, and ends with an assertion where something does not hold."""

import contextlib
import json
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from synthgen_ray.client import SynthGen
from tests.api.conftest import a_table
from tests.compose.daemon import a_daemon
from tests.compose.images import provide
from tests.servers import wait_until

CLUSTER = Path(__file__).parents[2] / "cluster"
ALL_BUT_GRAFANA = ("head", "worker", "deploy", "postgres", "s3", "prometheus")
URL, PROMETHEUS = "http://127.0.0.1:8888", "http://127.0.0.1:9090"
WAIT_S = 1200  # a slow machine is no fault of what is looked at


class Compose:
    """`docker compose` on our file, with an `.env` of its own."""

    def __init__(self, scratch: Path) -> None:
        example = (CLUSTER / "compose.env.example").read_text().splitlines()
        self.env = {line.partition("=")[0]: secrets.token_hex(32) for line in example if line.endswith("=")}
        self.env |= {"EXTRA_INDEX": "", "WORKERS": "2"}
        self.file = scratch / "env"
        self.file.write_text("".join(f"{name}={value}\n" for name, value in self.env.items()))

    def run(self, *words: str, may_fail: bool = False, quiet: bool = False) -> str:
        command = ["docker", "compose", "--env-file", str(self.file), "--file", str(CLUSTER / "compose.yaml"), *words]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE if quiet else None, text=True)
        assert may_fail or done.returncode == 0, f"{words} ended with {done.returncode}: {done.stdout}"
        return done.stdout

    def synthgen(self, *words: str) -> str:
        return self.run("exec", "--no-TTY", "head", "synthgen", *words, quiet=True, may_fail=True)


@contextlib.contextmanager
def a_cluster(scratch: Path) -> Iterator[Compose]:
    compose = Compose(scratch)
    try:
        compose.run("up", "--detach", "--build", *ALL_BUT_GRAFANA)
        yield compose
    except BaseException:
        print(compose.run("ps", "--all", may_fail=True), compose.run("logs", "--tail=60", may_fail=True))
        raise
    finally:
        compose.run("down", "--volumes", "--timeout=20", may_fail=True)


def check_a_user_gets_rows(client: SynthGen, scratch: Path) -> str:
    (scratch / "accounts.csv").write_bytes(a_table(300))
    project = client.create_project("Bank")["id"]
    version = client.upload_dataset(project, "accounts", scratch / "accounts.csv")["dataset_version_id"]
    model = client.create_model(project, version, "copula", "gaussian_copula", {"seed": 1})["id"]
    client.wait_for_model(model, timeout_s=WAIT_S)
    check_it_generates(client, model)
    return str(model)


def check_it_generates(client: SynthGen, model: str) -> None:
    job = client.generate(model, 1000, seed=3)["job_id"]

    assert client.wait_for_job(job, timeout_s=WAIT_S)["result"]["num_rows"] == 1000


def check_prometheus_reads_every_node() -> None:
    def results(question: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{PROMETHEUS}/api/v1/query", params={"query": question})
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    wait_until(lambda: len(results('up{job="ray"} == 1')) == 3, "it reads the head and two workers", WAIT_S)
    wait_until(lambda: results('ray_synthgen_jobs{status="completed"} > 0'), "it has our metrics", WAIT_S)


def check_the_runbook_works_in_the_head(compose: Compose) -> None:
    print(compose.synthgen("status"), compose.synthgen("jobs", "list"))
    found = json.loads(compose.synthgen("doctor", "--json"))
    assert {finding["level"] for finding in found} == {"ok"}, found
    assert len(json.loads(compose.synthgen("jobs", "list", "--json"))["items"]) == 2


def check_a_head_that_starts_again_serves_again(compose: Compose, client: SynthGen) -> None:
    compose.run("restart", "head")

    wait_until(lambda: not client.is_ready(), "the old one is gone", WAIT_S)
    wait_until(client.is_ready, "it is ready again", WAIT_S)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="sg-") as folder, a_daemon(Path(folder)):
        scratch = Path(folder)
        provide(scratch)
        with a_cluster(scratch) as compose, SynthGen(URL, compose.env["SYNTHGEN_ADMIN_KEY"]) as client:
            wait_until(client.is_ready, "it is ready", WAIT_S)
            model = check_a_user_gets_rows(client, scratch)
            check_prometheus_reads_every_node()
            check_the_runbook_works_in_the_head(compose)
            check_a_head_that_starts_again_serves_again(compose, client)
            check_it_generates(client, model)


if __name__ == "__main__":
    main()
