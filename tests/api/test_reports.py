"""`/api/reports`: a page that says how good and how private a model's rows are."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from tests.api.conftest import SYNTHGEN, a_table
from tests.given import ADMIN

REPORTS = "/api/reports"
FEW = {"num_rows": 60, "seed": 3}


@pytest.fixture
def order(client, project_id):
    """Asks for a report."""

    async def order(model_id: str, headers: dict | None = None, **options: object):
        body = {"project_id": project_id, "kind": "synthgen", "entity_id": model_id, "options": options}
        return await client.post(REPORTS, json=body, headers=headers)

    return order


@pytest.fixture
def given_report(client, server, order, given_ready_model):
    """A report that has ended."""

    async def given(model_id: str | None = None, **options: object) -> dict:
        response = await order(model_id or await given_ready_model(), **(options or FEW))
        assert response.status_code == 201, response.text
        await server.run_queue()
        return (await client.get(f"{REPORTS}/{response.json()['id']}")).json()

    return given


class TestCreate:
    async def test_201_with_what_is_queued(self, client, order, given_ready_model, project_id):
        model_id = await given_ready_model()

        response = await order(model_id, **FEW, target="income")

        report = response.json()
        assert response.status_code == 201
        assert (report["status"], report["kind"], report["entity_id"]) == ("queued", "synthgen", model_id)
        assert report["options"] == {"synthgen_job_id": None, "num_rows": 60, "seed": 3, "target": "income"}
        assert (report["scores"], report["error"], report["finished_at"]) == (None, None, None)
        job = (await client.get(f"{SYNTHGEN}/jobs/{report['id']}")).json()
        assert (job["job_type"], job["status"], job["output_artifact_id"]) == ("report", "pending", None)

    async def test_the_options_may_be_left_out(self, client, given_ready_model, project_id):
        model_id = await given_ready_model()

        for options in ({}, {"options": None}):
            body = {"project_id": project_id, "kind": "synthgen", "entity_id": model_id, **options}
            assert (await client.post(REPORTS, json=body)).status_code == 201

    async def test_the_same_idempotency_key_makes_one_report(self, client, order, given_ready_model):
        model_id, key = await given_ready_model(), {"Idempotency-Key": "once"}

        first, second = [await order(model_id, key, **FEW) for _ in range(2)]
        other = await order(model_id, key, num_rows=70)

        assert first.json() == second.json()
        assert second.headers["idempotent-replayed"] == "true"
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
        assert (await client.get(REPORTS)).json()["total"] == 1

    async def test_409_while_the_model_is_not_ready(self, order, given_model):
        model = await given_model()

        response = await order(model["id"])

        assert (response.status_code, response.json()["code"]) == (409, "model_not_ready")

    async def test_409_for_a_model_that_was_imported_of_which_nothing_is_estimated(
        self, client, order, given_ready_model, project_id
    ):
        file = (await client.get(f"{SYNTHGEN}/models/{await given_ready_model()}/export")).content
        form, files = {"project_id": project_id, "name": "Moved"}, {"file": ("a.synthgen", file)}
        imported = (await client.post(f"{SYNTHGEN}/models/import", data=form, files=files)).json()

        response = await order(imported["id"])

        assert (response.status_code, response.json()["code"]) == (409, "no_training_table")
        assert (await client.get(f"{SYNTHGEN}/models/{imported['id']}")).json()["model"]["quality"] is None

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"kind": "other"}, "unknown_value"),
            ({"kind": None}, "unknown_value"),
            ({"entity_id": "x"}, "invalid_id"),
            ({"more": 1}, "unknown_field"),
            ({"options": {"more": 1}}, "unknown_field"),
            ({"options": {"num_rows": 9}}, "out_of_range"),
            ({"options": {"num_rows": 1_000_001}}, "out_of_range"),
            ({"options": {"num_rows": "60"}}, "invalid_type"),
            ({"options": {"seed": -1}}, "out_of_range"),
            ({"options": {"target": ""}}, "out_of_range"),
            ({"options": {"target": "height"}}, "unknown_column"),
            ({"options": {"target": "account"}}, "unknown_column"),
            ({"options": {"synthgen_job_id": "x"}}, "invalid_id"),
            ({"options": {"synthgen_job_id": str(uuid4()), "num_rows": 60}}, "conflicting_options"),
        ],
    )
    async def test_422_for_what_does_not_fit(self, bank, fields, code):
        body = {"project_id": bank.project_id, "kind": "synthgen", "entity_id": bank.model_id, **fields}

        response = await bank.client.post(REPORTS, json=body)

        assert (response.status_code, response.json()["code"]) == (422, code), response.text

    async def test_422_when_the_model_is_another_projects(self, client, order, given_ready_model):
        model_id = await given_ready_model()
        other = (await client.post("/api/projects", json={"name": "Shop"})).json()["id"]
        body = {"project_id": other, "kind": "synthgen", "entity_id": model_id}

        response = await client.post(REPORTS, json=body)

        assert (response.status_code, response.json()["code"]) == (422, "project_mismatch")


class TestOfAGeneration:
    async def test_its_rows_are_judged_as_those_of_its_seed(self, client, server, given_report, given_ready_model):
        model_id = await given_ready_model()
        asked = {"num_rows": 60, "seed": 3, "csv_safe": True}
        made = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=asked)).json()
        await server.run_queue()

        of_file = await given_report(model_id, synthgen_job_id=made["synthgen_job_id"], seed=3)
        of_drawn = await given_report(model_id, **FEW)

        assert of_file["status"] == "succeeded", of_file
        assert of_file["scores"] == of_drawn["scores"]

    async def test_under_conditions_it_is_compared_with_the_real_rows_that_fit(
        self, client, given_output, given_report
    ):
        conditions = {"income": ">50K", "age": {"min": 50}, "opened": {"max": "2022-12-31"}, "active": [True, False]}
        output = await given_output(num_rows=60, seed=3, conditions=conditions)
        rows = [line.split(",") for line in a_table().decode().splitlines()[1:]]
        fitting = [row for row in rows if row[2] == ">50K" and int(row[1]) >= 50 and row[5] <= "2022-12-31"]

        report = await given_report(output["model_id"], synthgen_job_id=output["id"])

        assert report["status"] == "succeeded", report
        path = f"{REPORTS}/{report['id']}/download"
        scope = (await client.get(path, params={"format": "json"})).json()["scope"]
        assert 5 <= len(fitting) - scope["real_rows"] < 10
        assert scope["synthetic_rows"] == 60
        page = (await client.get(path)).text
        assert f"compared with {scope['real_rows']} of the real rows that fit the same conditions" in page
        assert "<dt>Condition on <bdi>income</bdi></dt><dd>&#34;&gt;50K&#34;</dd>" in page

    async def test_that_too_few_real_rows_fit_its_conditions_fails_the_report_by_name(self, given_output, given_report):
        output = await given_output(num_rows=60, seed=3, conditions={"age": 33})

        report = await given_report(output["model_id"], synthgen_job_id=output["id"])

        assert (report["status"], report["error"]["code"], report["scores"]) == ("failed", "too_few_fitting_rows", None)
        assert "fewer than 20 fit the conditions of the generation" in report["error"]["message"]

    async def test_422_for_one_with_a_distribution(self, client, order, given_output):
        output = await given_output(num_rows=60, seed=3, distribution={"income": {">50K": 0.9, "<=50K": 0.1}})

        response = await order(output["model_id"], synthgen_job_id=output["id"])

        assert response.headers["content-type"] == "application/problem+json"
        assert (response.status_code, response.json()["code"]) == (422, "rebalanced_rows")
        assert response.json()["detail"].endswith("ask for a report on one without.")
        assert (await client.get(REPORTS)).json()["total"] == 0

    async def test_409_while_it_has_no_rows_and_410_once_they_are_gone(self, client, server, order, given_ready_model):
        model_id = await given_ready_model()
        made = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json={})).json()

        waiting = await order(model_id, synthgen_job_id=made["job_id"])
        await server.run_queue()
        await server.store.expire_outputs(datetime.now(UTC) + timedelta(days=1))
        gone = await order(model_id, synthgen_job_id=made["job_id"])

        assert [(answer.status_code, answer.json()["code"]) for answer in (waiting, gone)] == [
            (409, "not_ready"),
            (410, "artifact_expired"),
        ]

    async def test_refused_when_it_is_no_generation_of_the_model(
        self, client, server, order, given_output, given_ready_model, given_dataset
    ):
        output, other = await given_output(num_rows=9), await given_ready_model()
        model_id = output["model_id"]
        table = (await given_dataset(name="gaps"))["dataset_version_id"]
        body = {"dataset_version_id": table}
        filled = (await client.post(f"{SYNTHGEN}/models/{model_id}/impute", json=body)).json()
        await server.run_queue()
        jobs = (await client.get(f"{SYNTHGEN}/models/{model_id}")).json()["jobs"]
        training = next(job["id"] for job in jobs if job["job_type"] == "train")
        asked = [
            (other, output["id"]),
            (model_id, training),
            (model_id, filled["job_id"]),
            (model_id, output["id"]),
            (model_id, str(uuid4())),
        ]

        answers = [await order(model, synthgen_job_id=job) for model, job in asked]

        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (422, "model_mismatch"),
            (409, "no_output"),
            (422, "not_synthetic"),
            (422, "too_few_rows"),
            (404, "not_found"),
        ]


class TestGet:
    async def test_a_report_that_has_succeeded_shows_its_scores(self, given_report):
        report = await given_report()

        assert (report["status"], report["progress"], report["error"]) == ("succeeded", 1.0, None)
        assert report["finished_at"] >= report["started_at"] >= report["created_at"]
        assert report["scores"]["verdict"] in ("good", "warn", "bad")
        assert 0.5 < report["scores"]["column_shapes"] <= 1

    async def test_the_same_seed_gives_the_same_scores(self, given_report, given_ready_model):
        model_id = await given_ready_model()

        first, second, other = [await given_report(model_id, num_rows=60, seed=seed) for seed in (1, 1, 2)]

        assert first["scores"] == second["scores"] != other["scores"]

    async def test_what_is_cancelled_has_failed_and_says_so(self, client, server, order, given_ready_model):
        report = (await order(await given_ready_model())).json()

        await client.post(f"{SYNTHGEN}/jobs/{report['id']}/cancel")

        shown = (await client.get(f"{REPORTS}/{report['id']}")).json()
        assert (shown["status"], shown["error"]["code"]) == ("failed", "cancelled")

    async def test_404_for_a_job_of_another_type(self, client, given_output):
        job = await given_output(num_rows=20)

        for path in (f"{REPORTS}/{job['id']}", f"{REPORTS}/{job['id']}/download", f"{REPORTS}/{uuid4()}"):
            response = await client.get(path)
            assert (response.status_code, response.json()["code"]) == (404, "not_found")

    async def test_the_list_is_of_reports_alone_newest_first(self, client, project_id, order, given_ready_model):
        model_id = await given_ready_model()
        made = [(await order(model_id, **FEW)).json()["id"] for _ in range(3)]

        page = (await client.get(REPORTS, params={"project_id": project_id, "kind": "synthgen", "limit": 2})).json()
        refused = await client.get(REPORTS, params={"kind": "other"})

        assert [report["id"] for report in page["items"]] == made[:0:-1]
        assert (page["total"], page["limit"], page["offset"]) == (3, 2, 0)
        assert refused.status_code == 422

    async def test_the_list_may_be_of_one_model(self, client, order, given_ready_model):
        models = [await given_ready_model(name=name) for name in ("one", "other")]
        made = [(await order(model_id, **FEW)).json()["id"] for model_id in models]

        for model_id, report in zip(models, made, strict=True):
            page = (await client.get(REPORTS, params={"entity_id": model_id})).json()
            assert ([listed["id"] for listed in page["items"]], page["total"]) == ([report], 1)
        assert (await client.get(REPORTS, params={"entity_id": str(uuid4())})).json()["total"] == 0
        assert (await client.get(REPORTS, params={"entity_id": "x"})).json()["code"] == "invalid_id"


class TestDownload:
    async def test_the_page_is_one_file_that_runs_and_loads_nothing(self, client, given_report):
        report = await given_report()

        response = await client.get(f"{REPORTS}/{report['id']}/download")

        assert response.headers["content-type"] == "text/html; charset=utf-8"
        assert response.headers["content-disposition"] == f'attachment; filename="report-{report["id"]}.html"'
        assert response.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
        assert response.text.startswith("<!doctype html>")
        assert "<script" not in response.text

    async def test_the_json_holds_all_that_the_scores_are_of(self, client, given_report):
        report = await given_report()

        response = await client.get(f"{REPORTS}/{report['id']}/download", params={"format": "json"})

        assert response.headers["content-type"] == "application/json"
        assert response.json()["fidelity"]["column_shapes"]["value"] == report["scores"]["column_shapes"]

    async def test_no_row_of_the_table_is_in_it(self, client, given_report):
        report = await given_report()
        rows = [line.split(",") for line in a_table().decode().splitlines()[1:]]
        accounts = [row[0] for row in rows]
        balances = sorted((row[3] for row in rows if row[3]), key=float)

        for form in ("html", "json"):
            text = (await client.get(f"{REPORTS}/{report['id']}/download", params={"format": form})).text
            assert not [account for account in accounts if account in text]
            assert not [balance for balance in (*balances[:4], *balances[-4:]) if balance in text]

    async def test_each_file_has_its_hash_and_is_told_by_head_and_by_ranges(self, client, given_report):
        path = f"{REPORTS}/{(await given_report())['id']}/download"
        tags = set()

        for form in ("html", "json"):
            whole = await client.get(path, params={"format": form})
            head = await client.head(path, params={"format": form})
            part = await client.get(path, params={"format": form}, headers={"Range": "bytes=5-14"})
            known = await client.get(path, params={"format": form}, headers={"If-None-Match": whole.headers["etag"]})

            assert int(head.headers["content-length"]) == len(whole.content)
            assert head.headers["etag"] == whole.headers["etag"]
            assert (part.status_code, part.content) == (206, whole.content[5:15])
            assert (known.status_code, known.content) == (304, b"")
            tags.add(whole.headers["etag"])
        assert len(tags) == 2

    async def test_409_before_it_is_there(self, client, order, given_ready_model):
        report = (await order(await given_ready_model())).json()

        response = await client.get(f"{REPORTS}/{report['id']}/download")

        assert (response.status_code, response.json()["code"]) == (409, "not_ready")

    async def test_410_once_it_is_no_longer_kept_or_was_touched(self, client, server, given_report):
        first, second = await given_report(), await given_report()
        job = await server.store.get_job(ADMIN, UUID(second["id"]))
        server.artifacts.path(job.artifact.location, "report.html").write_text("other")
        touched = await client.get(f"{REPORTS}/{second['id']}/download", params={"format": "json"})
        await server.store.expire_outputs(datetime.now(UTC) + timedelta(days=1), job.job_type)

        expired = await client.get(f"{REPORTS}/{first['id']}/download")

        assert [(answer.status_code, answer.json()["code"]) for answer in (touched, expired)] == [
            (410, "artifact_corrupt"),
            (410, "artifact_expired"),
        ]
        assert (await client.get(f"{REPORTS}/{first['id']}")).json()["scores"] == first["scores"]

    async def test_409_where_rows_are_asked_for(self, client, given_report):
        report = await given_report()

        response = await client.get(f"{SYNTHGEN}/jobs/{report['id']}/download")

        assert (response.status_code, response.json()["code"]) == (409, "no_output")


async def test_who_asked_and_who_fetched_is_in_the_audit_trail(client, given_report):
    report = await given_report()
    await client.head(f"{REPORTS}/{report['id']}/download")
    await client.get(f"{REPORTS}/{report['id']}/download")

    events = (await client.get("/api/audit")).json()["items"]

    told = [event["action"] for event in events if event["object_id"] == report["id"]]
    assert told == ["report.download", "report.create"]


async def test_a_deleted_models_reports_are_gone_with_their_files(client, server, given_report):
    report = await given_report()
    folder = server.artifacts.path("jobs", report["id"])
    assert [path.name for path in sorted(folder.glob("*/*"))] == ["report.html", "report.json"]

    await client.delete(f"{SYNTHGEN}/models/{report['entity_id']}")
    await server.dispatcher.tidy()

    assert (await client.get(f"{REPORTS}/{report['id']}")).status_code == 404
    assert not folder.exists()


async def test_a_table_whose_file_was_touched_fails_the_report_by_name(client, server, order, given_ready_model):
    model_id = await given_ready_model()
    shown = (await client.get(f"{SYNTHGEN}/models/{model_id}")).json()["model"]
    version = await server.store.get_version(ADMIN, UUID(shown["dataset_id"]), 0)
    server.artifacts.path(version[1].location, "table.parquet").write_bytes(b"other")
    report = (await order(model_id)).json()
    await server.run_queue()

    ended = (await client.get(f"{REPORTS}/{report['id']}")).json()

    assert (ended["status"], ended["error"]["code"], ended["scores"]) == ("failed", "artifact_corrupt", None)


async def test_a_model_shows_what_its_training_estimates(client, given_ready_model):
    shown = (await client.get(f"{SYNTHGEN}/models/{await given_ready_model()}")).json()["model"]

    assert set(shown["quality"]) == {"column_shapes", "pair_trends"}
    assert 0.8 < shown["quality"]["column_shapes"] <= 1
