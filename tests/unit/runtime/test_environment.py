"""What Ray is told before it starts."""

import os

import pytest

from synthgen_ray.runtime.data_dir import DataDir
from synthgen_ray.runtime.environment import prepare_environment

MONITOR = "RAY_memory_monitor_refresh_ms"


@pytest.mark.parametrize(
    ("address", "before", "then"), [(None, {}, "0"), (None, {MONITOR: "250"}, "250"), ("a cluster", {}, None)]
)
def test_on_a_machine_of_our_own_linux_ends_who_has_no_memory_unless_somebody_wants_ray_to(
    monkeypatch, tmp_path, address, before, then
):
    monkeypatch.setattr(os, "environ", dict(before))

    prepare_environment(DataDir(tmp_path), address)

    assert os.environ.get(MONITOR) == then
