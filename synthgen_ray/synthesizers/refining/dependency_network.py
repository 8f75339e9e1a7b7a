"""A network that tells the chances of each column's codes from the codes of all other columns.

Learnt on rows some of whose cells are hidden, so that one network serves every column and every set of known cells.
A step's gradients have closed forms, which take half the time of automatic differentiation: `guessing_loss` says the
same by it and is what they are tested against.
Sources: Heckerman et al. 2000, "Dependency networks for inference, collaborative filtering, and data visualization";
Uria et al. 2014, "A deep and tractable density estimator", arXiv:1310.1757 (one network for all orders).
Shapes: N rows, B rows of a batch, K columns, W_k codes of column k, D their sum, H hidden units, T columns to guess, C
hidden cells of one of them.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from synthgen_ray.synthesizers.numerics.streams import REFINE, stream
from synthgen_ray.synthesizers.numerics.threads import one_torch_thread
from synthgen_ray.synthesizers.refining.weights import DependencyWeights
from synthgen_ray.synthesizers.training import parallel
from synthgen_ray.synthesizers.training.adam import Adam, one_cycle
from synthgen_ray.synthesizers.training.pace import Pace

HIDDEN = 128
BATCHES, LEAST_ROWS, MOST_ROWS = 20, 100, 1000  # an epoch, of so many rows each
EPOCHS, LEAST_STEPS, MOST_STEPS = 50, 200, 6000
MOST_WORK = 4e9  # rows times codes to guess, in all steps: a column of 5,000 categories gets fewer of them
MOST_TARGETS = 16  # columns whose cells are guessed in a step
MOST_HIDDEN = 0.5  # of a row's cells
RATE, DECAY = 7e-3, 1e-4
DROPOUT = 26 / 256  # of hidden units, each by a random byte
HELD_BACK, MOST_HELD_BACK = 0.1, 5000  # rows that tell when to stop
LOOKS, PATIENCE = 20, 4


class DependencyNetwork(nn.Module):
    """One hidden layer. A cell's part in it is a row of `inputs`, so that changing a cell costs two rows."""

    def __init__(self, widths_K: np.ndarray, rng: np.random.Generator) -> None:
        super().__init__()
        self.hidden_codes = torch.from_numpy(widths_K)
        self.starts = torch.from_numpy(np.cumsum(widths_K + 1) - widths_K - 1)
        ends = np.cumsum(widths_K).tolist()
        self.spans = [slice(end - width, end) for end, width in zip(ends, widths_K.tolist(), strict=True)]
        inputs, outputs = (ends[-1] + len(widths_K), HIDDEN), (ends[-1], HIDDEN)
        self.inputs = nn.Parameter(_normal(rng, inputs, len(widths_K) ** -0.5))
        self.input_bias = nn.Parameter(torch.zeros(HIDDEN, dtype=torch.float32))
        self.outputs = nn.Parameter(_normal(rng, outputs, HIDDEN**-0.5))
        self.output_bias = nn.Parameter(torch.zeros(ends[-1], dtype=torch.float32))

    def forward(self, codes_BK: Tensor, hide_BK: Tensor) -> Tensor:
        """The hidden layer, (B, H)."""
        return torch.relu(self.sums(self.seen(codes_BK, hide_BK)))

    def seen(self, codes_BK: Tensor, hide_BK: Tensor) -> Tensor:
        """The rows of `inputs` that stand for what is seen of the cells, (B, K)."""
        return torch.where(hide_BK, self.hidden_codes, codes_BK) + self.starts

    def sums(self, seen_BK: Tensor) -> Tensor:
        """What the hidden layer is made of, (B, H)."""
        return F.embedding_bag(seen_BK, self.inputs, mode="sum") + self.input_bias

    def logits(self, hidden_BH: Tensor, column: int) -> Tensor:
        """Of a column's codes, (W, B): sums over the few codes of many rows are quicker so than row by row."""
        span = self.spans[column]
        return torch.addmm(self.output_bias[span, None], self.outputs[span], hidden_BH.T)

    def surprise(self, hidden_BH: Tensor, codes_BK: Tensor, column: int) -> Tensor:
        """Minus the log chance of each row's code in a column, (B,)."""
        logits_WB = self.logits(hidden_BH, column)
        return logits_WB.logsumexp(0) - logits_WB.gather(0, codes_BK[:, column][None])[0]

    def weights(self) -> DependencyWeights:
        return DependencyWeights(**{name: tensor.cpu().numpy().copy() for name, tensor in self.state_dict().items()})


