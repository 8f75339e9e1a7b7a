"""One real cluster for all of these tests: `synthgen up`, with room for two training workers and no more."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from synthgen_ray.client import SynthGen
from synthgen_ray.runtime.listening import free_port
from tests.api.conftest import a_table
from tests.metrics import FIGURES_S, scrape, total, wait_for_figures
from tests.servers import NO_RATE_LIMITS, UpServer, an_up_server

QUICK = {"epochs": 2, "batch_size": 50, "embedding_dim": 8}
LONG = {**QUICK, "epochs": 10_000, "early_stop": False}


@pytest.fixture(scope="package")  # gone before the next ones start theirs
def server() -> Iterator[UpServer]:
    settings = {"SYNTHGEN_RATE_LIMITS": NO_RATE_LIMITS, "SYNTHGEN_QUOTAS": '{"pending_jobs": null}'}
    settings |= {"SYNTHGEN_TRAINING__CHECKPOINT_SECONDS": "0.2", "SYNTHGEN_SAMPLER__MAX_ROWS": "10000000"}
    settings |= {"SYNTHGEN_SAMPLER__MAX_QUEUED": "40", "SYNTHGEN_GENERATION__MAX_ROWS_BY_SAMPLERS": "250000"}
    with an_up_server(SYNTHGEN_NUM_CPUS="3", SYNTHGEN_METRICS_PORT=str(free_port()), **settings) as server:
        yield server


@pytest.fixture
def client(server: UpServer) -> Iterator[SynthGen]:
    with server.client() as client:
        yield client


@pytest.fixture(scope="package")
def dataset(server: UpServer, tmp_path_factory) -> dict[str, Any]:
    file: Path = tmp_path_factory.mktemp("tables") / "accounts.csv"
    file.write_bytes(a_table(500))
    with server.client() as client:
        project = client.create_project("Bank")
        return {**client.upload_dataset(project["id"], "accounts", file), "project_id": project["id"]}


@pytest.fixture
def given_training(client, dataset):
    def given(model_type: str = "tvae", config: dict | None = None, **fields: Any) -> dict[str, Any]:
        return client.create_model(
            dataset["project_id"], dataset["dataset_version_id"], "m", model_type, config or QUICK, **fields
        )

    return given


@pytest.fixture(scope="package")
def ready_model(server: UpServer, dataset) -> str:
    with server.client() as client:
        model = client.create_model(
            dataset["project_id"], dataset["dataset_version_id"], "copula", "gaussian_copula", {"seed": 1}
        )
        client.wait_for_model(model["id"], timeout_s=120)
        return model["id"]


@pytest.fixture
def grows(server: UpServer) -> Callable[..., None]:
    """Whether a sum becomes larger by so much than it was when this test began."""
    before = scrape(server.data_dir)

    def grown(by: float, name: str, timeout_s: float = FIGURES_S, **labels: str) -> None:
        start = total(before, name, **labels) or 0.0

        def has_grown() -> bool:
            return (total(scrape(server.data_dir), name, **labels) or 0.0) >= start + by

        wait_for_figures(has_grown, f"{name} grows", timeout_s=timeout_s)

    return grown
