"""Refined rows are nearer to the table than what the model drew, and asked cells are what was asked for."""

import itertools
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import torch

from synthgen_ray.domain.errors import JobError
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import PART_BEFORE_REFINEMENT, create, load
from synthgen_ray.synthesizers.columns.bins import Bins
from synthgen_ray.synthesizers.columns.category import CategoryCells
from synthgen_ray.synthesizers.columns.number import NumberCells, NumberCodec
from synthgen_ray.synthesizers.refining.asked import AllowedNumbers
from synthgen_ray.synthesizers.refining.dependency_network import (
    HIDDEN,
    DependencyNetwork,
    guessing_gradients,
    guessing_loss,
    learn_dependencies,
)
from synthgen_ray.synthesizers.refining.refinement import Refinement
from synthgen_ray.synthesizers.training import pace
from synthgen_ray.synthesizers.training.pace import Pace

ROWS = 3000


def given_rings() -> pa.Table:
    """What a Gaussian copula cannot tell: a number that is large at both ends of another, a label of where both are."""
    rng = np.random.default_rng(4)
    angle = rng.uniform(0, 2 * np.pi, ROWS)
    x, y = np.cos(angle) + rng.normal(0, 0.1, ROWS), np.sin(angle) + rng.normal(0, 0.1, ROWS)
    gap = pa.array(y, mask=(np.abs(x) < 0.3) & (rng.random(ROWS) < 0.9))
    return pa.table({"x": x, "y": gap, "side": np.where(x * np.sin(angle) > 0, "same", "other")})


def given_copula(**options):
    return create(ModelType.GAUSSIAN_COPULA, {"seed": 3, "refine": True, **options}).fit(given_rings())


@pytest.fixture(scope="module")
def refined():
    return given_copula()


def agreement(rows: pa.Table) -> float:
    """How often the label tells the truth."""
    known = rows.filter(pc.is_valid(rows["y"]))
    same = np.sign(known["x"].to_numpy()) == np.sign(known["y"].to_numpy())
    return float((same == (known["side"].to_numpy(zero_copy_only=False) == "same")).mean())


def gaps_in_the_middle(rows: pa.Table) -> float:
    """The share of the nulls of y where x is small."""
    nulls = rows.filter(pc.is_null(rows["y"]))
    return float((np.abs(nulls["x"].to_numpy()) < 0.35).mean())


def test_rows_learn_what_the_model_could_not(refined):
    plain = given_copula(refine=False).sample(ROWS, seed=1)
    rows = refined.sample(ROWS, seed=1)

    assert agreement(plain) < 0.7
    assert agreement(rows) > 0.8
    assert gaps_in_the_middle(plain) < 0.6
    assert gaps_in_the_middle(rows) > 0.8


def test_columns_keep_their_own_distributions(refined):
    real, rows = given_rings(), refined.sample(10 * ROWS, seed=1)

    assert rows["y"].null_count / len(rows) == pytest.approx(real["y"].null_count / ROWS, abs=0.01)
    quantiles = [0.05, 0.25, 0.5, 0.75, 0.95]
    for name in ("x", "y"):
        theirs, ours = (np.quantile(table[name].drop_null().to_numpy(), quantiles) for table in (real, rows))
        assert ours == pytest.approx(theirs, abs=0.06)


def test_asked_cells_obey_and_the_others_follow_them(refined):
    rows = refined.sample(500, seed=1, conditions={"side": "same", "x": {"min": 0.5}})

    assert set(rows["side"].to_pylist()) == {"same"}
    assert pc.min(rows["x"]).as_py() >= 0.5
    assert (rows["y"].drop_null().to_numpy() > 0).mean() > 0.8


def test_asked_cells_go_together_as_the_table_has_them(refined):
    """Beside the middle of y a positive x of the ring is near 1; the copula that is refined does not know that."""
    rows = refined.sample(500, seed=1, conditions={"x": {"min": 0}, "y": {"min": -0.3, "max": 0.3}})

    assert pc.min(rows["x"]).as_py() >= 0
    assert pc.max(pc.abs(rows["y"])).as_py() <= 0.3
    assert (rows["x"].to_numpy() > 0.7).mean() > 0.9


