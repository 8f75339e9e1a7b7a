"""Numbers and moments that only tell rows apart: new ones, unique over a whole job, none from the table."""

from typing import Any, Literal, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from synthgen_ray.domain.columns import ColumnKind, LearnedColumn
from synthgen_ray.domain.errors import InvalidTable, JobError
from synthgen_ray.synthesizers.columns import arrow
from synthgen_ray.synthesizers.columns.permutation import permute
from synthgen_ray.synthesizers.columns.seen import Seen
from synthgen_ray.synthesizers.columns.stored import Kind, NumberTypeName, Share, Stored
from synthgen_ray.synthesizers.columns.whole import divisor_of

ROUND = 10  # ids of which the last may be the table's last
MOST_GAP = 10  # steps between the ids at the end of a run
MOST_STEPS = 0.9  # are alike in a sequence with gaps
MOST_IDS = 1 << 64
WIDER = "learn it in a wider type, int64 for example, or as a category"
DAY_S = 86_400
DIGITS = {16: 11, 32: 24, 64: 53}  # of two, of floats of so many bits
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class NumberIds(Stored):
    """Ids that run from `start` by `step`, `room` of them, counted in units: 1, but for floats too large for ones."""

    name: str
    column_kind: Kind = ColumnKind.ID
    arrow_type: NumberTypeName
    start: int = Field(ge=-(2**66), lt=2**66)
    step: int = Field(gt=-(2**65), lt=2**65)
    room: int = Field(ge=0, lt=2**66)
    unit: int = Field(default=1, ge=1, lt=2**63, exclude_if=lambda unit: unit == 1)  # files of before have none
    null_share: Share

    @model_validator(mode="after")
    def _fits_its_type(self) -> Self:
        last = self.start + self.step * (self.room - 1)
        if self.room:
            self._check(min(self.start, last), max(self.start, last))
        return self

    def _check(self, low: int, high: int) -> None:
        least, most = _limits(arrow.value_type(arrow.type_of(self.arrow_type)), self.unit)
        if not least <= low <= high <= most:
            raise ValueError("ids leave their type")

    @property
    def learned(self) -> LearnedColumn:
        return LearnedColumn(self.name, ColumnKind.ID, self.null_share > 0)

    def _next(self, rows: np.ndarray) -> np.ndarray:
        """The ids at these places of the run, modulo 2**64."""
        if len(rows) and int(rows.max()) >= self.room:
            detail = (
                f"Column {self.name!r}: its type {self.arrow_type} holds no further ids, but for {self.room}; {WIDER}."
            )
            raise JobError(detail, "ids_exhausted")
        return _modular(self.start) + _modular(self.step) * rows.astype(np.uint64)

    def _written(self, ids: np.ndarray, rng: np.random.Generator) -> pa.Array:
        type_ = arrow.type_of(self.arrow_type)
        values = arrow.value_type(type_)
        ids = ids * np.uint64(self.unit)
        ids = ids if values == pa.uint64() else ids.view(np.int64)
        null = rng.random(len(ids)) < self.null_share
        if arrow.is_integral(values):
            array = arrow.of_integers(ids, values, null)
        else:
            array = pa.array(ids, mask=null).cast(pa.string()).cast(values)
        return arrow.as_type(array, type_)


