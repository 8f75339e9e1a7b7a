"""Two workers learn what one would have learnt."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import Synthesizer, load
from synthgen_ray.synthesizers.training.checkpoint import Checkpoint, read_checkpoint
from synthgen_ray.synthesizers.training.parallel import Share, SharedBatchNorm, share, sum_gradients
from tests.unit.synthesizers.conftest import given_model, given_table

# It leaves at once: PyTorch's gloo threads sometimes abort a process that tears itself down after its group is
# destroyed (https://github.com/pytorch/pytorch/issues/190489). All that it had to say is on disk by then.
WORKER = """
import os
import sys
import torch
import torch.distributed as dist
from tests.unit.synthesizers.test_parallel import FirstStep, after_one_step, gradients
from synthgen_ray.synthesizers.training.checkpoint import write_checkpoint
from synthgen_ray.domain.params import ModelType
from tests.unit.synthesizers.conftest import given_model, given_table

folder, rank = sys.argv[1], int(sys.argv[2])
dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
kept = {model_type: FirstStep() for model_type in (ModelType.CTGAN, ModelType.TVAE)}
agreed = {"seed": None if rank else 7, "max_training_seconds": 600.0}
for model_type, first in kept.items():
    given_model(model_type, checkpoints=first, **agreed).save(f"{folder}/{model_type}-{rank}")
for model_type in (ModelType.CTGAN, ModelType.TVAE):
    with open(f"{folder}/{model_type}-step-{rank}", "wb") as file:
        write_checkpoint(file, after_one_step(model_type), "one step")
first = kept[ModelType.CTGAN].checkpoint
given_model(ModelType.CTGAN, checkpoints=FirstStep(first), **agreed).save(f"{folder}/resumed-{rank}")
steps = []
alone = FirstStep(None if rank else first)
given_model(ModelType.CTGAN, refine=False, checkpoints=alone, on_progress=steps.append)
open(f"{folder}/alone-{rank}", "w").write(" ".join(progress.message for progress in steps))
given_model(ModelType.CTGAN, precision="bf16", refine=False).save(f"{folder}/narrow-{rank}")
table, columns = given_table(101)
given_model(ModelType.TVAE, table, columns).save(f"{folder}/odd-{rank}")
torch.save(gradients(), f"{folder}/gradients-{rank}")
dist.destroy_process_group()
os._exit(0)
"""


# Of two workers the second leaves before the sum.
LOSS = """
import os
import sys
import torch
import torch.distributed as dist
from synthgen_ray.domain.errors import WorkerLost
from synthgen_ray.synthesizers.training.parallel import anyone

folder, rank = sys.argv[1], int(sys.argv[2])
dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
dist.barrier()
if rank == 0:
    try:
        while True:
            anyone(False, True, torch.device("cpu"))
    except WorkerLost:
        os._exit(3)
