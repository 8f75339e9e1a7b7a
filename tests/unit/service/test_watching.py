"""How often a job that is watched is looked at."""

import pytest

from synthgen_ray.service.jobs import LONGEST_S, SHORTEST_S, pause_s


@pytest.mark.parametrize(
    ("watched_s", "left_s", "pause"),
    [
        (0.0, None, SHORTEST_S),  # it may end at once
        (4.0, None, 0.4),
        (600.0, None, LONGEST_S),
        (600.0, 300.0, LONGEST_S),
        (6.0, 1.0, 0.5),
        (600.0, 0.6, 0.3),
        (600.0, 0.0, SHORTEST_S),  # now
        (600.0, -0.6, 0.3),  # it was to end before
        (600.0, -60.0, LONGEST_S),
        (1.0, 60.0, 0.1),  # what it says of itself so early may be wrong
    ],
)
def test_looks_are_close_at_the_beginning_and_where_the_job_is_to_end(watched_s, left_s, pause):
    assert pause_s(watched_s, left_s) == pytest.approx(pause)
