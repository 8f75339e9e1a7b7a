"""Refinement: drawn rows come closer to the table's joint distribution, each cell redrawn given the rest of its row.

One sweep of a Gibbs sampler that starts from what a model drew: column after column, the chances of its codes given all
other columns come from a dependency network. With the true chances a sweep can only shrink the distance to the table's
distribution. No row is rejected, asked cells stay, and a sweep costs about as much as drawing the row did.
The output biases are set while a large sample is swept, so that every column's codes end as frequent as in the table.
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
from synthgen_ray.synthesizers.refining.weights import DependencyWeights
from synthgen_ray.synthesizers.sampling.categorical import draw_codes, offsets, weights_of
from synthgen_ray.synthesizers.training.pace import Pace

# Swept together. Fewer would fit in a core's own cache and are no faster, and with more and shorter calls several
# threads wait for the interpreter.
BLOCK_ROWS = 5000
SWEEPS_BEFORE = 4  # of rows under conditions; more bring little
SAMPLE_ROWS = 20_000  # that the biases are set on
MOST_LOGITS = 20_000_000  # held at once
LEARNT_BIAS = "learnt_bias"  # a tensor's name


class Refinement:
    def __init__(
        self,
        columns: Sequence[LearntCodec],
        card: RefinementCard,
        weights: DependencyWeights,
        learnt_bias: np.ndarray | None = None,
    ) -> None:
        """`learnt_bias` is the network's (D,), if its own was set on the model's rows since."""
        self.card, self._columns = card, tuple(columns)
        self._widths = widths(columns, card)
        self._inputs = []  # of each column, relative to a hidden cell
        self._bias = weights.input_bias.copy()
        for block in np.split(weights.inputs, np.cumsum(self._widths + 1)[:-1]):
            self._inputs.append(block[:-1] - block[-1])
            self._bias += block[-1]
        ends = np.cumsum(self._widths)[:-1]
        self._outputs = [np.ascontiguousarray(outputs.T) for outputs in np.split(weights.outputs, ends)]
        self._output_bias = np.split(weights.output_bias, ends)
        self._learnt_bias = np.split(weights.output_bias if learnt_bias is None else learnt_bias, ends)
        self._weights = weights

    @classmethod
    def learn(cls, columns: Sequence[LearntCodec], table: pa.Table, k: int, seed: int, pace: Pace) -> Self | None:
        """`None` if nothing is found that columns say of each other."""
        # Here, because a process that only samples from a copula needs no torch.
        from synthgen_ray.synthesizers.refining.dependency_network import HIDDEN, learn_dependencies

        pace.say(0.0, "refining")
        real = _cells(columns, table, stream(seed, REFINE, 2))
        card = RefinementCard(bins=_bins(real, k), hidden=HIDDEN)
        weights = learn_dependencies(_codes(columns, card, real), widths(columns, card), seed, pace)
        return cls(columns, card, weights) if weights else None

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

    @one_blas_thread()
    def calibrate(self, table: pa.Table, drawn: Mapping[str, Cells], rng: np.random.Generator) -> None:
        """Set the biases: refined as these rows are, every column has the table's frequencies. What comes no closer to
        the table by being redrawn is left as it is drawn."""
        real_NK = _codes(self._columns, self.card, _cells(self._columns, table, rng))
        drawn_BK = _codes(self._columns, self.card, drawn)
        learnt = list(self._output_bias)
        is_closer_K = closer(real_NK, drawn_BK, self._calibrated(real_NK, drawn_BK, rng))
        if is_closer_K.all():
            return
        self.card = self.card.model_copy(update={"left": tuple(np.flatnonzero(~is_closer_K).tolist())})
        self._output_bias = learnt
        self._calibrated(real_NK, drawn_BK, rng)

    def _calibrated(self, real_NK: np.ndarray, codes_BK: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The rows refined, column after column, once that has its bias."""
        codes_BK = codes_BK.copy()
        sums_BH = self._sums(codes_BK)
        scratch_BH = np.empty((BLOCK_ROWS, sums_BH.shape[1]), dtype=sums_BH.dtype)
        for place in self._redrawn:
            width = int(self._widths[place])
            counts = np.bincount(real_NK[:, place], minlength=width)
            some = slice(MOST_LOGITS // width + 1)
            hidden_BH = sums_BH[some] - self._inputs[place][codes_BK[some, place]]
            off = offsets(self._logits(place, hidden_BH, self._output_bias), counts / counts.sum())
            self._output_bias[place] = (self._output_bias[place] + off).astype(np.float32)
            chances_B = rng.random(len(codes_BK), dtype=np.float32)
            for start in range(0, len(codes_BK), BLOCK_ROWS):
                block = slice(start, start + BLOCK_ROWS)
                codes_BK[block, place] = self._redraw(
                    place, codes_BK[block, place], sums_BH[block], self._output_bias, chances_B[block], scratch_BH
                )
        return codes_BK

    @property
    def _redrawn(self) -> list[int]:
        return [place for place in range(len(self._columns)) if place not in self.card.left]

    @one_blas_thread()
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
        for _ in range(SWEEPS_BEFORE if asked else 0):
            self._sweep(after_KB, free, _among(self._learnt_bias, allowed), rng)
        self._sweep(after_KB, free, _among(self._output_bias, allowed), rng)
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
        for start in range(0, codes_KB.shape[1], BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            sums_BH = self._sums(codes_KB[:, block].T)
            scratch_BH = np.empty_like(sums_BH)
            for place, chances_B in zip(free, chances_KB[:, block], strict=True):
                codes_KB[place, block] = self._redraw(
                    place, codes_KB[place, block], sums_BH, bias, chances_B, scratch_BH
                )

    @one_blas_thread()
    def filled(
        self,
        known: Mapping[str, Cells],
        missing: Mapping[str, np.ndarray],
        unknown: Mapping[str, np.ndarray],
        rng: np.random.Generator,
    ) -> dict[str, Cells]:
        """The rows with the missing cells (B,) of each column drawn, given the others of their rows; never null.

        Of unknown cells (B,) nothing is known but that they are there: they stay, and nothing follows from them.
        One column after the other, the cells that are still missing hidden: sweeps after it bring nothing.
        """
        codes_KB = np.ascontiguousarray(_codes(self._columns, self.card, known).T)
        missing_KB = np.array([missing[codec.name] for codec in self._columns])
        hidden_KB = missing_KB | np.array([unknown[codec.name] for codec in self._columns])
        for start in range(0, codes_KB.shape[1], BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            self._fill(codes_KB[:, block], missing_KB[:, block], hidden_KB[:, block], rng)
        return {
            codec.name: _filled(known[codec.name], bins, codes_KB[place], missing_KB[place], rng)
            for place, (codec, bins) in enumerate(zip(self._columns, self.card.bins, strict=True))
        }

    def tensors(self) -> Tensors:
        return {
            "inputs": self._weights.inputs,
            "input_bias": self._weights.input_bias,
            "outputs": self._weights.outputs,
            "output_bias": np.concatenate(self._output_bias),
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
        shapes = {
            "inputs": (total + len(columns), hidden),
            "input_bias": (hidden,),
            "outputs": (total, hidden),
            "output_bias": (total,),
        }
        if LEARNT_BIAS in tensors:  # which earlier files lack
            shapes[LEARNT_BIAS] = (total,)
        check_tensors(tensors, {name: (shape, np.dtype(np.float32)) for name, shape in shapes.items()})
        weights = {name: tensor for name, tensor in tensors.items() if name != LEARNT_BIAS}
        return cls(columns, card, DependencyWeights(**weights), tensors.get(LEARNT_BIAS))

    def _redraw(
        self,
        place: int,
        codes_B: np.ndarray,
        sums_BH: np.ndarray,
        bias: Sequence[np.ndarray],
        chances_B: np.ndarray,
        scratch_BH: np.ndarray,
    ) -> np.ndarray:
        """New codes of a column, given the others in `sums_BH`, which is kept up with them.

        Each pass writes where the last one did: the cache has it.
        """
        scratch_BH = scratch_BH[: len(codes_B)]
        sums_BH -= _gathered(self._inputs[place], codes_B, scratch_BH)
        new_B = draw_codes(weights_of(self._logits(place, sums_BH, bias, scratch_BH)), chances_B)
        sums_BH += _gathered(self._inputs[place], new_B, scratch_BH)
        return new_B

    def _fill(
        self, codes_KB: np.ndarray, missing_KB: np.ndarray, hidden_KB: np.ndarray, rng: np.random.Generator
    ) -> None:
        """Write the missing codes of some rows."""
        sums_BH = np.tile(self._bias, (codes_KB.shape[1], 1))
        for inputs, codes_B, hidden_B in zip(self._inputs, codes_KB, hidden_KB, strict=True):
            sums_BH[~hidden_B] += inputs[codes_B[~hidden_B]]
        for place, missing_B in enumerate(missing_KB):
            rows = np.flatnonzero(missing_B)
            if not len(rows):
                continue
            values = self._widths[place] - _has_null(self._columns[place])  # null has the last code
            weights_WB = weights_of(self._logits(place, sums_BH[rows], self._learnt_bias)[:values])
            codes_KB[place, rows] = draw_codes(weights_WB, rng.random(len(rows), dtype=np.float32))
            sums_BH[rows] += self._inputs[place][codes_KB[place, rows]]

    def _sums(self, codes_BK: np.ndarray) -> np.ndarray:
        sums_BH = np.tile(self._bias, (len(codes_BK), 1))
        gathered_BH = np.empty_like(sums_BH)
        for place, inputs in enumerate(self._inputs):
            sums_BH += _gathered(inputs, codes_BK[:, place], gathered_BH)
        return sums_BH

    def _logits(
        self, place: int, sums_BH: np.ndarray, bias: Sequence[np.ndarray], hidden_BH: np.ndarray | None = None
    ) -> np.ndarray:
        """Of a column's codes, (W, B); `hidden_BH` is written over."""
        hidden_BH = np.clip(sums_BH, 0, np.inf, out=hidden_BH)  # `np.maximum` takes three times as long
        logits_BW: np.ndarray = hidden_BH @ self._outputs[place]
        logits_BW += bias[place]
        return np.ascontiguousarray(logits_BW.T)


def widths(columns: Sequence[LearntCodec], card: RefinementCard) -> np.ndarray:
    """Codes of each column: bins or categories, and one for null."""
    return np.array(
        [
            codec.width if isinstance(codec, CategoryCodec) else len(bins or ()) + (codec.null_share > 0)
            for codec, bins in zip(columns, card.bins, strict=True)
        ]
    )


def _cells(columns: Sequence[LearntCodec], table: pa.Table, rng: np.random.Generator) -> dict[str, Cells]:
    return {codec.name: codec.cells_of(table[codec.name], rng) for codec in columns}


def _codes(columns: Sequence[LearntCodec], card: RefinementCard, cells: Mapping[str, Cells]) -> np.ndarray:
    codes = [_column_codes(cells[codec.name], bins) for codec, bins in zip(columns, card.bins, strict=True)]
    return np.stack(codes, axis=1).astype(np.int32, copy=False)


def _column_codes(cells: Cells, bins: Bins | None) -> np.ndarray:
    if isinstance(cells, NumberCells) and bins is not None:
        return np.where(cells.null, len(bins), bins.codes(cells.numbers))
    return cast(CategoryCells, cells).codes


def _gathered(rows_WH: np.ndarray, codes_B: np.ndarray, into_BH: np.ndarray) -> np.ndarray:
    return np.take(rows_WH, codes_B, axis=0, out=into_BH, mode="clip")  # with another mode numpy buffers it


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
