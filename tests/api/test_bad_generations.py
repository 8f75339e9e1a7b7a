"""`POST /models/{id}/generate`: what cannot be is refused before there is a job, what can be holds in each row."""

import csv
import io
import itertools
from typing import Any

import pytest

from tests.api.bank import RARE, Bank
from tests.api.conftest import SYNTHGEN

JSON = {"Content-Type": "application/json"}
# A body, and the code of the answer, which is a 422.
BODIES: list[tuple[dict[str, Any], str]] = [
    *(({"num_rows": value}, "out_of_range") for value in (0, -1, 10**7 + 1, 10**12, 2**63)),
    *(({"num_rows": value}, "invalid_type") for value in ("10", True, 1.0, 1.5, None, [10], {})),
    *(({"seed": value}, "out_of_range") for value in (-1, 2**32)),
    *(({"seed": value}, "invalid_type") for value in (1.5, "x", True)),
    *(({"format": value}, "unknown_format") for value in ("xml", "../csv", "CSV", None, 1)),
    *(({"format": value, "csv_safe": True}, "csv_safe_needs_csv") for value in ("parquet", "jsonl")),
    ({"csv_safe": "yes"}, "invalid_type"),
    ({"rows": 10}, "unknown_field"),
    ({"status": "completed"}, "unknown_field"),
    ({"output_artifact_id": "02493dd3-4830-4596-bb2c-a682b412f3a3"}, "unknown_field"),
    *(({"conditions": value}, "object_expected") for value in ([], "city=Lima", 1, True)),
    ({"conditions": {f"column {i}": 1 for i in range(101)}}, "too_many_conditions"),
    ({"conditions": {f"column {i}": [1] * 1000 for i in range(11)}}, "too_many_values"),
    ({"conditions": {"age": [30] * 1001}}, "invalid_type"),
    ({"distribution": {"city": {"Lima": 0.5}}}, "shares_must_add_up"),
    ({"distribution": {"city": {"Lima": -1, "Rome": 2}}}, "out_of_range"),
    *(({"distribution": {"city": {"Lima": share}}}, "invalid_type") for share in ("1", True, None, [1])),
    ({"distribution": {"city": {"Atlantis": 1}}}, "unknown_value"),
    ({"distribution": {"city": {RARE: 1}}}, "unknown_value"),
    ({"distribution": {"age": {"30": 1}}}, "invalid_type"),
    ({"distribution": {"nowhere": {"x": 1}}}, "unknown_column"),
    ({"distribution": {"city": {"Lima": 1}, "country": {"Peru": 1}}}, "out_of_range"),
    ({"distribution": {"city": {"Lima": 1}}, "conditions": {"city": "Lima"}}, "conflicting_conditions"),
]

CONDITIONS: list[tuple[dict[str, Any], str]] = [
    ({"nowhere": 1}, "unknown_column"),
    ({"__proto__": 1}, "unknown_column"),
    ({"": 1}, "unknown_column"),
    ({"City": "Lima"}, "unknown_column"),
    ({"c" * 10_000: 1}, "unknown_column"),
    ({"city": "Atlantis"}, "unknown_value"),
    ({"city": RARE}, "unknown_value"),
    ({"city": "lima!"}, "unknown_value"),
    ({"city": ["Lima", "Atlantis"]}, "unknown_value"),
    ({"bank": "Second"}, "unknown_value"),
    ({"city": None}, "not_nullable"),
    ({"city": ["Lima", None]}, "not_nullable"),
    ({"age": None}, "not_nullable"),
    ({"age": "thirty"}, "invalid_type"),
    ({"age": True}, "invalid_type"),
    ({"age": 30.5}, "invalid_type"),
    ({"city": 1}, "invalid_type"),
    ({"active": 1}, "invalid_type"),
    ({"active": "True!"}, "invalid_type"),
    ({"opened": "yesterday"}, "invalid_type"),
    ({"opened": 2020}, "invalid_type"),
    ({"age": []}, "invalid_type"),
    ({"age": [[30]]}, "invalid_type"),
    ({"age": {}}, "invalid_type"),
    ({"age": {"min": None}}, "invalid_type"),
    ({"age": {"least": 30}}, "invalid_type"),
    ({"age": {"min": 30, "most": 40}}, "invalid_type"),
    ({"age": {"min": "thirty"}}, "invalid_type"),
    ({"age": {"min": 30.2, "max": 30.8}}, "invalid_type"),
    ({"age": {"min": 40, "max": 30}}, "out_of_range"),
    ({"opened": {"min": "2024-01-01", "max": "2020-01-01"}}, "out_of_range"),
    ({"city": {"min": "Lima"}}, "invalid_type"),
    ({"age": 30, "city": "Atlantis"}, "unknown_value"),
    ({"account": "AC-000001"}, "unconditional_column"),
    ({"account": "AC-999999"}, "unconditional_column"),
]

