"""What every synthesizer promises, whatever its mathematics. A new type gets these tests for free."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from synthgen_ray import synthesizers
from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.domain.errors import Cancelled, InvalidRequest, InvalidTable, JobError
from synthgen_ray.domain.params import GenerateParams, ModelType, Range
from synthgen_ray.synthesizers.base import create, load, synthesizer_class
from tests.unit.synthesizers.conftest import RARE, SMALL, given_model, given_table

K = 5


class TestRows:
    def test_have_the_names_order_and_types_of_the_table(self, rows, table):
        assert rows.schema.equals(table.schema)

    def test_are_as_many_as_asked_for(self, model):
        assert [model.sample(count, seed=1).num_rows for count in (0, 1, 7)] == [0, 1, 7]

    @pytest.mark.parametrize("name", ["age", "far", "amount", "weight", "price", "born", "seen"])
    def test_stay_inside_the_kth_extremes(self, rows, table, name):
        ordered = table[name].drop_null().sort()

        assert pc.min(rows[name]).as_py() >= ordered[K - 1].as_py()
        assert pc.max(rows[name]).as_py() <= ordered[-K].as_py()

    def test_have_nulls_only_where_the_table_has_some(self, rows, table):
        for name in table.column_names:
            share = rows[name].null_count / rows.num_rows
            assert share == pytest.approx(table[name].null_count / table.num_rows, abs=0.25), name
            assert (rows[name].null_count > 0) == (table[name].null_count > 0), name

    def test_keep_constants_zeros_and_decimals(self, rows):
        assert pc.unique(rows["source"]).to_pylist() == ["web"]
        assert pc.mean(pc.equal(rows["amount"], 0)).as_py() > 0.2
        amount = rows["amount"].drop_null().to_numpy()
        assert np.array_equal(np.round(amount, 2), amount)

    def test_have_ids_that_are_unique_and_new(self, rows, table):
        for name in ("key", "code"):
            assert pc.count_distinct(rows[name]).as_py() == rows.num_rows
            assert not set(rows[name].to_pylist()) & set(table[name].to_pylist())
        assert pc.mean(pc.match_substring_regex(rows["code"], r"^AB-\d{5}$")).as_py() > 0.99

    def test_hold_no_rare_value_and_no_text_of_the_table(self, rows, table):
        assert set(rows["city"].to_pylist()) == {"Rome", "Oslo", "Lima"}
        for name in ("name", "note"):
            assert not set(rows[name].drop_null().to_pylist()) & set(table[name].to_pylist())


class TestSeeds:
    def test_rows_are_those_of_their_chunks_in_whatever_order_these_are_drawn(self, model_type):
        model = given_model(model_type, refine=True)
        model.chunk_rows = 400
        chunks = [(0, 400), (1, 400), (2, 133)]

        drawn = {chunk: model.sample_chunk(*chunk, 7) for chunk in reversed(chunks)}

        assert model.sample(933, seed=7).equals(pa.concat_tables(drawn[chunk] for chunk in chunks))

    def test_same_seed_same_rows_after_a_reload(self, model, rows, tmp_path):
        model.save(tmp_path / "m.synthgen")

        again = load(tmp_path / "m.synthgen")

        assert again.sample(rows.num_rows, seed=1).equals(rows)
        assert (again.learned_columns, again.columns, again.chunk_rows) == (
            model.learned_columns,
            model.columns,
            model.chunk_rows,
        )

    def test_same_seed_same_rows_in_another_process(self, model):
        again = pickle.loads(pickle.dumps(model))

        assert again.sample(100, seed=1).equals(model.sample(100, seed=1))

    def test_another_seed_gives_other_rows(self, model, rows):
        assert not model.sample(500, seed=2).equals(rows.slice(0, 500))

    def test_a_draw_of_one_row_leaves_the_model_as_it_was(self, model, rows):
        model.sample_chunk(0, 1, 5)

        assert model.sample(rows.num_rows, seed=1).equals(rows)

    def test_numbers_may_be_numpys_and_are_whole(self, model, rows):
        assert model.sample(np.int64(rows.num_rows), seed=np.uint8(1)).equals(rows)
        for asked in ({"num_rows": 1e6}, {"num_rows": 2e7}, {"num_rows": 5, "seed": 0.5}):
            with pytest.raises(InvalidRequest, match="must be a whole number"):
                model.sample(**asked)

    def test_chunks_are_the_same_in_any_order_and_beside_threads(self, model):
        alone = [model.sample_chunk(index, 300, 9) for index in range(6)]

        with ThreadPoolExecutor(4) as pool:
            beside = list(pool.map(lambda index: model.sample_chunk(index, 300, 9), [5, 4, 3, 2, 1, 0]))

        assert all(one.equals(other) for one, other in zip(alone, reversed(beside), strict=True))

    def test_the_global_random_states_are_neither_read_nor_moved(self, model, model_type, tmp_path):
        import random

        import torch

        def states() -> tuple[object, ...]:
            return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()

        before = states()
        model.sample(50, seed=3)
        assert states() == before
        given_model(model_type).save(tmp_path / "model")
        assert states() == before
        load(tmp_path / "model")
        assert states() == before

    def test_the_same_seed_trains_the_same_model(self, model, model_type, tmp_path):
        given_model(model_type).save(tmp_path / "again")
        model.save(tmp_path / "first")

        assert (tmp_path / "again").read_bytes() == (tmp_path / "first").read_bytes()


CONDITIONS = [
    {"city": "Lima"},
    {"grade": 2},
    {"plan": "b"},
    {"member": True},
    {"member": None},
    {"age": 33},
    {"age": {"min": 30, "max": 32}},
    {"age": {"min": 88}},
    {"amount": 0.0},
    {"amount": 12.34},
    {"amount": None},
    {"amount": [None, 0.0, 55.5]},
    {"weight": {"max": 60}},
    {"price": 20.5},
    {"far": {"min": 2**63 - 3000}},
    {"far": 2**63 - 2500},
    {"born": "1851-02-03"},
    {"born": {"min": "1851-02-03", "max": "1851-02-04"}},
    {"seen": {"min": "2020-09-14T00:00:00Z"}},
    {"seen": "2020-09-15T10:20:30+02:00"},
    {"source": "web"},
    {"city": ["Lima", "Oslo"], "age": {"max": 40}, "member": [True, None], "amount": {"min": 1}},
]


# A model's columns end before their extremes: real rows beyond are what they are.
OF_REAL_ROWS = [
    {},
    {"age": {"min": 18, "max": 89}},
    {"age": {"min": -(10**30), "max": 10**30}},
    {"age": [18, 89, 10**30]},
    {"weight": {"min": 1e300}},
    {"weight": {"min": -1e300, "max": 1e300}},
    {"born": {"max": "1850-01-03"}},
    {"seen": {"min": "2020-09-20T12:00:00Z", "max": "2020-09-26T00:00:00+02:00"}},
    {"source": ["web", "web"]},
    {"empty": None},
]


class TestConditions:
    @pytest.mark.parametrize("conditions", CONDITIONS, ids=str)
    def test_hold_in_every_row_and_leave_the_others_varied(self, model, conditions):
        rows = model.sample(200, seed=4, conditions=conditions)

        assert rows.num_rows == 200
        for name, condition in conditions.items():
            assert all(obeys(value, condition) for value in rows[name]), name
        assert model.obeying(rows, GenerateParams(conditions=conditions).conditions).num_rows == 200
        assert pc.count_distinct(rows["weight"]).as_py() > 100
        assert len(pc.unique(rows["city"])) > 1 or "city" in conditions

    def test_give_the_same_rows_for_the_same_seed(self, model):
        wanted = {"city": "Lima", "age": Range(min=20, max=50)}

        assert model.sample_chunk(3, 100, 5, wanted).equals(model.sample_chunk(3, 100, 5, wanted))

    def test_for_one_row_and_for_none(self, model):
        assert model.sample(1, seed=1, conditions={"city": "Lima"})["city"].to_pylist() == ["Lima"]
        assert model.sample(0, seed=1, conditions={"city": "Lima"}).num_rows == 0

    @pytest.mark.parametrize(
        "conditions",
        [{"age": {"min": 100}}, {"age": 120}, {"born": {"max": "1700-01-01"}}, {"weight": {"min": 1e300}}],
        ids=str,
    )
    def test_that_no_value_meets_are_said_to_be_unsatisfiable(self, model, conditions):
        with pytest.raises(JobError) as caught:
            model.sample(10, conditions=conditions)

        (name,) = conditions
        learned = next(column for column in model.learned_columns if column.name == name)
        assert caught.value.code == "conditions_unsatisfiable"
        assert f"are {learned.minimum} to {learned.maximum}." in caught.value.detail

    @pytest.mark.parametrize(
        "conditions",
        [{"city": RARE}, {"city": "Atlantis"}, {"name": "Zyx1"}, {"nothing": 1}, {"age": None}, {"age": "x"}],
        ids=str,
    )
    def test_that_cannot_be_asked_for_are_refused(self, model, conditions):
        with pytest.raises(InvalidRequest):
            model.sample(10, conditions=conditions)

    def test_a_distribution_holds_exactly_in_a_shuffle(self, model):
        rows = model.sample(
            1000, seed=2, conditions={"age": {"min": 30}}, distribution={"city": {"Lima": 0.7, "Rome": 0.3}}
        )

        cities = rows["city"].to_pylist()
        assert (cities.count("Lima"), cities.count("Rome")) == (700, 300)
        assert 300 < cities[:500].count("Lima") < 400
        assert pc.min(rows["age"]).as_py() >= 30

    def test_a_distribution_over_booleans_and_numbers(self, model):
        rows = model.sample(100, seed=2, distribution={"grade": {"1": 0.25, "3": 0.75}})
        flags = model.sample(100, seed=2, distribution={"member": {"true": 0.9, "false": 0.1}})

        assert rows["grade"].to_pylist().count(3) == 75
        assert flags["member"].to_pylist().count(True) == 90


@pytest.fixture(scope="module")
def copula(usual_model):
    return usual_model(ModelType.GAUSSIAN_COPULA)


# By the codecs of its columns, which a type does not change.
@pytest.mark.parametrize("conditions", [*CONDITIONS, *OF_REAL_ROWS], ids=str)
def test_a_model_finds_the_rows_of_a_table_that_fit_whatever_it_makes_of_them(copula, table, conditions):
    asked = GenerateParams(conditions=conditions).conditions
    fitting = [all(obeys(table[name][row], one) for name, one in conditions.items()) for row in range(500)]

    assert copula.obeying(table, asked).equals(table.filter(pa.array(fitting)))


def obeys(value: pa.Scalar, condition: object) -> bool:
    if isinstance(condition, list):
        return any(obeys(value, one) for one in condition)
    if condition is None or not value.is_valid:
        return condition is None and not value.is_valid
    if isinstance(condition, dict):
        low, high = (typed(condition.get(end), value.type) for end in ("min", "max"))
        return (low is None or value.as_py() >= low) and (high is None or value.as_py() <= high)
    return value.as_py() == typed(condition, value.type)


def typed(bound: object, type_: pa.DataType) -> object:
    if bound is None or not isinstance(bound, str) or not pa.types.is_temporal(type_):
        return float(bound) if pa.types.is_decimal(type_) and bound is not None else bound
    return pa.scalar(bound).cast(pa.timestamp("us", "UTC") if pa.types.is_timestamp(type_) else type_).as_py()


class TestTraining:
    def test_reports_its_progress(self, model_type):
        said = []

        given_model(model_type, on_progress=said.append)

        assert said[0].fraction == 0
        assert said[-1].fraction == 1
        assert [one.fraction for one in said] == sorted(one.fraction for one in said)
        epochs = SMALL[model_type].get("epochs", 0)
        assert sum(one.message.startswith("epoch") for one in said) >= epochs
        assert all(loss == loss for one in said for loss in one.losses.values())

    def test_of_one_that_is_refined_all_is_done_by_refining(self, model_type):
        said = []

        given_model(model_type, refine=True, on_progress=said.append)

        first = [one.message for one in said].index("refining")
        assert 0 < said[first].fraction < 1
        assert [one.fraction for one in said] == sorted(one.fraction for one in said)
        assert (said[-1].fraction, said[-1].message) == (1, "trained")

    def test_what_the_listener_raises_passes_through(self, model_type):
        def stop(progress):
            if progress.fraction > 0:
                raise Cancelled()

        with pytest.raises(Cancelled):
            given_model(model_type, on_progress=stop)

    def test_that_ends_halfway_leaves_no_model(self, model_type):
        def stop(progress):
            if progress.fraction > 0:
                raise KeyboardInterrupt

        table, columns = given_table(60)
        fitted = given_model(model_type, table, columns, refine=False)
        for model in (create(model_type, SMALL[model_type]), fitted):
            with pytest.raises(KeyboardInterrupt):
                model.fit(table.slice(0, 30), columns, on_progress=stop)

            with pytest.raises(InvalidRequest, match="is not fitted"):
                model.sample(5)

    def test_stops_in_time_and_keeps_the_model(self, model_type):
        said = []
        has_epochs = "epochs" in SMALL[model_type]
        forever = {"epochs": 10_000} if has_epochs else {}

        model = given_model(model_type, refine=True, max_training_seconds=0.001, on_progress=said.append, **forever)

        assert [one.message for one in said if one.message.startswith("epoch")] == ["epoch 1 of 10000"] * has_epochs
        assert sum(one.message == "refining" for one in said) == 2  # it begins, and is over
        assert model.sample(10, seed=1).num_rows == 10

    def test_never_sees_the_holdout(self, model_type):
        table = pa.table({"city": ["Rome"] * 60 + ["Oslo"] * 60, "age": list(range(120))})
        columns = (Column("city", ColumnKind.CATEGORICAL), Column("age", ColumnKind.INTEGER))

        model = given_model(model_type, table, columns, holdout_fraction=0.25, refine=False)

        assert model._trained_rows == 90

    @pytest.mark.parametrize(
        ("table", "code"),
        [
            (pa.table({"x": list(range(19))}), "too_few_rows"),
            (pa.table({"x": ["only"] * 50}), "no_usable_columns"),
            (pa.table({"x": [float("inf"), *range(40)]}), "non_finite"),
            (pa.table({"x": [[1], [2]] * 20}), "unsupported_type"),
        ],
    )
    def test_refuses_what_cannot_be_learnt(self, model_type, table, code):
        kind = ColumnKind.CONSTANT if code == "no_usable_columns" else ColumnKind.FLOAT

        with pytest.raises(InvalidTable) as caught:
            given_model(model_type, table, (Column("x", kind),))

        assert caught.value.code == code

    def test_takes_a_data_frame_and_infers_its_columns(self, model_type):
        frame = given_table()[0].select(["city", "age", "amount"]).to_pandas()

        model = create(model_type, SMALL[model_type]).fit(frame)

        assert model.sample(20, seed=1).column_names == ["city", "age", "amount"]

    @pytest.mark.parametrize("names", [["city"], ["age"], ["amount", "key"], ["member", "name"]], ids=str)
    def test_learns_tables_of_one_kind(self, model_type, names):
        table, columns = given_table()
        chosen = tuple(column for column in columns if column.name in names)

        model = given_model(model_type, table.select([column.name for column in chosen]), chosen)

        assert model.sample(100, seed=1).schema.equals(table.select([column.name for column in chosen]).schema)

    def test_its_class_is_in_the_package_by_name(self, model_type):
        found = synthesizer_class(model_type)

        assert getattr(synthesizers, found.__name__) is found

    def test_refuses_options_that_are_wrong(self, model_type):
        with pytest.raises(InvalidRequest) as caught:
            create(model_type, {"no_such_option": 1})

        assert caught.value.code == "unknown_config_key"