def guessing_loss(
    network: DependencyNetwork, codes_BK: Tensor, hide_BK: Tensor, scales_BH: Tensor, targets: Sequence[int]
) -> Tensor:
    """The surprise at the hidden cells of the target columns, summed.

    `scales` are dropout's: 0 or 1 / (1 - DROPOUT).
    """
    hidden_BH = network(codes_BK, hide_BK) * scales_BH
    surprises = [
        network.surprise(hidden_BH[rows], codes_BK[rows], column).sum()
        for column in targets
        for rows in [hide_BK[:, column].nonzero()[:, 0]]
    ]
    return torch.stack(surprises).sum()


@torch.no_grad()
def guessing_gradients(
    network: DependencyNetwork,
    codes_BK: Tensor,
    hide_BK: Tensor,
    scales_BH: Tensor,
    targets: Sequence[int],
    weight: float = 1.0,
) -> None:
    """Sets the gradients of `guessing_loss`, times `weight`.

    That of a cell's logits is their softmax minus its one-hot code (Bishop 2006, eq. 4.109).
    """
    seen_BK = network.seen(codes_BK, hide_BK)
    sums_BH = network.sums(seen_BK)
    slope_BH = torch.ops.aten.threshold_backward(scales_BH, sums_BH, 0)  # of ReLU and dropout
    hidden_BH = sums_BH * slope_BH
    down_BH = torch.zeros_like(hidden_BH)
    outputs, output_bias = torch.zeros_like(network.outputs), torch.zeros_like(network.output_bias)
    hide_TB, codes_KB = hide_BK.T[list(targets)], codes_BK.T.contiguous()
    cells_of_columns = torch.split(hide_TB.nonzero()[:, 1], hide_TB.sum(1).tolist())
    for column, rows_C in zip(targets, cells_of_columns, strict=True):
        span = network.spans[column]
        hidden_CH, codes_1C = hidden_BH.index_select(0, rows_C), codes_KB[column].index_select(0, rows_C)[None]
        off_WC = network.logits(hidden_CH, column).softmax(0)
        off_WC.scatter_add_(0, codes_1C, off_WC.new_full((), -1.0).expand(codes_1C.shape))
        torch.mm(off_WC, hidden_CH, out=outputs[span])
        torch.sum(off_WC, 1, out=output_bias[span])
        down_BH.index_add_(0, rows_C, off_WC.T @ network.outputs[span])
    down_BH *= slope_BH
    inputs = torch.zeros_like(network.inputs)
    for seen_B in seen_BK.T:
        inputs.index_add_(0, seen_B, down_BH)
    gradients = (inputs, down_BH.sum(0), outputs, output_bias)
    for parameter, gradient in zip(network.parameters(), gradients, strict=True):
        parameter.grad = gradient.mul_(weight)


