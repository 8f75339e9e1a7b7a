"""`/api/synthgen/models`: what is refused, and that nothing is stored of it."""

from uuid import uuid4

import httpx
import pytest

from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.domain.errors import InvalidRequest
from synthgen_ray.domain.params import ModelType, Resources
from synthgen_ray.service.service import Service
from tests.api.conftest import SYNTHGEN, a_table, an_app
from tests.fakes import RememberingConverter, ThreadSamplers

ABSENT = str(uuid4())


@pytest.fixture
async def body(project_id, given_dataset) -> dict:
    dataset = await given_dataset()
    return {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "m"}


class TestResources:
    @pytest.fixture
    async def shrunk(self, server, client):
        """The same server on a cluster that has not 50 CPUs, where a training has eight workers by default."""

        async def refuse(model_type: ModelType, resources: Resources) -> int:
            if resources.num_workers == 50:
                raise InvalidRequest("The training asks for 50 CPUs.", "resources_unavailable")
            return resources.num_workers or 8

        service = Service(
            server.store,
            server.artifacts,
            server.dispatcher.nudge,
            RememberingConverter(UploadLimits()),
            ThreadSamplers(server.artifacts).draw,
            check_resources=refuse,
        )
        app = an_app(service, server.store, server.checks)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=client.headers
        ) as limited:
            yield limited

    async def test_422_for_more_than_the_cluster_has_and_nothing_is_made(self, client, shrunk, body):
        asked = {**body, "model_type": "ctgan", "resources": {"num_workers": 50}}

        response = await shrunk.post(f"{SYNTHGEN}/models", json=asked)

        assert (response.status_code, response.json()["code"]) == (422, "resources_unavailable")
        assert response.json()["detail"] == "The training asks for 50 CPUs."
        assert (await client.get(f"{SYNTHGEN}/models")).json()["total"] == 0

    @pytest.mark.parametrize("resources", [{}, {"num_workers": 8}])
    async def test_422_for_a_batch_that_is_too_small_for_the_workers_that_a_training_gets(
        self, shrunk, body, resources
    ):
        asked = {**body, "model_type": "ctgan", "resources": resources}
        small, enough = {"batch_size": 70, "pac": 10}, {"batch_size": 80, "pac": 10}

        refused = await shrunk.post(f"{SYNTHGEN}/models", json={**asked, "config": small})
        taken = await shrunk.post(f"{SYNTHGEN}/models", json={**asked, "config": enough})

        assert (refused.status_code, refused.json()["code"]) == (422, "out_of_range")
        assert refused.json()["errors"][0]["field"] == "resources.num_workers"
        assert taken.status_code == 201

    async def test_what_was_made_when_the_cluster_was_larger_is_answered_again(self, client, shrunk, body):
        asked = {**body, "model_type": "ctgan", "resources": {"num_workers": 50}}
        keys = [{"Idempotency-Key": key} for key in ("a", "b")]

        first = await client.post(f"{SYNTHGEN}/models", json=asked, headers=keys[0])
        again, other = [await shrunk.post(f"{SYNTHGEN}/models", json=asked, headers=key) for key in keys]
        changed = await shrunk.post(f"{SYNTHGEN}/models", json={**asked, "name": "o"}, headers=keys[0])

        assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
        assert again.headers["idempotent-replayed"] == "true"
        assert (other.status_code, other.json()["code"]) == (422, "resources_unavailable")
        assert (changed.status_code, changed.json()["code"]) == (422, "idempotency_mismatch")
        assert (await client.get(f"{SYNTHGEN}/models")).json()["total"] == 1


