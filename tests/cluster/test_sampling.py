"""Rows that come with the answer, from real replicas."""

import os
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.api.conftest import a_table
from tests.metrics import scrape, total
from tests.servers import SAMPLER, UpServer, standing_still, wait_until

CSV = {"Accept": "text/csv"}
MANY = 400_000
FIGURES_S = 10  # Ray has new ones so often


def sample_of(server: UpServer, model_id: str) -> dict:
    """What a request for rows is made of."""
    url = f"{server.url}/api/synthgen/models/{model_id}/sample"
    return {"method": "POST", "url": url, "headers": {"Authorization": f"Bearer {server.key}", **CSV}, "timeout": 120}


def cpu_seconds(server: UpServer) -> float:
    return sum(sum(process.cpu_times()[:2]) for process in server.processes(SAMPLER))


def test_they_are_the_rows_of_a_generation_for_many_clients_at_once(client, ready_model, tmp_path):
    job = client.generate(ready_model, 30_000, seed=4)
    client.wait_for_job(job["job_id"], timeout_s=120)
    generated = client.download(job["job_id"], tmp_path / "generated").read_bytes()

    def sampled(number: int) -> bytes:
        return client.sample_to(ready_model, tmp_path / f"sampled {number}", 30_000, seed=4).read_bytes()

    with ThreadPoolExecutor(8) as pool:
        assert all(content == generated for content in pool.map(sampled, range(8)))


@pytest.mark.skipif("BEHIND_HAPROXY" not in os.environ, reason="only gRPC, by which Serve calls there, has bounds")
def test_rows_of_a_wide_table_come_though_a_chunk_is_larger_than_what_grpc_lets_in(client, dataset, tmp_path):
    table = [",".join(f"c{n}" for n in range(100))]
    table += [",".join(f"{(n + 1) * (row + 1) % 97 / 7}" for n in range(100)) for row in range(50)]
    (tmp_path / "wide.csv").write_text("\n".join(table))
    version = client.upload_dataset(dataset["project_id"], "wide", tmp_path / "wide.csv")["dataset_version_id"]
    model = client.create_model(dataset["project_id"], version, "wide", "gaussian_copula")
    client.wait_for_model(model["id"], timeout_s=120)

    rows = client.sample_to(model["id"], tmp_path / "rows.csv", 10_000).read_bytes()

    assert rows.count(b"\n") == 10_001
    assert len(rows) > 4 * 2**20


def test_gaps_are_filled_in_parts_by_whoever_is_free(client, dataset, ready_model, tmp_path):
    header, *rows = a_table(120_000).decode().splitlines()
    (tmp_path / "gaps.csv").write_text("\n".join([header, *(row.replace(">50K", "") for row in rows)]))
    gaps = client.upload_dataset(dataset["project_id"], "gaps", tmp_path / "gaps.csv")

    jobs = [client.impute(ready_model, gaps["dataset_version_id"], seed=1) for _ in range(2)]

    first, second = [client.wait_for_job(job["job_id"], timeout_s=120)["result"] for job in jobs]
    assert first["sha256"] == second["sha256"]
    filled = client.download(jobs[0]["job_id"], tmp_path / "filled.csv").read_text().splitlines()
    assert len(filled) == len(rows) + 1
    assert not any(",," in line for line in filled)


def test_a_killed_sampler_changes_no_byte(server, ready_model):
    order = {**sample_of(server, ready_model), "json": {"num_rows": MANY, "seed": 4}}
    undisturbed = httpx.request(**order).content

    with httpx.stream(**order) as response:
        blocks = response.iter_raw()
        disturbed = next(blocks)
        server.kill(SAMPLER)
        disturbed += b"".join(blocks)

    assert undisturbed.count(b"\n") == MANY + 1
    assert disturbed == undisturbed


def test_nothing_is_drawn_for_a_client_that_left(server, ready_model):
    order = {**sample_of(server, ready_model), "json": {"num_rows": 10_000_000}}
    with httpx.stream(**order) as response:
        next(response.iter_raw())

    def has_stopped() -> bool:
        before = cpu_seconds(server)
        time.sleep(1)
        return cpu_seconds(server) - before < 0.3

    wait_until(has_stopped, "the samplers rest", 20)


@pytest.mark.nightly  # `tests/unit/runtime/test_flow.py` proves the rule
def test_nothing_is_drawn_ahead_of_a_client_that_does_not_read(server, ready_model):
    def drawn() -> float:
        return total(scrape(server.data_dir), "ray_synthgen_generated_rows_total", way="online") or 0.0

    order = {**sample_of(server, ready_model), "json": {"num_rows": 10_000_000}}
    before = drawn()
    with httpx.stream(**order) as response:
        next(response.iter_raw())
        wait_until(lambda: drawn() > before, "what is drawn is counted", 40)
        time.sleep(2 * FIGURES_S)  # in which all of the rows could be drawn
        rows = drawn() - before
        memory = [process.memory_info().rss for process in server.processes("ServeReplica:synthgen:Api")]

    assert rows < 1_000_000
    assert max(memory) < 700 * 2**20


def test_an_answer_that_cannot_be_given_is_a_problem(server, ready_model):
    order = {**sample_of(server, ready_model), "json": {"conditions": {"age": {"min": 10**15}}}}

    response = httpx.request(**order)

    assert (response.status_code, response.json()["code"]) == (422, "conditions_unsatisfiable")


def test_what_is_too_much_at_once_is_refused_with_a_time_to_come_back(server, client, ready_model):
    client.sample(ready_model, 10)  # a sampler is up
    order = {**sample_of(server, ready_model), "json": {"num_rows": 1000, "seed": 4}}

    with ThreadPoolExecutor(80) as clients:
        with standing_still(server.processes(SAMPLER)):
            asked = [clients.submit(httpx.request, **order) for _ in range(80)]
            wait_until(lambda: sum(one.done() for one in asked) >= 20, "those too many are refused", 60)
        answers = [one.result() for one in asked]

    refused = [answer for answer in answers if answer.status_code == 503]
    assert 20 <= len(refused) <= 40  # as many as that wait
    assert {answer.json()["code"] for answer in refused} == {"busy"}
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in refused)
    given = [answer for answer in answers if answer not in refused]
    assert {(answer.status_code, answer.text.count("\n")) for answer in given} == {(200, 1001)}


def test_an_answer_that_was_begun_comes_whole_however_many_are_asked_for(server, client, ready_model):
    client.sample(ready_model, 10)  # a sampler is up
    order = {**sample_of(server, ready_model), "json": {"num_rows": 40_000, "seed": 4}}

    with ThreadPoolExecutor(60) as clients:
        answers = [asked.result() for asked in [clients.submit(httpx.request, **order) for _ in range(60)]]

    assert {(answer.status_code, answer.text.count("\n") == 40_001) for answer in answers} == {
        (200, True),
        (503, False),
    }
