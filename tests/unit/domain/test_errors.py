import inspect
import pickle

import pytest

from synthgen_ray.domain import errors
from synthgen_ray.domain.errors import FieldError, SynthGenError

TREE = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SynthGenError)]


@pytest.mark.parametrize("kind", TREE)
def test_every_error_survives_the_trip_between_processes(kind):
    error = kind("a detail", "a_code", (FieldError("field", "message"),))

    back = pickle.loads(pickle.dumps(error))

    assert type(back) is kind
    assert (back.detail, back.code, back.errors, back.status) == (
        error.detail,
        error.code,
        error.errors,
        error.status,
    )