class SequenceCodec(NumberIds):
    """Ids that ran up by steps: they go on above the table's largest, or below its smallest if only there is room.

    They start at a round number, so that the file does not name the table's last id; where that is far from the others,
    and so somebody's own, at one that has its leading digit.
    """

    kind: Literal["sequence"] = "sequence"

    @classmethod
    def learn(
        cls, name: str, type_: pa.DataType, rising: np.ndarray, unit: int, null_share: float, step: int, k: int
    ) -> Self:
        low, high, few = int(rising[0]), int(rising[-1]), min(k, len(rising))
        run = _run_beyond(name, type_, unit, low, high, step, high % step)
        if max(high - int(rising[-few]), int(rising[few - 1]) - low) > MOST_GAP * few * step:
            rest, limits = int(rising[len(rising) // 2]) % step, _limits(arrow.value_type(type_), unit)
            for digits in range(len(str(high - low)) - 1, 0, -1):
                ends = _rounded_outwards(low, high, 10**digits, limits)
                rounded = _run_beyond(name, type_, unit, *ends, step, rest)
                if rounded["step"] == run["step"] and 2 * rounded["room"] >= run["room"]:
                    run = rounded
                    break
        if not run["room"]:
            detail = f"Column {name!r}: its ids leave no room for new ones in the type {type_}; {WIDER}."
            raise InvalidTable(detail, "ids_exhausted")
        return cls(**run, null_share=null_share)

    def make(self, rows: np.ndarray, key: int, rng: np.random.Generator) -> pa.Array:  # noqa: ARG002 - made like the others
        return self._written(self._next(rows), rng)


class ScatteredCodec(NumberIds):
    """Ids without an order: `size` of them from `lowest` on, in the order of a keyed permutation.

    A row looks at a few places, as a code does; if all those ids are in the table, or there are fewer ids than rows,
    it takes one of a sequence beyond.
    """

    kind: Literal["scattered"] = "scattered"
    lowest: int = Field(ge=-(2**63), lt=2**64)
    size: int = Field(ge=1, le=MOST_IDS)
    seen: Seen

    @model_validator(mode="after")
    def _ids_fit_too(self) -> Self:
        self._check(self.lowest, self.lowest + self.size - 1)
        return self

    @classmethod
    def learn(
        cls,
        name: str,
        type_: pa.DataType,
        rising: np.ndarray,
        unit: int,
        null_share: float,
        rng: np.random.Generator,
        k: int,
    ) -> Self:
        limits = _limits(arrow.value_type(type_), unit)
        low, high = int(rising[0]), int(rising[-1])
        if len(rising) < k:  # where so few are would nearly tell each
            low, high = min(low, 0), max(high, 0)
        low, high = _rounded_outwards(low, high, 10 ** max(len(str(high - low)) - 1, 1), limits)
        return cls(
            **_run_beyond(name, type_, unit, low, high, 1, 0),
            null_share=null_share,
            lowest=low,
            size=min(high - low + 1, MOST_IDS),
            seen=Seen.nothing(rng),
        )

    def to_avoid(self, column: pa.ChunkedArray) -> pa.Array:
        ids = _whole(self.name, arrow.plain(column)) // self.unit  # what is no multiple is never made
        return pa.array(ids.view(np.uint64)).cast(pa.string())

    def make(self, rows: np.ndarray, key: int, rng: np.random.Generator) -> pa.Array:
        ids = np.zeros(len(rows), dtype=np.uint64)
        open_ = np.arange(len(rows))
        looks = self.seen.looks_in(self.size)
        part = self.size // looks
        for look in range(looks):
            fitting = open_[rows[open_] < part]
            made = _modular(self.lowest) + permute(rows[fitting] + np.uint64(look * part), self.size, key)
            new = ~self.seen.contains(made.astype(str))
            ids[fitting[new]] = made[new]
            open_ = np.setdiff1d(open_, fitting[new], assume_unique=True)
        ids[open_] = self._next(rows[open_])
        return self._written(ids, rng)


def learn_number_ids(
    name: str, column: pa.ChunkedArray, null_share: float, rng: np.random.Generator, k: int
) -> SequenceCodec | ScatteredCodec:
    """Raises: InvalidTable, for ids that do not fit in 64 bits, or leave none of their type."""
    ids = _whole(name, arrow.plain(column))
    unit = _unit(arrow.value_type(column.type), max(int(ids.max()), -int(ids.min())))
    rising = np.unique(ids // unit)
    step = _step(rising)
    if step:
        return SequenceCodec.learn(name, column.type, rising, unit, null_share, step, k)
    return ScatteredCodec.learn(name, column.type, rising, unit, null_share, rng, k)


def _step(rising: np.ndarray) -> int | None:
    """By how much the ids run up, if they do: they fill most of a grid, or most of their steps are alike.

    One id does not, nor do two that are alone, which any step fits, unless nothing is between them: step and start
    would tell them.
    """
    steps, counts = np.unique(np.diff(rising.view(np.uint64)), return_counts=True)
    if len(rising) == 1 or (len(rising) == 2 and steps[0] > 1):
        return None
    grid = divisor_of(steps)
    if sum((steps * counts).tolist()) < 2 * grid * counts.sum():
        return grid
    return int(steps[counts.argmax()]) if counts.max() >= MOST_STEPS * counts.sum() else None


def _run_beyond(name: str, type_: pa.DataType, unit: int, low: int, high: int, step: int, rest: int) -> dict[str, Any]:
    """The fields of a codec whose ids go on where those of the table, from `low` to `high`, end: on the grid of a step
    from this rest on."""
    start, step, room = _continued(low, high, step, rest, _limits(arrow.value_type(type_), unit))
    return {
        "name": name,
        "arrow_type": str(arrow.for_fresh(type_)),
        "start": start,
        "step": step,
        "room": room,
        "unit": unit,
    }


def _continued(low: int, high: int, step: int, rest: int, limits: tuple[int, int]) -> tuple[int, int, int]:
    """Where ids from `low` to `high` go on, by which step, and how many there are."""
    least, most = limits
    if 2 * (most - high) >= min(low - least, step << 31):
        start = ((high - rest) // step // ROUND + 1) * ROUND * step + rest
        return start, step, max((most - start) // step + 1, 0)
    start = (-(-(low - rest) // step // ROUND) - 1) * ROUND * step + rest
    return start, -step, max((start - least) // step + 1, 0)


def _rounded_outwards(low: int, high: int, tens: int, limits: tuple[int, int]) -> tuple[int, int]:
    """To tens, hundreds or more, by which nobody's id is told; what is positive stays so."""
    least = max(low // tens * tens, 1) if low > 0 else low // tens * tens
    return max(least, limits[0]), min((high // tens + 1) * tens - 1, limits[1])


def _whole(name: str, array: pa.Array) -> np.ndarray:
    """The ids without nulls and fractions, int64 or uint64."""
    present = array.drop_null()
    if not arrow.is_integral(array.type):
        floats = present.cast(pa.float64())
        if pc.max(pc.abs(floats)).as_py() >= 2.0**63:
            raise InvalidTable(f"Column {name!r} holds ids that do not fit in 64 bits.", "integer_out_of_range")
        present = (present if pa.types.is_decimal(array.type) else floats).cast(pa.int64(), safe=False)
    return arrow.integers(present)


def _unit(type_: pa.DataType, largest: int) -> int:
    """By how much floats around this number differ: 1, unless it has more digits than they do."""
    if not pa.types.is_floating(type_):
        return 1
    return 1 << max((largest - 1).bit_length() - DIGITS[type_.bit_width], 0)


def _limits(type_: pa.DataType, unit: int) -> tuple[int, int]:
    if pa.types.is_floating(type_):
        largest = min(2**63 - 1, int(np.finfo(f"f{type_.bit_width // 8}").max))
        most = min(2 ** DIGITS[type_.bit_width], largest // unit)
        return -most, most
    if pa.types.is_decimal(type_):
        most = min(10 ** (type_.precision - max(type_.scale, 0)), 2**63) - 1
        return -most, most
    if pa.types.is_time(type_):
        return 0, DAY_S * PER_SECOND[type_.unit] - 1
    bits = type_.bit_width
    return (0, 2**bits - 1) if pa.types.is_unsigned_integer(type_) else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


def _modular(value: int) -> np.uint64:
    return np.uint64(value % 2**64)
