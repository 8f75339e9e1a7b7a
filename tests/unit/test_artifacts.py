"""What every store of artifacts does, on a disk and over the protocol of S3."""

import errno
import gzip
import hashlib
import os
import pickle
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from synthgen_ray.artifacts import Artifacts, open_artifacts
from synthgen_ray.artifacts.copying import copy
from synthgen_ray.domain.errors import Gone, InsufficientStorage, Unavailable
from tests.s3 import S3Server

HOUR = 3600.0

heard: list[str] = []


def hear_of_damage() -> None:
    heard.append("damage")


class Place(ABC):
    """Where artifacts are, for who looks behind them."""

    artifacts: Artifacts

    @abstractmethod
    def files(self) -> set[str]: ...

    @abstractmethod
    def put(self, path: str, content: bytes) -> None: ...

    @abstractmethod
    def remove(self, path: str) -> None: ...


class Disk(Place):
    def __init__(self, data_dir: Path) -> None:
        self.artifacts = open_artifacts(None, data_dir, hear_of_damage)
        self._root = data_dir / "artifacts"

    def files(self) -> set[str]:
        return {str(path.relative_to(self._root)) for path in self._root.rglob("*") if path.is_file()}

    def put(self, path: str, content: bytes) -> None:
        (self._root / path).write_bytes(content)

    def remove(self, path: str) -> None:
        (self._root / path).unlink()


class Bucket(Place):
    def __init__(self, s3: S3Server, data_dir: Path) -> None:
        self._s3 = s3
        self._path = f"bucket-{uuid4()}/some/prefix"
        s3.filesystem.create_dir(self._path.split("/")[0])
        self.artifacts = open_artifacts(s3.url(self._path), data_dir, hear_of_damage)

    def files(self) -> set[str]:
        return self._s3.files(self._path)

    def put(self, path: str, content: bytes) -> None:
        with self._s3.filesystem.open_output_stream(f"{self._path}/{path}") as sink:
            sink.write(content)

    def remove(self, path: str) -> None:
        self._s3.filesystem.delete_file(f"{self._path}/{path}")


@pytest.fixture(params=["disk", "s3"])
def place(request, tmp_path) -> Place:
    place = Disk(tmp_path) if request.param == "disk" else Bucket(request.getfixturevalue("s3"), tmp_path)
    place.artifacts.prepare()
    heard.clear()
    return place


@pytest.fixture
def artifacts(place) -> Artifacts:
    return place.artifacts


def given_parts(artifacts: Artifacts, *contents: bytes, at: str = "jobs/1/1"):
    parts = []
    for i, content in enumerate(contents):
        with artifacts.writing(at, f"part-{i}") as sink:
            sink.write(content)
        parts.append(artifacts.part(at, f"part-{i}", num_rows=1))
    return artifacts.seal(at, parts)


def test_parts_end_to_end_are_the_artifact(artifacts):
    artifact = given_parts(artifacts, b"head,", b"", b"middle,", b"tail")

    assert b"".join(artifacts.read(artifact)) == b"head,middle,tail"
    assert artifact.sha256 == hashlib.sha256(b"head,middle,tail").hexdigest()
    assert (artifact.size_bytes, artifact.num_rows) == (16, 4)


def test_a_part_that_was_never_written_is_gone(artifacts):
    given_parts(artifacts, b"one")

    with pytest.raises(Gone):
        artifacts.part("jobs/1/1", "part-1", num_rows=1)


def test_sizes_are_of_those_that_are_there_however_many_are_asked_for(artifacts):
    given_parts(artifacts, *(b"x" * size for size in range(12)))
    all_of_them = {f"part-{size}": size for size in range(12)}

    assert artifacts.sizes("jobs/1/1", ["part-0", "absent", "part-11"]) == {"part-0": 0, "part-11": 11}
    assert artifacts.sizes("jobs/1/1", [*all_of_them, "absent"]) == all_of_them


def test_any_range_is_read_across_parts(artifacts):
    artifact = given_parts(artifacts, b"012", b"3456", b"789")

    for start in range(11):
        for stop in range(11):
            assert b"".join(artifacts.read(artifact, start, stop)) == b"0123456789"[start:stop], (start, stop)


def test_what_was_not_written_whole_is_not_there(artifacts, place):
    with pytest.raises(RuntimeError), artifacts.writing("jobs/1/1", "part-0") as sink:
        sink.write(b"half")
        raise RuntimeError

    assert place.files() == set()


def test_writing_a_part_again_replaces_it(artifacts):
    given_parts(artifacts, b"first")
    again = given_parts(artifacts, b"again")

    assert b"".join(artifacts.read(again)) == b"again"


def test_a_lost_part_is_noticed_before_the_first_byte(artifacts, place):
    artifact = given_parts(artifacts, b"one", b"two")
    place.put("jobs/1/1/part-1", b"longer")

    with pytest.raises(Gone):
        artifacts.check(artifact)


