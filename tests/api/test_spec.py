"""The promised workflow of part 1, call by call, with every field, code and default."""

import asyncio
import re
from datetime import datetime
from uuid import UUID

import pytest

from synthgen_ray.domain.entities import JobFailure
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.domain.params import ModelType
from tests.api.conftest import SYNTHGEN, a_table
from tests.given import a_trained_model, an_artifact

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
MODEL_TYPES = [
    ("ctgan", "CTGAN", "Conditional Tabular GAN - best for general tabular data"),
    ("copulagan", "CopulaGAN", "Copula-based GAN - good for capturing correlations"),
    ("tvae", "TVAE", "Tabular VAE - faster training, good for large datasets"),
    ("gaussian_copula", "Gaussian Copula", "Statistical copula model - fastest, good baseline"),
]
SMALL = {"epochs": 1, "batch_size": 50}
CONFIGS = {
    "ctgan": {**SMALL, "generator_dim": [16], "discriminator_dim": [16], "embedding_dim": 8},
    "copulagan": {**SMALL, "generator_dim": [16], "discriminator_dim": [16], "embedding_dim": 8},
    "tvae": {**SMALL, "embedding_dim": 8, "compress_dims": [16], "decompress_dims": [16]},
    "gaussian_copula": {"seed": 42},
}


async def poll(client, path: str, finals: set[str], status_of) -> dict:
    """As the published clients do: until one of two final statuses."""
    async with asyncio.timeout(60):
        while True:
            response = (await client.get(path)).raise_for_status()
            if status_of(response.json()) in finals:
                return response.json()
            await asyncio.sleep(0.05)


async def wait_for_model(client, model_id: str) -> dict:
    path = f"{SYNTHGEN}/models/{model_id}"
    return await poll(client, path, {"ready", "failed"}, lambda body: body["model"]["status"])


async def wait_for_job(client, job_id: str) -> dict:
    return await poll(client, f"{SYNTHGEN}/jobs/{job_id}", {"completed", "failed"}, lambda body: body["status"])


@pytest.mark.parametrize("model_type", [model_type for model_type, *_ in MODEL_TYPES])
async def test_the_promised_workflow(client, working, project_id, given_dataset, model_type):
    dataset = await given_dataset()

    created = await client.post(
        f"{SYNTHGEN}/models",
        json={
            "project_id": project_id,
            "dataset_version_id": dataset["dataset_version_id"],
            "name": "Transactions",
            "model_type": model_type,
            "config": CONFIGS[model_type],
        },
    )
    assert created.status_code == 201
    model = created.json()
    assert {"id", "model_id", "job_id", "status"} <= set(model)
    assert model["id"] == model["model_id"]
    assert model["status"] == "pending"
    assert model["job_id"] != model["synthgen_job_id"]

    detail = await wait_for_model(client, model["id"])
    assert detail["model"]["status"] == "ready"
    assert detail["model"] == {
        **detail["model"],
        "id": model["id"],
        "name": "Transactions",
        "model_type": model_type,
        "dataset_name": "accounts",
        "dataset_version": 0,
        "dataset_id": dataset["dataset_id"],
    }
    assert detail["model"]["config"] == {**detail["model"]["config"], **CONFIGS[model_type]}
    assert MOMENT.fullmatch(detail["model"]["created_at"])
    (training,) = detail["jobs"]
    assert set(training) == {"id", "job_type", "status", "created_at"}
    assert (training["job_type"], training["status"]) == ("train", "completed")

    generated = await client.post(
        f"{SYNTHGEN}/models/{model['id']}/generate",
        json={"num_rows": 120, "seed": 42, "conditions": {"income": ">50K"}},
    )
    assert generated.status_code == 200
    accepted = generated.json()
    assert accepted["status"] == "pending"
    UUID(accepted["job_id"])

    job = await wait_for_job(client, accepted["synthgen_job_id"])
    assert job["status"] == "completed"
    assert job == {
        **job,
        "id": accepted["synthgen_job_id"],
        "model_id": model["id"],
        "model_name": "Transactions",
        "model_type": model_type,
        "job_type": "generate",
        "project_name": "Bank",
        "progress": 1.0,
        "error": None,
        "cancelled": False,
        "eta_seconds": None,
    }
    UUID(job["output_artifact_id"])
    assert job["result"]["num_rows"] == 120
    assert (await client.get(f"{SYNTHGEN}/jobs/{accepted['job_id']}")).json() == job

    download = await client.get(f"{SYNTHGEN}/jobs/{job['id']}/download")
    assert download.status_code == 200
    assert "attachment" in download.headers["content-disposition"]
    lines = download.text.splitlines()
    assert lines[0] == a_table(1).decode().splitlines()[0]
    assert len(lines) == 121
    assert all(line.split(",")[2] == ">50K" for line in lines[1:])

    models = (await client.get(f"{SYNTHGEN}/models", params={"project_id": project_id})).json()
    assert (models["total"], models["limit"], models["offset"]) == (1, 50, 0)
    assert {"id", "name", "model_type", "status", "dataset_name", "dataset_version", "created_at"} <= set(
        models["items"][0]
    )
    jobs = (await client.get(f"{SYNTHGEN}/jobs", params={"model_id": model["id"], "status": "completed"})).json()
    assert [item["job_type"] for item in jobs["items"]] == ["generate", "train"]

    deleted = await client.delete(f"{SYNTHGEN}/models/{model['id']}")
    assert deleted.status_code == 200
    assert deleted.json() == {"ok": True, "model_id": model["id"]}
    for path in (f"models/{model['id']}", f"jobs/{job['id']}", f"jobs/{job['id']}/download"):
        assert (await client.get(f"{SYNTHGEN}/{path}")).status_code == 404


