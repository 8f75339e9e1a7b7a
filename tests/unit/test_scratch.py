import errno
import math
import os
import time
from pathlib import Path

import pytest

from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.artifacts.copies import Copies
from synthgen_ray.artifacts.scratch import Scratch
from synthgen_ray.settings import Settings


@pytest.fixture
def scratch(tmp_path) -> Scratch:
    return Scratch(tmp_path / "scratch")


def grow_old(*paths):
    long_ago = time.time() - 3700
    for path in paths:
        os.utime(path, (long_ago, long_ago))


def test_files_and_folders_do_not_stay(scratch, tmp_path):
    with scratch.file() as file, scratch.folder() as folder:
        file.write_bytes(b"x")
        (folder / "upload").write_bytes(b"x")

    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_a_crash_left_goes_when_the_server_starts(scratch, tmp_path):
    scratch.clear()
    (tmp_path / "scratch" / "left by a crash").write_bytes(b"x")

    scratch.clear()

    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_server_that_starts_leaves_another_one_what_it_works_on(tmp_path):
    there, here = (open_artifacts(f"file://{tmp_path}/shared", tmp_path / name) for name in ("there", "here"))
    settings = Settings(artifacts_url=f"file://{tmp_path}/shared", data_dir=tmp_path / "here")
    with there.scratch.folder() as upload, there.scratch.file() as left_by_a_crash:
        (upload / "table").write_bytes(b"x")
        left_by_a_crash.touch()
        grow_old(left_by_a_crash)

        here.prepare(is_shared=settings.may_share_scratch)

        assert (upload / "table").read_bytes() == b"x"
        assert not left_by_a_crash.exists()


@pytest.mark.parametrize(
    ("given", "is_shared"),
    [
        ({}, False),
        ({"artifacts_url": "s3://bucket/prefix"}, False),
        ({"artifacts_url": "file:///mnt/shared"}, True),
        ({"database_url": "postgresql://user:password@host/name"}, True),
    ],
)
def test_a_scratch_folder_may_be_anothers_too_where_servers_can_share_a_directory(given, is_shared):
    assert Settings(**given).may_share_scratch == is_shared


def test_what_killed_processes_left_goes_when_it_is_an_hour_old(scratch, tmp_path):
    scratch.clear()
    place = tmp_path / "scratch"
    abandoned, in_use, old_file, new_file = (place / name for name in ("abandoned", "in_use", "old", "new"))
    for folder in (abandoned, in_use):
        folder.mkdir()
        (folder / "upload").touch()
    for file in (old_file, new_file):
        file.touch()
    grow_old(abandoned / "upload", abandoned, in_use, old_file)

    with scratch.folder() as folder:
        assert set(place.iterdir()) == {in_use, new_file, folder}

    assert set(place.iterdir()) == {in_use, new_file}


def test_a_folder_that_is_in_use_stays_however_old_a_clock_makes_it_look(scratch, tmp_path):
    with scratch.folder() as folder:
        (folder / "upload").touch()
        grow_old(folder / "upload", folder)

        Scratch(tmp_path / "scratch").clear_abandoned()  # as another process does

        assert (folder / "upload").exists()

    assert list((tmp_path / "scratch").iterdir()) == []


class TestCopies:
    SHA = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of abc: FIPS 180-4, example

    def test_what_was_kept_is_lent_under_a_name_of_its_own(self, tmp_path):
        copies, file = Copies(tmp_path / "copies"), tmp_path / "file"
        file.write_bytes(b"abc")
        copies.keep(file, self.SHA)
        file.unlink()

        assert copies.lend(self.SHA, tmp_path / "lent")

        (tmp_path / "copies" / self.SHA).unlink()
        assert (tmp_path / "lent").read_bytes() == b"abc"

    def test_what_was_never_kept_cannot_be_lent(self, tmp_path):
        assert not Copies(tmp_path / "copies").lend(self.SHA, tmp_path / "lent")

    def test_a_damaged_copy_is_dropped(self, tmp_path):
        copies = Copies(tmp_path / "copies")
        (tmp_path / "copies").mkdir()
        (tmp_path / "copies" / self.SHA).write_bytes(b"abd")

        assert not copies.lend(self.SHA, tmp_path / "lent")
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    def test_a_copy_that_makes_room_while_it_is_lent_leaves_nothing(self, tmp_path, monkeypatch):
        copies, file = Copies(tmp_path / "copies"), tmp_path / "file"
        file.write_bytes(b"abc")
        copies.keep(file, self.SHA)
        link = Path.hardlink_to

        def linked_and_gone(name: Path, copy: Path) -> None:
            link(name, copy)
            copy.unlink()  # by another process

        monkeypatch.setattr(Path, "hardlink_to", linked_and_gone)

        assert copies.lend(self.SHA, tmp_path / "lent")
        assert list((tmp_path / "copies").iterdir()) == []

    def test_where_a_file_has_one_name_none_is_kept(self, tmp_path, monkeypatch):
        def refuse(*_: Path) -> None:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

        copies, file = Copies(tmp_path / "copies"), tmp_path / "file"
        file.write_bytes(b"abc")
        monkeypatch.setattr(Path, "hardlink_to", refuse)

        copies.keep(file, self.SHA)
        monkeypatch.undo()

        assert not copies.lend(self.SHA, tmp_path / "lent")
        assert file.read_bytes() == b"abc"

    @pytest.mark.parametrize("ago", [3700, -3700], ids=["an hour ago", "by a clock that was ahead"])
    def test_what_nobody_used_for_long_is_gone(self, tmp_path, ago):
        copies, file = Copies(tmp_path / "copies"), tmp_path / "file"
        file.write_bytes(b"abc")
        copies.keep(file, self.SHA)
        copies.drop_idle()
        kept = (tmp_path / "copies" / self.SHA).exists()

        used_at = time.time() - ago
        os.utime(tmp_path / "copies" / self.SHA, (used_at, used_at))
        copies.drop_idle()

        assert kept
        assert list((tmp_path / "copies").iterdir()) == []

    def test_what_was_used_longest_ago_makes_room(self, tmp_path):
        copies = Copies(tmp_path / "copies", most_bytes=10)
        for name in ("older", "used", "newer"):
            (tmp_path / name).write_bytes(b"1234")
        copies.keep(tmp_path / "older", "older")
        copies.keep(tmp_path / "used", self.SHA)
        earlier = time.time() - 60
        os.utime(tmp_path / "copies" / "older", (earlier, earlier))

        copies.keep(tmp_path / "newer", "newer")

        assert {path.name for path in (tmp_path / "copies").iterdir()} == {self.SHA, "newer"}

    def test_what_is_larger_than_the_room_is_not_kept(self, tmp_path):
        copies, file = Copies(tmp_path / "copies", most_bytes=3), tmp_path / "file"
        file.write_bytes(b"1234")

        copies.keep(file, self.SHA)

        assert not copies.lend(self.SHA, tmp_path / "lent")


def test_the_room_that_must_stay_free_is_no_byte_less_than_its_share(scratch, tmp_path):
    (tmp_path / "scratch").mkdir()
    share = math.pi / 10  # of no number of bytes a whole one

    room = scratch.find_room(0, share)

    assert room.needed_bytes >= share * room.total_bytes
    assert scratch.find_room(room.total_bytes, share).needed_bytes == room.total_bytes
