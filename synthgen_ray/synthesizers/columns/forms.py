"""How a column writes its numbers: type, grid and range. Exact on the way back, float64 in between."""

from typing import Annotated

import numpy as np
import pyarrow as pa
from pydantic import Field

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.calendar import CalendarForm
from synthgen_ray.synthesizers.columns.marked import MarkedForm, Plain, marked
from synthgen_ray.synthesizers.columns.moments import is_moment
from synthgen_ray.synthesizers.columns.real import FloatForm
from synthgen_ray.synthesizers.columns.whole import (
    EXACT,
    IntegerForm,
    IslandsForm,
    as_unsigned,
    distinct,
    learn_whole,
    of_unsigned,
)

Form = Annotated[IntegerForm | IslandsForm | CalendarForm | FloatForm | MarkedForm, Field(discriminator="form")]


def in_order(array: pa.Array) -> np.ndarray | None:
    """Whole numbers and moments, unsigned and rising, (N,): sorted once for all that is learnt of them. `None` of other
    numbers."""
    return np.sort(as_unsigned(array)) if arrow.is_integral(array.type) else None


def learn_form(array: pa.Array, k: int, least_step: int = 1, ordered: np.ndarray | None = None) -> Form:
    """From rows none of which is null, by the resolution that they are known to have. `ordered` is what `in_order` says
    of them, for whoever has it."""
    ordered = in_order(array) if ordered is None else ordered
    form = _learn(array, ordered, k, least_step)
    is_marker, markers = marked(array, ordered, form, k)
    if len(markers) == 0:
        return form
    rest = array.filter(pa.array(~is_marker))
    others = _learn(rest, in_order(rest), k, least_step)
    if isinstance(others, IslandsForm) or not _tells_more(others, form):
        return form
    return MarkedForm.beside(others, markers)


def counted(form: Form, array: pa.Array, ordered: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The rising distinct numbers that a form tells of the rows, and how many of them hold each, (V,)."""
    if ordered is None:
        return np.unique(form.forward(array), return_counts=True)
    values, counts = distinct(ordered)
    numbers = np.repeat(form.forward(of_unsigned(values, str(array.type))), counts)
    return distinct(np.sort(numbers, kind="stable"))  # quick, as they are in order but where clocks were set back


def _learn(array: pa.Array, ordered: np.ndarray | None, k: int, least_step: int) -> Plain:
    if ordered is None:
        return FloatForm.learn(array, k)
    form = learn_whole(array, ordered, k, least_step)
    if isinstance(form, IntegerForm) and is_moment(array.type):
        return CalendarForm.learn(form, array, k) or form
    return form


def _tells_more(form: IntegerForm | CalendarForm | FloatForm, than: Plain) -> bool:
    """Whether it is of a calendar, or of a coarser grid that floats can count."""
    if isinstance(form, IntegerForm) and form.steps > EXACT:
        return False
    return isinstance(form, CalendarForm) or _step(form) > _step(than)


def _step(form: Plain) -> float:
    if isinstance(form, IntegerForm):
        return form.clock.step if form.clock else form.step
    return form.rounding if isinstance(form, FloatForm) else 1.0


def plain_form(form: Form) -> Plain:
    """The form of all values but markers."""
    return form.others if isinstance(form, MarkedForm) else form


def grid_of(form: Form) -> IntegerForm | None:
    """The grid of all values but markers, if there is one."""
    plain = plain_form(form)
    grid = plain.grid if isinstance(plain, CalendarForm) else plain
    return grid if isinstance(grid, IntegerForm) else None
