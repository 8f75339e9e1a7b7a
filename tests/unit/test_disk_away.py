"""What a disk of artifacts does that fails, or is away for a while."""

import errno
import os

import pytest

from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.domain.errors import Unavailable
from tests.unit.test_artifacts import Disk, given_parts


@pytest.mark.parametrize("number", [errno.EIO, errno.EROFS, errno.ESTALE, errno.EMFILE], ids=os.strerror)
class TestADiskThatFailsOrIsAway:
    @pytest.fixture
    def place(self, tmp_path) -> Disk:
        return Disk(tmp_path)

    @pytest.fixture
    def failing(self, number, monkeypatch):
        def fail(*_: object) -> None:
            raise OSError(number, os.strerror(number))

        def call_of(name: str) -> None:
            monkeypatch.setattr(os, name, fail)

        return call_of

    def test_takes_nothing_now_and_nothing_half_written_is_left(self, place, failing, monkeypatch):
        failing("fsync")
        failing("statvfs")

        with pytest.raises(Unavailable):
            place.artifacts.scratch.check_free(1, 0.0)
        with pytest.raises(Unavailable), place.artifacts.writing("jobs/1/1", "part-0") as sink:
            sink.write(b"rows")
        with pytest.raises(Unavailable), place.artifacts.scratch.file() as file:
            file.write_bytes(b"a model")
            place.artifacts.adopt(file, "models/1", "model")

        assert place.files() == set()
        monkeypatch.undo()
        assert given_parts(place.artifacts, b"rows").size_bytes == 4

    @pytest.mark.parametrize("call", ["open", "pread"])
    def test_hands_nothing_out_now(self, place, failing, call):
        artifact = given_parts(place.artifacts, b"rows")
        failing(call)

        with pytest.raises(Unavailable) as refused:
            place.artifacts.reader(artifact)
        assert refused.value.code == "artifacts_unavailable"

    def test_is_away_for_who_looks_into_a_file_of_it_too(self, place, failing, number):
        artifact = given_parts(place.artifacts, b"rows")

        with pytest.raises(Unavailable), place.artifacts.part_file("jobs/1/1", "part-0"):
            raise OSError(number, os.strerror(number))
        with pytest.raises(Unavailable), place.artifacts.verified_file(artifact):
            raise OSError(number, os.strerror(number))
        failing("scandir")
        with pytest.raises(Unavailable), place.artifacts.verified_file(artifact):
            raise AssertionError("a file was handed out")


def test_a_directory_that_takes_no_files_is_unavailable(tmp_path):
    (tmp_path / "artifacts").write_bytes(b"a file where the folder should be")

    with pytest.raises(Unavailable):
        open_artifacts(None, tmp_path).check_writable()
