"""What is particular to an object store: large objects, torn uploads, copies, and a store that is away."""

import errno
import hashlib
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, BinaryIO
from uuid import uuid4

import pytest
from pyarrow.fs import FileSystem

from synthgen_ray.artifacts import Artifacts, open_artifacts
from synthgen_ray.domain.errors import Gone, Unavailable
from tests.s3 import CREDENTIALS, an_s3_server

MIB = 1 << 20
ADOPT = """
import sys
from pathlib import Path
from synthgen_ray.artifacts import open_artifacts
open_artifacts(sys.argv[1], Path(sys.argv[2])).adopt(Path(sys.argv[3]), "jobs/1/1", "part-0")
"""


@pytest.fixture
def artifacts(s3, bucket, tmp_path) -> Artifacts:
    return open_artifacts(s3.url(bucket), tmp_path)


def given_artifact(artifacts: Artifacts, content: bytes):
    with artifacts.writing("jobs/1/1", "part-0") as sink:
        sink.write(content)
    return artifacts.seal("jobs/1/1", [artifacts.part("jobs/1/1", "part-0", num_rows=1)])


def test_an_object_of_many_pieces_comes_back_whole_and_by_range(artifacts):
    content = os.urandom(23 * MIB)

    artifact = given_artifact(artifacts, content)

    assert artifact.sha256 == hashlib.sha256(content).hexdigest()
    read = artifacts.reader(artifact)
    assert b"".join(read(0, len(content))) == content
    assert b"".join(read(9 * MIB - 1, 14 * MIB + 1)) == content[9 * MIB - 1 : 14 * MIB + 1]


def test_an_upload_whose_process_is_killed_half_way_leaves_nothing_to_see(artifacts, s3, bucket, tmp_path):
    source = tmp_path / "source"
    os.mkfifo(source)
    command = [sys.executable, "-c", ADOPT, s3.url(bucket), str(tmp_path / "data"), str(source)]
    process = subprocess.Popen(command)
    with source.open("wb") as pipe:
        pipe.write(bytes(12 * MIB))  # returns when all but the pipe's last 64 KiB was taken
        process.kill()
        process.wait()

    assert s3.files(bucket) == set()
    assert given_artifact(artifacts, b"again").size_bytes == 5


class BrokenFile:
    """One whose disk fails after some MiB."""

    def __init__(self, size: int) -> None:
        self._left = size
        self.st_size = size + 1

    def stat(self) -> "BrokenFile":
        return self

    def open(self, _mode: str) -> "BrokenFile":
        return self

    def __enter__(self) -> "BrokenFile":
        return self

    def __exit__(self, *_: object) -> None: ...

    def read(self, size: int) -> bytes:
        if self._left <= 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._left -= size
        return bytes(size)


@pytest.mark.parametrize("size", [MIB, 12 * MIB])
def test_an_upload_that_is_cut_short_leaves_nothing_to_see(artifacts, s3, bucket, size):
    with pytest.raises(Unavailable):
        artifacts.adopt(BrokenFile(size), "jobs/1/1", "part-0")

    assert s3.files(bucket) == set()


class Refusing:
    """An object store that refuses the end of an upload, by when another has made the same."""

    def __init__(self, filesystem: FileSystem, meanwhile: Callable[[], object]) -> None:
        self._filesystem, self._meanwhile = filesystem, meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._filesystem, name)

    @contextmanager
    def open_output_stream(self, _key: str, **_: object) -> Iterator[BinaryIO]:
        yield BytesIO()
        self._meanwhile()
        raise OSError("AWS Error SLOW_DOWN")


def test_an_upload_that_fails_leaves_what_another_has_made_of_the_same(artifacts, s3, bucket, tmp_path):
    failing = open_artifacts(s3.url(bucket), tmp_path / "elsewhere")
    filesystem, root = failing._place
    failing._place = (Refusing(filesystem, lambda: given_artifact(artifacts, b"rows")), root)

    with pytest.raises(Unavailable):
        given_artifact(failing, b"rows")
    assert s3.files(bucket) == {"jobs/1/1/part-0"}