NO_JSON = [
    (b'{"num_rows": NaN}', "invalid_json"),
    (b'{"conditions": {"balance": NaN}}', "invalid_json"),
    (b'{"num_rows": 1e400}', "invalid_json"),
    (b'{"num_rows": %s}' % (b"1" * 5000), "invalid_json"),
    (b'{"num_rows": 1, "num_rows": 2}', "duplicate_key"),
    (b'{"conditions": {"age": Infinity}}', "invalid_json"),
    (b'{"conditions": {"city": "Lima", "city": "Rome"}}', "duplicate_key"),
]

# Taken, and true of every row: a condition, and what a row must be.
OBEYED: list[tuple[dict[str, Any], Any]] = [
    ({}, lambda row: True),
    ({"age": 40}, lambda row: row["age"] == "40"),
    ({"age": 40.0}, lambda row: row["age"] == "40"),
    ({"age": [30, 40]}, lambda row: row["age"] in ("30", "40")),
    ({"age": {"min": 30, "max": 40}}, lambda row: 30 <= int(row["age"]) <= 40),
    ({"age": {"min": -1e300}}, lambda row: True),
    ({"balance": None}, lambda row: row["balance"] == ""),
    ({"balance": {"min": 1000}}, lambda row: float(row["balance"]) >= 1000),
    ({"balance": [None, 1000]}, lambda row: row["balance"] in ("", "1000.00", "1000.0", "1000")),
    ({"city": "Lima", "active": True}, lambda row: (row["city"], row["active"]) == ("Lima", "True")),
    ({"opened": {"min": "2015-01-01", "max": "2019-12-31"}}, lambda row: "2015" <= row["opened"] < "2020"),
    ({"bank": "First"}, lambda row: row["bank"] == "First"),
    # Rows that the table never held: no row is waited for, each is made so.
    ({"city": "Rome", "country": "Peru"}, lambda row: (row["city"], row["country"]) == ("Rome", "Peru")),
    (
        {"city": "Lima", "country": "Italy", "age": 40, "active": False, "balance": {"max": 700}},
        lambda row: (row["city"], row["country"], row["age"]) == ("Lima", "Italy", "40"),
    ),
]

# Of the right type, but the column never takes such a value. (A pair that the table never held is no such case.)
UNSATISFIABLE: list[dict[str, Any]] = [
    {"age": 1000},
    {"age": 10**18},
    {"age": 10**300},
    {"age": -1e300},
    {"age": {"min": 1e15}},
    {"balance": 1e308},
    {"balance": {"max": -1e308}},
    {"opened": "1700-01-01"},
    {"opened": {"min": "9999-12-31"}},
    {"age": 40, "opened": {"max": "0001-01-01"}},
]


@pytest.fixture
def generate_path(bank: Bank) -> str:
    return f"{SYNTHGEN}/models/{bank.model_id}/generate"


@pytest.mark.parametrize(("body", "code"), BODIES, ids=lambda part: repr(part)[:60])
async def test_422_for_a_body_that_does_not_fit(bank: Bank, generate_path, body, code):
    await bank.refuses("POST", generate_path, 422, code, json=body)


@pytest.mark.parametrize(("conditions", "code"), CONDITIONS, ids=lambda part: repr(part)[:60])
async def test_422_for_a_condition_that_the_model_cannot_obey(bank: Bank, generate_path, conditions, code):
    await bank.refuses("POST", generate_path, 422, code, json={"conditions": conditions})


@pytest.mark.parametrize(
    ("conditions", "limit"), [({"age": [30] * 1001}, "1,000"), (dict.fromkeys("abcdefghijk", [1] * 1000), "10,000")]
)
async def test_a_refusal_of_too_many_values_says_how_many_may_be(bank: Bank, generate_path, conditions, limit):
    response = await bank.client.post(generate_path, json={"conditions": conditions})

    assert f"{limit} values" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"distribution": {"city": {"Lima": 1}, "country": {"Peru": 1}}}, "distribution: may name 1 column at most"),
        ({"conditions": {f"column {i}": 1 for i in range(101)}}, "conditions: may name 100 columns at most"),
        ({"conditions": []}, "conditions: must be an object"),
        (
            {"conditions": {"body": [[]]}},
            "conditions.body: must be a value, null, a list of 1,000 values at most, or {min, max}",
        ),
    ],
    ids=lambda part: repr(part)[:60],
)
async def test_a_refusal_of_an_object_says_what_is_wrong_with_it(bank: Bank, generate_path, body, said):
    response = await bank.client.post(generate_path, json=body)

    assert response.json()["detail"] == said


@pytest.mark.parametrize(("body", "code"), NO_JSON, ids=lambda part: repr(part)[:60])
async def test_400_for_what_is_no_json(bank: Bank, generate_path, body, code):
    await bank.refuses("POST", generate_path, 400, code, content=body, headers=JSON)