@pytest.mark.parametrize("small", [8, 64 << 20])
def test_what_is_being_read_on_a_disk_is_read_to_its_end_though_it_is_erased(tmp_path, monkeypatch, small):
    monkeypatch.setattr("synthgen_ray.artifacts.base.SMALL", small)
    artifacts = Disk(tmp_path).artifacts
    artifact = given_parts(artifacts, b"one,", b"two,", b"three")

    read = artifacts.reader(artifact)
    blocks = read(0, 13)
    first = next(blocks)
    artifacts.erase("jobs/1/1")

    assert first + b"".join(blocks) == b"one,two,three"
    assert [b"".join(read(*ends)) for ends in ((0, 13), (4, 9))] == [b"one,two,three", b"two,t"]
    with pytest.raises(Gone):
        artifacts.reader(artifact)


def test_a_verified_file_on_a_disk_stays_while_it_is_used(tmp_path):
    artifacts = Disk(tmp_path).artifacts
    artifact = given_parts(artifacts, b"a table")

    with artifacts.verified_file(artifact) as file:
        artifacts.erase("jobs/1/1")
        artifacts.tidy_machine()
        assert file.read_bytes() == b"a table"

    assert Disk(tmp_path).files() == set()


def test_a_part_that_was_erased_is_gone(artifacts):
    given_parts(artifacts, b"some rows")
    artifacts.erase("jobs/1/1")

    with pytest.raises(Gone), artifacts.part_file("jobs/1/1", "part-0"):
        raise AssertionError("a file that is not there was handed out")


@pytest.mark.parametrize("content", [b"0123456780", b"", None])
def test_a_damaged_or_missing_file_is_not_handed_out(artifacts, place, content, caplog):
    artifact = given_parts(artifacts, b"0123456789")
    place.remove("jobs/1/1/part-0") if content is None else place.put("jobs/1/1/part-0", content)

    def as_file():
        with artifacts.verified_file(artifact):
            raise AssertionError("a damaged file was handed out")

    for hand_out in (as_file, lambda: artifacts.reader(artifact)):
        with pytest.raises(Gone) as refused:
            hand_out()
        assert refused.value.code == ("artifact_missing" if content is None else "artifact_corrupt")
    assert [record.args for record in caplog.records] == ([] if content is None else 2 * [("jobs/1/1",)])
    assert len(heard) == len(caplog.records)


def test_of_a_large_artifact_the_end_is_withheld_until_all_of_it_is_known_to_be_sound(artifacts, place, monkeypatch):
    monkeypatch.setattr("synthgen_ray.artifacts.base.SMALL", 8)
    monkeypatch.setattr(type(artifacts), "block_bytes", 4)
    sound, damaged = (
        given_parts(artifacts, b"0123456789", at="jobs/1/1"),
        given_parts(artifacts, b"abcdefghij", at="jobs/2/1"),
    )
    place.put("jobs/2/1/part-0", b"Xbcdefghij")

    blocks = artifacts.reader(damaged)(0, 10)

    assert list(artifacts.reader(sound)(0, 10)) == [b"0123", b"4567", b"89"]
    assert [next(blocks), next(blocks)] == [b"Xbcd", b"efgh"]
    with pytest.raises(Gone):
        next(blocks)


def test_a_verified_file_holds_what_was_published(artifacts):
    artifact = given_parts(artifacts, b"a table")

    with artifacts.verified_file(artifact) as first, artifacts.verified_file(artifact) as second:
        assert first.read_bytes() == second.read_bytes() == b"a table"


def test_a_part_is_a_file_before_it_is_published(artifacts):
    given_parts(artifacts, b"some rows")

    with artifacts.part_file("jobs/1/1", "part-0") as file:
        assert file.read_bytes() == b"some rows"


def test_a_scratch_file_becomes_a_part(artifacts, place):
    with artifacts.scratch.file() as file:
        file.write_bytes(b"a model")
        artifacts.adopt(file, "models/1", "model")

    assert place.files() == {"models/1/model"}
    with artifacts.part_file("models/1", "model") as part:
        assert part.read_bytes() == b"a model"


def test_a_part_is_kept_as_it_is_whatever_its_name_ends_in(artifacts):
    content = gzip.compress(b"rows")

    with artifacts.writing("backup/1", "rows.jsonl.gz") as sink:
        sink.write(content)

    with artifacts.part_file("backup/1", "rows.jsonl.gz") as part:
        assert part.read_bytes() == content


def test_of_what_goes_while_it_is_copied_nothing_is_left(artifacts, tmp_path, monkeypatch):
    artifact, target, read = given_parts(artifacts, b"one", b"two"), Disk(tmp_path / "target"), artifacts.read

    def read_and_erase(*what) -> Iterator[bytes]:
        yield from read(*what)
        artifacts.erase(artifact.location)

    monkeypatch.setattr(artifacts, "read", read_and_erase)
    with pytest.raises(Gone):
        copy(artifact, artifacts, target.artifacts)

    assert target.files() == set()