class TestCreate:
    @pytest.mark.parametrize(
        ("change", "code", "field"),
        [
            ({"epoch": 3}, "unknown_field", "epoch"),
            ({"project_id": "x"}, "invalid_id", "project_id"),
            ({"name": ""}, "out_of_range", "name"),
            ({"name": "   "}, "invalid_value", "name"),
            ({"name": "a\nb"}, "invalid_value", "name"),
            ({"name": 7}, "invalid_type", "name"),
            ({"model_type": "gan"}, "unknown_model_type", "model_type"),
            ({"model_type": "CTGAN"}, "unknown_model_type", "model_type"),
            ({"model_type": None}, "unknown_model_type", "model_type"),
            ({"config": []}, "object_expected", "config"),
            ({"config": {"epoches": 3}}, "unknown_config_key", "config.epoches"),
            ({"config": {"epochs": 0}}, "out_of_range", "config.epochs"),
            ({"config": {"epochs": 10**30}}, "out_of_range", "config.epochs"),
            ({"config": {"epochs": 1.5}}, "invalid_type", "config.epochs"),
            ({"config": {"epochs": "3"}}, "invalid_type", "config.epochs"),
            ({"config": {"epochs": True}}, "invalid_type", "config.epochs"),
            ({"config": {"batch_size": 50}, "resources": {"num_workers": 6}}, "out_of_range", "resources.num_workers"),
            ({"config": {"batch_size": 24}}, "pac_must_divide_batch_size", "config"),
            ({"config": {"batch_size": 45, "pac": 5}}, "must_be_even", "config"),
            ({"config": {"pac": 0}}, "out_of_range", "config.pac"),
            ({"config": {"generator_dim": []}}, "out_of_range", "config.generator_dim"),
            ({"config": {"generator_dim": [0]}}, "out_of_range", "config.generator_dim.0"),
            ({"config": {"generator_dim": "256"}}, "invalid_type", "config.generator_dim"),
            ({"config": {"embedding_dim": 10**9}}, "out_of_range", "config.embedding_dim"),
            ({"config": {"generator_lr": 0}}, "out_of_range", "config.generator_lr"),
            ({"config": {"discriminator_steps": 0}}, "out_of_range", "config.discriminator_steps"),
            ({"config": {"seed": -1}}, "out_of_range", "config.seed"),
            ({"config": {"seed": 2**32}}, "out_of_range", "config.seed"),
            ({"config": {"seed": 1, "random_state": 2}}, "duplicate_option", "config"),
            ({"model_type": "tvae", "config": {"pac": 10}}, "unknown_config_key", "config.pac"),
            ({"model_type": "gaussian_copula", "config": {"epochs": 3}}, "unknown_config_key", "config.epochs"),
            ({"resources": {"num_workers": 0}}, "out_of_range", "resources.num_workers"),
            ({"status": "ready"}, "unknown_field", "status"),
        ],
    )
    async def test_422_names_the_field_at_fault_and_stores_nothing(self, client, body, change, code, field):
        response = await client.post(f"{SYNTHGEN}/models", json={**body, **change})

        assert response.status_code == 422, response.text
        problem = response.json()
        assert (problem["code"], problem["errors"][0]["field"]) == (code, field)
        assert (await client.get(f"{SYNTHGEN}/models")).json()["total"] == 0
        assert (await client.get(f"{SYNTHGEN}/jobs")).json()["total"] == 0

    @pytest.mark.parametrize("field", ["project_id", "dataset_version_id", "name"])
    async def test_422_for_a_missing_field(self, client, body, field):
        del body[field]

        response = await client.post(f"{SYNTHGEN}/models", json=body)

        assert response.status_code == 422
        assert response.json()["errors"] == [{"field": field, "message": "is required"}]

    @pytest.mark.parametrize("field", ["project_id", "dataset_version_id"])
    async def test_404_for_what_is_not_there(self, client, body, field):
        response = await client.post(f"{SYNTHGEN}/models", json={**body, field: ABSENT})

        assert response.status_code == 404

    async def test_422_for_fewer_rows_than_can_be_trained_on(self, client, body, given_dataset):
        short = await given_dataset(a_table(19))

        response = await client.post(
            f"{SYNTHGEN}/models", json={**body, "dataset_version_id": short["dataset_version_id"]}
        )

        assert (response.status_code, response.json()["code"]) == (422, "too_few_rows")

    async def test_every_option_of_the_contract_is_taken(self, client, body):
        gan = {
            "epochs": 2,
            "batch_size": 100,
            "embedding_dim": 16,
            "generator_dim": [32, 32],
            "discriminator_dim": [32],
            "pac": 5,
            "generator_lr": 1e-3,
            "generator_decay": 0,
            "discriminator_lr": 1e-3,
            "discriminator_decay": 0,
            "discriminator_steps": 2,
            "log_frequency": False,
        }
        common = {"random_state": 3, "max_training_seconds": 60, "holdout_fraction": 0.1, "min_category_count": 1}
        tvae = {"epochs": 2, "batch_size": 100, "embedding_dim": 16, "compress_dims": [16], "decompress_dims": [16]}
        for model_type, config in {
            "ctgan": gan,
            "copulagan": gan,
            "tvae": {**tvae, "l2scale": 0, "loss_factor": 3},
            "gaussian_copula": {},
        }.items():
            order = {**body, "model_type": model_type, "config": {**config, **common}}
            response = await client.post(f"{SYNTHGEN}/models", json=order)
            assert response.status_code == 201, response.text

    async def test_names_are_kept_to_the_letter(self, client, body):
        for name in ("../../etc/passwd", "<script>", "{{7*7}}", "%s%n", "'; DROP TABLE jobs;--", "é 🦜"):
            model = (await client.post(f"{SYNTHGEN}/models", json={**body, "name": name})).json()
            assert (await client.get(f"{SYNTHGEN}/models/{model['id']}")).json()["model"]["name"] == name


