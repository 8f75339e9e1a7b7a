"""What is sent as JSON."""

import json

import pandas as pd
import pytest

from synthgen_ray.client import ClientError
from tests.unit.client.conftest import JOB, Server, ok


def test_conditions_may_come_from_a_data_frame():
    server = Server(ok({"job_id": JOB}))
    frame = pd.DataFrame(
        {"age": [30, 40], "city": ["Kiel", "Ulm"], "day": pd.to_datetime(["2024-01-31", "2024-02-01"])}
    )
    asked = {"age": {"min": frame.age.min()}, "city": frame.city.unique(), "day": frame.day.max()}

    server.client.generate("m", frame.age.max(), conditions=asked)

    sent = json.loads(server.requests[0].content)
    assert server.requests[0].headers["content-type"] == "application/json"
    assert (sent["num_rows"], sent["conditions"]) == (
        40,
        {"age": {"min": 30}, "city": ["Kiel", "Ulm"], "day": "2024-02-01T00:00:00"},
    )


@pytest.mark.parametrize(("value", "why"), [(float("nan"), "NaN"), (b"Kiel", "no bytes")])
def test_what_json_cannot_tell_is_said_before_it_is_sent(value, why):
    server = Server(ok({"job_id": JOB}))

    for call in (server.client.generate, server.client.sample):
        with pytest.raises(ClientError, match=why):
            call("m", conditions={"city": value})

    assert not server.requests