def test_erasing_takes_the_whole_folder_and_nothing_else_and_may_be_repeated(artifacts, place):
    given_parts(artifacts, b"one", at="jobs/1/1")
    given_parts(artifacts, b"two", at="jobs/1/2")
    given_parts(artifacts, b"like it", at="jobs/10/1")

    artifacts.erase("jobs/1")
    artifacts.erase("jobs/1")

    assert place.files() == {"jobs/10/1/part-0"}


def test_a_part_is_removed_alone_and_that_may_be_repeated(artifacts):
    for name in ("gone", "stays"):
        with artifacts.writing("jobs/1", name) as sink:
            sink.write(b"rows")

    for _ in range(2):
        artifacts.remove("jobs/1", "gone")

    assert artifacts.sizes("jobs/1", ["gone", "stays"]) == {"stays": 4}


def test_a_part_that_is_renamed_takes_the_place_of_another_and_one_that_is_gone_of_none(artifacts, place):
    for name in ("old", "new"):
        with artifacts.writing("backup", name) as sink:
            sink.write(name.encode())

    artifacts.rename("backup", "new", "old")
    with pytest.raises(Gone):
        artifacts.rename("backup", "new", "old")

    assert place.files() == {"backup/old"}
    with artifacts.part_file("backup", "old") as file:
        assert file.read_bytes() == b"new"


@pytest.mark.parametrize(
    "call",
    [lambda artifacts: artifacts.erase("jobs/1"), lambda artifacts: artifacts.remove("jobs/1/1", "part-0")],
    ids=["erase", "remove"],
)
def test_a_file_that_the_disk_does_not_let_go_is_not_erased(tmp_path, monkeypatch, call):
    place = Disk(tmp_path)
    given_parts(place.artifacts, b"one")

    def failing(path, **_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as disk, pytest.raises(Unavailable):
        disk.setattr(os, "unlink", failing)
        call(place.artifacts)

    assert place.files() == {"jobs/1/1/part-0"}


def test_a_folder_that_another_process_erases_too_is_erased(tmp_path, monkeypatch):
    place = Disk(tmp_path)
    given_parts(place.artifacts, b"one", b"two")
    unlink = os.unlink

    def after_another(path, *, dir_fd=None):
        disk.undo()
        unlink(path, dir_fd=dir_fd)
        unlink(path, dir_fd=dir_fd)

    with monkeypatch.context() as disk:
        disk.setattr(os, "unlink", after_another)
        place.artifacts.erase("jobs/1")

    assert place.files() == set()


def test_what_lies_idle_is_found_by_folder_and_what_is_new_is_not_idle(artifacts, place):
    given_parts(artifacts, b"rows", at="jobs/1/1")
    given_parts(artifacts, b"rows", at="jobs/1/2")
    with artifacts.writing("datasets/2", "table") as sink:
        sink.write(b"table")
    written_at = max(changed_at for _, changed_at in artifacts._files("jobs/1"))

    assert set(artifacts.list_folders()) == {"jobs/1", "datasets/2"}
    assert {"jobs/1/1", "jobs/1/2"} <= set(artifacts.list_idle("jobs/1", written_at + HOUR))
    assert artifacts.list_idle("jobs/1", written_at - HOUR) == ()


def test_a_folder_in_which_anything_is_new_is_not_idle(artifacts, monkeypatch):
    files = [("jobs/1/1/run/old", 1.0), ("jobs/1/1/new", 9.0), ("jobs/1/2/old", 1.0)]
    monkeypatch.setattr(type(artifacts), "_files", lambda self, folder: files)

    assert artifacts.list_idle("jobs/1", 5.0) == ("jobs/1/2",)


def test_files_are_the_first_owners_who_claims_them(artifacts):
    assert [artifacts.claim(owner) for owner in ("first", "second", "first")] == [True, False, True]


def test_a_store_that_takes_files_keeps_none_of_those_that_try_it(artifacts, place):
    artifacts.check_writable()

    assert place.files() == set()


def test_the_store_travels_between_processes(artifacts, place):
    artifact = given_parts(artifacts, b"one")

    there = pickle.loads(pickle.dumps(artifacts))

    assert b"".join(there.read(artifact)) == b"one"


def test_a_full_disk_is_said_to_be_full_and_leaves_nothing_half_written(artifacts, place, tmp_path):
    for block in (artifacts.writing("jobs/1/1", "part-0"), artifacts.scratch.file()):
        with pytest.raises(InsufficientStorage), block:
            Path("/dev/full").write_bytes(b"row")

    assert place.files() == set()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
