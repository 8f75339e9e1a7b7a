"""Ray's dashboard shows all that a task raises, and Serve, Ray Data and Ray Train log it, with what is behind it."""

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from synthgen_ray.domain.errors import loggable

P = ParamSpec("P")
T = TypeVar("T")


def raises_no_data(method: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
    """For methods whose errors may quote a cell: of others' only where they come from."""

    @functools.wraps(method)
    async def quiet(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, it goes on
            failed = loggable(error)
        raise failed

    return quiet


def without_data(function: Callable[P, T]) -> Callable[P, T]:
    """The same for functions."""

    @functools.wraps(function)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, it goes on
            failed = loggable(error)
        raise failed

    return quiet
