"""What Ray exports of ours to Prometheus, read from the real endpoint after real work."""

import asyncio
import contextlib
import time
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from synthgen_ray.client import ApiError
from synthgen_ray.domain.lifecycle import LEASE
from synthgen_ray.domain.params import DrawParams
from synthgen_ray.jobs.observing import Outcome
from synthgen_ray.store.store import Store
from synthgen_ray.store.tables import utc_now
from tests.cluster.conftest import LONG, QUICK
from tests.damage import flip_a_bit
from tests.given import ADMIN
from tests.metrics import FIGURES_S, Sample, scrape, targets_of, total, wait_for_figures
from tests.servers import wait_until

RAYS_OWN = {"Component", "NodeAddress", "SessionName", "Version", "WorkerId", "JobId", "NodeId", "le"}
KINDS, STATUSES = ("train", "generate", "report", "batch"), ("pending", "running", "completed", "failed")
RAY_FORGETS_S = 25.0  # a gauge that nobody sets


def ours(samples: list[Sample]) -> list[Sample]:
    return [one for one in samples if one.name.startswith("ray_synthgen_")]


def test_the_queue_is_shown_by_kind_and_status(server, client, ready_model):
    jobs = client.list_jobs(status="completed")["total"]

    def shows_them() -> bool:
        samples = scrape(server.data_dir)
        shown = {(kind, status): total(samples, "ray_synthgen_jobs", kind=kind, status=status) for kind in KINDS
                 for status in STATUSES}  # fmt: skip
        return None not in shown.values() and sum(shown[kind, "completed"] for kind in KINDS) == jobs

    wait_for_figures(shows_them, "the jobs are counted")


def test_what_runs_and_what_waits_is_shown_with_the_age_of_the_oldest(server, client, given_training):
    jobs = [given_training("tvae", LONG)["job_id"] for _ in range(2)]  # of which one runs at a time

    def shown() -> tuple[float | None, ...]:
        """How many run and wait, and the age of the oldest that waits."""
        samples = scrape(server.data_dir)
        counts = (total(samples, "ray_synthgen_jobs", kind="train", status=one) for one in ("running", "pending"))
        return *counts, total(samples, "ray_synthgen_oldest_pending_job_age_seconds", kind="train")

    def one_waits() -> bool:
        *counts, age_s = shown()
        return counts == [1, 1] and age_s > 0

    wait_for_figures(one_waits, "one is shown to run and one to wait")
    for job_id in jobs:
        client.cancel_job(job_id)

    wait_for_figures(lambda: shown() == (0, 0, 0), "none is shown to run or to wait")


def test_work_is_counted_and_timed(server, client, given_training, ready_model, grows):
    client.wait_for_job(given_training("tvae", {**QUICK, "epochs": 5})["job_id"], timeout_s=120)
    for _ in range(2):
        client.wait_for_job(client.generate(ready_model, 1234)["job_id"], timeout_s=120)
    client.sample(ready_model, 321)

    grows(1, "ray_synthgen_job_run_seconds_count", kind="train", outcome="completed")
    grows(2, "ray_synthgen_job_run_seconds_count", kind="generate", outcome="completed")
    grows(2, "ray_synthgen_attempts_total", kind="generate", outcome="completed")
    grows(1, "ray_synthgen_job_claim_wait_seconds_count", kind="train")
    grows(2468, "ray_synthgen_generated_rows_total", way="job")
    grows(321, "ray_synthgen_generated_rows_total", way="online")
    grows(5, "ray_synthgen_training_epochs_total")
    grows(1, "ray_synthgen_model_cache_hits_total")
    samples = scrape(server.data_dir)
    assert total(samples, "ray_synthgen_model_cache_loads_total") >= 1
    assert total(samples, "ray_synthgen_model_cache_bytes") > 0


def test_a_cancelled_training_ends_as_such(client, given_training, grows):
    job_id = given_training("tvae", LONG)["job_id"]
    wait_until(lambda: client.get_job(job_id)["progress"] > 0, "the training runs")
    client.cancel_job(job_id)

    grows(1, "ray_synthgen_attempts_total", kind="train", outcome="cancelled")


def test_refused_uploads_are_counted_by_reason(client, dataset, tmp_path, grows):
    (tmp_path / "empty.csv").write_text("")
    with contextlib.suppress(ApiError):
        client.upload_dataset(dataset["project_id"], "empty", tmp_path / "empty.csv")

    grows(1, "ray_synthgen_refused_uploads_total", reason="empty_file")


