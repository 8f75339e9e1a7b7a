"""Our steps are those of `torch.optim`, without what it brings along."""

import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from synthgen_ray.synthesizers.training.adam import Adam, one_cycle

STEPS = 50


def given_network() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 1)).double()


def learnt(network: nn.Module, zero_grad: Callable[[], object], step: Callable[[int], object]) -> Tensor:
    rows = torch.linspace(-1, 1, 100, dtype=torch.float64).reshape(20, 5)
    for number in range(STEPS):
        zero_grad()
        (network(rows) - rows.sum(1, keepdim=True)).square().mean().backward()
        step(number)
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


@pytest.mark.parametrize(
    ("decoupled", "theirs"), [(False, torch.optim.Adam), (True, torch.optim.AdamW)], ids=["Adam", "AdamW"]
)
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.9)])
def test_steps_are_pytorchs(decoupled, theirs, betas):
    one, other = given_network(), given_network()
    adam = Adam(one.parameters(), 0.01, betas, 0.1, decoupled=decoupled)
    expected = theirs(other.parameters(), lr=0.01, betas=betas, weight_decay=0.1, fused=True)

    ours = learnt(one, adam.zero_grad, lambda _: adam.step())

    assert torch.equal(ours, learnt(other, expected.zero_grad, lambda _: expected.step()))


def test_a_cycle_is_pytorchs():
    one, other = given_network(), given_network()
    adam = Adam(one.parameters(), decoupled=True, decay=1e-4)
    expected = torch.optim.AdamW(other.parameters(), weight_decay=1e-4, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(expected, 0.007, total_steps=STEPS)
    rates: list[tuple[float, float]] = []

    def step(number: int) -> None:
        one_cycle(adam, 0.007, number, STEPS)
        (group,) = expected.param_groups
        rates.append((adam.rate / group["lr"], adam.betas[0] / group["betas"][0]))
        adam.step()

    def their_step(number: int) -> None:
        expected.step()
        schedule.step()

    for number in range(STEPS):  # side by side, as the rates are compared before theirs moves on
        for network, zero_grad, move in ((one, adam.zero_grad, step), (other, expected.zero_grad, their_step)):
            zero_grad()
            network(torch.ones(3, 5, dtype=torch.float64)).square().sum().backward()
            move(number)

    assert torch.tensor(rates).sub(1).abs().max() < 1e-9
    for mine, their in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.allclose(mine, their, rtol=1e-9, atol=1e-12)


def test_what_has_no_gradient_stays():
    moved, left = (nn.Parameter(torch.ones(2)) for _ in range(2))
    adam = Adam([left, moved], 0.1)
    moved.sum().backward()

    adam.step()

    assert torch.equal(left, torch.ones(2))
    assert torch.allclose(moved, torch.tensor(0.9))


def test_the_compiler_is_not_imported_for_it():
    code = """
import sys, torch
from synthgen_ray.synthesizers.training.adam import Adam
one = torch.nn.Parameter(torch.ones(2))
adam = Adam([one])
one.sum().backward()
adam.step()
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
