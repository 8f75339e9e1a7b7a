"""What every synthesizer is: fit, sample, save, load. And which there are."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.domain.chunks import chunks
from synthgen_ray.domain.columns import Column, LearnedColumn, check_trainable
from synthgen_ray.domain.conditions import by_text, category_named, check_conditions
from synthgen_ray.domain.errors import InvalidRequest, InvalidTable, corrupt_model
from synthgen_ray.domain.params import Condition, ModelType, TrainParams
from synthgen_ray.domain.validation import parse_train_params
from synthgen_ray.domain.widths import CHUNK_BYTES, names_width, widest_row
from synthgen_ray.synthesizers.asked import as_json, asked_of_sample, whole
from synthgen_ray.synthesizers.codec import Cells, CodecOptions, LearntCodec, TableCodec
from synthgen_ray.synthesizers.columns import checks
from synthgen_ray.synthesizers.columns.category import CategoryCodec, CategoryTarget
from synthgen_ray.synthesizers.columns.constant import ConstantCodec
from synthgen_ray.synthesizers.columns.number import NumberCodec, NumberTarget
from synthgen_ray.synthesizers.frames import columns_of, taken
from synthgen_ray.synthesizers.holdout import learnt_and_held_out, with_agreed_holdout
from synthgen_ray.synthesizers.model_file import BROKEN, ModelCard, Tensors, read_model, releases, write_model
from synthgen_ray.synthesizers.numerics.blas import spread
from synthgen_ray.synthesizers.numerics.faults import is_lack_of_memory, is_of_the_device
from synthgen_ray.synthesizers.numerics.memory import keep_freed_memory
from synthgen_ray.synthesizers.numerics.streams import CALIBRATE, ENCODE, REFINE, fresh_seed, stream
from synthgen_ray.synthesizers.refining.imputation import conformed, imputed
from synthgen_ray.synthesizers.refining.refinement import SAMPLE_ROWS, Refinement
from synthgen_ray.synthesizers.sampling.shares import rows_between
from synthgen_ray.synthesizers.training.checkpoint import Checkpoints, Losses
from synthgen_ray.synthesizers.training.pace import OnProgress, Pace

if TYPE_CHECKING:
    import pandas as pd

CHUNK_ROWS = 10_000
ROWS_WITH = 100  # a number of a nearly empty column, for its few bins
PART_BEFORE_REFINEMENT = 0.7  # of a limited time
REFINEMENT = "refinement."  # before the names of its tensors

# Each in the file that has the name of its type, which is imported when it is asked for.
CLASSES = {
    ModelType.CTGAN: "CTGAN",
    ModelType.COPULAGAN: "CopulaGAN",
    ModelType.TVAE: "TVAE",
    ModelType.GAUSSIAN_COPULA: "GaussianCopula",
}

Target = CategoryTarget | NumberTarget
Targets = Mapping[str, Target]
Conditions = Mapping[str, Condition]
Distribution = Mapping[str, Mapping[str, float]]


class Synthesizer(ABC):
    """Learns a table, then writes rows like it. The options are those of the model type's `config` in REST, and are
    checked as there. Raises: InvalidRequest.
    """

    model_type: ClassVar[ModelType]
    maps: ClassVar[frozenset[str]]  # what numbers are turned into: "modes", "marginal"
    work_before_refinement: ClassVar[float]  # as part of a refined fit's, about: what progress says
    sweeps: ClassVar[int] = 1  # of refined rows

    def __init__(self, **options: Any) -> None:
        self._asked: TrainParams = parse_train_params(self.model_type, as_json(options))
        self.params = self._asked  # after a fit, what was agreed on where they leave it open
        self.chunk_rows = CHUNK_ROWS
        self._columns: tuple[Column, ...] = ()
        self._codec: TableCodec | None = None
        self._refinement: Refinement | None = None
        self._trained_rows = 0
        self.losses: Losses = {}  # of the last fit, with what was before the checkpoint that it went on from

    def fit(
        self,
        table: "pa.Table | pd.DataFrame",
        columns: Sequence[Column] | None = None,
        on_progress: OnProgress | None = None,
        checkpoints: Checkpoints | None = None,
    ) -> Self:
        """Learn the table. `columns` say what some or all of its columns are; of the others that is inferred, and text
        that is dates is learnt as dates and comes back as it was written. What `on_progress` or `checkpoints` raises
        passes through and ends the training. A fit that fails leaves no model, that of an earlier fit neither.

        With the same table, options and seed, a training that goes on from a checkpoint makes the same model, byte for
        byte, as one that was never interrupted; on a GPU nearly the same, for its sums have no fixed order.
        Raises: InvalidTable; InvalidRequest, for a batch that its workers cannot share; JobError, when the training
        diverges; WorkerLost, where one of several workers is gone.
        """
        keep_freed_memory()
        self._forget("_dependencies")  # of an earlier fit
        try:
            table = taken(table)
            checks.check_schema(table.schema)
            first_part = self.work_before_refinement if self._is_refined else 1.0
            pace = Pace(on_progress, self.params.max_training_seconds, checkpoints, first_part)
            pace.say(0.0, "learning the columns")
            self._columns = columns_of(table, columns or ())
            seed = self._agreed_seed()
            self.params = with_agreed_holdout(self._asked, table.num_rows)
            check_trainable(table.num_rows, self.params.holdout_fraction)
            train, _ = learnt_and_held_out(table, self.params)
            rng = stream(seed, ENCODE)
            self._codec = TableCodec.learn(train, table, self._columns, self._codec_options, rng, pace.breathe)
            if len(self._codec.learnt) == len(self._codec.gaps):
                detail = (
                    "No column holds anything to learn: all are ids, constants or text, of which none is categorical."
                )
                raise InvalidTable(detail, "no_usable_columns")
            self._trained_rows = train.num_rows
            self.chunk_rows = rows_of_a_chunk(self.learned_columns, table.column_names)
            with pace.part(PART_BEFORE_REFINEMENT if self._is_refined and len(self._codec.learnt) > 1 else 1.0):
                self._learn(train, seed, pace)
            self.losses = pace.losses
            self._refinement = self._learn_refinement(train, seed, pace)
            pace.say(1.0, "trained")
        except BaseException:  # parts of it, beside parts of an earlier one, would draw rows together
            self._codec, self._columns, self.params = None, (), self._asked
            raise
        return self

    def sample(
        self,
        num_rows: int,
        seed: int | None = None,
        conditions: Mapping[str, Any] | None = None,
        distribution: Distribution | None = None,
    ) -> pa.Table:
        """`num_rows` new rows, with the columns, order and types of the table that was learnt. The same `seed` gives
        the same rows; without one they are others each time.

        All rows obey the `conditions`: of each column that they name a value, a list of values, None for a missing
        one, or a range {"min": low, "max": high} with both ends in it, of which either may be left out. Dates and
        times are ISO 8601. `distribution` sets the shares of one column's values: {"income": {">50K": 0.5, "<=50K":
        0.5}}.
        Raises: InvalidRequest, of a synthesizer that is not fitted too; JobError, if no row can obey.
        """
        num_rows = whole(num_rows, "num_rows")
        asked = asked_of_sample(num_rows, seed, conditions, distribution)
        check_conditions(asked.conditions, asked.distribution, self.learned_columns)
        agreed = fresh_seed() if asked.seed is None else asked.seed

        def draw(chunk: tuple[int, int]) -> pa.Table:
            return self.sample_chunk(*chunk, agreed, asked.conditions, asked.distribution)

        return pa.concat_tables(spread(draw, list(chunks(num_rows, self.chunk_rows)) or [(0, 0)]))

    def sample_chunk(
        self,
        index: int,
        num_rows: int,
        seed: int,
        conditions: Conditions | None = None,
        distribution: Distribution | None = None,
    ) -> pa.Table:
        """Chunk `index` of a job, up to `chunk_rows` rows: the same bytes for the same arguments, whatever was drawn
        before or beside. The rows of a sample are its chunks in order.

        Raises: ValueError, for more rows; JobError, if no row can obey.
        """
        if not 0 <= num_rows <= self.chunk_rows:
            raise ValueError(f"a chunk has at most {self.chunk_rows} rows")
        targets = self._targets(conditions or {})
        rng = stream(seed, index, 0)
        pieces = [
            self.codec.written(self._refined(rows, targets | part, rng), rng, conditions or ())
            for rows, part in self._split(index * self.chunk_rows, num_rows, distribution or {})
            if rows
        ]
        order = pa.array(rng.permutation(num_rows)) if len(pieces) > 1 else None
        learnt = {} if pieces else self.codec.written(self._draw(0, {}, rng), rng)
        for name in pieces[0] if pieces else ():
            joined = pa.concat_arrays([piece[name] for piece in pieces])
            learnt[name] = joined if order is None else joined.take(order)
        return self.codec.table(learnt, num_rows, index * self.chunk_rows, seed)

    def impute(self, table: "pa.Table | pd.DataFrame", seed: int | None = None) -> pa.Table:
        """The table with its missing cells drawn, each given the other cells of its row; what is there stays.

        Of the columns that were learnt, that is: missing ids and free texts stay missing. Columns that the model does
        not know stay as they are. A cell is drawn, not guessed: several seeds show how uncertain it is.
        Raises: InvalidTable, when a column that was learnt is missing or has another type; InvalidRequest.
        """
        given = conformed(taken(table), self.codec, self._columns)
        asked = asked_of_sample(given.num_rows, seed)
        agreed = fresh_seed() if asked.seed is None else asked.seed
        _ = self._dependencies  # once, before threads ask for it

        def fill(chunk: tuple[int, int]) -> pa.Table:
            index, num_rows = chunk
            return self.impute_chunk(index, given.slice(index * self.chunk_rows, num_rows), agreed)

        filled = list(spread(fill, chunks(given.num_rows, self.chunk_rows)))
        return pa.concat_tables(filled).cast(given.schema) if filled else given  # a field may say that it has no nulls

    def impute_chunk(self, index: int, rows: pa.Table, seed: int) -> pa.Table:
        """Chunk `index` of a table that is conformed: the same bytes for the same arguments."""
        return imputed(rows, self.codec, self._dependencies, stream(seed, index, 1))

    def obeying(self, table: pa.Table, conditions: Conditions) -> pa.Table:
        """The rows of a table like the one that was learnt that are by themselves as the conditions of a sample ask.

        Raises: KeyError, for a column that the table lacks.
        """
        obeys = np.ones(table.num_rows, dtype=bool)
        for codec in self.codec.columns:
            if codec.name in conditions and isinstance(codec, LearntCodec | ConstantCodec):
                obeys &= codec.obeys(table[codec.name], conditions[codec.name])
        return table.filter(pa.array(obeys))

    def save(self, path: Path | str) -> None:
        """Write the model as one file, the same bytes for the same model. What was there stays until it is whole.

        Raises: InvalidRequest, when it is not fitted; JobError, for a model that is too large to be loaded; OSError.
        """
        card = ModelCard(
            model_type=self.model_type,
            config=self.params.model_dump(mode="json"),
            columns=tuple(map(_as_learnt, self._columns, self.learned_columns)),
            chunk_rows=self.chunk_rows,
            rows=self._trained_rows,
            libraries=releases(),
            codec=self.codec,
            refinement=self._refinement.card if self._refinement else None,
        )
        more = self._refinement.tensors() if self._refinement else {}
        write_model(Path(path), card, self._tensors() | {f"{REFINEMENT}{name}": more[name] for name in more})

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the table it was trained on, in order; a loaded model knows no counts of them."""
        return self._columns

    @property
    def learned_columns(self) -> tuple[LearnedColumn, ...]:
        """What may be asked for in each column."""
        return self.codec.learned_columns

    @property
    def codec(self) -> TableCodec:
        if self._codec is None:
            raise InvalidRequest("The synthesizer is not fitted: call fit first.", "not_fitted")
        return self._codec

    @classmethod
    def from_file(cls, card: ModelCard, tensors: Tensors) -> Self:
        """Raises: JobError, if the parts are not those of this type."""
        keep_freed_memory()
        if any(codec.maps != cls.maps for codec in card.codec.numbers):
            raise corrupt_model("a column of numbers lacks what its type draws them from, or has more")
        model = cls(**card.config)
        model._columns, model._codec = card.columns, card.codec
        model.chunk_rows, model._trained_rows = card.chunk_rows, card.rows
        more = {name: tensors.pop(name) for name in list(tensors) if card.refinement and name.startswith(REFINEMENT)}
        model._restore(tensors)
        if card.refinement:
            weights = {name.removeprefix(REFINEMENT): tensor for name, tensor in more.items()}
            model._refinement = Refinement.restore(card.codec.learnt, card.refinement, weights)
        return model

    @abstractmethod
    def _learn(self, table: pa.Table, seed: int, pace: Pace) -> None:
        """Fit what stands behind the codec."""

    @abstractmethod
    def _draw(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> dict[str, Cells]:
        """The learnt columns of new rows that all meet the targets, by name."""

    @abstractmethod
    def _tensors(self) -> Tensors:
        """The weights, by name."""

    @abstractmethod
    def _restore(self, tensors: Tensors) -> None:
        """Take the weights back. Raises: JobError, if they are not exactly those of this model."""

    @property
    def _is_refined(self) -> bool:
        return self.params.refine

    @property
    def _is_calibrated(self) -> bool:
        return True

    @property
    def _is_quantized(self) -> bool:
        return False

    def _learn_refinement(self, table: pa.Table, seed: int, pace: Pace) -> Refinement | None:
        if not self._is_refined or len(self.codec.learnt) < 2:
            return None
        learnt, k, quantize = self.codec.learnt, self.params.min_category_count, self._is_quantized
        refinement = Refinement.learn(learnt, table, k, seed, pace, quantize=quantize, sweeps=self.sweeps)
        if refinement is not None and self._is_calibrated:
            pace.breathe()
            rng = stream(seed, CALIBRATE, 1)
            refinement.calibrate(table, self._draw(SAMPLE_ROWS, {}, rng), rng)
        return refinement

    @cached_property
    def _dependencies(self) -> Refinement:
        """What columns say of each other: where no refinement tells, as rows of the model's own show it."""
        if self._refinement:
            return self._refinement
        learnt, k = self.codec.learnt, self.params.min_category_count

        def draw(chunk: tuple[int, int]) -> pa.Table:
            index, num_rows = chunk
            rng = stream(0, index, 0)
            return self._only_learnt(self._refined(num_rows, {}, rng), rng)

        rows = pa.concat_tables(spread(draw, chunks(SAMPLE_ROWS, self.chunk_rows)))
        rare = [codec for codec in self.codec.numbers if len(codec.plain(codec.column_of(rows)).drop_null()) < k]
        rows = pa.concat_tables([rows, *map(self._rows_with, rare)])
        return Refinement.learn(learnt, rows, k, 0, Pace(None, None)) or Refinement.of_frequencies(learnt, rows, k, 0)

    def _rows_with(self, codec: NumberCodec) -> pa.Table:
        """Some rows that hold a number of a column that is nearly empty, which a sample of all rows may lack."""
        first, last = np.array(codec.form.between(None, None), dtype=codec.form.exact)[:, None]
        rng = stream(0, REFINE, 3, self.codec.learnt.index(codec))
        target = NumberTarget(first, last, null=False)
        return self._only_learnt(self._draw(ROWS_WITH, {codec.name: target}, rng), rng)

    def _only_learnt(self, drawn: dict[str, Cells], rng: np.random.Generator) -> pa.Table:
        """Without what is made afresh, which may be long; of that only which cells are missing."""
        gaps = {gap.name for gap in self.codec.gaps}
        return pa.table(
            {
                name: pc.if_else(array, None, True) if name in gaps else array
                for name, array in self.codec.written(drawn, rng).items()
            }
        )

    def _refined(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> dict[str, Cells]:
        drawn = self._draw(num_rows, targets, rng)
        return self._refinement.refined(drawn, targets, rng) if self._refinement else drawn

    @property
    def _codec_options(self) -> CodecOptions:
        return CodecOptions(self.params.min_category_count, self.params.max_categories, self.maps)

    def _forget(self, *cached: str) -> None:
        """Find these cached properties anew: what they follow from has changed."""
        for name in cached:
            self.__dict__.pop(name, None)

    def _agreed_seed(self) -> int:
        return fresh_seed() if self.params.seed is None else self.params.seed

    def _targets(self, conditions: Conditions) -> dict[str, Target]:
        learnt = {codec.name: codec for codec in self.codec.learnt}
        targets = {name: learnt[name].target(condition) for name, condition in conditions.items() if name in learnt}
        return targets | self.codec.timeline.targets(targets)

    def _split(self, start: int, num_rows: int, distribution: Distribution) -> Iterator[tuple[int, dict[str, Target]]]:
        """Rows and targets of each share of a distribution, in the chunk of a job that begins there."""
        for name, shares in distribution.items():
            codec = next(codec for codec in self.codec.columns if codec.name == name)
            if not isinstance(codec, CategoryCodec):  # a constant, whose one value has all rows
                continue
            known = by_text(codec.values + codec.tail)
            counts = rows_between(start, start + num_rows, list(shares.values()))
            for key, rows in zip(shares, counts, strict=True):
                yield rows, {name: codec.target(category_named(key, known))}
            return
        yield num_rows, {}


def create(model_type: ModelType, config: Mapping[str, Any]) -> Synthesizer:
    """An untrained synthesizer of that type. Raises: InvalidRequest."""
    return synthesizer_class(model_type)(**config)


def load(path: Path | str) -> Synthesizer:
    """The model in a file. Its options are those of its training, the share of rows that was held out among them: so
    much is held out again where it is fitted anew.

    Raises: OSError, for no file, or a disk that is away; MemoryError, of a GPU too; JobError with the code
    "model_corrupt", for anything but a sound model file.
    """
    card, tensors = read_model(Path(path))
    try:
        model = synthesizer_class(card.model_type).from_file(card, tensors)
        model.sample_chunk(0, 1, 0)  # what can be made of a file is known once it was done
        _ = model.learned_columns
        return model
    except (InvalidRequest, *BROKEN) as error:
        if is_lack_of_memory(error):
            raise MemoryError from error
        if is_of_the_device(error):
            raise
        raise corrupt_model("its parts do not fit together") from error


def rows_of_a_chunk(learned: Sequence[LearnedColumn], names: Sequence[str]) -> int:
    """How many a model of these columns draws at a time: of long rows fewer."""
    return max(1, min(CHUNK_ROWS, CHUNK_BYTES // (widest_row(learned) + names_width(names))))


def synthesizer_class(model_type: ModelType) -> type[Synthesizer]:
    module = import_module(f"synthgen_ray.synthesizers.{model_type}")
    found: type[Synthesizer] = getattr(module, CLASSES[model_type])
    return found


def _as_learnt(column: Column, learned: LearnedColumn) -> Column:
    """As a file may say it: how many values differ tells of those that fewer than k rows have, and that one is null."""
    return replace(column, nullable=learned.nullable, unique=False, cardinality=0)
