"""What the types trained by gradient descent share: encoding, devices, weights, drawing rows from logits."""

import math
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from synthgen_ray.domain.errors import diverged
from synthgen_ray.domain.params import NeuralParams
from synthgen_ray.synthesizers.base import Synthesizer, Targets
from synthgen_ray.synthesizers.calibration import MOST_LOGITS, with_offsets, with_quantile_maps
from synthgen_ray.synthesizers.codec import Cells, Encoded
from synthgen_ray.synthesizers.columns.category import CategoryCells, CategoryTarget
from synthgen_ray.synthesizers.columns.number import NumberCodec, NumberTarget
from synthgen_ray.synthesizers.layout import Layout
from synthgen_ray.synthesizers.model_file import ModelCard, Tensors, check_tensors
from synthgen_ray.synthesizers.networks.folded import Folded, Sampled
from synthgen_ray.synthesizers.numerics.streams import CALIBRATE, ENCODE, stream
from synthgen_ray.synthesizers.sampling.conditions import Drawn, Heads, draw_obeying, draw_rows
from synthgen_ray.synthesizers.training import parallel
from synthgen_ray.synthesizers.training.pace import Pace
from synthgen_ray.synthesizers.training.plateau import BATCHES_BETWEEN_LOOKS, DRAWN_ROWS, Plateau


