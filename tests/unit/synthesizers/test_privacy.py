"""Nothing that fewer than k rows share is in a model's file, however one looks for it, nor in the rows it makes."""

import datetime as dt
import io
import json
import re
import struct
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from synthgen_ray.domain.columns import Column, ColumnKind
from synthgen_ray.synthesizers.base import load
from synthgen_ray.synthesizers.codec import AvoidingCodec, CodecOptions, TableCodec
from synthgen_ray.synthesizers.columns.personal import personal_texts
from synthgen_ray.synthesizers.gaussian_copula import GaussianCopula
from synthgen_ray.synthesizers.model_file import CARD
from tests.unit.synthesizers.conftest import given_model, numbers_in

ROWS = 400
RNG = np.random.default_rng(77)
RARE = ["Xanadu", "Shangri-La", "Cockaigne"]
LARGEST, SMALLEST = 918_273_645, -817_263_549
LAST_DAY = dt.date(2087, 3, 4)


def given_secrets() -> tuple[pa.Table, tuple[Column, ...]]:
    """A table whose every row would give itself away."""
    city = RNG.choice(["Rome", "Oslo"], ROWS).astype(object)
    city[:4] = [RARE[0], RARE[1], RARE[2], RARE[2]]
    debt = RNG.integers(1, 5000, ROWS) * 100
    debt[:2] = LARGEST, SMALLEST
    salary = np.round(RNG.lognormal(10, 1, ROWS), 3)
    salary[2] = 98_765_432.125
    seen = [dt.date(2020, 1, 1) + dt.timedelta(int(day)) for day in RNG.integers(0, 900, ROWS)]
    seen[3] = LAST_DAY
    mostly_null = [None] * ROWS
    mostly_null[7] = 31_337.625
    kinds = ColumnKind
    columns = {
        "customer": (kinds.ID, [f"Q{n:06}-K" for n in RNG.permutation(900_000)[:ROWS]]),
        "account": (kinds.ID, RNG.integers(10**11, 10**12, ROWS)),
        "order": (kinds.ID, np.arange(ROWS) + 7_345_113),
        "who": (kinds.TEXT, [f"Ludmila{n} Петрова{n}" for n in range(ROWS)]),
        "note": (kinds.TEXT, [f"patient {n} was told of the diagnosis" for n in range(ROWS)]),
        "once": (kinds.CATEGORICAL, [f"label-{n * 7919:07}" for n in range(ROWS)]),
        "city": (kinds.CATEGORICAL, city),
        "debt": (kinds.INTEGER, debt),
        "salary": (kinds.FLOAT, salary),
        "weight": (kinds.FLOAT, RNG.normal(70, 9, ROWS)),
        "seen": (kinds.DATETIME, seen),
        "exposed": (kinds.FLOAT, pa.array(mostly_null, pa.float64())),
    }
    table = pa.table({name: values for name, (_, values) in columns.items()})
    return table, tuple(Column(name, kind) for name, (kind, _) in columns.items())


TABLE, COLUMNS = given_secrets()
TEXTS = [text for name in ("customer", "who", "note", "once") for text in TABLE[name].to_pylist()] + RARE
WHOLE = [*TABLE["account"].to_pylist(), *TABLE["order"].to_pylist(), LARGEST, SMALLEST]
REALS = [*TABLE["salary"].to_pylist(), *TABLE["weight"].to_pylist(), 31_337.625]


@pytest.fixture(scope="module")
def model(model_type):
    return given_model(model_type, TABLE, COLUMNS)