def test_damaged_files_are_counted_by_whoever_reads_them(server, client, given_training, ready_model, tmp_path, grows):
    generation, training = client.generate(ready_model, 10), given_training("gaussian_copula", {"seed": 1})
    generated, trained = generation["synthgen_job_id"], training["synthgen_job_id"]
    for job in (generated, trained):
        client.wait_for_job(job, timeout_s=120)
        (file,) = (server.data_dir / "artifacts" / "jobs" / job / "1").iterdir()
        flip_a_bit(file)

    with pytest.raises(ApiError, match="damaged"):  # found by the ingress
        client.download(generated, tmp_path / "rows.csv")
    with pytest.raises(ApiError, match="damaged"):  # by a sampler
        client.sample(training["id"], 10)

    grows(2, "ray_synthgen_damaged_files_total")


def test_answers_are_counted_whoever_gives_them(server, client, grows):
    for path in ("/api/projects/none-such", "/-/none"):  # the application's, and one of the edge
        assert httpx.get(f"{server.url}{path}").status_code in {401, 404}
    client.get_limits()

    grows(1, "ray_synthgen_http_answers_total", status="200")
    grows(1, "ray_synthgen_http_answers_total", status="401")
    grows(1, "ray_synthgen_http_answers_total", status="404")


@pytest.mark.nightly  # it waits for all that time
def test_models_in_memory_are_shown_while_nobody_asks_for_rows(server, client, ready_model):
    client.sample(ready_model, 10)
    time.sleep(RAY_FORGETS_S)

    wait_for_figures(lambda: total(scrape(server.data_dir), "ray_synthgen_model_cache_bytes"), "it is still shown")


@pytest.mark.nightly  # it waits for a heartbeat, and of a young server for the first at which it reaps
def test_a_lease_that_runs_out_is_counted(server, client, given_training, grows):
    model = given_training("gaussian_copula", {"seed": 1})["id"]  # its own: others count the batches of theirs
    client.wait_for_model(model, timeout_s=120)
    asyncio.run(begin_a_batch_that_is_silent(server.data_dir, UUID(model)))

    grows(1, "ray_synthgen_lease_expiries_total", timeout_s=FIGURES_S + LEASE.total_seconds())


async def begin_a_batch_that_is_silent(data_dir: Path, model_id: UUID) -> None:
    """For longer than its lease."""
    store = Store(f"sqlite+aiosqlite:///{data_dir}/synthgen.db", clock=lambda: utc_now() - 2 * LEASE)
    await store.begin_batch(ADMIN, model_id, DrawParams(), {"num_rows": 1})
    await store.dispose()


def test_what_may_never_happen_has_a_figure_all_the_same(server, client):
    samples = scrape(server.data_dir)

    assert total(samples, "ray_synthgen_lease_expiries_total") is not None
    assert total(samples, "ray_synthgen_interrupted_attempts_total") is not None
    assert total(samples, "ray_synthgen_fenced_writes_total") is not None
    assert total(samples, "ray_synthgen_deadlines_exceeded_total") is not None
    assert total(samples, "ray_synthgen_lost_nodes_total") is not None
    assert total(samples, "ray_synthgen_damaged_files_total") is not None
    assert total(samples, "ray_synthgen_crowded_requests_total") is not None
    assert all(total(samples, "ray_synthgen_attempts_total", kind="report", outcome=one) is not None
               for one in Outcome)  # fmt: skip


def test_they_are_at_the_port_that_the_operator_chose(server):
    assert f"127.0.0.1:{server.environment['SYNTHGEN_METRICS_PORT']}" in targets_of(server.data_dir)


@pytest.mark.usefixtures("ready_model")  # which a task has trained
def test_rays_figures_of_tasks_name_no_model(server):
    wait_for_figures(lambda: total(scrape(server.data_dir), "ray_tasks"), "tasks are counted")

    assert {one.labels.get("Name", "") for one in scrape(server.data_dir) if one.name == "ray_tasks"} == {""}


def test_no_label_of_ours_names_anybody(server, client):
    own = [{name for name in one.labels if name not in RAYS_OWN and not name.startswith("otel_")}
           for one in ours(scrape(server.data_dir))]  # fmt: skip

    assert set().union(*own) <= {"kind", "status", "outcome", "way", "reason"}