class NeuralSynthesizer(Synthesizer):
    """Runs on the GPU where there is one; `to` says otherwise. The network that is kept writes logits for rows."""

    maps: ClassVar[frozenset[str]] = frozenset({"modes"})
    work_before_refinement: ClassVar[float] = 0.95
    params: NeuralParams

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network: nn.Module | None = None

    def to(self, device: str | torch.device) -> Self:
        """Train and sample there."""
        self._device = torch.device(device)
        if self._network is not None:
            self._keep(self._network)
        return self

    @cached_property
    def layout(self) -> Layout:
        return Layout(self.codec.learnt)

    @cached_property
    def folded(self) -> Sampled:
        """The network that is kept, as sampling runs it, with the offsets of calibration."""
        offsets_D = np.zeros(self.layout.width)
        for span, codec in zip(self.layout.spans, self.codec.learnt, strict=True):
            offsets_D[span] = codec.offsets or 0
        network = self._folded().plus(torch.from_numpy(offsets_D))
        if self._is_quantized:
            return network.quantized()
        return network.narrowed() if self._is_narrow else network

    def _learn(self, table: pa.Table, seed: int, pace: Pace) -> None:
        encoded = self.codec.encode(table, stream(seed, ENCODE, 1))
        self._forget("layout")  # of an earlier fit
        with torch.random.fork_rng(devices=[]):  # a start that is not kept moves the caller's generator
            network = self._new_network().to(self._device, torch.float32)
        with self._early_stop(network, encoded, seed, pace), _without_subnormals(), self._precision():
            self._train(network, encoded, seed, pace)
        if not all(bool(tensor.isfinite().all()) for tensor in network.state_dict().values()):
            raise diverged()
        self._keep(network)
        if self._is_calibrated:
            pace.say(1.0, "calibrating")
            self._calibrate(table, encoded, stream(seed, CALIBRATE), pace)

    def _precision(self) -> torch.autocast:
        """Of all products inside. Narrow weights are not kept: they would stay as they were at the first step."""
        return torch.autocast(self._device.type, torch.bfloat16, enabled=self._is_narrow, cache_enabled=False)

    @property
    def _is_narrow(self) -> bool:
        return is_narrow(self.params.precision, self._device)

    def _early_stop(self, network: nn.Module, encoded: Encoded, seed: int, pace: Pace) -> AbstractContextManager[None]:
        """Inside, training may be over after an epoch, by rows drawn from the network as it is; see `plateau`."""
        if not self._may_end_early or len(self.codec.learnt) < 2:
            return nullcontext()
        plateau = Plateau(encoded.codes, stream(seed, CALIBRATE, 2))
        piece = MOST_LOGITS // self.layout.width + 1
        pieces = [min(piece, DRAWN_ROWS - start) for start in range(0, DRAWN_ROWS, piece)]
        batches = max(len(encoded.codes) / self.params.batch_size, 1)  # of an epoch
        epochs_between = math.ceil(BATCHES_BETWEEN_LOOKS / batches)

        def is_settled(epoch: int) -> bool:
            if (epoch + 1) % epochs_between:
                return False
            self._network = network.eval()
            self._forget("folded")
            rng = stream(seed, CALIBRATE, 3)  # the same latents at each look
            with torch.inference_mode():
                heads = (self._propose(count, {}, rng) for count in pieces)
                parts = [draw_rows(each, self.codec.learnt, self.layout, {}, rng).codes_BK for each in heads]
            network.train()
            return plateau.is_reached(np.concatenate(parts))

        return pace.watched(is_settled, plateau.seen)

    @property
    def _may_end_early(self) -> bool:
        return self.params.early_stop

    @property
    def _is_calibrated(self) -> bool:
        return self.params.calibrate

    @property
    def _is_quantized(self) -> bool:
        return self.params.quantize

    def _calibrate(self, table: pa.Table, encoded: Encoded, rng: np.random.Generator, pace: Pace) -> None:
        """Make the columns' own distributions right; see `calibration`."""

        def propose(count: int) -> Heads:
            pace.breathe()
            with torch.inference_mode():
                return self._propose(count, {}, rng)

        def draw(count: int) -> Drawn:
            return draw_rows(propose(count), self.codec.learnt, self.layout, {}, rng)

        self._codec = with_offsets(self.codec, self.layout, encoded, propose)
        self._forget("folded")
        self._codec = with_quantile_maps(self.codec, self.layout, table, self.params.min_category_count, draw)

    @abstractmethod
    def _new_network(self) -> nn.Module:
        """The network that is kept, untrained."""

    def _keep(self, network: nn.Module) -> None:
        self._network = network.to(self._device).eval().requires_grad_(False)
        self._forget("folded")  # of another network or device

    @abstractmethod
    def _train(self, network: nn.Module, encoded: Encoded, seed: int, pace: Pace) -> None: ...

    @abstractmethod
    def _folded(self) -> Folded: ...

    @abstractmethod
    def _propose(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> Heads:
        """Logits of new rows, where possible of such as meet the targets."""

    @property
    def network(self) -> nn.Module:
        return self._network if self._network is not None else nn.Identity()

    def _draw(self, num_rows: int, targets: Targets, rng: np.random.Generator) -> dict[str, Cells]:
        def propose(count: int) -> Heads:
            with torch.inference_mode():
                return self._propose(count, targets, rng)

        drawn = draw_obeying(num_rows, propose, self.codec.learnt, self.layout, targets, rng)
        columns: dict[str, Cells] = {}
        number = 0
        for place, codec in enumerate(self.codec.learnt):
            target, codes = targets.get(codec.name), drawn.codes_BK[:, place]
            if isinstance(codec, NumberCodec):
                asked = target if isinstance(target, NumberTarget) else None
                choices = drawn.choices.get(codec.name)
                columns[codec.name] = codec.cells(codes, drawn.scalars_BS[:, number], rng, asked, choices)
                number += 1
            else:
                columns[codec.name] = CategoryCells(codes, target if isinstance(target, CategoryTarget) else None)
        return columns

    def _agreed_seed(self) -> int:
        return parallel.first_worker_says(super()._agreed_seed(), self._device)

    @classmethod
    def from_file(cls, card: ModelCard, tensors: Tensors) -> Self:
        """Raises: JobError, if the parts are not those of this type."""
        # A file that does not say is of before there was a choice, and calibrated to floats.
        config = {"quantize": False} | card.config
        return super().from_file(card.model_copy(update={"config": config}), tensors)

    def _tensors(self) -> Tensors:
        return {name: tensor.detach().cpu().numpy() for name, tensor in self.network.state_dict().items()}

    def _restore(self, tensors: Tensors) -> None:
        with _WeightsWithoutMemory():  # what the file claims is not believed yet
            network = self._new_network().float()
        expected = {
            name: (tuple(tensor.shape), torch.empty(0, dtype=tensor.dtype).numpy().dtype)
            for name, tensor in network.state_dict().items()
        }
        check_tensors(tensors, expected)
        weights = {name: torch.from_numpy(np.array(tensor)) for name, tensor in tensors.items()}
        network.load_state_dict(weights, assign=True)
        self._keep(network)


class _WeightsWithoutMemory(TorchFunctionMode):
    """Inside, layers have shapes alone. Not all on the device "meta": arithmetic there, as in the start of a TVAE's
    sigma, imports PyTorch's compiler, which takes three seconds."""

    def __torch_function__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        options = options or {}
        if function is torch.empty:
            options = {**options, "device": "meta"}
        return function(*arguments, **options)


def is_narrow(precision: str, device: torch.device) -> bool:
    """Whether products are in 16 bits: "auto" has them so where the processor or GPU has units for it."""
    if precision != "auto":
        return precision == "bf16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return _processor_has_bf16()


def _processor_has_bf16() -> bool:
    """False as well where PyTorch is too old to say."""
    if not hasattr(torch.cpu, "get_capabilities"):
        return False
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


@contextmanager
def _without_subnormals() -> Iterator[None]:
    """Meanwhile numbers below 1e-38 are 0. Weights that decay towards 0 get there after some hundred epochs, and a
    processor takes so long for each of them that a TVAE's step would become five times slower."""
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)
