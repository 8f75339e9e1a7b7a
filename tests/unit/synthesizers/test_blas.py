import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec, module_from_spec
from types import ModuleType

import pytest
from threadpoolctl import ThreadpoolController, threadpool_limits

from synthgen_ray.synthesizers.numerics import blas
from synthgen_ray.synthesizers.numerics.blas import AHEAD, one_blas_thread, spread


def blas_threads() -> list[int]:
    return [pool["num_threads"] for pool in ThreadpoolController().select(user_api="blas").info()]


def test_the_last_one_out_gives_the_threads_back():
    before = blas_threads()
    first, second = one_blas_thread(), one_blas_thread()

    with first:
        second.__enter__()
        assert set(blas_threads()) == {1}
    assert set(blas_threads()) == {1}  # the second is still inside
    second.__exit__(None, None, None)

    assert blas_threads() == before


class TestAnotherThread:
    """May be at work for as long as this one, which was the first to ask."""

    @pytest.fixture(autouse=True)
    def _given_threads(self) -> Iterator[None]:
        with threadpool_limits(3, user_api="blas"):
            assert self.inside() == {1}
            yield

    @pytest.fixture
    def another(self) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(1) as another:
            yield another

    def inside(self) -> set[int]:
        with one_blas_thread():
            return set(blas_threads())

    def test_is_given_one_too(self, another):
        assert another.submit(self.inside).result() == {1}
        assert set(blas_threads()) == {3}

    def test_gives_the_threads_back_as_the_last_one_out(self, another):
        last = one_blas_thread()
        with one_blas_thread():
            another.submit(last.__enter__).result()
        another.submit(last.__exit__, None, None, None).result()

        assert set(blas_threads()) == {3}
        assert self.inside() == {1}

    def test_may_be_the_first_at_the_same_time(self):
        together = threading.Barrier(2)

        def inside(module: ModuleType) -> set[int]:
            together.wait()
            with module.one_blas_thread():
                return set(blas_threads())

        with ThreadPoolExecutor(2) as both:
            for new in [anew(blas) for _ in range(5)]:
                assert list(both.map(inside, [new, new])) == [{1}, {1}]
                assert set(blas_threads()) == {3}


def anew(module: ModuleType) -> ModuleType:
    """As it is when it was imported and not used yet."""
    spec = find_spec(module.__name__)
    new = module_from_spec(spec)
    spec.loader.exec_module(new)
    return new


@pytest.mark.parametrize("threads", [1, 3])
class TestSpread:
    @pytest.fixture(autouse=True)
    def _given_threads(self, threads: int) -> Iterator[None]:
        with threadpool_limits(threads, user_api="blas"):
            yield

    def test_results_come_in_the_order_of_the_items(self):
        assert list(spread(lambda n: n * n, range(50))) == [n * n for n in range(50)]

    def test_each_is_computed_on_one_thread(self, threads):
        seen = list(spread(lambda _: (blas_threads(), threading.get_ident()), range(50)))

        assert {count for counts, _ in seen for count in counts} == {1}
        assert len({thread for _, thread in seen}) <= threads
        assert set(blas_threads()) == {threads}

    def test_no_more_is_computed_than_is_soon_asked_for(self, threads):
        begun: list[int] = []
        results = spread(begun.append, range(1000))

        next(results)

        assert len(begun) <= AHEAD * threads
        results.close()
        assert set(blas_threads()) == {threads}

    def test_an_error_comes_out_and_ends_it(self, threads):
        begun: list[int] = []

        def call(number: int) -> None:
            begun.append(number)
            if number == 10:
                raise ValueError(number)

        with pytest.raises(ValueError, match="10"):
            list(spread(call, range(1000)))

        assert len(begun) <= 10 + AHEAD * threads + 1
