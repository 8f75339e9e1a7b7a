"""Requests made from the OpenAPI page, with ids that exist: no 5xx, and every answer as the page says.

`python -m tests.fuzz.openapi --url http://127.0.0.1:8888 --key KEY`: schemathesis, all its checks and phases. The
server must have no rate limits.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from synthgen_ray.client import SynthGen
from tests.api.conftest import a_table
from tests.servers import every

PROJECTS, MODELS, JOBS = 12, 6, 12
LIKELY = 0.8  # for an id to be one that exists
# What the page cannot say: an expiry that lies in the past, a key that was used before, a dataset of another project.
ALSO_ACCEPTED = ["2xx", "401", "403", "404", "409", "413", "415", "422", "429"]
CHANCE_CASES = 30  # that each operation is given beside those it is tried with
GENERATED = re.compile(r"\b([0-9]+) generated\b")  # in the summary


def a_world(url: str, key: str) -> dict[str, list[str]]:
    """Things to ask for, by the name of their id."""
    with tempfile.TemporaryDirectory() as folder, SynthGen(url, key) as client:
        file = Path(folder) / "accounts.csv"
        file.write_bytes(a_table(60))
        projects = [client.create_project(f"Project {n}")["id"] for n in range(PROJECTS)]
        uploads = [client.upload_dataset(project, "accounts", file) for project in projects[:MODELS]]
        models = [
            client.create_model(project, upload["dataset_version_id"], "model", "gaussian_copula", {"seed": 1})
            for project, upload in zip(projects, uploads, strict=False)
        ]
        for model in models:
            client.wait_for_model(model["id"])
        jobs = [client.generate(models[n % MODELS]["id"], num_rows=20) for n in range(JOBS)]
        for job in jobs[: JOBS // 2]:
            client.wait_for_job(job["job_id"])
    return {
        "project_id": projects,
        "dataset_id": [upload["dataset_id"] for upload in uploads],
        "dataset_version_id": [upload["dataset_version_id"] for upload in uploads],
        "model_id": [model["id"] for model in models],
        "job_id": [job["synthgen_job_id"] for job in jobs],
    }


def configuration(world: dict[str, list[str]]) -> Iterator[str]:
    """Of schemathesis: where ids may come from."""
    for name, values in world.items():
        yield f"[dictionaries.{name}]\nvalues = {json.dumps(values)}"
    yield f"[checks.positive_data_acceptance]\nexpected-statuses = {json.dumps(ALSO_ACCEPTED)}"
    yield "[parameters]"
    for name in world:
        for place in ("path", "query", "body"):
            yield f'"{place}.{name}" = {{ dictionary = "{name}", probability = {LIKELY} }}'


@contextmanager
def cleaned_up(url: str, key: str) -> Iterator[None]:
    """Projects that are new afterwards are deleted: the trainings in them would keep the queue busy for long."""
    with SynthGen(url, key) as client:
        before = {project["id"] for project in every(client.list_projects)}
        yield
        for project in every(client.list_projects):
            if project["id"] not in before:
                client.delete_project(project["id"], force=True)


@dataclass(frozen=True)
class Fuzzed:
    exit_code: int  # of schemathesis: 0 where it found nothing
    num_cases: int


def fuzz(url: str, key: str, world: dict[str, list[str]], examples: int, seed: int) -> Fuzzed:
    with tempfile.TemporaryDirectory(prefix="synthgen-fuzz-") as folder:
        file = Path(folder) / "schemathesis.toml"
        file.write_text("\n".join(configuration(world)))
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(file), "run", f"{url}/openapi.json"),
            *("--header", f"Authorization: Bearer {key}", "--mode", "all", "--checks", "all"),
            # A replay by its Idempotency-Key answers what was made, also when that is deleted by now.
            *("--exclude-checks", "ensure_resource_availability"),
            *("--max-examples", str(examples), "--seed", str(seed)),
            # A busy machine may be slow, and not silent.
            *("--request-timeout", "30", "--max-response-time", "30", "--continue-on-failure", "--no-color"),
        ]
        return _followed(command, Path(folder))  # where it leaves its own files


def _followed(command: list[str], folder: Path) -> Fuzzed:
    """Run it and show what it says, of which the number of cases is part."""
    num_cases = 0
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            print(line, end="", flush=True)
            if counted := GENERATED.search(line):
                num_cases = int(counted[1])
    return Fuzzed(process.returncode, num_cases)


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.fuzz.openapi", description=__doc__)
    arguments.add_argument("--url", required=True)
    arguments.add_argument("--key", required=True)
    arguments.add_argument("--count", type=int, default=20_000, help="cases in all, about")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    with cleaned_up(given.url, given.key):
        world = a_world(given.url, given.key)
        fuzzed = fuzz(given.url, given.key, world, max(given.count // CHANCE_CASES, 5), given.seed)
    sys.exit(fuzzed.exit_code)


if __name__ == "__main__":
    main()
