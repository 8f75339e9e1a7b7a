import hashlib
import os
import time
from pathlib import Path

import pytest

from synthgen_ray.artifacts import Artifacts
from synthgen_ray.domain.errors import Gone, InsufficientStorage, Unavailable


@pytest.fixture
def artifacts(tmp_path) -> Artifacts:
    artifacts = Artifacts(tmp_path)
    artifacts.prepare()
    return artifacts


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


@pytest.mark.parametrize("start", range(11))
@pytest.mark.parametrize("stop", range(11))
def test_any_range_is_read_across_parts(artifacts, start, stop):
    artifact = given_parts(artifacts, b"012", b"3456", b"789")

    assert b"".join(artifacts.read(artifact, start, stop)) == b"0123456789"[start:stop]


def test_what_was_not_written_whole_is_not_there(artifacts, tmp_path):
    with pytest.raises(RuntimeError), artifacts.writing("jobs/1/1", "part-0") as sink:
        sink.write(b"half")
        raise RuntimeError

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_writing_a_part_again_replaces_it(artifacts):
    given_parts(artifacts, b"first")
    again = given_parts(artifacts, b"again")

    assert b"".join(artifacts.read(again)) == b"again"


def test_a_lost_part_is_noticed_before_the_first_byte(artifacts, tmp_path):
    artifact = given_parts(artifacts, b"one", b"two")
    (tmp_path / "jobs/1/1/part-1").write_bytes(b"longer")

    with pytest.raises(Gone):
        artifacts.check(artifact)


@pytest.mark.parametrize("content", [b"0123456780", b"", None])
def test_a_damaged_or_missing_file_is_not_handed_out(artifacts, tmp_path, content):
    artifact = given_parts(artifacts, b"0123456789")
    path = tmp_path / "jobs/1/1/part-0"
    path.unlink() if content is None else path.write_bytes(content)

    for hand_out in (artifacts.verified_file, artifacts.reader):
        with pytest.raises(Gone) as refused:
            hand_out(artifact)
        assert refused.value.code == ("artifact_missing" if content is None else "artifact_corrupt")


def test_of_a_large_artifact_the_end_is_withheld_until_all_of_it_is_known_to_be_sound(artifacts, tmp_path, monkeypatch):
    monkeypatch.setattr("synthgen_ray.artifacts.SMALL", 8)
    monkeypatch.setattr("synthgen_ray.artifacts.BLOCK", 4)
    sound, damaged = (
        given_parts(artifacts, b"0123456789", at="jobs/1/1"),
        given_parts(artifacts, b"abcdefghij", at="jobs/2/1"),
    )
    (tmp_path / "jobs/2/1/part-0").write_bytes(b"Xbcdefghij")

    blocks = artifacts.reader(damaged)(0, 10)

    assert list(artifacts.reader(sound)(0, 10)) == [b"0123", b"4567", b"89"]
    assert [next(blocks), next(blocks)] == [b"Xbcd", b"efgh"]
    with pytest.raises(Gone):
        next(blocks)


def test_erasing_takes_the_whole_folder_and_may_be_repeated(artifacts, tmp_path):
    given_parts(artifacts, b"one")

    artifacts.erase("jobs/1")
    artifacts.erase("jobs/1")

    assert not (tmp_path / "jobs/1").exists()


def test_scratch_files_do_not_stay(artifacts, tmp_path):
    with artifacts.scratch_file() as path:
        path.write_bytes(b"x")
    (tmp_path / "scratch" / "left by a crash").write_bytes(b"x")

    artifacts.prepare()

    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_store_that_takes_no_files_is_unavailable(tmp_path):
    (tmp_path / "scratch").write_bytes(b"a file where the folder should be")

    with pytest.raises(Unavailable):
        Artifacts(tmp_path).check_writable()


def test_scratch_folders_of_killed_processes_go_when_they_are_an_hour_old(artifacts, tmp_path):
    long_ago = time.time() - 3700
    abandoned, in_use = tmp_path / "scratch" / "abandoned", tmp_path / "scratch" / "in_use"
    for folder in (abandoned, in_use):
        folder.mkdir()
        (folder / "upload").touch()
    os.utime(abandoned / "upload", (long_ago, long_ago))
    for folder in (abandoned, in_use):
        os.utime(folder, (long_ago, long_ago))

    with artifacts.scratch_folder() as folder:
        assert set(folder.parent.iterdir()) == {in_use, folder}

    assert list((tmp_path / "scratch").iterdir()) == [in_use]


def test_a_full_disk_is_said_to_be_full_and_leaves_nothing_half_written(artifacts, tmp_path):
    for place in (artifacts.writing("jobs/1/1", "part-0"), artifacts.scratch_file()):
        with pytest.raises(InsufficientStorage), place:
            Path("/dev/full").write_bytes(b"row")

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
