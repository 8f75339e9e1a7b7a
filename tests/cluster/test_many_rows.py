"""A generation of more rows than the samplers make: by Ray Data, on all of the cluster."""

import pytest

from synthgen_ray.client import ClientError
from tests.servers import wait_until

BY_SAMPLERS, BY_RAY_DATA = 250_000, 260_000


def test_its_rows_are_those_of_the_samplers_and_more(client, server, ready_model, tmp_path):
    def generated(num_rows: int) -> bytes:
        job = client.generate(ready_model, num_rows, seed=6)
        client.wait_for_job(job["job_id"], timeout_s=240)
        return client.download(job["job_id"], tmp_path / str(num_rows)).read_bytes()

    fewer, more = generated(BY_SAMPLERS), generated(BY_RAY_DATA)

    assert more.count(b"\n") == BY_RAY_DATA + 1
    assert more.startswith(fewer)
    wait_until(lambda: not server.processes("PartMaker"), "its workers are gone", 30)
    wait_until(lambda: not server.processes("ray::generate "), "who led them does so no more", 30)


def test_it_fails_for_a_reason_of_ours(client, ready_model):
    job = client.generate(ready_model, BY_RAY_DATA, conditions={"age": {"min": 10**15}})

    with pytest.raises(ClientError):
        client.wait_for_job(job["job_id"], timeout_s=240)

    assert client.get_job(job["job_id"])["error"]["code"] == "conditions_unsatisfiable"


def test_it_ends_when_it_is_cancelled(client, server, ready_model):
    job = client.generate(ready_model, 10_000_000)
    wait_until(lambda: client.get_job(job["job_id"])["progress"] > 0, "it runs")

    client.cancel_job(job["job_id"])

    wait_until(lambda: not server.processes("PartMaker"), "its workers are gone", 30)
    wait_until(lambda: not server.processes("ray::generate "), "who led them is gone", 30)