def test_an_asked_number_is_redrawn_inside_of_what_is_asked_for():
    values = np.random.default_rng(5).permutation(np.repeat(np.arange(100), 20))
    column = pa.chunked_array([pa.array(values, mask=np.arange(2000) % 10 == 0)])
    codec = NumberCodec.learn("x", column, 5, 1, frozenset({"marginal"}), "empirical", np.random.default_rng(1))
    bins, target = (
        Bins.learn(codec.cells_of(column, np.random.default_rng(1)).numbers, 5),
        codec.target([None, 3, 50, 51]),
    )
    allowed = AllowedNumbers.of(codec, bins, target)
    drawn = NumberCells.obeying(np.full(4000, 3.0), np.zeros(4000, bool), target, np.zeros(4000, int))
    codes = np.random.default_rng(2).choice(len(allowed.weights), 4000, p=allowed.weights / allowed.weights.sum())

    cells = allowed.redrawn(drawn, bins.codes(drawn.numbers), codes, np.random.default_rng(3))

    found = codec.written(cells, np.random.default_rng(4))
    assert set(found.to_pylist()) == {None, 3, 50, 51}
    assert found.null_count == (codes == len(bins)).sum()
    assert pc.sum(pc.equal(found, 50)).as_py() == pytest.approx(pc.sum(pc.equal(found, 51)).as_py(), rel=0.2)


def test_a_file_brings_the_refinement_back(refined, tmp_path):
    refined.save(tmp_path / "model.synthgen")

    assert load(tmp_path / "model.synthgen").sample(300, seed=1).equals(refined.sample(300, seed=1))


def test_weights_of_other_columns_are_refused(refined):
    kept = refined._refinement

    with pytest.raises(JobError):
        Refinement.restore(refined.codec.learnt[:2], kept.card, kept.tensors())
    with pytest.raises(JobError):
        Refinement.restore(refined.codec.learnt, kept.card, kept.tensors() | {"inputs": np.zeros((2, 2), np.float32)})


def test_one_column_has_nothing_to_refine():
    model = create(ModelType.GAUSSIAN_COPULA, {"seed": 1, "refine": True}).fit(given_rings().select(["x"]))

    assert model._refinement is None
    assert model.sample(10, seed=1).num_rows == 10


@pytest.fixture(scope="module")
def small():
    sizes = {"compress_dims": [16], "decompress_dims": [16], "embedding_dim": 8, "epochs": 1}
    return create(ModelType.TVAE, {"seed": 1, **sizes}).fit(given_rings())


@pytest.mark.parametrize("name", ["inputs", "outputs", "input_bias", "output_bias", "steps"])
def test_weights_that_compute_with_no_numbers_are_refused(small, name):
    kept, columns = small._refinement, small.codec.learnt
    tensors = kept.tensors()
    touched = tensors | {name: np.full_like(tensors[name], 1e-38 if name == "steps" else 3e38)}

    Refinement.restore(columns, kept.card, tensors)
    with pytest.raises(JobError) as refused:
        Refinement.restore(columns, kept.card, touched)

    assert refused.value.code == "model_corrupt"


def test_one_column_has_all_the_time_for_its_own_training(monkeypatch):
    shares, part = [], Pace.part
    monkeypatch.setattr(Pace, "part", lambda pace, share: shares.append(share) or part(pace, share))

    for names in (["x"], ["x", "y"]):
        create(ModelType.GAUSSIAN_COPULA, {"seed": 1, "refine": True}).fit(given_rings().select(names))

    assert shares == [1.0, PART_BEFORE_REFINEMENT]


def test_it_ends_when_the_time_is_over():
    codes = np.random.default_rng(1).integers(0, 3, (2000, 4))

    assert learn_dependencies(codes, np.full(4, 3), 1, Pace(None, 1e-9)) is None


def test_columns_that_say_nothing_of_each_other_are_left_alone():
    codes = np.random.default_rng(1).integers(0, 3, (300, 4))

    assert learn_dependencies(codes, np.full(4, 3), 1, Pace(None, None)) is None


def test_a_limited_training_leaves_time_for_it(monkeypatch):
    ticks = itertools.count(step=0.004)
    monkeypatch.setattr(pace, "time", SimpleNamespace(monotonic=lambda: next(ticks)))  # each look takes so long

    small = {"compress_dims": [16], "decompress_dims": [16], "embedding_dim": 8}
    limited = {"seed": 1, "epochs": 10_000, "max_training_seconds": 6.0, **small}
    model = create(ModelType.TVAE, limited).fit(given_rings().slice(0, 1000))

    assert model._refinement is not None


def test_the_network_knows_nothing_of_a_hidden_cell():
    network = DependencyNetwork(np.array([3, 4]), np.random.default_rng(1))
    hide = torch.tensor([[True, False]])

    one, other = (network(torch.tensor([[code, 2]]), hide) for code in (0, 2))

    assert torch.equal(one, other)


