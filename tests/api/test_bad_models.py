"""`POST /models`: each wrong order has its answer, and leaves nothing behind."""

from typing import Any

import pytest

from synthgen_ray.domain.errors import LONGEST_NAME
from tests.api.bank import Bank
from tests.api.conftest import SYNTHGEN, a_table

NOBODYS = "02493dd3-4830-4596-bb2c-a682b412f3a3"

MODELS = f"{SYNTHGEN}/models"
CTGAN, TVAE, COPULA = "ctgan", "tvae", "gaussian_copula"

# What replaces a field of a sound order, and the code of the answer, which is a 422.
FIELDS: list[tuple[dict[str, Any], str]] = [
    # The code says what is wrong, the entry in `errors` that it is wrong with the name.
    ({"name": ""}, "out_of_range"),
    ({"name": "n" * 256}, "out_of_range"),
    ({"name": "   "}, "invalid_value"),
    ({"name": "Trans\0actions"}, "invalid_value"),
    ({"name": "Trans\nactions"}, "invalid_value"),
    ({"name": "Trans\x7factions"}, "invalid_value"),
    ({"name": None}, "invalid_type"),
    ({"name": ["Transactions"]}, "invalid_type"),
    ({"model_type": "CTGAN"}, "unknown_model_type"),
    ({"model_type": "ctgan "}, "unknown_model_type"),
    ({"model_type": "gan"}, "unknown_model_type"),
    ({"model_type": 1}, "unknown_model_type"),
    ({"model_type": None}, "unknown_model_type"),
    ({"model_type": []}, "unknown_model_type"),
    ({"epoch": 3}, "unknown_field"),
    ({"e" * 10_000: 3}, "unknown_field"),
    ({"id": NOBODYS}, "unknown_field"),
    ({"status": "ready"}, "unknown_field"),
    ({"created_at": "2026-02-25T10:00:00Z"}, "unknown_field"),
    ({"owner": "somebody else"}, "unknown_field"),
    ({"body": {}}, "unknown_field"),
    ({"query": 1}, "unknown_field"),
    ({"output_artifact_id": NOBODYS}, "unknown_field"),
    ({"config": []}, "object_expected"),
    ({"config": "epochs=300"}, "object_expected"),
    ({"config": 300}, "object_expected"),
    ({"project_id": "not an id"}, "invalid_id"),
    ({"project_id": None}, "invalid_id"),
    ({"project_id": 12345}, "invalid_id"),
    ({"dataset_version_id": "customers"}, "invalid_id"),
    ({"resources": {"num_workers": 0}}, "out_of_range"),
    ({"resources": {"num_workers": 10**6}}, "out_of_range"),
    ({"resources": {"num_workers": True}}, "invalid_type"),
    ({"resources": {"use_gpu": "yes please"}}, "invalid_type"),
    ({"resources": {"memory": 1}}, "unknown_field"),
    ({"resources": []}, "object_expected"),
]

# Of a model type's options.
OPTIONS: list[tuple[str, dict[str, Any], str]] = [
    (CTGAN, {"epoches": 3}, "unknown_config_key"),
    (CTGAN, {"discrete_columns": ["nowhere"]}, "unknown_config_key"),  # which are discrete is known from the table
    (TVAE, {"pac": 10}, "unknown_config_key"),
    (COPULA, {"epochs": 3}, "unknown_config_key"),
    *((CTGAN, {"epochs": value}, "out_of_range") for value in (0, -1, 10**9, 10**30)),
    *((CTGAN, {"epochs": value}, "invalid_type") for value in (1.5, "3", True, None, [3])),
    (CTGAN, {"batch_size": 25}, "pac_must_divide_batch_size"),
    *((CTGAN, {"batch_size": value}, "out_of_range") for value in (0, -20, 1, 10_001)),
    (CTGAN, {"batch_size": 15, "pac": 5}, "must_be_even"),
    *((CTGAN, {"pac": value}, "out_of_range") for value in (0, -1, 101)),
    (CTGAN, {"pac": 10.0}, "invalid_type"),
    (CTGAN, {"pac": 40, "batch_size": 20}, "pac_must_divide_batch_size"),
    *((CTGAN, {"generator_dim": value}, "out_of_range") for value in ([], [-1], [0], [10**9], [8] * 1000)),
    *((CTGAN, {"generator_dim": value}, "invalid_type") for value in ([1.5], ["256"], "256", 256, {"0": 256}, None)),
    *((CTGAN, {"discriminator_dim": value}, "out_of_range") for value in ([], [0])),
    *((TVAE, {"compress_dims": value}, "out_of_range") for value in ([], [0])),
    *((TVAE, {"decompress_dims": value}, "invalid_type") for value in (["256"], 256)),
    *((CTGAN, {"embedding_dim": value}, "out_of_range") for value in (0, -4, 10**9)),
    *((CTGAN, {"generator_lr": value}, "out_of_range") for value in (0, -1, 1.5)),
    *((CTGAN, {"discriminator_lr": value}, "invalid_type") for value in ("fast!", True)),
    *((CTGAN, {"generator_decay": value}, "out_of_range") for value in (-1e-9, 2)),
    (CTGAN, {"discriminator_steps": 0}, "out_of_range"),
    (CTGAN, {"log_frequency": 1}, "invalid_type"),
    (CTGAN, {"sampling": "precise"}, "unknown_value"),
    (TVAE, {"l2scale": -1}, "out_of_range"),
    (TVAE, {"loss_factor": 0}, "out_of_range"),
    *((kind, {"seed": value}, "out_of_range") for kind in (CTGAN, COPULA) for value in (-1, 2**32, 2**64)),
    *((COPULA, {"seed": value}, "invalid_type") for value in (1.0, True, "7")),
    (COPULA, {"seed": 1, "random_state": 1}, "duplicate_option"),
    (COPULA, {"random_state": -1}, "out_of_range"),
    (COPULA, {"marginals": "cauchy"}, "unknown_value"),
    (COPULA, {"marginals": "beta", "refine": True}, "refine_needs_empirical_marginals"),
    (CTGAN, {"embed_above": 50, "sampling": "ctgan"}, "embed_above_needs_true_frequency"),
    (CTGAN, {"embed_above": 1}, "out_of_range"),
    (COPULA, {"holdout_fraction": 0.9}, "out_of_range"),
    (COPULA, {"max_training_seconds": 0}, "out_of_range"),
    (COPULA, {"min_category_count": 0}, "out_of_range"),
]

