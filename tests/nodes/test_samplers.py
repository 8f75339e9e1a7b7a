"""Samplers become more while much is asked of them, and fewer when it is not; all let go of what is deleted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synthgen_ray.client import SynthGen
from synthgen_ray.runtime.listening import free_port
from tests.api.conftest import a_table
from tests.metrics import scrape, wait_for_figures
from tests.servers import NO_RATE_LIMITS, SAMPLER, UpServer, an_up_server, wait_until

IDLE_S = 4
HELD = "ray_synthgen_model_cache_bytes"


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    file: Path = tmp_path_factory.mktemp("tables") / "accounts.csv"
    file.write_bytes(a_table(300))
    return file


def a_server(**sampler: Any) -> Any:
    settings = {f"SYNTHGEN_SAMPLER__{name.upper()}": str(value) for name, value in sampler.items()}
    settings |= {"SYNTHGEN_RATE_LIMITS": NO_RATE_LIMITS, "SYNTHGEN_METRICS_PORT": str(free_port())}
    return an_up_server(SYNTHGEN_NUM_CPUS="4", **settings)


def a_model(client: SynthGen, table: Path) -> dict[str, Any]:
    project = client.create_project("Bank")["id"]
    version = client.upload_dataset(project, "accounts", table)["dataset_version_id"]
    model = client.create_model(project, version, "copula", "gaussian_copula", {"seed": 1})
    client.wait_for_model(model["id"], timeout_s=120)
    return model


def generate(client: SynthGen, model: dict[str, Any]) -> None:
    """So many rows that all samplers draw some."""
    client.wait_for_job(client.generate(model["id"], 1_000_000, seed=1)["job_id"], timeout_s=240)


def samplers_of(server: UpServer) -> int:
    return len(server.processes(SAMPLER))


@pytest.fixture
def elastic(table) -> Iterator[tuple[UpServer, SynthGen, dict[str, Any]]]:
    with a_server(max_replicas=2, idle_s=IDLE_S, threads=1) as server, server.client() as client:
        yield server, client, a_model(client, table)


def test_they_follow_what_is_asked(elastic):
    server, client, model = elastic
    wait_until(lambda: samplers_of(server) == 0, "nothing is asked, and there is none", timeout_s=60)
    jobs = [client.generate(model["id"], 4_000_000, seed=seed) for seed in range(4)]

    wait_until(lambda: samplers_of(server) == 2, "there are as many as there may be", timeout_s=120)
    for job in jobs:
        client.cancel_job(job["job_id"])

    wait_until(lambda: samplers_of(server) == 0, "they end when nothing is asked", timeout_s=60)
    assert len(client.sample(model["id"], 5)) == 5  # one comes again


@pytest.mark.nightly  # `tests/unit/jobs/test_model_cache.py` shows it of one
def test_all_let_go_of_a_model_that_is_deleted(table):
    with a_server(min_replicas=2, max_replicas=2, threads=1) as server, server.client() as client:
        kept, model = a_model(client, table), a_model(client, table)
        generate(client, kept)
        wait_for_figures(lambda: len(held := _held(server)) == 2 and min(held) > 0, "both have loaded one")
        of_one = _held(server)
        generate(client, model)
        wait_for_figures(lambda: _held(server) == [2 * num_bytes for num_bytes in of_one], "both have loaded the other")

        client.delete_model(model["id"])

        wait_for_figures(lambda: _held(server) == of_one, "both have let go of one and kept the other")
        assert samplers_of(server) == 2


def _held(server: UpServer) -> list[float]:
    """The bytes of the models of each sampler."""
    return [sample.value for sample in scrape(server.data_dir) if sample.name == HELD]
