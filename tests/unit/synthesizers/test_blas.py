from threadpoolctl import ThreadpoolController

from synthgen_ray.synthesizers.blas import one_blas_thread


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
