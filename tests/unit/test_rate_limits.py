"""How fast a key may ask. Time is the clock's, so rates are so low that a test never earns a token back."""

from contextlib import ExitStack
from uuid import UUID, uuid4

import pytest

from synthgen_ray.api.rate_limits import MOST_COUNTED, MOST_STREAMS, Buckets, RateLimited, RateLimiter, RateLimits
from synthgen_ray.domain.access import Principal, Role
from synthgen_ray.runtime.backpressure import MAX_ONGOING

SLOW = 1e-3


def test_a_burst_passes_and_the_next_one_waits():
    buckets = Buckets(SLOW, burst=3)

    assert [buckets.take("a") for _ in range(3)] == [0, 0, 0]
    assert buckets.take("a") == pytest.approx(1 / SLOW, rel=0.01)
    assert buckets.take("b") == 0  # each name has its own


def test_tokens_come_back_at_the_rate():
    buckets = Buckets(per_second=1e9, burst=1)

    assert [buckets.take("a") for _ in range(100)] == [0] * 100


def test_of_too_many_names_the_quietest_is_forgotten():
    buckets = Buckets(SLOW, burst=1)

    for name in range(MOST_COUNTED + 1):
        buckets.take(str(name))

    assert buckets.take("0") == 0
    assert buckets.take(str(MOST_COUNTED)) > 0


def test_a_refusal_says_when_to_come_back():
    limiter = RateLimiter(RateLimits(requests_per_second=0.1, burst=1, wrong_keys_per_minute=1))
    limiter.count_request("key")
    limiter.count_wrong_key("address")

    with pytest.raises(RateLimited) as fast:
        limiter.count_request("key")
    with pytest.raises(RateLimited) as wrong:
        limiter.count_wrong_key("address")

    assert fast.value.retry_after_s in (9, 10)
    assert wrong.value.retry_after_s in (59, 60)


def test_whoever_guesses_is_a_line_of_the_log_and_not_one_for_each_guess(caplog):
    limiter = RateLimiter(RateLimits(wrong_keys_per_minute=3))

    for address in ("10.0.0.7", "10.0.0.8", "10.0.0.7", "10.0.0.7"):
        limiter.count_wrong_key(address)
    for _ in range(5):
        with pytest.raises(RateLimited):
            limiter.count_wrong_key("10.0.0.7")

    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["wrong keys came from 10.0.0.7"]


class TestOpen:
    def test_a_key_has_so_many_requests_at_the_same_time(self):
        limiter, key, another = RateLimiter(RateLimits(open_requests=2)), a_key(), a_key()

        with limiter.one_open(key, is_stream=False), limiter.one_open(another, is_stream=False):
            with limiter.one_open(key, is_stream=False), pytest.raises(RateLimited) as many:
                limiter.one_open(key, is_stream=False).__enter__()
            with limiter.one_open(key, is_stream=False):
                pass

        assert (many.value.code, many.value.retry_after_s) == ("too_many_open", 1)
        assert "The key has 2 requests open" in many.value.detail

    def test_all_keys_to_a_project_have_no_more_than_one(self):
        limiter, mine, other = RateLimiter(RateLimits(open_requests=2)), uuid4(), uuid4()

        with ExitStack() as opened:
            for _ in range(2):
                opened.enter_context(limiter.one_open(a_key(mine), is_stream=False))
            for keys in (a_key(mine), a_key(other, mine)):
                with pytest.raises(RateLimited, match="The keys to a project have 2 requests open"):
                    opened.enter_context(limiter.one_open(keys, is_stream=False))
            opened.enter_context(limiter.one_open(a_key(other), is_stream=False))
            opened.enter_context(limiter.one_open(a_key(), is_stream=False))

        with limiter.one_open(a_key(other, mine), is_stream=False):
            pass

    def test_a_key_watches_fewer(self):
        limiter, key = RateLimiter(RateLimits(event_streams=2)), a_key()

        with ExitStack() as opened:
            for _ in range(2):
                opened.enter_context(limiter.one_open(key, is_stream=True))
            with pytest.raises(RateLimited, match="2 streams of events open"):
                opened.enter_context(limiter.one_open(key, is_stream=True))
            opened.enter_context(limiter.one_open(key, is_stream=False))
            opened.enter_context(limiter.one_open(a_key(), is_stream=True))

    def test_many_keys_that_watch_leave_room_for_those_who_ask(self):
        limiter = RateLimiter(RateLimits())

        with ExitStack() as opened:
            for _ in range(MOST_STREAMS):
                opened.enter_context(limiter.one_open(a_key(), is_stream=True))
            with pytest.raises(RateLimited):
                opened.enter_context(limiter.one_open(a_key(), is_stream=True))
            opened.enter_context(limiter.one_open(a_key(), is_stream=False))

        assert MOST_STREAMS <= MAX_ONGOING / 2

    def test_a_refused_one_takes_no_place(self):
        limiter, project = RateLimiter(RateLimits(open_requests=3, event_streams=1)), uuid4()

        with limiter.one_open(a_key(project), is_stream=True), limiter.one_open(key := a_key(project), is_stream=True):
            for _ in range(5):
                with pytest.raises(RateLimited, match="streams"):
                    limiter.one_open(key, is_stream=True).__enter__()
            with limiter.one_open(a_key(project), is_stream=False):
                pass


def test_without_limits_nothing_waits():
    limits = ("requests_per_second", "open_requests", "event_streams", "wrong_keys_per_minute")
    limiter, key = RateLimiter(RateLimits(**dict.fromkeys(limits))), a_key(uuid4())

    with ExitStack() as opened:
        for _ in range(1000):
            limiter.count_request("key")
            opened.enter_context(limiter.one_open(key, is_stream=True))
            limiter.count_wrong_key("address")


def a_key(*projects: UUID) -> Principal:
    return Principal(uuid4(), Role.VIEWER, frozenset(projects) or None)
