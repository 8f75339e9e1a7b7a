"""What a process does for its machine's temporary files."""

import json
import os
import time
from types import SimpleNamespace

import ray

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.artifacts.scratch import ABANDONED_S
from synthgen_ray.runtime import tidying
from synthgen_ray.runtime.tidying import NODES_EVERY_S, Rounds
from synthgen_ray.settings import LogFormat
from tests.servers import wait_until


def abandoned(artifacts: DiskArtifacts):
    with artifacts.scratch.file() as file:
        left = file.with_name("left")
    left.write_bytes(b"rows")
    long_ago = time.time() - ABANDONED_S - 60
    os.utime(left, (long_ago, long_ago))
    return left


def test_what_was_abandoned_goes_again_and_again(tmp_path, monkeypatch):
    monkeypatch.setattr(tidying, "EVERY_S", 0.01)
    artifacts = DiskArtifacts(tmp_path)
    tidying.keep_tidy(artifacts)

    for _ in range(2):
        left = abandoned(artifacts)
        wait_until(lambda file=left: not file.exists(), "it goes", 20)


def test_a_node_that_rests_is_tidied_until_nothing_on_it_can_become_old_and_then_no_more():
    """To Ray it is work: an autoscaler would keep each node for ever."""
    rounds, idle_s, tidied = Rounds(), 60.0, []
    for _ in range(30):
        tidied.append(rounds.due({"rests": idle_s, "works": 0.0}))
        idle_s = NODES_EVERY_S + (0 if "rests" in tidied[-1] else idle_s)
    needed = [nodes == {"rests", "works"} for nodes in tidied]

    assert needed == sorted(needed, reverse=True)
    assert ABANDONED_S < (needed.count(True) - 1) * NODES_EVERY_S <= ABANDONED_S + NODES_EVERY_S
    assert tidied[-1] == {"works"}
    assert rounds.due({"rests": NODES_EVERY_S / 2}) == {"rests"}  # it has had work


class Failing(DiskArtifacts):
    def tidy_machine(self):
        raise OSError("away")


def test_a_disk_that_fails_is_told_of_and_harms_nobody(tmp_path, caplog):
    tidying.tidy(Failing(tmp_path))

    assert "cannot be tidied" in caplog.text


def test_on_another_node_it_is_told_in_a_line_of_ours(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(ray, "get_runtime_context", lambda: SimpleNamespace(get_node_id=lambda: "its node"))

    assert tidying._tidied(Failing(tmp_path), LogFormat.JSON) == "its node"

    assert "cannot be tidied" in json.loads(capfd.readouterr().err)["message"]