# What is no JSON, or JSON that no two parsers read alike.
NO_JSON = [
    (b'{"generator_lr": NaN}', "invalid_json"),
    (b'{"generator_lr": -Infinity}', "invalid_json"),
    (b'{"generator_lr": 1e400}', "invalid_json"),
    (b'{"epochs": 3, "epochs": 300}', "duplicate_key"),
]

TAKEN: list[dict[str, Any]] = [
    {"config": None},
    {"resources": None},
    {"name": "Another"},  # names need not differ: ids do
    {"model_type": CTGAN, "config": {"batch_size": 10_000}},  # more than the table has rows: batches repeat them
    {"model_type": CTGAN, "config": {"batch_size": 20, "pac": 1}},
    {"config": {"seed": 2**32 - 1}},
    {"config": {"seed": 0}},
]


@pytest.mark.parametrize(("change", "code"), FIELDS, ids=lambda part: repr(part)[:60])
async def test_422_for_a_field_that_does_not_fit(bank: Bank, change, code):
    response = await bank.refuses("POST", MODELS, 422, code, json={**bank.order, **change})

    assert response.json()["errors"][0]["field"].split(".")[0] == next(iter(change))[:LONGEST_NAME]


@pytest.mark.parametrize("field", ["project_id", "dataset_version_id", "name"])
async def test_422_for_a_field_that_is_missing(bank: Bank, field):
    order = {name: value for name, value in bank.order.items() if name != field}

    await bank.refuses("POST", MODELS, 422, "missing_field", json=order)


@pytest.mark.parametrize(("model_type", "config", "code"), OPTIONS, ids=lambda part: repr(part)[:60])
async def test_422_for_an_option_that_cannot_be(bank: Bank, model_type, config, code):
    order = {**bank.order, "model_type": model_type, "config": config}

    response = await bank.refuses("POST", MODELS, 422, code, json=order)

    assert response.json()["errors"][0]["field"].split(".")[0] == "config"


@pytest.mark.parametrize(("config", "code"), NO_JSON, ids=repr)
async def test_400_for_options_that_are_no_json(bank: Bank, config, code):
    await bank.refuses("POST", MODELS, 400, code, content=config, headers={"Content-Type": "application/json"})


async def test_404_for_a_project_or_table_that_is_not_there(bank: Bank):
    for field in ("project_id", "dataset_version_id"):
        await bank.refuses("POST", MODELS, 404, "not_found", json={**bank.order, field: NOBODYS})


@pytest.mark.parametrize(("rows", "config"), [(1, {}), (19, {}), (38, {"holdout_fraction": 0.5})])
async def test_422_for_a_table_too_short_to_learn(client, given_dataset, project_id, rows, config):
    dataset = await given_dataset(a_table(rows))
    order = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "m"}
    order |= {"config": config}

    refused = await client.post(MODELS, json=order)

    assert (refused.status_code, refused.json()["code"]) == (422, "too_few_rows")
    assert (await client.get(f"{SYNTHGEN}/jobs")).json()["total"] == 0


# There is none that is not ready: what cannot be read is refused when it is uploaded.
async def test_404_for_a_table_that_was_deleted(client, given_dataset, project_id):
    dataset = await given_dataset()
    await client.delete(f"/api/datasets/{dataset['dataset_id']}")
    order = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "m"}

    refused = await client.post(MODELS, json=order)

    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("change", TAKEN, ids=repr)
async def test_201_for_what_looks_odd_and_is_sound(client, project_id, given_dataset, change):
    dataset = await given_dataset(a_table(20))
    order = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "Another"}

    made = [await client.post(MODELS, json={**order, **change}) for _ in range(2)]

    assert [response.status_code for response in made] == [201, 201]


@pytest.mark.parametrize("model_type", ["ctgan", "copulagan", "tvae", "gaussian_copula"])
async def test_a_table_of_one_column_is_learnt_by_every_type(client, server, project_id, given_dataset, model_type):
    dataset = await given_dataset(b"colour\n" + b"red\nblue\ngreen\n" * 10)
    order = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "m"}
    config = {} if model_type == COPULA else {"epochs": 1, "batch_size": 10}

    model = (await client.post(MODELS, json={**order, "model_type": model_type, "config": config})).json()
    await server.run_queue()

    assert (await client.get(f"{MODELS}/{model['id']}")).json()["model"]["status"] == "ready"