@pytest.mark.parametrize("number", [b"1e3", b"1.0", b"1E+3", b"10.00"])
async def test_422_for_a_whole_number_that_is_written_as_a_float(bank: Bank, generate_path, number):
    body = b'{"num_rows": %s}' % number

    await bank.refuses("POST", generate_path, 422, "invalid_type", content=body, headers=JSON)


@pytest.mark.parametrize(
    "ask",
    [
        lambda value: {"conditions": {"city": value}},
        lambda value: {"conditions": {"city": ["Lima", value]}},
        lambda value: {"distribution": {"city": {"Lima": 0.5, value: 0.5}}},
    ],
    ids=["value", "any of", "distribution"],
)
async def test_a_rare_value_and_one_that_is_nowhere_are_answered_byte_for_byte_alike(bank: Bank, generate_path, ask):
    headers = {"X-Request-ID": "the-same"}

    rare, nowhere = [await bank.client.post(generate_path, json=ask(value), headers=headers) for value in (RARE, "?")]

    assert rare.status_code == nowhere.status_code == 422
    assert (rare.content, rare.headers) == (nowhere.content, nowhere.headers)


@pytest.mark.parametrize("body", [None, {}, {"conditions": None}, {"conditions": {}}, {"distribution": None}], ids=repr)
async def test_a_body_that_asks_for_nothing_gives_the_defaults(client, given_ready_model, body):
    model_id = await given_ready_model()

    job = (await client.post(f"{SYNTHGEN}/models/{model_id}/generate", json=body)).json()

    config = (await client.get(f"{SYNTHGEN}/jobs/{job['synthgen_job_id']}")).json()["config"]
    assert (config["num_rows"], config["conditions"]) == (1000, {})


class TestOutcome:
    """Of jobs that run, on a model of each kind of drawing."""

    @pytest.mark.parametrize("model_type", ["gaussian_copula", "ctgan", "tvae"])
    async def test_conditions_hold_in_every_row(self, learnt, model_type):
        for conditions, is_obeyed in OBEYED:
            job, rows = await learnt.generate(model_type, conditions)

            assert (job["status"], len(rows)) == ("completed", 50), (conditions, job["error"])
            assert all(map(is_obeyed, rows)), conditions

    @pytest.mark.parametrize("model_type", ["gaussian_copula", "ctgan", "tvae"])
    async def test_a_value_that_no_row_can_have_ends_the_job_with_a_reason(self, learnt, model_type):
        for conditions in UNSATISFIABLE:
            job, _ = await learnt.generate(model_type, conditions)

            assert (job["status"], (job["error"] or {}).get("code")) == ("failed", "conditions_unsatisfiable"), (
                conditions
            )
            assert not job["error"]["retryable"]

    async def test_of_many_conditions_every_row_obeys_each(self, learnt):
        asked = {"age": {"min": 20}, "city": ["Lima", "Rome"], "active": True, "opened": {"min": "2011-01-01"}}
        for several in itertools.combinations(asked, 3):
            _, rows = await learnt.generate("ctgan", {name: asked[name] for name in several})

            assert "city" not in several or {row["city"] for row in rows} <= {"Lima", "Rome"}
            assert "active" not in several or {row["active"] for row in rows} == {"True"}
            assert "age" not in several or min(int(row["age"]) for row in rows) >= 20

    @pytest.mark.parametrize("value", [1e-320, -0.0, 5e-324, 1e300])
    async def test_the_smallest_and_largest_numbers_get_an_answer(self, learnt, value):
        job, _ = await learnt.generate("gaussian_copula", {"balance": value})

        assert job["status"] == "completed" or job["error"]["code"] == "conditions_unsatisfiable"


class Learnt:
    """The bank's table as each type of model has learnt it."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._models = {"gaussian_copula": bank.model_id}

    async def generate(
        self, model_type: str, conditions: dict[str, Any]
    ) -> tuple[dict[str, Any], list[dict[str, str]]]:
        """The finished job and its rows."""
        client = self._bank.client
        path = f"{SYNTHGEN}/models/{await self._model(model_type)}/generate"
        body = {"num_rows": 50, "seed": 1, "conditions": conditions}
        accepted = await client.post(path, json=body)
        assert accepted.status_code == 200, accepted.text
        await self._bank.server.run_queue()
        job = (await client.get(f"{SYNTHGEN}/jobs/{accepted.json()['job_id']}")).json()
        output = await client.get(f"{SYNTHGEN}/jobs/{job['id']}/download") if job["result"] else None
        return job, list(csv.DictReader(io.StringIO(output.text))) if output else []

    async def _model(self, model_type: str) -> str:
        if model_type not in self._models:
            order = {**self._bank.order, "model_type": model_type, "config": {"epochs": 3, "batch_size": 20}}
            self._models[model_type] = (await self._bank.client.post(f"{SYNTHGEN}/models", json=order)).json()["id"]
            await self._bank.server.run_queue()
        return self._models[model_type]


@pytest.fixture(scope="module")
def learnt(bank: Bank) -> Learnt:
    return Learnt(bank)