os._exit(0)
"""


def given_workers(script: str, folder: Path) -> list[subprocess.Popen[bytes]]:
    return [
        subprocess.Popen([sys.executable, "-c", script, str(folder), str(rank)], stderr=subprocess.PIPE)
        for rank in (0, 1)
    ]


def test_a_worker_that_is_gone_is_noticed_as_such_by_the_others(tmp_path):
    workers = given_workers(LOSS, tmp_path)

    errors = [worker.communicate(timeout=120)[1].decode() for worker in workers]

    assert [worker.returncode for worker in workers] == [3, 0], errors


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers")
    workers = given_workers(WORKER, folder)
    errors = [worker.communicate(timeout=120)[1].decode() for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0], errors
    return folder


@pytest.mark.parametrize("model_type", [ModelType.CTGAN, ModelType.TVAE])
class TestTwoWorkers:
    def test_agree_with_each_other(self, two_workers, model_type):
        first, second = (load(two_workers / f"{model_type}-{rank}")._tensors() for rank in (0, 1))

        assert all((first[name] == second[name]).all() for name in first)

    def test_equal_one(self, two_workers, usual_model, model_type):
        alone = usual_model(model_type)._tensors()

        together = load(two_workers / f"{model_type}-0")._tensors()

        # Sums in another order differ in their last digits; Adam makes a whole step of the sign of a tiny gradient.
        assert max(abs(alone[name] - together[name]).mean() for name in alone) < 1e-4


@pytest.mark.parametrize("rank", [0, 1])
def test_workers_that_go_on_from_a_checkpoint_make_the_same_file(two_workers, rank):
    assert (two_workers / f"resumed-{rank}").read_bytes() == (two_workers / f"ctgan-{rank}").read_bytes()


@pytest.mark.parametrize("rank", [0, 1])
def test_where_one_worker_has_no_checkpoint_all_start_anew(two_workers, rank):
    assert "going on" not in (two_workers / f"alone-{rank}").read_text()


def test_a_last_batch_with_fewer_rows_than_workers_is_learnt_as_by_one(two_workers):
    table, columns = given_table(101)
    alone = given_model(ModelType.TVAE, table, columns)._tensors()

    first, second = (load(two_workers / f"odd-{rank}")._tensors() for rank in (0, 1))

    assert all((first[name] == second[name]).all() for name in first)
    assert max(abs(alone[name] - first[name]).mean() for name in alone) < 1e-4


def test_two_workers_learn_in_half_precision_what_one_does(two_workers):
    alone = given_model(ModelType.CTGAN, precision="bf16", refine=False)._tensors()

    first, second = (load(two_workers / f"narrow-{rank}")._tensors() for rank in (0, 1))

    assert all((first[name] == second[name]).all() for name in first)
    assert max(abs(alone[name] - first[name]).mean() for name in alone) < 1e-2


@pytest.mark.parametrize("model_type", [ModelType.CTGAN, ModelType.TVAE])
@pytest.mark.parametrize("rank", [0, 1])
def test_a_step_of_two_workers_is_that_of_one_on_the_whole_batch(two_workers, model_type, rank):
    alone = after_one_step(model_type).tensors

    together = read_checkpoint(two_workers / f"{model_type}-step-{rank}", "one step").tensors

    # The first moments are the gradients, halved or less; the critic's have its gradient penalty in them.
    first = [name for name in alone if name.endswith("exp_avg")]
    assert {name.split(".")[0] for name in first} == (
        {"adam"} if model_type is ModelType.TVAE else {"generator_adam", "critic_adam"}
    )
    largest = {name: abs(alone[name]).max() for name in first}
    assert max(largest.values()) > 1
    assert all(abs(alone[name] - together[name]).max() < 1e-6 * max(1, largest[name]) for name in first)


@pytest.mark.parametrize(
    ("model_type", "shares"), [(ModelType.CTGAN, (3 / 7, 4 / 7)), (ModelType.TVAE, (37 / 75, 38 / 75))]
)
def test_each_of_two_workers_has_the_losses_of_its_share_of_the_batch(two_workers, model_type, shares):
    alone = after_one_step(model_type).losses[1]

    first, second = (
        read_checkpoint(two_workers / f"{model_type}-step-{rank}", "one step").losses[1] for rank in (0, 1)
    )

    together = {name: shares[0] * first[name] + shares[1] * second[name] for name in alone}
    assert together == pytest.approx(alone, rel=1e-4)


def test_one_worker_goes_on_from_what_two_have_done(two_workers):
    together = read_checkpoint(two_workers / "ctgan-step-1", "one step")

    alone = of_one_step(ModelType.CTGAN, FirstStep(together))._tensors()

    assert all((alone[name] == together.tensors[f"generator.{name}"]).all() for name in alone)


def after_one_step(model_type: ModelType) -> Checkpoint:
    kept = FirstStep()
    of_one_step(model_type, kept)
    assert kept.checkpoint is not None
    return kept.checkpoint


def of_one_step(model_type: ModelType, checkpoints: "FirstStep") -> Synthesizer:
    """Of one batch, of all rows, in an odd number of packs, of which two workers have unequal shares."""
    batch = {ModelType.CTGAN: 70, ModelType.TVAE: 75}[model_type]
    one_batch = {"epochs": 1, "batch_size": batch, "refine": False, "calibrate": False}
    return given_model(model_type, *given_table(batch), checkpoints=checkpoints, **one_batch)


class FirstStep:
    """Keeps the checkpoint of the first step of a training."""

    seconds_used = 0.0
    checkpoint: Checkpoint | None = None

    def __init__(self, latest: Checkpoint | None = None) -> None:
        self._latest = latest

    def latest(self) -> Checkpoint | None:
        return self._latest

    def is_due(self) -> bool:
        return self.checkpoint is None

    def save(self, checkpoint: Checkpoint) -> None:
        self.checkpoint = checkpoint


@pytest.mark.parametrize("rank", [0, 1])
def test_gradients_through_shared_batch_norm_are_those_of_one_worker(two_workers, rank):
    together = torch.load(two_workers / f"gradients-{rank}", weights_only=True)

    assert all(
        torch.allclose(one, other, rtol=1e-12, atol=1e-15) for one, other in zip(gradients(), together, strict=True)
    )


def gradients() -> list[torch.Tensor]:
    """Gradients and statistics of one batch, in double precision."""
    draw = torch.Generator().manual_seed(3)
    network = nn.Sequential(nn.Linear(4, 8), SharedBatchNorm(8), nn.Tanh(), nn.Linear(8, 1)).double()
    for parameter in network.parameters():
        parameter.data.normal_(generator=draw)
    mine = share(18, pack=2)  # of two workers one has 8 rows, the other 10
    rows = mine.of(torch.randn(18, 4, generator=draw, dtype=torch.float64))
    (network(rows).square().mean() * mine.weight).backward()
    sum_gradients(network.parameters())
    return [*(parameter.grad for parameter in network.parameters()), network[1].running_mean, network[1].running_var]


def test_a_share_cuts_rows_and_packs_alike():
    share = Share(total=20, start=10, stop=20)

    assert share.of(range(20)) == range(10, 20)
    assert share.of(range(4)) == range(2, 4)
    assert share.weight == 0.5
