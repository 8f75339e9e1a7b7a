"""How fast a key may ask. Time is the clock's, so rates are so low that a test never earns a token back."""

import pytest

from synthgen_ray.api.rate_limits import MOST_COUNTED, Buckets, RateLimited, RateLimiter, RateLimits

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


def test_a_key_has_so_many_requests_open_at_the_same_time():
    limiter = RateLimiter(RateLimits(open_requests=2))
    limiter.begin("key")
    limiter.begin("key")

    with pytest.raises(RateLimited) as many:
        limiter.begin("key")
    limiter.begin("another")
    limiter.end("key")
    limiter.begin("key")

    assert (many.value.code, many.value.retry_after_s) == ("too_many_open", 1)


def test_without_limits_nothing_waits():
    limiter = RateLimiter(RateLimits(requests_per_second=None, open_requests=None, wrong_keys_per_minute=None))

    for _ in range(1000):
        limiter.count_request("key")
        limiter.begin("key")
        limiter.count_wrong_key("address")
