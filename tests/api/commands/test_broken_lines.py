"""The client and the real service, with a line between them that drops."""

import asyncio
from collections.abc import Iterator

import httpx
import pytest

from synthgen_ray.client import SynthGen


class Cut(httpx.BaseTransport):
    """Drops the line after some bytes of the first answer from an address that ends so."""

    def __init__(self, ending: str, after: int) -> None:
        self._network = httpx.HTTPTransport()
        self._ending = ending
        self._after = after
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = self._network.handle_request(request)
        if not request.url.path.endswith(self._ending) or len(self.asked) > 1:
            return response
        return httpx.Response(response.status_code, headers=response.headers, stream=self._half(response))

    @property
    def asked(self) -> list[httpx.Request]:
        return [request for request in self.requests if request.url.path.endswith(self._ending)]

    def _half(self, response: httpx.Response) -> httpx.SyncByteStream:
        after = self._after

        class Half(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                body = b"".join(response.stream)
                yield body[:after]
                raise httpx.ReadError("connection reset")

        return Half()

    def close(self) -> None:
        self._network.close()


@pytest.fixture
def cut_client(url, server):
    def given(ending: str, after: int = 0) -> tuple[SynthGen, Cut]:
        line = Cut(ending, after)
        return SynthGen(url, server.key, transport=line), line

    return given


async def test_a_download_goes_on_where_it_broke_off(cut_client, given_output, client, tmp_path):
    job = await given_output(num_rows=200, seed=1)
    synthgen, line = cut_client("/download", after=1000)

    with synthgen:
        file = await asyncio.to_thread(synthgen.download, job["id"], tmp_path / "rows.csv")

    assert file.read_bytes() == (await client.get(f"/api/synthgen/jobs/{job['id']}/download")).content
    assert [request.headers.get("range") for request in line.asked] == [None, "bytes=1000-"]


async def test_a_project_whose_answer_was_lost_is_made_once(cut_client, client):
    synthgen, line = cut_client("/projects")

    with synthgen:
        project = await asyncio.to_thread(synthgen.create_project, "Bank")

    assert len(line.asked) == 2
    assert [each["id"] for each in (await client.get("/api/projects")).json()["items"]] == [project["id"]]


async def test_an_upload_whose_answer_was_lost_is_made_once(cut_client, client, project_id, tmp_path):
    (tmp_path / "cities.csv").write_text("city,people\nKiel,247000\n")
    synthgen, line = cut_client("/upload")

    with synthgen:
        made = await asyncio.to_thread(synthgen.upload_dataset, project_id, "cities", tmp_path / "cities.csv")

    assert len(line.asked) == 2
    datasets = (await client.get("/api/datasets")).json()["items"]
    assert [each["id"] for each in datasets] == [made["dataset_id"]]


@pytest.mark.usefixtures("working")
async def test_a_job_whose_events_were_lost_is_waited_for_all_the_same(cut_client, given_model):
    model = await given_model()
    synthgen, line = cut_client("/events", after=20)

    with synthgen:
        job = await asyncio.to_thread(synthgen.wait_for_job, model["job_id"])

    assert job["status"] == "completed"
    assert len(line.asked) == 1
