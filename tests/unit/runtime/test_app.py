"""What is handed to Ray Serve."""

import pytest

from synthgen_ray.runtime.app import app
from synthgen_ray.settings import Settings


@pytest.mark.parametrize("share", [0, 0.5])
def test_each_sampler_gets_the_share_of_a_gpu_that_the_settings_say(share):
    _settings, sampler = app(Settings(sampler={"num_gpus": share}))._bound_deployment.init_args

    assert sampler._bound_deployment.ray_actor_options["num_gpus"] == share


@pytest.mark.parametrize("max_queued", [1, 200])
def test_what_was_accepted_may_wait_for_the_samplers_however_many_do(max_queued):
    _settings, sampler = app(Settings(sampler={"max_queued": max_queued}))._bound_deployment.init_args

    assert sampler._bound_deployment.max_queued_requests == -1