@pytest.mark.parametrize("targets", [[0, 1, 2, 3], [3, 1]], ids=["all", "some"])
def test_a_step_has_the_gradients_of_the_surprise(targets):
    """Beside automatic differentiation, in float64; of a column nothing is hidden."""
    rng = np.random.default_rng(1)
    widths = np.array([3, 4, 1, 40])
    network = DependencyNetwork(widths, rng).double()
    codes = torch.from_numpy(np.stack([rng.integers(width, size=50) for width in widths], axis=1))
    hide = torch.from_numpy(rng.random((50, 4)) < [0.5, 0.3, 0, 0.9])
    scales = torch.from_numpy(rng.integers(2, size=(50, HIDDEN)) * 1.25)

    guessing_loss(network, codes, hide, scales, targets).mul(0.3).backward()
    expected = [parameter.grad for parameter in network.parameters()]
    guessing_gradients(network, codes, hide, scales, targets, 0.3)

    for parameter, gradient in zip(network.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=0, atol=1e-13)


def test_learnt_chances_are_those_of_the_table():
    """Two columns that agree in 80 of 100 rows, and a third that knows of neither."""
    rng = np.random.default_rng(1)
    first = rng.integers(0, 2, 4000)
    codes = np.stack([first, np.where(rng.random(4000) < 0.8, first, 1 - first), rng.integers(0, 3, 4000)], axis=1)

    weights = learn_dependencies(codes, np.array([2, 2, 3]), 1, Pace(None, None))

    network = DependencyNetwork(np.array([2, 2, 3]), rng)
    network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in vars(weights).items()})
    hidden = network(torch.tensor([[0, 0, 1]]), torch.tensor([[True, False, False]]))
    chances = torch.exp(-torch.stack([network.surprise(hidden, torch.tensor([[code, 0, 1]]), 0) for code in (0, 1)]))
    alike = codes[(codes[:, 1:] == [0, 1]).all(axis=1), 0]
    assert chances.flatten().tolist() == pytest.approx([(alike == 0).mean(), (alike == 1).mean()], abs=0.05)


def test_gaps_of_real_rows_are_filled_as_the_table_has_it_whatever_rows_the_model_draws():
    """Two columns agree in 80 of 100 rows; the model draws rows of which the second is always the same."""
    rng = np.random.default_rng(1)
    first = rng.random(6000) < 0.5
    table = pa.table({"first": first, "second": np.where(rng.random(6000) < 0.8, first, ~first)})
    model = create(ModelType.GAUSSIAN_COPULA, {"seed": 1}).fit(table)
    refinement = Refinement.learn(model.codec.learnt, table, 5, 1, Pace(None, None))
    asked = {"first": np.zeros(6000, dtype=np.int32), "second": np.arange(6000, dtype=np.int32) % 2}
    known = {name: CategoryCells(codes) for name, codes in asked.items()}
    gone, there = np.ones(6000, dtype=bool), np.zeros(6000, dtype=bool)

    refinement.calibrate(table, known | {"second": CategoryCells(asked["first"])}, rng)

    again = Refinement.restore(model.codec.learnt, refinement.card, refinement.tensors())
    for one in (refinement, again):
        filled = one.filled(known, {"first": gone, "second": there}, {"first": there, "second": there}, rng)
        agree = filled["first"].codes == asked["second"]
        assert [agree[asked["second"] == code].mean() for code in (0, 1)] == pytest.approx([0.8, 0.8], abs=0.06)


def test_a_file_of_before_lacks_the_learnt_biases(refined):
    kept = refined._refinement
    tensors = {name: tensor for name, tensor in kept.tensors().items() if name != "learnt_bias"}

    again = Refinement.restore(refined.codec.learnt, kept.card, tensors)

    assert np.array_equal(again.tensors()["output_bias"], tensors["output_bias"])


def given_claims(rows: int) -> pa.Table:
    """How severe a claim is follows from its amount, of which closed ones are paid the most part."""
    rng = np.random.default_rng(1)
    kinds = rng.choice(4, rows, p=[0.5, 0.3, 0.17, 0.03])
    amounts = np.array([400, 2500, 12000, 80000])[kinds] * rng.lognormal(0, 0.5, rows)
    closed = rng.random(rows) < 0.65
    strange = {f"strange {place}": rng.normal(size=rows) for place in range(6)}
    paid = np.where(closed, amounts * rng.uniform(0.6, 1, rows), 0)
    severity = np.array(["low", "medium", "high", "critical"])[kinds]
    return pa.table({"severity": severity, "amount": amounts, "paid": paid, "closed": closed} | strange)


