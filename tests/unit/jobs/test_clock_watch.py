import pytest

from synthgen_ray.jobs.clock_watch import ClockWatch

HOUR, YEAR = 3600.0, 365 * 86400.0


class Clocks:
    """A wall clock that can be set, and one that only runs."""

    def __init__(self) -> None:
        self.wall, self.monotonic = 1e9, 100.0
        self.watch = ClockWatch(60, lambda: self.wall, lambda: self.monotonic)
        self.watch.is_steady()

    def run(self, seconds: float) -> None:
        self.wall += seconds
        self.monotonic += seconds


@pytest.fixture
def clocks() -> Clocks:
    clocks = Clocks()
    clocks.run(60)
    return clocks


def test_a_clock_that_runs_is_steady_once_it_has_been_watched_for_long_enough():
    clocks = Clocks()

    clocks.run(59)
    assert not clocks.watch.is_steady()
    clocks.run(1)
    assert clocks.watch.is_steady()


@pytest.mark.parametrize("jump", [HOUR, -HOUR, 10 * YEAR])
def test_one_that_was_set_is_not_for_a_while(clocks, jump):
    clocks.wall += jump

    assert not clocks.watch.is_steady()
    clocks.run(59)
    assert not clocks.watch.is_steady()
    clocks.run(1)
    assert clocks.watch.is_steady()


def test_one_that_stands_still_is_not(clocks):
    clocks.monotonic += 10

    assert not clocks.watch.is_steady()


def test_one_that_is_corrected_by_little_is(clocks):
    clocks.run(10)
    clocks.wall += 0.5

    assert clocks.watch.is_steady()