class TestFailedTraining:
    async def test_the_model_says_why_and_the_server_goes_on(self, client, server, project_id, given_dataset):
        dataset = await given_dataset()
        (table,) = server.artifacts.path("datasets", "").rglob("table.parquet")
        table.write_bytes(b"damaged")
        body = {"project_id": project_id, "dataset_version_id": dataset["dataset_version_id"], "name": "m"}

        model = (await client.post(f"{SYNTHGEN}/models", json={**body, "model_type": "gaussian_copula"})).json()
        await server.run_queue()

        assert (await client.get(f"{SYNTHGEN}/models/{model['id']}")).json()["model"]["status"] == "failed"
        job = (await client.get(f"{SYNTHGEN}/jobs/{model['job_id']}")).json()
        assert job["status"] == "failed"
        assert job["error"]["code"] == "artifact_corrupt"
        generated = await client.post(f"{SYNTHGEN}/models/{model['id']}/generate", json={})
        assert (generated.status_code, generated.json()["code"]) == (409, "model_not_ready")


class TestGenerate:
    async def test_409_before_the_model_is_ready(self, client, given_model):
        model = await given_model()

        response = await client.post(f"{SYNTHGEN}/models/{model['id']}/generate", json={})

        assert (response.status_code, response.json()["code"]) == (409, "model_not_ready")

    async def test_404_for_no_model(self, client):
        for model_id in (ABSENT, "x", "..%2f..%2fetc%2fpasswd", "%00"):
            response = await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={})
            assert response.status_code == 404, model_id

    @pytest.mark.parametrize(
        ("params", "code"),
        [
            ({"num_rows": 0}, "out_of_range"),
            ({"num_rows": 10**12}, "out_of_range"),
            ({"num_rows": "10"}, "invalid_type"),
            ({"num_rows": True}, "invalid_type"),
            ({"num_rows": 1.0}, "invalid_type"),
            ({"num_rows": None}, "invalid_type"),
            ({"seed": -1}, "out_of_range"),
            ({"seed": 1.5}, "invalid_type"),
            ({"format": "xml"}, "unknown_format"),
            ({"rows": 10}, "unknown_field"),
            ({"conditions": []}, "object_expected"),
            ({"conditions": {"nope": 1}}, "unknown_column"),
            ({"conditions": {"__proto__": 1}}, "unknown_column"),
            ({"conditions": {"income": "rich"}}, "unknown_value"),
            ({"conditions": {"income": 3}}, "invalid_type"),
            ({"conditions": {"income": None}}, "not_nullable"),
            ({"conditions": {"age": "abc"}}, "invalid_type"),
            ({"conditions": {"age": {"min": 40, "max": 30}}}, "out_of_range"),
            ({"conditions": {"age": {"low": 40}}}, "invalid_type"),
            ({"conditions": {"account": "AC-000001"}}, "unconditional_column"),
            ({"distribution": {"income": {">50K": 0.9}}}, "shares_must_add_up"),
            ({"distribution": {"income": {"rich": 1.0}}}, "unknown_value"),
        ],
    )
    async def test_422_for_what_cannot_be_generated(self, client, given_ready_model, params, code):
        model_id = await given_ready_model()

        response = await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=params)

        assert response.status_code == 422, response.text
        assert response.json()["code"] == code
        assert (await client.get(f"{SYNTHGEN}/jobs", params={"model_id": model_id})).json()["total"] == 1

    async def test_conditions_hold_in_every_row(self, client, given_output):
        job = await given_output(
            num_rows=300, conditions={"age": {"min": 30, "max": 40}, "active": True, "balance": None}
        )

        rows = (await client.get(f"{SYNTHGEN}/jobs/{job['id']}/download")).text.splitlines()[1:]
        assert len(rows) == 300
        for row in rows:
            _, age, _, balance, active, _, bank = row.split(",")
            assert 30 <= int(age) <= 40
            assert (balance, active, bank) == ("", "True", "First")


class TestDelete:
    async def test_a_queued_training_goes_with_its_model(self, client, server, given_model):
        model = await given_model()

        assert (await client.delete(f"{SYNTHGEN}/models/{model['id']}")).status_code == 200

        await server.run_queue()
        assert (await client.get(f"{SYNTHGEN}/jobs")).json()["total"] == 0
        assert (await client.delete(f"{SYNTHGEN}/models/{model['id']}")).status_code == 404

    async def test_the_files_are_erased(self, client, server, given_output):
        job = await given_output(num_rows=10)
        jobs = server.artifacts.path("jobs", "")
        assert len(list(jobs.iterdir())) == 2

        await client.delete(f"{SYNTHGEN}/models/{job['model_id']}")
        await server.dispatcher.tidy()

        assert list(jobs.iterdir()) == []
