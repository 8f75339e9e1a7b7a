"""What `synthgen doctor` says of the disks of nodes, and of nodes that leave."""

import errno
import os
import shutil
import time
from pathlib import Path

import pytest

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.runtime.doctor.cluster import Asked, _findings, _leaving, answer, seen
from synthgen_ray.runtime.doctor.disks import Look, of_each_node
from synthgen_ray.runtime.doctor.finding import Finding, Level
from synthgen_ray.settings import Settings, UploadSettings


class TestTheDiskOfANode:
    """That uploads are written to which reach it, where the artifacts are in a bucket."""

    def found(self, tmp_path: Path, min_free_bytes: int) -> list[Finding]:
        look = Look(tmp_path / "data", UploadSettings(min_free_bytes=min_free_bytes, min_free_share=0))
        asked = Asked("10.0.0.2", time.time(), lambda: answer(DiskArtifacts(tmp_path), look))
        return _findings([asked], seen(DiskArtifacts(tmp_path)))

    @pytest.mark.parametrize(("share_of_what_is_free", "level"), [(0.7, Level.WARN), (1.5, Level.FAIL)])
    def test_that_is_full_is_named_with_its_node(self, tmp_path, share_of_what_is_free, level):
        (found,) = self.found(tmp_path, int(share_of_what_is_free * shutil.disk_usage(tmp_path).free))

        assert (found.check, found.level) == ("disk", level)
        assert f"are free at {tmp_path} of the node 10.0.0.2" in found.said
        assert "Make room there" in found.advice
        assert "uploads answer 507" in found.advice

    def test_that_has_room_is_not_told_of(self, tmp_path):
        assert self.found(tmp_path, 0) == []

    def test_that_is_away_is_no_fault_of_the_package(self, tmp_path, monkeypatch):
        def failing(path: Path) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

        monkeypatch.setattr(shutil, "disk_usage", failing)

        (found,) = self.found(tmp_path, 0)

        assert (found.check, found.level) == ("disk", Level.FAIL)
        assert "of the node 10.0.0.2 cannot be looked at" in found.said
        assert "Input/output error" in found.said

    @pytest.mark.parametrize("artifacts_url", [None, "file:///mnt/shared"])
    def test_is_not_looked_at_where_all_nodes_write_to_one_folder(self, tmp_path, artifacts_url):
        shared = Settings(data_dir=tmp_path, artifacts_url=artifacts_url)
        in_a_bucket = shared.model_copy(update={"artifacts_url": "s3://bucket/place"})

        assert of_each_node(shared) is None
        assert of_each_node(in_a_bucket) == Look(tmp_path, shared.upload)


class TestNodesThatLeave:
    def nodes(self, *draining: str) -> list[Finding]:
        known = [{"NodeID": at, "NodeManagerAddress": f"10.0.0.{at}", "Alive": True} for at in "12"]
        return list(_leaving([*known, {"NodeID": "3", "Alive": False, "DeathReason": 1}], draining))

    def test_are_a_note(self):
        (found,) = self.nodes("2", "3")

        assert (found.level, found.said) == (Level.OK, "The node 10.0.0.2 is draining: it takes no more work.")

    def test_are_a_failure_where_there_are_no_others(self):
        *notes, found = self.nodes("1", "2")

        assert [note.level for note in notes] == [Level.OK, Level.OK]
        assert (found.level, found.said) == (Level.FAIL, "None of its nodes takes work.")