@one_torch_thread()
def learn_dependencies(codes_NK: np.ndarray, widths_K: np.ndarray, seed: int, pace: Pace) -> DependencyWeights | None:
    """The network that did best on rows held back before the time was over, if any did better than frequencies do.

    Columns of which it knows no more do not count: it may learn more of others while it learns those by heart.
    """
    order = stream(seed, REFINE).permutation(len(codes_NK))
    held_back = min(int(len(order) * HELD_BACK), MOST_HELD_BACK)
    codes, train = torch.from_numpy(codes_NK), torch.from_numpy(order[held_back:])  # all codes once, and which rows
    judge = codes[order[:held_back]].long()
    network = DependencyNetwork(widths_K, stream(seed, REFINE, 0))
    batch = min(int(np.clip(len(train) // BATCHES, LEAST_ROWS, MOST_ROWS)), len(train))
    share = parallel.share(batch, may_idle=True)
    steps = _steps(len(train), batch, widths_K)
    adam = Adam(network.parameters(), decay=DECAY, decoupled=True)
    judged = _judged(len(widths_K))
    by_frequency_NC = _surprises_by_frequency(codes, train, judge, widths_K, judged)
    best, least, most, worse = None, np.inf, 0.0, 0

    for step in range(steps):
        pace.breathe()
        one_cycle(adam, RATE, step, steps)
        rng = stream(seed, REFINE, 1, step)
        targets, hide = _hidden_cells(batch, len(widths_K), rng)
        codes_BK = codes[train[torch.from_numpy(share.of(rng.integers(len(train), size=batch)))]].long()
        hide_BK = torch.from_numpy(share.of(hide))
        kept_BH = torch.from_numpy(share.of(rng.integers(256, size=(batch, HIDDEN), dtype=np.uint8) >= 256 * DROPOUT))
        # Divided by what all workers hid: the sum over them is a mean.
        weight = float(not share.is_idle) / int(hide[:, targets].sum())

        guessing_gradients(network, codes_BK, hide_BK, kept_BH.float() / (1 - DROPOUT), targets, weight)
        parallel.follow_gradients(adam)

        is_over = parallel.anyone(pace.is_over, pace.is_limited, torch.device("cpu"))
        if is_over or (step + 1) % (steps // LOOKS) == 0 or step + 1 == steps:
            pace.say((step + 1) / steps, "refining")
            surprises_NC = _surprises(network, judge, judged)
            gain_C, error_C = _means(by_frequency_NC - surprises_NC)
            now, gain = float(surprises_NC.mean()), float(gain_C[gain_C > error_C].sum())
            if gain > most:
                best = network.weights()
            worse = 0 if gain > most or now < least else worse + 1
            least, most = min(now, least), max(gain, most)
            # Processors may differ in last digits, and nobody may stop while others wait for him.
            if is_over or parallel.anyone(worse == PATIENCE, True, torch.device("cpu")):
                break
    return best


def _steps(rows: int, batch: int, widths_K: np.ndarray) -> int:
    codes = widths_K.sum() * min(MOST_TARGETS / len(widths_K), 1)
    most = min(MOST_STEPS, MOST_WORK / (batch * codes))
    return int(max(min(EPOCHS * rows // batch, most), LEAST_STEPS))


def _hidden_cells(batch: int, columns: int, rng: np.random.Generator) -> tuple[list[int], np.ndarray]:
    """The columns to be guessed, and which cells are hidden: up to half of a row's, at least one that counts."""
    targets = rng.permutation(columns)[:MOST_TARGETS]
    hide = rng.random((batch, columns), dtype=np.float32) < MOST_HIDDEN * rng.random((batch, 1), dtype=np.float32)
    hide[np.arange(batch), targets[rng.integers(len(targets), size=batch)]] = True
    return targets.tolist(), hide


@torch.no_grad()
def _surprises(network: DependencyNetwork, codes_NK: Tensor, columns: Iterable[int]) -> Tensor:
    """At the cells of columns that are hidden one at a time, (N, columns): what the refinement asks of the network."""
    seen_NK = network.seen(codes_NK, torch.zeros(codes_NK.shape, dtype=torch.bool))
    sums_NH = network.sums(seen_NK)
    surprises = []
    for column in columns:
        hidden_H = network.inputs[network.hidden_codes[column] + network.starts[column]]
        hidden_NH = torch.relu(sums_NH - network.inputs[seen_NK[:, column]] + hidden_H)
        surprises.append(network.surprise(hidden_NH, codes_NK, column))
    return torch.stack(surprises, dim=1)


def _judged(columns: int) -> list[int]:
    """The columns that tell how good the network is, spread evenly over the table."""
    return [int(place) for place in np.linspace(0, columns - 1, min(columns, MOST_TARGETS)).round()]


def _surprises_by_frequency(
    codes_NK: Tensor, train: Tensor, judge_NK: Tensor, widths_K: np.ndarray, columns: Sequence[int]
) -> Tensor:
    """The same of one who knows the columns' frequencies only, unseen codes counted as half a row."""
    counts = [
        torch.bincount(codes_NK[train, column], minlength=int(widths_K[column])).float() + 0.5 for column in columns
    ]
    surprises = [
        -(count / count.sum()).log()[judge_NK[:, column]] for column, count in zip(columns, counts, strict=True)
    ]
    return torch.stack(surprises, dim=1)


def _means(gains_NC: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of each column, (C,), and its standard error."""
    return gains_NC.mean(0), gains_NC.std(0, correction=0) / len(gains_NC) ** 0.5


def _normal(rng: np.random.Generator, shape: tuple[int, int], sd: float) -> Tensor:
    return torch.from_numpy(rng.standard_normal(shape, dtype=np.float32) * np.float32(sd))