@pytest.fixture(scope="module")
def content(model, tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("private") / "model.synthgen"
    model.save(path)
    return path.read_bytes()


def found(needles: list[bytes], content: bytes) -> list[bytes]:
    return [needle for needle in needles if needle in content]


def test_a_file_holds_no_text_of_a_row(content):
    needles = {
        form for text in TEXTS for form in (text.encode(), text.encode("utf-16-le"), json.dumps(text)[1:-1].encode())
    }

    assert not found(sorted(needles), content)


@pytest.mark.parametrize(("numbers", "written"), [(WHOLE, str), (REALS, repr)], ids=["whole", "real"])
def test_a_file_holds_no_number_of_a_row(content, numbers, written):
    words = set(re.findall(rb"[-+.0-9eE]+", content))
    forms = [struct.pack("<d", number) for number in numbers]
    forms += [struct.pack("<q", number) for number in numbers if isinstance(number, int)]

    assert not [number for number in numbers if written(number).encode() in words]
    assert not found(forms, content)


def test_a_file_holds_no_moment_of_one_row(content):
    days = (LAST_DAY - dt.date(1970, 1, 1)).days
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        numbers = numbers_in(json.loads(archive.read(CARD)))

    assert LAST_DAY.isoformat().encode() not in content
    assert not {float(days), float(days - (dt.date(2020, 1, 1) - dt.date(1970, 1, 1)).days)} & set(numbers)


def test_rows_hold_none_of_it_either(model):
    rows = model.sample(3000, seed=1)

    for name in ("customer", "account", "order", "who", "note", "once"):
        assert not set(rows[name].to_pylist()) & set(TABLE[name].to_pylist()), name
    assert set(rows["city"].to_pylist()) == {"Rome", "Oslo"}
    assert rows["exposed"].null_count == 3000
    for name in ("debt", "salary", "weight", "seen"):
        ordered = TABLE[name].sort().to_pylist()
        assert ordered[4] <= min(rows[name].to_pylist()) <= max(rows[name].to_pylist()) <= ordered[-5], name


WORDS = ("patient", "told", "us", "of", "a", "symptom", "which", "doctors", "take", "for", "nothing")


def given_people(seed: int, rows: int = 20_000) -> pa.Table:
    chance = np.random.default_rng(seed)
    return pa.table(
        {
            "code": [f"{n:07}" for n in chance.integers(10**7, size=rows)],
            "account": chance.integers(10**9, size=rows),
            "name": personal_texts("name", rows, chance),
            "phone": [f"+39 {n:07}" for n in chance.integers(10**7, size=rows)],
            "mail": pa.array([f"p{n}@somewhere.org" for n in chance.integers(10**9, size=rows)]),
            "note": [" ".join(words) for words in chance.choice(WORDS, (rows, 6))],
        }
    )


def test_a_file_proves_nobodys_presence():
    """One stranger in sixteen looks like a person of the table, in all columns together."""
    table, strangers = given_people(1), given_people(2)
    pii = {"name": "name", "phone": "phone", "mail": "email"}
    columns = [
        Column(name, ColumnKind.ID if name in ("code", "account") else ColumnKind.TEXT, pii=pii.get(name))
        for name in table.column_names
    ]
    codec = TableCodec.learn(table, table, columns, CodecOptions(5, 100, frozenset()), np.random.default_rng(3))

    looks = {
        column.name: column.seen.contains(np.array(strangers[column.name].to_pylist()).astype(str))
        for column in codec.columns
        if isinstance(column, AvoidingCodec)
    }

    assert np.all([looks[name] for name in ("code", "account", "name", "phone")], axis=0).mean() > 0.9 / 16
    # Texts that are not of the kind that it makes up: of them the file knows nothing.
    assert not looks["mail"].any()
    assert not looks["note"].any()


def test_a_file_does_not_count_the_values_of_a_column(tmp_path):
    city = pa.array(["Xanadu", *["Rome", "Oslo"] * 50], mask=np.arange(101) == 1)
    model = GaussianCopula(seed=1).fit(pa.table({"city": city, "age": RNG.normal(size=101)}))

    model.save(tmp_path / "model")

    assert [(column.nullable, column.cardinality) for column in model.columns] == [(True, 3), (False, 101)]
    for column in load(tmp_path / "model").columns:
        assert (column.nullable, column.unique, column.cardinality) == (False, False, 0)


@pytest.mark.parametrize("nulls", [4, 5])
def test_that_fewer_than_k_rows_are_null_is_not_learnt(model_type, nulls):
    mask = np.arange(ROWS) < nulls
    kinds = ColumnKind
    columns = {
        "city": (kinds.CATEGORICAL, pa.array(RNG.choice(["Rome", "Oslo"], ROWS), mask=mask)),
        "age": (kinds.INTEGER, pa.array(RNG.integers(20, 60, ROWS), mask=mask)),
        "salary": (kinds.FLOAT, pa.array(RNG.normal(0, 1, ROWS), mask=mask)),
        "source": (kinds.CATEGORICAL, pa.array(["web"] * ROWS, mask=mask)),
        "code": (kinds.ID, pa.array([f"Q{n:06}-K" for n in range(ROWS)], mask=mask)),
        "key": (kinds.ID, pa.array(np.arange(ROWS), mask=mask)),
        "note": (kinds.TEXT, pa.array([f"patient {n} was told of it" for n in range(ROWS)], mask=mask)),
    }
    table = pa.table({name: values for name, (_, values) in columns.items()})

    model = given_model(
        model_type,
        table,
        [Column(name, kind, nullable=True) for name, (kind, _) in columns.items()],
        holdout_fraction=0.0,
    )

    assert {column.nullable for column in model.learned_columns} == {nulls >= 5}
    if nulls < 5:
        assert not any(column.null_count for column in model.sample(2000, seed=1).columns)
