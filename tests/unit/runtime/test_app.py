"""What is handed to Ray Serve."""

import pytest

from synthgen_ray.runtime.app import app
from synthgen_ray.settings import Settings


@pytest.mark.parametrize("share", [0, 0.5])
def test_each_sampler_gets_the_share_of_a_gpu_that_the_settings_say(share):
    _settings, sampler = app(Settings(sampler={"num_gpus": share}))._bound_deployment.init_args

    assert sampler._bound_deployment.ray_actor_options["num_gpus"] == share
