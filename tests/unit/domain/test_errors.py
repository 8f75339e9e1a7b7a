import inspect
import pickle

import pytest

from synthgen_ray.domain import errors
from synthgen_ray.domain.errors import FieldError, SynthGenError, frames_of

TREE = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, SynthGenError)]


@pytest.mark.parametrize("kind", TREE)
def test_every_error_survives_the_trip_between_processes(kind):
    error = kind("a detail", "a_code", (FieldError("field", "message"),))

    back = pickle.loads(pickle.dumps(error))

    assert type(back) is kind
    assert str(back) == "a detail"
    assert (back.detail, back.code, back.errors, back.status) == (
        error.detail,
        error.code,
        error.errors,
        error.status,
    )


def test_a_log_line_says_where_an_error_came_from_and_not_what_it_repeats():
    try:
        int("secret-cell")
    except ValueError as error:
        shown = frames_of(error)

    assert shown.startswith("ValueError\n")
    assert "test_errors.py" in shown
    assert "secret-cell" not in shown
