"""Files from the server: whole, the right bytes, or not there."""

import hashlib
import os

import httpx
import pytest

from synthgen_ray.client import ApiError, ClientError, ConnectionFailed, DownloadDamaged
from tests.unit.client.conftest import JOB, Broken, Server, refused

ROWS = b"a,b\n1,2\n3,4\n"
ETAG = f'"{hashlib.sha256(ROWS).hexdigest()}"'


def whole(body: bytes = ROWS, etag: str = ETAG) -> httpx.Response:
    return httpx.Response(200, content=body, headers={"ETag": etag})


def broken_after(arrived: bytes, status: int = 200, **headers: str):
    return lambda: httpx.Response(status, stream=Broken(arrived), headers={"ETag": ETAG, **headers})


def rest_from(start: int) -> httpx.Response:
    content_range = f"bytes {start}-{len(ROWS) - 1}/{len(ROWS)}"
    return httpx.Response(206, content=ROWS[start:], headers={"ETag": ETAG, "Content-Range": content_range})


def test_the_file_holds_the_rows(tmp_path):
    server = Server(whole())

    file = server.client.download(JOB, tmp_path / "rows.csv")

    assert file == tmp_path / "rows.csv"
    assert file.read_bytes() == ROWS
    assert list(tmp_path.iterdir()) == [file]


def test_a_line_that_drops_is_picked_up_where_it_dropped(tmp_path):
    server = Server(broken_after(ROWS[:5]), broken_after(ROWS[5:7], 206), rest_from(7))

    file = server.client.download(JOB, tmp_path / "rows.csv")

    assert file.read_bytes() == ROWS
    assert [request.headers.get("range") for request in server.requests] == [None, "bytes=5-", "bytes=7-"]
    assert server.requests[1].headers["if-range"] == ETAG


def test_another_file_in_its_place_is_taken_from_the_start(tmp_path):
    other = b"a,b\n5,6\n"
    server = Server(broken_after(ROWS[:5]), whole(other, f'"{hashlib.sha256(other).hexdigest()}"'))

    file = server.client.download(JOB, tmp_path / "rows.csv")

    assert file.read_bytes() == other


@pytest.mark.parametrize("etag", ["", 'W/"1"'], ids=["without a tag", "with a weak one"])
def test_a_file_that_is_made_while_it_is_sent_is_taken_from_the_start(tmp_path, etag):
    server = Server(broken_after(ROWS[:5], ETag=etag), whole(etag=etag))

    file = server.client.download_dataset("d", tmp_path / "table.csv")

    assert file.read_bytes() == ROWS
    assert "range" not in server.requests[1].headers


def test_a_line_that_drops_again_and_again_but_brings_something_is_good_enough(tmp_path):
    pieces = [broken_after(ROWS[i : i + 1], 206 if i else 200) for i in range(len(ROWS) - 1)]
    server = Server(*pieces, rest_from(len(ROWS) - 1))

    file = server.client.download(JOB, tmp_path / "rows.csv")

    assert file.read_bytes() == ROWS


def test_the_bytes_are_counted(tmp_path):
    seen: list[tuple[int, int | None]] = []
    server = Server(broken_after(ROWS[:5], **{"Content-Length": str(len(ROWS))}), rest_from(5))

    server.client.download(JOB, tmp_path / "rows.csv", lambda done, size: seen.append((done, size)))

    assert seen == [(5, 12), (12, 12)]


def test_half_a_file_never_takes_the_place_of_a_whole_one(tmp_path):
    (tmp_path / "rows.csv").write_text("yesterday's")
    server = Server(broken_after(ROWS[:5]), httpx.ReadError("reset"))

    with pytest.raises(ConnectionFailed):
        server.client.download(JOB, tmp_path / "rows.csv")

    assert [file.read_text() for file in tmp_path.iterdir()] == ["yesterday's"]


def test_a_damaged_file_is_not_kept(tmp_path):
    server = Server(whole(b"a,b\n1,2\n3,5\n"))

    with pytest.raises(DownloadDamaged, match="download it again"):
        server.client.download(JOB, tmp_path / "rows.csv")

    assert list(tmp_path.iterdir()) == []


def test_a_refusal_leaves_nothing(tmp_path):
    server = Server(refused(409, "The job is running."))

    with pytest.raises(ApiError, match="The job is running"):
        server.client.download(JOB, tmp_path / "rows.csv")

    assert list(tmp_path.iterdir()) == []


def test_what_is_no_file_stays_what_it_is(tmp_path):
    """Where root says `--to /dev/null` a rename would make it a file, for all programs of the machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    with pytest.raises(ClientError, match="is no file"):
        Server(whole()).client.download(JOB, pipe)

    assert pipe.is_fifo()


def test_a_model_is_a_file_too(tmp_path):
    server = Server(whole(b"{}", f'"{hashlib.sha256(b"{}").hexdigest()}"'))

    server.client.export_model("m", tmp_path / "m.synthgen")

    assert server.requests[0].url.path == "/api/synthgen/models/m/export"
    assert (tmp_path / "m.synthgen").read_bytes() == b"{}"
