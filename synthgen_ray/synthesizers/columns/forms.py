"""How a column writes its numbers: type, grid and range. Exact on the way back, float64 in between."""

from typing import Annotated

import pyarrow as pa
from pydantic import Field

from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.calendar import CalendarForm
from synthgen_ray.synthesizers.columns.marked import MarkedForm, Plain, marked
from synthgen_ray.synthesizers.columns.moments import is_moment
from synthgen_ray.synthesizers.columns.real import FloatForm
from synthgen_ray.synthesizers.columns.whole import EXACT, IntegerForm, IslandsForm, learn_whole

Form = Annotated[IntegerForm | IslandsForm | CalendarForm | FloatForm | MarkedForm, Field(discriminator="form")]


def learn_form(array: pa.Array, k: int, least_step: int = 1) -> Form:
    form = _learn(array, k, least_step)
    is_marker, markers = marked(array, form, k)
    if len(markers) == 0:
        return form
    others = _learn(array.filter(pa.array(~is_marker)), k, least_step)
    if isinstance(others, IslandsForm) or not _tells_more(others, form):
        return form
    return MarkedForm.beside(others, markers)


def _learn(array: pa.Array, k: int, least_step: int) -> Plain:
    if not arrow.is_integral(array.type):
        return FloatForm.learn(array, k)
    form = learn_whole(array, k, least_step)
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
