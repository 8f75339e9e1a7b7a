"""Refinement: drawn rows come closer to the table's joint distribution, each cell redrawn given the rest of its row.

A sweep of a Gibbs sampler that starts from what a model drew: column after column, the chances of its codes given all
other columns come from a dependency network. With the true chances a sweep can only shrink the distance to the table's
distribution. No row is rejected, asked cells stay, and a sweep costs about as much as a network takes to draw the row.
After one of them a row that contradicted itself may do so still: where a model draws many such, as a copula does, there
are two.
A sweep's biases are set while a large sample is swept, so that every column's codes end as frequent as in the table.
A column that comes no closer to the table by it is left as it was drawn: see `closeness`.
Gaps of real rows are drawn with the biases that were learnt: the others make up for what the model's rows lack.
Sources: Geman & Geman 1984 (the sampler); Heckerman et al. 2000 (with learnt conditionals, in a fixed order).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self, cast

import numpy as np
import pyarrow as pa

from synthgen_ray.domain.errors import corrupt_model
from synthgen_ray.synthesizers.codec import Cells, LearntCodec
from synthgen_ray.synthesizers.columns.bins import Bins
from synthgen_ray.synthesizers.columns.category import CategoryCells, CategoryCodec
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec
from synthgen_ray.synthesizers.model_file import RefinementCard, Tensors, check_tensors
from synthgen_ray.synthesizers.numerics.blas import one_blas_thread
from synthgen_ray.synthesizers.numerics.streams import REFINE, stream
from synthgen_ray.synthesizers.refining.asked import Allowed, Target, allowed_in
from synthgen_ray.synthesizers.refining.closeness import closer
from synthgen_ray.synthesizers.refining.conditionals import Conditionals, FloatConditionals, Rows, most_said
from synthgen_ray.synthesizers.refining.weights import DependencyWeights
from synthgen_ray.synthesizers.sampling.categorical import draw_codes, offsets, weights_of
from synthgen_ray.synthesizers.training.pace import Pace

# Swept together. Fewer would fit in a core's own cache and are no faster, and with more and shorter calls several
# threads wait for the interpreter.
BLOCK_ROWS = 5000
SWEEPS_BEFORE = 4  # of rows under conditions; more bring little
SAMPLE_ROWS = 20_000  # that the biases are set on
MOST_LOGITS = 20_000_000  # held at once
STEP_ROWS = 2000  # that tell how large a hidden unit's step must be
LEARNT_BIAS, STEPS, EARLIER_BIAS = "learnt_bias", "steps", "earlier_bias"  # tensors' names


class Refinement:
    def __init__(
        self,
        columns: Sequence[LearntCodec],
        card: RefinementCard,
        weights: DependencyWeights,
        learnt_bias: np.ndarray | None = None,
        step_H: np.ndarray | None = None,
        earlier_bias: np.ndarray | None = None,
    ) -> None:
        """`learnt_bias` is the network's (D,), if its own was set on the model's rows since: that of the last sweep;
        `earlier_bias` (sweeps - 1, D) is that of the others. With `step_H`, those of its hidden units, it refines by
        whole numbers."""
        self.card, self._columns = card, tuple(columns)
        self._widths = widths(columns, card)
        self._floats = FloatConditionals(weights, self._widths)
        self._conditionals: Conditionals = self._floats
        if step_H is not None:  # of no copula, which needs no torch
            from synthgen_ray.synthesizers.refining.quantized import QuantizedConditionals

            self._conditionals = QuantizedConditionals(self._floats, step_H)
        self._step_H = step_H
        ends = np.cumsum(self._widths)[:-1]
        self._learnt_bias = np.split(weights.output_bias if learnt_bias is None else learnt_bias, ends)
        earlier = [weights.output_bias] * (card.sweeps - 1) if earlier_bias is None else earlier_bias
        self._biases = [np.split(bias_D, ends) for bias_D in (*earlier, weights.output_bias)]  # of each sweep
        self._weights = weights

    @classmethod
    def learn(
        cls,
        columns: Sequence[LearntCodec],
        table: pa.Table,
        k: int,
        seed: int,
        pace: Pace,
        *,
        quantize: bool = False,
        sweeps: int = 1,
    ) -> Self | None:
        """`None` if nothing is found that columns say of each other."""
        # Here, because a process that only samples from a copula needs no torch.
        from synthgen_ray.synthesizers.numerics.whole_products import steps
        from synthgen_ray.synthesizers.refining.dependency_network import HIDDEN, learn_dependencies

        pace.say(0.0, "refining")
        real = _cells(columns, table, stream(seed, REFINE, 2))
        card = RefinementCard(bins=_bins(real, k), hidden=HIDDEN, sweeps=sweeps)
        codes_NK, widths_K = _codes(columns, card, real), widths(columns, card)
        weights = learn_dependencies(codes_NK, widths_K, seed, pace)
        if weights is None:
            return None
        if not quantize:
            return cls(columns, card, weights)
        some_NK = codes_NK[:: max(len(codes_NK) // STEP_ROWS, 1)]
        step_H = steps(most_said(weights, widths_K, some_NK.T)).astype(np.float32)
        return cls(columns, card.model_copy(update={"quantized": True}), weights, None, step_H)

    @classmethod
    def of_frequencies(cls, columns: Sequence[LearntCodec], table: pa.Table, k: int, seed: int) -> Self:
        """That of columns which say nothing of each other: each code as frequent as in the table, unseen ones counted
        as half a row."""
        real = _cells(columns, table, stream(seed, REFINE, 2))
        card = RefinementCard(bins=_bins(real, k), hidden=1)
        all_widths = widths(columns, card)
        total = int(all_widths.sum())
        counts = [
            np.bincount(codes, minlength=width) + 0.5
            for codes, width in zip(_codes(columns, card, real).T, all_widths.tolist(), strict=True)
        ]
        weights = DependencyWeights(
            inputs=np.zeros((total + len(columns), 1), dtype=np.float32),
            input_bias=np.zeros(1, dtype=np.float32),
            outputs=np.zeros((total, 1), dtype=np.float32),
            output_bias=np.log(np.concatenate(counts)).astype(np.float32),
        )
        return cls(columns, card, weights)

    def calibrate(self, table: pa.Table, drawn: Mapping[str, Cells], rng: np.random.Generator) -> None:
        """Set the biases: refined as these rows are, every column has the table's frequencies. What comes no closer to
        the table by being redrawn is left as it is drawn."""
        real_NK = _codes(self._columns, self.card, _cells(self._columns, table, rng))
        drawn_BK = _codes(self._columns, self.card, drawn)
        is_closer_K = closer(real_NK, drawn_BK, self._calibrated(real_NK, drawn_BK, rng))
        if is_closer_K.all():
            return
        self.card = self.card.model_copy(update={"left": tuple(np.flatnonzero(~is_closer_K).tolist())})
        self._calibrated(real_NK, drawn_BK, rng)

    def _calibrated(self, real_NK: np.ndarray, drawn_BK: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The rows refined, by sweeps whose biases are set."""
        codes_KB = drawn_BK.T.copy()
        self._biases = [list(self._learnt_bias) for _ in range(self.card.sweeps)]
        with self._conditionals.alone():
            for bias in self._biases:
                self._calibrate_sweep(codes_KB, real_NK, bias, rng)
        return codes_KB.T

    def _calibrate_sweep(
        self, codes_KB: np.ndarray, real_NK: np.ndarray, bias: list[np.ndarray], rng: np.random.Generator
    ) -> None:
        """Write new codes, column after column, once that has its bias."""
        parts = [(codes_PKB, self._conditionals.rows(codes_PKB)) for codes_PKB in _blocks(codes_KB)]
        for place in self._redrawn:
            width = int(self._widths[place])
            for block_KB, rows in parts:
                rows.hide(place, block_KB[place])
            counts = np.bincount(real_NK[:, place], minlength=width)
            enough = parts[: MOST_LOGITS // (width * BLOCK_ROWS) + 1]
            logits_WB = np.hstack([rows.logits(place, bias[place]) for _, rows in enough])
            bias[place] = (bias[place] + offsets(logits_WB, counts / counts.sum())).astype(np.float32)
            chances_KB = rng.random((1, codes_KB.shape[1]), dtype=np.float32)
            for (block_KB, rows), chances_1B in zip(parts, _blocks(chances_KB), strict=True):
                block_KB[place] = _shown(rows, place, bias[place], chances_1B[0])

    @property
    def _redrawn(self) -> list[int]:
        return [place for place in range(len(self._columns)) if place not in self.card.left]

    def refined(
        self, drawn: Mapping[str, Cells], asked: Mapping[str, Target], rng: np.random.Generator
    ) -> dict[str, Cells]:
        """The rows with every cell redrawn but those of columns that are left. Asked cells are redrawn among what may
        be in them, and stay where that is one code.

        Rows that were asked for are swept before that by the chances as they were learnt: how the model's rows are
        under a condition is further from the table than its rows are in all, which alone the biases make up for.
        """
        before_KB = np.ascontiguousarray(_codes(self._columns, self.card, drawn).T)
        allowed = allowed_in(self._columns, self.card.bins, asked)
        free = [place for place in self._redrawn if place in allowed or self._columns[place].name not in asked]
        after_KB = before_KB.copy()
        biases = [*[self._learnt_bias] * SWEEPS_BEFORE, self._biases[-1]] if asked else self._biases
        with self._conditionals.alone():
            for bias in biases:
                self._sweep(after_KB, free, _among(bias, allowed), rng)
        return {
            codec.name: allowed[place].redrawn(drawn[codec.name], before_KB[place], after_KB[place], rng)
            if place in allowed
            else _redrawn(drawn[codec.name], bins, before_KB[place], after_KB[place], rng)
            for place, (codec, bins) in enumerate(zip(self._columns, self.card.bins, strict=True))
        }

    def _sweep(
        self, codes_KB: np.ndarray, free: Sequence[int], bias: Sequence[np.ndarray], rng: np.random.Generator
    ) -> None:
        """Write new codes of these columns, one after the other."""
        chances_KB = rng.random((len(free), codes_KB.shape[1]), dtype=np.float32)
        for block_KB, chances_FB in zip(_blocks(codes_KB), _blocks(chances_KB), strict=True):
            rows = self._conditionals.rows(block_KB)
            for place, chances_B in zip(free, chances_FB, strict=True):
                rows.hide(place, block_KB[place])
                block_KB[place] = _shown(rows, place, bias[place], chances_B)

    @one_blas_thread()
    def filled(
        self,
        known: Mapping[str, Cells],
        missing: Mapping[str, np.ndarray],
        unknown: Mapping[str, np.ndarray],
        rng: np.random.Generator,
    ) -> dict[str, Cells]:
        """The rows with the missing cells (B,) of each column drawn, given the others of their rows; never null, nor
        a stand-in.

        Of unknown cells (B,) nothing is known but that they are there: they stay, and nothing follows from them.
        One column after the other, the cells that are still missing hidden: sweeps after it bring nothing.
        """
        codes_KB = np.ascontiguousarray(_codes(self._columns, self.card, known).T)
        missing_KB = np.array([missing[codec.name] for codec in self._columns])
        hidden_KB = missing_KB | np.array([unknown[codec.name] for codec in self._columns])
        for blocks in zip(_blocks(codes_KB), _blocks(missing_KB), _blocks(hidden_KB), strict=True):
            self._fill(*blocks, rng)
        return {
            codec.name: _filled(known[codec.name], bins, codes_KB[place], missing_KB[place], rng)
            for place, (codec, bins) in enumerate(zip(self._columns, self.card.bins, strict=True))
        }

    def tensors(self) -> Tensors:
        more = {} if self._step_H is None else {STEPS: self._step_H}
        if self.card.sweeps > 1:
            more[EARLIER_BIAS] = np.stack([np.concatenate(bias) for bias in self._biases[:-1]])
        return more | {
            "inputs": self._weights.inputs,
            "input_bias": self._weights.input_bias,
            "outputs": self._weights.outputs,
            "output_bias": np.concatenate(self._biases[-1]),
            LEARNT_BIAS: np.concatenate(self._learnt_bias),
        }

    @classmethod
    def restore(cls, columns: Sequence[LearntCodec], card: RefinementCard, tensors: Tensors) -> Self:
        """Raises: JobError, if card or tensors do not fit the columns."""
        fits = len(card.bins) == len(columns) and all(
            isinstance(codec, NumberCodec) == (bins is not None) for codec, bins in zip(columns, card.bins, strict=True)
        )
        fits = fits and all(place < len(columns) for place in card.left)
        if not fits:
            raise corrupt_model("its refinement is of other columns")
        hidden, total = card.hidden, int(widths(columns, card).sum())
        shapes: dict[str, tuple[int, ...]] = {
            "inputs": (total + len(columns), hidden),
            "input_bias": (hidden,),
            "outputs": (total, hidden),
            "output_bias": (total,),
        }
        more: dict[str, tuple[int, ...]] = {}
        more |= {LEARNT_BIAS: (total,)} if LEARNT_BIAS in tensors else {}  # which earlier files lack
        more |= {STEPS: (hidden,)} if card.quantized else {}
        more |= {EARLIER_BIAS: (card.sweeps - 1, total)} if card.sweeps > 1 else {}
        check_tensors(tensors, {name: (shape, np.dtype(np.float32)) for name, shape in (shapes | more).items()})
        if card.quantized and not (tensors[STEPS] > 0).all():
            raise corrupt_model("a step of its refinement is none")
        weights = DependencyWeights(**{name: tensors[name] for name in shapes})
        if weights.overflow(tensors.get(STEPS)):
            raise corrupt_model("its refinement has weights that are too large")
        return cls(columns, card, weights, *(tensors.get(name) for name in (LEARNT_BIAS, STEPS, EARLIER_BIAS)))

    def _fill(
        self, codes_KB: np.ndarray, missing_KB: np.ndarray, hidden_KB: np.ndarray, rng: np.random.Generator
    ) -> None:
        """Write the missing codes of some rows."""
        sums_BH = np.tile(self._floats.bias_H, (codes_KB.shape[1], 1))
        for inputs, codes_B, hidden_B in zip(self._floats.inputs, codes_KB, hidden_KB, strict=True):
            sums_BH[~hidden_B] += inputs[codes_B[~hidden_B]]
        for place, missing_B in enumerate(missing_KB):
            rows = np.flatnonzero(missing_B)
            if not len(rows):
                continue
            values = self._widths[place] - _num_unfit(self._columns[place])
            weights_WB = weights_of(self._floats.logits(place, sums_BH[rows], self._learnt_bias[place])[:values])
            codes_KB[place, rows] = draw_codes(weights_WB, rng.random(len(rows), dtype=np.float32))
            sums_BH[rows] += self._floats.inputs[place][codes_KB[place, rows]]


def _shown(rows: Rows, place: int, bias_W: np.ndarray, chances_B: np.ndarray) -> np.ndarray:
    """New codes of the hidden column, (B,), which the rows have from now on."""
    codes_B = draw_codes(weights_of(rows.logits(place, bias_W)), chances_B)
    rows.show(place, codes_B)
    return codes_B


def widths(columns: Sequence[LearntCodec], card: RefinementCard) -> np.ndarray:
    """Codes of each column: bins or categories, and one for null."""
    return np.array(
        [
            codec.width if isinstance(codec, CategoryCodec) else len(bins or ()) + (codec.null_share > 0)
            for codec, bins in zip(columns, card.bins, strict=True)
        ]
    )


def _cells(columns: Sequence[LearntCodec], table: pa.Table, rng: np.random.Generator) -> dict[str, Cells]:
    return {codec.name: codec.cells_of(codec.column_of(table), rng) for codec in columns}


def _codes(columns: Sequence[LearntCodec], card: RefinementCard, cells: Mapping[str, Cells]) -> np.ndarray:
    codes = [_column_codes(cells[codec.name], bins) for codec, bins in zip(columns, card.bins, strict=True)]
    return np.stack(codes, axis=1).astype(np.int32, copy=False)


def _column_codes(cells: Cells, bins: Bins | None) -> np.ndarray:
    if isinstance(cells, NumberCells) and bins is not None:
        return np.where(cells.null, len(bins), bins.codes(cells.numbers))
    return cast(CategoryCells, cells).codes


def _blocks(of_KB: np.ndarray) -> list[np.ndarray]:
    """Views of so many rows that they stay in the cache."""
    return [of_KB[:, start : start + BLOCK_ROWS] for start in range(0, of_KB.shape[1], BLOCK_ROWS)]


def _bins(cells: Mapping[str, Cells], k: int) -> tuple[Bins | None, ...]:
    return tuple(
        Bins.learn(column.numbers[~column.null], k) if isinstance(column, NumberCells) else None
        for column in cells.values()
    )


def _among(bias: Sequence[np.ndarray], allowed: Mapping[int, Allowed]) -> list[np.ndarray]:
    """The bias of each column, by which no code is drawn that may not be."""
    with np.errstate(divide="ignore"):
        return [
            (logits + np.log(allowed[place].weights)).astype(np.float32) if place in allowed else logits
            for place, logits in enumerate(bias)
        ]


def _has_null(codec: LearntCodec) -> bool:
    return codec.nulls > 0 if isinstance(codec, CategoryCodec) else codec.null_share > 0


def _num_unfit(codec: LearntCodec) -> int:
    """How many codes, the last ones, fill no gap: that of null, and that of stand-ins."""
    return _has_null(codec) + (isinstance(codec, CategoryCodec) and codec.stand_ins > 0)


def _filled(
    cells: Cells, bins: Bins | None, codes_B: np.ndarray, missing_B: np.ndarray, rng: np.random.Generator
) -> Cells:
    if isinstance(cells, CategoryCells) or bins is None:
        return replace(cast(CategoryCells, cells), codes=codes_B)
    numbers = cells.numbers.copy()
    numbers[missing_B] = bins.numbers(codes_B[missing_B], rng.random(int(missing_B.sum())))
    return replace(cells, numbers=numbers, null=cells.null & ~missing_B)


def _redrawn(
    cells: Cells, bins: Bins | None, before_B: np.ndarray, after_B: np.ndarray, rng: np.random.Generator
) -> Cells:
    """A number whose bin is still the same stays what it was."""
    if isinstance(cells, CategoryCells) or bins is None:
        return replace(cast(CategoryCells, cells), codes=after_B)
    null, moved = after_B == len(bins), np.flatnonzero((after_B != before_B) & (after_B < len(bins)))
    numbers = cells.numbers.copy()
    numbers[moved] = bins.numbers(after_B[moved], rng.random(len(moved)))
    return replace(cells, numbers=numbers, null=null)
