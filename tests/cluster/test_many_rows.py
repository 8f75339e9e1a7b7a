"""A generation of more rows than the samplers make: by Ray Data, on all of the cluster."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from synthgen_ray.client import ClientError
from tests.cluster.test_dashboard import leader_of, state
from tests.servers import wait_until

BY_SAMPLERS, BY_RAY_DATA = 250_000, 260_000


def test_its_rows_are_those_of_the_samplers_and_more(client, server, ready_model, tmp_path):
    def generated(num_rows: int) -> tuple[str, bytes]:
        job_id = client.generate(ready_model, num_rows, seed=6)["synthgen_job_id"]
        client.wait_for_job(job_id, timeout_s=240)
        return job_id, client.download(job_id, tmp_path / str(num_rows)).read_bytes()

    (_, fewer), (job_id, more) = generated(BY_SAMPLERS), generated(BY_RAY_DATA)

    assert more.count(b"\n") == BY_RAY_DATA + 1
    assert more.startswith(fewer)
    assert leader_of(server, f"generate copula-{job_id[:8]}-1").startswith("leader-")
    assert "MapWorker(Map(PartMaker))" in {actor["class_name"] for actor in state(server, "actors")}
    server.wait_for_end_of("PartMaker")
    server.wait_for_end_of("ray::generate ")


@pytest.mark.nightly
def test_ten_million_rows_pass_by_the_ingress_and_the_metadata(client, server, ready_model, tmp_path):
    through = [*server.processes("ServeReplica:synthgen:Api"), *server.processes("ray::Metadata")]
    before = [_own_bytes(process) for process in through]

    with _most_of(through) as most:
        job_id = client.generate(ready_model, 10_000_000, seed=6)["synthgen_job_id"]
        client.wait_for_job(job_id, timeout_s=480)
        rows = client.download(job_id, tmp_path / "rows.csv")

    assert rows.stat().st_size == client.get_job(job_id)["result"]["size_bytes"] > 4e8
    assert len(through) == 2
    for process, size in zip(through, before, strict=True):
        assert 0 < most[process] < size + 100 * 2**20, process.cmdline()


@contextmanager
def _most_of(processes: list[psutil.Process]) -> Iterator[dict[psutil.Process, int]]:
    """The most bytes that each holds meanwhile."""
    most = dict.fromkeys(processes, 0)
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.02):
            for process in processes:
                most[process] = max(most[process], _own_bytes(process))

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(watch)
        try:
            yield most
        finally:
            is_over.set()
        watching.result()


def _own_bytes(process: psutil.Process) -> int:
    """Without what it sees of Ray's object store: that is all processes', and as large as the settings allow."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return sum(1024 * int(status.partition(f"{part}:")[2].split()[0]) for part in ("RssAnon", "RssFile"))


def test_it_fails_for_a_reason_of_ours(client, ready_model):
    job = client.generate(ready_model, BY_RAY_DATA, conditions={"age": {"min": 10**15}})

    with pytest.raises(ClientError):
        client.wait_for_job(job["job_id"], timeout_s=240)

    assert client.get_job(job["job_id"])["error"]["code"] == "conditions_unsatisfiable"


def test_it_ends_when_it_is_cancelled(client, server, ready_model):
    job = client.generate(ready_model, 10_000_000)
    wait_until(lambda: client.get_job(job["job_id"])["progress"] > 0, "it runs")

    client.cancel_job(job["job_id"])

    server.wait_for_end_of("PartMaker")
    server.wait_for_end_of("ray::generate ")
