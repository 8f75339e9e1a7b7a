import pytest

from synthgen_ray.jobs.parts import CHUNKS_PER_PART, plan_parts


@pytest.mark.parametrize("num_rows", [1, 9, 10, 11, 49, 50, 51, 1234])
def test_parts_hold_every_chunk_once_and_in_order(num_rows):
    plans = plan_parts(num_rows, chunk_rows=10)

    chunks = [chunk for plan in plans for chunk in plan.chunks]
    assert [index for index, _ in chunks] == list(range(len(chunks)))
    assert all(rows == 10 for _, rows in chunks[:-1])
    assert sum(plan.num_rows for plan in plans) == num_rows
    for plan in plans:
        indexes = [index for index, _ in plan.chunks]
        assert len(indexes) <= CHUNKS_PER_PART
        assert (indexes[0], indexes[-1]) == (plan.first_chunk, plan.last_chunk)


def test_a_chunk_is_the_same_in_a_longer_job():
    short, long = plan_parts(100, 10), plan_parts(1000, 10)

    assert short[0] == long[0]


def test_a_plan_has_no_room_for_each_of_its_chunks():
    (plan,) = plan_parts(10**12, chunk_rows=10, chunks_per_part=10**11)

    assert (plan.first_chunk, plan.last_chunk) == (0, 10**11 - 1)
