"""What is handed to Ray Serve."""

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray import serve
from ray.exceptions import RaySystemError
from ray.serve.config import HTTPOptions

from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.params import ModelType, Resources
from synthgen_ray.runtime import app as module
from synthgen_ray.runtime.app import Api, app, once_there, resources_check
from synthgen_ray.runtime.data_dir import StartFailed
from synthgen_ray.settings import Settings


@pytest.mark.parametrize("share", [0, 0.5])
def test_each_sampler_gets_the_share_of_a_gpu_that_the_settings_say(share):
    _settings, sampler = app(Settings(sampler={"num_gpus": share}))._bound_deployment.init_args

    assert sampler._bound_deployment.ray_actor_options["num_gpus"] == share


@pytest.mark.parametrize(("gpus", "sampler_is_anywhere"), [(0, False), (1, True)])
def test_what_stays_is_kept_to_the_nodes_with_the_labels_but_for_samplers_that_need_a_gpu(gpus, sampler_is_anywhere):
    labels = {"ray.io/node-group": "!gpu"}
    ingress = app(Settings(sampler={"num_gpus": gpus}, label_selector=labels))._bound_deployment
    _settings, sampler = ingress.init_args

    assert ingress.ray_actor_options["label_selector"] == labels
    assert sampler._bound_deployment.ray_actor_options["label_selector"] == ({} if sampler_is_anywhere else labels)


@pytest.mark.parametrize(
    ("sampler", "least", "most", "at_once"),
    [
        ({}, 0, 1, 2),  # a laptop: one, while there is something to draw
        ({"min_replicas": 1, "max_replicas": 1}, 1, 1, 2),
        ({"max_replicas": 8, "threads": 4}, 0, 8, 4),
        ({"max_replicas": 8, "threads": 1}, 0, 8, 2),
    ],
)
def test_samplers_become_more_where_more_is_asked_than_they_draw_at_once(sampler, least, most, at_once):
    _settings, deployed = app(Settings(sampler=sampler))._bound_deployment.init_args

    scaling = deployed._bound_deployment._deployment_config.autoscaling_config

    assert (scaling.min_replicas, scaling.initial_replicas, scaling.max_replicas) == (least, least, most)
    assert scaling.target_ongoing_requests == at_once


@pytest.mark.parametrize("max_queued", [1, 200])
def test_what_was_accepted_may_wait_for_the_samplers_however_many_do(max_queued):
    _settings, sampler = app(Settings(sampler={"max_queued": max_queued}))._bound_deployment.init_args

    assert sampler._bound_deployment.max_queued_requests == -1


async def test_a_training_is_taken_by_what_the_cluster_was_and_not_before_anybody_has_said_what_it_is(monkeypatch):
    said = [RaySystemError("the head is silent"), [{"Alive": True, "Resources": {"CPU": 4.0}}], RaySystemError("again")]

    def look() -> Any:
        if isinstance(heard := said.pop(0), Exception):
            raise heard
        return heard

    monkeypatch.setattr(ray, "nodes", look)
    check = resources_check(Settings())

    with pytest.raises(Unavailable):
        await check(ModelType.CTGAN, Resources(num_workers=2))
    for _ in ("when it is known", "when it was"):
        assert await check(ModelType.CTGAN, Resources(num_workers=2)) == 2


class Start:
    """One that a database which is away fails, a few times."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.failures, self.error, self.count = failures, error, 0

    async def __call__(self) -> None:
        self.count += 1
        if self.count <= self.failures:
            raise self.error


async def test_a_first_start_waits_for_a_database_that_is_away(monkeypatch):
    monkeypatch.setattr(module, "AGAIN_S", 0)
    start = Start(failures=5, error=Unavailable("away", "store_unavailable"))

    await once_there(start)

    assert start.count == 6


@pytest.mark.parametrize(
    ("error", "away_s"), [(Unavailable("away", "store_unavailable"), 0), (ValueError("a setting"), 60)]
)
async def test_a_first_start_fails_for_what_stays_away_and_at_once_for_its_settings(monkeypatch, error, away_s):
    monkeypatch.setattr(module, "AWAY_S", away_s)
    start = Start(failures=5, error=error)

    with pytest.raises(type(error)):
        await once_there(start)

    assert start.count == 1


@pytest.mark.parametrize(("host", "is_refused"), [("0.0.0.0", True), ("10.0.0.7", True), ("127.0.0.1", False)])
async def test_an_ingress_starts_where_serve_listens_only_if_the_settings_allow_it(monkeypatch, host, is_refused):
    """`serve deploy` is told of an address twice: in `http_options`, and in the settings."""
    client = SimpleNamespace(http_config=HTTPOptions(host=host))
    monkeypatch.setattr(serve.context, "_get_global_client", lambda: client)
    for name in ("fetch_when_read", "listen_beside_node", "write_logs", "dispatcher"):
        monkeypatch.setattr(module, name, lambda *_: None)
    ours, *_ = Api.__bases__  # without what Serve adds
    ingress = object.__new__(ours)

    with pytest.raises(StartFailed, match=f"Other machines reach {host}") if is_refused else nullcontext():
        await ingress.__init__(Settings(host="127.0.0.1"), None)

    assert hasattr(ingress, "_sampler") is not is_refused