def test_an_upload_that_fails_leaves_what_was_there_before(artifacts, s3, bucket, tmp_path):
    before = given_artifact(artifacts, b"a manifest")
    refusing = open_artifacts(s3.url(bucket), tmp_path / "elsewhere")
    filesystem, root = refusing._place
    refusing._place = (Refusing(filesystem, lambda: None), root)

    with pytest.raises(Unavailable):
        given_artifact(refusing, b"of another length")
    with pytest.raises(Unavailable):
        refusing.adopt(BrokenFile(MIB), "jobs/1/1", "part-0")

    assert b"".join(artifacts.verified(before)) == b"a manifest"


def test_a_file_is_asked_for_without_all_that_are_beside_it(artifacts, s3):
    given_artifact(artifacts, b"rows")
    s3.gate.requests.clear()

    part = artifacts.part("jobs/1/1", "part-0", num_rows=1)

    assert part.size_bytes == 4
    assert [line.split()[0] for line in s3.gate.requests] == [b"HEAD"]


def test_what_does_not_change_is_fetched_once(artifacts, s3, bucket, gate):
    artifact = given_artifact(artifacts, b"a model")
    with artifacts.verified_file(artifact):
        pass

    gate.shut()

    with artifacts.verified_file(artifact) as file:
        assert file.read_bytes() == b"a model"


def test_ranges_of_a_small_file_fetch_it_once_and_none_of_one_that_is_gone(artifacts, s3):
    artifact = given_artifact(artifacts, b"0123456789")
    first = artifacts.reader(artifact)
    s3.gate.requests.clear()

    again = artifacts.reader(artifact)

    assert [b"".join(read(*ends)) for read, ends in ((first, (2, 4)), (again, (4, 7)))] == [b"23", b"456"]
    assert {line.split()[0] for line in s3.gate.requests} == {b"HEAD"}
    artifacts.erase("jobs/1/1")
    with pytest.raises(Gone):
        artifacts.reader(artifact)


def test_a_store_that_was_away_is_unavailable_meanwhile_and_then_works_with_all_it_had(artifacts, gate):
    artifact = given_artifact(artifacts, b"rows")
    calls = {
        "write": lambda: given_artifact(artifacts, b"more"),
        "read": lambda: list(artifacts.read(artifact)),
        "check": lambda: artifacts.reader(artifact),
        "erase": lambda: artifacts.erase("jobs/1"),
        "remove": lambda: artifacts.remove("jobs/1", "part"),
        "list": artifacts.list_folders,
        "ready": artifacts.check_writable,
    }

    gate.shut()
    codes = {}
    for name, call in calls.items():
        with pytest.raises(Unavailable) as refused:
            call()
        codes[name] = refused.value.code
    gate.open()

    assert codes == dict.fromkeys(calls, "artifacts_unavailable")
    assert b"".join(artifacts.reader(artifact)(0, 4)) == b"rows"


def test_a_bucket_that_is_not_there_is_unavailable_and_its_files_are_not_said_to_be_lost(artifacts, s3, tmp_path):
    artifact = given_artifact(artifacts, b"rows")
    elsewhere = open_artifacts(s3.url(f"bucket-{uuid4()}"), tmp_path)

    for call in (lambda: elsewhere.check(artifact), elsewhere.check_writable, elsewhere.list_folders):
        with pytest.raises(Unavailable):
            call()


def test_a_store_that_lets_nobody_in_is_unavailable_and_no_secret_is_told(tmp_path, monkeypatch, caplog):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    with an_s3_server(INITIAL_NO_AUTH_ACTION_COUNT="0") as strict:
        artifacts = open_artifacts(strict.url("bucket/place"), tmp_path)

        with caplog.at_level(logging.DEBUG), pytest.raises(Unavailable) as refused:
            artifacts.check_writable()

    told = caplog.text + refused.value.detail
    assert "refused a request" in told
    assert "NO_SUCH_BUCKET" not in told  # it looks at the key first
    assert not [secret for secret in ("AKIDOFTESTS", "secret-of-tests") if secret in told]