def test_rows_of_a_copula_that_contradict_themselves_do_so_hardly_any_more(tmp_path):
    table = given_claims(5000)
    most = pc.max(table["amount"].filter(pc.equal(table["severity"], "low"))).as_py()
    model = create(ModelType.GAUSSIAN_COPULA, {"seed": 1, "refine": True}).fit(table)
    model.save(tmp_path / "model.synthgen")

    again = load(tmp_path / "model.synthgen")
    rows = again.sample(5000, seed=2)

    assert rows.equals(model.sample(5000, seed=2))
    low = rows.filter(pc.equal(rows["severity"].cast(pa.string()), "low"))
    assert (low["amount"].to_numpy() > most).mean() < 0.03
    assert len(low) / 5000 == pytest.approx(0.5, abs=0.03)


def test_a_file_with_the_biases_of_too_few_sweeps_is_refused(refined):
    kept = refined._refinement
    tensors = {name: tensor for name, tensor in kept.tensors().items() if name != "earlier_bias"}

    assert kept.card.sweeps == 2
    with pytest.raises(JobError):
        Refinement.restore(refined.codec.learnt, kept.card, tensors)


def test_columns_of_a_wide_table_may_all_say_something_but_the_first():
    rng = np.random.default_rng(1)
    noise, shared = rng.integers(0, 3, (2000, 16)), rng.integers(0, 3, (2000, 1))
    codes = np.concatenate([noise, np.repeat(shared, 16, axis=1)], axis=1)

    assert learn_dependencies(codes, np.full(32, 3), 1, Pace(None, None)) is not None


def given_same_and_strange(rows: int, seed: int) -> np.ndarray:
    """Codes of four columns that say the same, and of ten that say nothing."""
    rng = np.random.default_rng(seed)
    return np.column_stack([*[rng.integers(0, 40, rows)] * 4, rng.integers(0, 40, (rows, 10))])


def test_columns_that_say_nothing_keep_it_from_learning_no_others():
    weights = learn_dependencies(given_same_and_strange(1000, 1), np.full(14, 40), 1, Pace(None, None))
    network = DependencyNetwork(np.full(14, 40), np.random.default_rng(1))
    network.load_state_dict({name: torch.from_numpy(array) for name, array in vars(weights).items()})
    codes = torch.from_numpy(given_same_and_strange(500, 2))

    def surprise(column: int) -> float:
        hide = torch.zeros(codes.shape, dtype=torch.bool)
        hide[:, column] = True
        with torch.no_grad():
            return float(network.surprise(network(codes, hide), codes, column).mean())

    assert max(surprise(column) for column in range(4)) < 0.1


def test_what_the_model_keeps_closer_than_the_network_is_left(tmp_path):
    rng = np.random.default_rng(2)
    price = rng.normal(50, 10, 1000).round(1)
    sums = {"price": price, "tax": (price * 0.19).round(2), "total": (price * 1.19).round(2)}
    table = pa.table(sums | {f"strange {place}": rng.normal(size=1000) for place in range(10)})

    model = create(ModelType.GAUSSIAN_COPULA, {"seed": 1, "refine": True}).fit(table)
    model.save(tmp_path / "model.synthgen")
    rows = load(tmp_path / "model.synthgen").sample(5000, seed=1)

    assert np.corrcoef([rows[name].to_numpy() for name in sums]).min() > 0.99


def test_rows_that_were_asked_for_are_as_the_table_has_them():
    """Two numbers that nearly agree, and a count that is high at both ends of them: what a row of one of its values is
    like no copula knows, and neither cell is moved far while the other stays."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=4000)
    table = pa.table(
        {"x": x, "near": x + 0.5 * rng.normal(size=4000), "count": np.minimum(np.abs(x) * 2, 3).astype(int)}
    )
    model = create(ModelType.GAUSSIAN_COPULA, {"seed": 1, "refine": True}).fit(table)

    for count in (0, 3):
        real = table.filter(pc.equal(table["count"], count))
        rows = model.sample(3000, seed=1, conditions={"count": count})
        for name in ("x", "near"):
            spreads = [float(np.std(some[name].to_numpy())) for some in (real, rows)]
            assert spreads[1] == pytest.approx(spreads[0], rel=0.15)