class TestThePublishedLoops:
    """A training and a generation are waited for."""

    @pytest.fixture
    async def loops(self, client, server, given_model) -> list[asyncio.Task[dict]]:
        ready = await given_model()
        await end(client, server, "completed")
        made = (await client.post(f"{SYNTHGEN}/models/{ready['id']}/generate", json={})).json()
        waiting = [wait_for_model(client, (await given_model())["id"]), wait_for_job(client, made["synthgen_job_id"])]
        return [asyncio.create_task(loop) for loop in waiting]

    @pytest.mark.parametrize(
        ("how", "statuses"),
        [
            ("completed", ["ready", "completed"]),
            ("failed", ["failed", "failed"]),
            ("cancelled", ["failed", "failed"]),
        ],
    )
    async def test_end_however_a_job_does(self, client, server, loops, how, statuses):
        for _ in loops:
            await end(client, server, how)

        detail, job = await asyncio.gather(*loops)

        assert [detail["model"]["status"], job["status"]] == statuses

    async def test_end_where_there_is_nothing_to_wait_for_any_more(self, client, server, loops):
        for _ in loops:
            await end(client, server, "deleted")

        ended = await asyncio.gather(*loops, return_exceptions=True)

        assert [error.response.status_code for error in ended] == [404, 404]


async def end(client, server, how: str) -> None:
    """The next job of the queue: as its worker does it, or its owner."""
    job = (await server.store.claim_next(JobType)).job
    if how == "cancelled":
        await client.post(f"{SYNTHGEN}/jobs/{job.id}/cancel")
    elif how == "deleted":
        await client.delete(f"{SYNTHGEN}/models/{job.model_id}")
    elif how == "failed":
        await server.store.fail(job.id, job.attempt, JobFailure("broken", "It does not work."))
    elif job.job_type is JobType.TRAIN:
        await server.store.complete_training(job.id, job.attempt, a_trained_model())
    else:
        await server.store.complete_generation(job.id, job.attempt, an_artifact())


async def test_model_types_come_in_the_promised_order_and_words(client):
    body = (await client.get(f"{SYNTHGEN}/model-types")).json()

    shown = [(t["id"], t["name"], t["description"]) for t in body["model_types"]]
    assert shown[: len(MODEL_TYPES)] == MODEL_TYPES  # a type that is new comes after them
    assert [model_type for model_type, *_ in shown] == list(ModelType)


async def test_hyperparameters_have_the_promised_defaults(client):
    body = (await client.get(f"{SYNTHGEN}/model-types")).json()
    defaults = {
        t["id"]: {name: option.get("default") for name, option in t["config_schema"]["properties"].items()}
        for t in body["model_types"]
    }

    gan = {
        "epochs": 300,
        "batch_size": 500,
        "embedding_dim": 128,
        "generator_dim": [256, 256],
        "discriminator_dim": [256, 256],
        "pac": 10,
    }
    for model_type in ("ctgan", "copulagan"):
        assert defaults[model_type] == {**defaults[model_type], **gan}
    assert defaults["tvae"] == {**defaults["tvae"], "epochs": 300, "batch_size": 500, "embedding_dim": 128}
    assert defaults["gaussian_copula"] == {**defaults["gaussian_copula"], "seed": None}
    assert all("seed" in options and "min_category_count" in options for options in defaults.values())


async def test_a_model_is_a_ctgan_of_300_epochs_unless_it_says_otherwise(client, project_id, given_dataset):
    dataset = await given_dataset()
    body = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "m"}

    model = (await client.post(f"{SYNTHGEN}/models", json=body)).json()

    shown = (await client.get(f"{SYNTHGEN}/models/{model['id']}")).json()["model"]
    assert (shown["model_type"], shown["config"]["epochs"]) == ("ctgan", 300)


@pytest.mark.parametrize("body", [None, {}])
async def test_a_generation_has_a_thousand_rows_unless_it_says_otherwise(client, server, given_ready_model, body):
    model_id = await given_ready_model()

    accepted = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=body)).json()

    job = (await client.get(f"{SYNTHGEN}/jobs/{accepted['job_id']}")).json()
    asked = {"num_rows": 1000, "seed": None, "conditions": {}, "distribution": {}, "format": "csv", "csv_safe": False}
    assert job["config"] == asked


async def test_moments_are_utc(client, project_id):
    (project,) = (await client.get("/api/projects")).json()["items"]

    assert datetime.fromisoformat(project["created_at"]).utcoffset().total_seconds() == 0
