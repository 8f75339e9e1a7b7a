"""What an attempt hears of a store that is away."""

import pytest
import ray
from ray.exceptions import GetTimeoutError

from synthgen_ray.domain.errors import Unavailable
from synthgen_ray.domain.lifecycle import JobType
from synthgen_ray.runtime.teller import Teller
from tests.given import a_job


@pytest.mark.parametrize(
    "silence", [GetTimeoutError("the GCS server is dead or under high load"), ValueError("no actor")]
)
def test_an_attempt_that_begins_while_the_head_is_silent_is_put_off(monkeypatch, silence):
    def get_actor(*_: object) -> None:
        raise silence

    monkeypatch.setattr(ray, "get_actor", get_actor)

    with pytest.raises(Unavailable):
        Teller(a_job(JobType.TRAIN))
