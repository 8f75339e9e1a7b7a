"""What files are answered with. `tests/csv_cases.py` and `tests/parquet_cases.py` hold what they are."""

import asyncio
import csv
import gzip
import io
import logging
from collections.abc import Callable

import httpx
import pyarrow as pa
import pytest

from tests import csv_cases, parquet_cases
from tests.api.conftest import SYNTHGEN, a_table, files_of
from tests.csv_cases import MIB
from tests.parquet_cases import column, parquet

PROBLEM = {"type", "title", "status", "detail", "code", "request_id", "errors"}
MANY = range(60)


@pytest.fixture
def upload(client, project_id):
    async def send(content: bytes, filename: str = "t.csv", to: httpx.AsyncClient = client, **fields) -> httpx.Response:
        data = {"project_id": project_id, "name": "n", **fields}
        return await to.post("/api/datasets/upload", data=data, files={"file": (filename, content)})

    return send


# What takes a careless reader gigabytes or minutes: what it is, how to make it, its name, status and code.
HEAVY: list[tuple[str, Callable[[], bytes], str, int, str]] = [
    ("an open quote and 25 MB", lambda: b'a,b\n1,"x\n' + b"1,2\n" * 6_300_000, "t.csv", 422, "malformed_csv"),
    ("a quoted cell of 200 MB", lambda: b'a\n"' + b"x" * (200 * MIB) + b'"\n', "t.csv", 422, "cell_too_large"),
    ("200,000 columns", lambda: csv_cases.a_wide_table(200_000), "t.csv", 422, "too_many_columns"),
    ("a gzip of 314 MB", lambda: gzip.compress(b"1,2\n" * 78_500_000, 6), "t.csv.gz", 413, "payload_too_large"),
    ("50 MB of one row", lambda: b"a,b\n" + b"abcdefghijklm,12345\n" * 2_500_000, "t.csv", 201, ""),
    (
        "20,000 columns of Parquet",
        lambda: parquet(pa.table({f"c{i}": [1] for i in range(20_000)})),
        "t.parquet",
        422,
        "too_many_columns",
    ),
    (
        "20,000,000 rows of Parquet",
        lambda: column(pa.nulls(20_000_000, pa.int64()).fill_null(7)),
        "t.parquet",
        413,
        "too_many_rows",
    ),
    (
        "10,001 row groups",
        lambda: column(pa.array(range(10_001)), row_group_size=1),
        "t.parquet",
        422,
        "too_many_row_groups",
    ),
]


async def are_refused(answers: list[httpx.Response], client: httpx.AsyncClient, server) -> None:
    """Hold that each is a whole problem, and that nothing is left of any."""
    for answer in answers:
        assert set(answer.json()) == PROBLEM
        assert answer.json()["request_id"] == answer.headers["x-request-id"]
        assert str(server.artifacts.path("", "")) not in answer.text
    assert (await client.get("/api/datasets")).json()["total"] == 0
    assert not files_of(server)


class TestRefusals:
    async def test_each_bad_csv_file_is_a_problem_of_its_own_and_leaves_nothing(self, client, server, upload):
        answers = await asyncio.gather(*(upload(content) for _, content, *_ in csv_cases.REFUSED))

        found = [
            (what, answer.status_code, answer.json()["code"], said if said in answer.json()["detail"] else None)
            for (what, *_, said), answer in zip(csv_cases.REFUSED, answers, strict=True)
        ]
        assert found == [(what, status, code, said) for what, _, status, code, said in csv_cases.REFUSED]
        await are_refused(answers, client, server)
        assert (await upload(a_table())).status_code == 201

    async def test_each_bad_parquet_file_is_a_problem_of_its_own_and_leaves_nothing(
        self, client, limited, server, upload
    ):
        async with limited(**parquet_cases.SMALL_LIMITS) as small:
            answers = await asyncio.gather(
                *(upload(content, "t.parquet", small) for _, content, *_ in parquet_cases.REFUSED)
            )

        found = [
            (what, answer.status_code, answer.json()["code"])
            for (what, *_), answer in zip(parquet_cases.REFUSED, answers, strict=True)
        ]
        assert found == [(what, status, code) for what, _, status, code in parquet_cases.REFUSED]
        await are_refused(answers, client, server)
        assert (await upload(parquet_cases.GOOD, "t.parquet")).status_code == 201

    async def test_a_file_is_what_its_name_says(self, upload):
        wrong = {"t.csv": b"PAR1" + bytes(20) + b"PAR1", "t.parquet": b"a,b\n1,2\n"}

        answers = [await upload(content, filename) for filename, content in wrong.items()]

        assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
            (422, "format_mismatch"),
            (422, "invalid_parquet"),  # what any file is that is no Parquet, whatever else it may be
        ]

    @pytest.mark.parametrize(
        ("make", "filename", "status", "code"), [pytest.param(*row[1:], id=row[0]) for row in HEAVY]
    )
    async def test_what_is_heavy_takes_ten_seconds_of_computing_and_a_gigabyte_at_most(
        self, limited, upload, make, filename, status, code
    ):
        async with limited(max_cpu_seconds=10, max_memory_bytes=1024 * MIB) as strict:
            answer = await upload(make(), filename, strict)

        assert (answer.status_code, answer.json().get("code", "")) == (status, code), answer.text


class TestSecrets:
    SECRET = "S3cr3tCell"

    @pytest.mark.parametrize(
        ("content", "filename"),
        [
            (f"a,b\n{SECRET},2,3\n".encode(), "t.csv"),
            (f'a,b\n1,"{SECRET}\n2,y\n'.encode(), "t.csv"),
            (f'a,b\n1,"x"{SECRET}\n'.encode(), "t.csv"),
            (f"a,b\n{SECRET}\0,1\n".encode(), "t.csv"),
            (f"a,b\n{SECRET}".encode() + b"\xff,1\n", "t.csv"),
            (f"a,b\n{SECRET}{'x' * 2**20},1\n".encode(), "t.csv"),
            (f"a\n{'7' * 30}\n".encode().replace(b"7" * 10, b"1234567890"), "t.csv"),
            (column(pa.array([f"{SECRET}\0"])), "t.parquet"),
            (column(pa.array([SECRET.encode() + b"\xff"]).view(pa.string())), "t.parquet"),
            (column(pa.array([SECRET], pa.string()))[:-20], "t.parquet"),
        ],
    )
    async def test_no_answer_and_no_log_repeats_a_cell(self, upload, caplog, content, filename):
        caplog.set_level(logging.DEBUG)

        answer = await upload(content, filename)

        assert answer.status_code == 422
        assert self.SECRET not in answer.text + caplog.text
        assert "1234567890" not in answer.text


PEOPLE = [f"{first}{last}".encode() for first in ("Ada", "Grace", "Olu", "Zoe") for last in "abcdefghijklmno"]
TAKEN = [
    # what it is, content, kinds, codes of the warnings
    ("numbers, text and booleans in one column", b"x\n1\ny\n2.5\nTrue\n", ["text"], ["mixed_types"]),
    ("booleans with gaps", b"x,n\nTrue,1\n,2\nFalse,3\n", ["boolean", "integer"], []),
    ("zip codes", b"x\n" + b"".join(b"%05d\n" % (i % 9) for i in MANY), ["categorical"], []),
    ("Namibia", b"x\n" + b"NA\nDE\nNone\nnull\n" * 20, ["categorical"], []),
    ("NA among numbers", b"x\n1\nNA\n3\n", ["integer"], ["missing_values"]),
    ("numbers with underscores, and hexadecimal", b"x,y\n1_000,0x1F\n2_000,0x20\n", ["text", "text"], []),
    ("a day that does not exist", b"x\n2024-02-30\n2024-02-28\n", ["text"], ["invalid_date"]),
    ("several time zones", b"x\n2024-01-31T10:20:30Z\n2024-01-31T10:20:30+05:30\n", ["datetime"], ["mixed_timezones"]),
    ("the first and the last day", b"x\n0001-01-01\n9999-12-31\n", ["datetime"], []),
    ("a column without values", b"a,b\n1,\n2,\n", ["integer", "constant"], ["all_null_column"]),
    ("a constant", b"a,b\n1,3\n2,3\n", ["integer", "constant"], []),
    ("nothing but constants", b"a,b\n1,3\n1,3\n", ["constant", "constant"], []),
    ("unique codes", b"x\n" + b"".join(b"AC-%04d\n" % i for i in MANY), ["id"], []),
    ("unique integers up to 2^63", b"id\n" + b"".join(b"%d\n" % (2**63 - 1 - i * i) for i in MANY), ["id"], []),
    ("floats of 1e300", b"x\n1e300\n2\n", ["float"], []),
    # They go out as they came in: a prefix that tames spreadsheets would be another value.
    ("formulas", b"x\n=cmd|' /C calc'!A0\n\t=1\n +1\n@SUM(1)\n", ["text"], []),
    ("one row", b"a,b\n1,x\n", ["constant", "constant"], []),
    ("names of people", b"name\n" + b"".join(b"%s Lovelace\n" % name for name in PEOPLE), ["text"], []),
    ("breaks, quotes and commas in cells", b'x\n"a\r\nb"\n"say ""hi"""\n"1,2"\n', ["text"], []),
]


class TestTaken:
    async def test_names_come_back_to_the_letter(self, client, upload):
        async def names_of(content):
            made = (await upload(content)).json()
            table = await client.get(f"/api/datasets/{made['dataset_id']}/download")
            return [column["name"] for column in made["columns"]], next(csv.reader(io.StringIO(table.text)))

        found = await asyncio.gather(*(names_of(content) for _, content, _ in csv_cases.ACCEPTED))

        for (what, _, names), (learnt, header) in zip(csv_cases.ACCEPTED, found, strict=True):
            assert header == learnt, what
            assert names in (None, header), what
        assert (await client.get(f"{SYNTHGEN}/jobs")).json()["total"] == 0  # their table still stands

    async def test_each_odd_csv_file_is_taken_for_what_it_is(self, upload):
        answers = await asyncio.gather(*(upload(content) for _, content, *_ in TAKEN))

        found = [
            (
                what,
                [column["kind"] for column in answer.json().get("columns", [])],
                [warning["code"] for warning in answer.json().get("warnings", [{"code": answer.text}])],
            )
            for (what, *_), answer in zip(TAKEN, answers, strict=True)
        ]
        assert found == [(what, kinds, warnings) for what, _, kinds, warnings in TAKEN]

    @pytest.mark.parametrize(
        ("values", "kind", "warnings"),
        [
            # Its scale is not kept, and the warning says so.
            (pa.array(["1.50", "2.25"]).cast(pa.decimal128(38, 10)), "float", ["decimal_as_float"]),
            (pa.array([1, 2], pa.timestamp("ns", "Asia/Kolkata")), "datetime", []),
            (pa.array([2**53 + 1, None, 3]), "integer", []),
            (pa.array(["x", "y", "x", "y"]).dictionary_encode(), "categorical", []),
            (pa.array([1.5, 2.5], pa.float16()), "float", []),
            (pa.nulls(3), "constant", ["all_null_column"]),  # beside others; alone it is refused
        ],
    )
    async def test_each_odd_parquet_type_is_taken_for_what_it_is(self, upload, values, kind, warnings):
        content = parquet(pa.table({"x": values, "beside": range(len(values))}))

        answer = (await upload(content, "t.parquet")).json()

        assert answer["columns"][0]["kind"] == kind
        assert [warning["code"] for warning in answer["warnings"]] == warnings


# By its name the cells of a column, and what those that are made of it must be.
ODD: dict[str, tuple[list[str], Callable[[list[str]], bool]]] = {
    "empty": (["" for _ in MANY], lambda made: set(made) == {""}),
    "gap": ([str(i % 9) if i else "" for i in MANY], lambda made: set(made) <= {"", *"012345678"}),
    "constant": (["3" for _ in MANY], lambda made: set(made) == {"3"}),
    "huge id": (
        [str(2**63 - 1 - i * i) for i in MANY],
        lambda made: len(set(made)) == len(made) and all(0 < int(one) < 2**63 for one in made),
    ),
    "huge float": ([f"{i % 9}e300" for i in MANY], lambda made: all(0 <= float(one) <= 8e300 for one in made)),
    "code": (
        [f"AC-{i:04}" for i in MANY],
        lambda made: len(set(made)) == len(made) and not {f"AC-{i:04}" for i in MANY} & set(made),
    ),
    "name": ([f"{name.decode()} Lovelace" for name in PEOPLE], lambda made: not any("Lovelace" in one for one in made)),
    "city": (
        ["Xanadu" if i == 7 else ("Rome", "Oslo")[i % 2] for i in MANY],
        lambda made: set(made) == {"Rome", "Oslo"},
    ),
}


class TestTraining:
    """What can be uploaded and not be learnt."""

    @pytest.fixture
    def create(self, client, project_id, upload):
        async def create(content: bytes, model_type: str = "gaussian_copula") -> httpx.Response:
            version_id = (await upload(content)).json()["dataset_version_id"]
            body = {"project_id": project_id, "dataset_version_id": version_id, "name": "m", "model_type": model_type}
            config = {} if model_type == "gaussian_copula" else {"epochs": 2, "batch_size": 20}
            return await client.post(f"{SYNTHGEN}/models", json={**body, "config": config})

        return create

    @pytest.mark.parametrize(("num_rows", "status"), [(1, 422), (19, 422), (20, 201)])
    async def test_rows_of_which_there_are_too_few(self, create, client, num_rows, status):
        response = await create(a_table(num_rows))

        assert response.status_code == status
        assert status == 201 or response.json()["code"] == "too_few_rows"
        assert (await client.get(f"{SYNTHGEN}/jobs")).json()["total"] == (status == 201)

    @pytest.mark.parametrize(
        "content",
        [
            b"a,b\n" + b"1,3\n" * 60,
            b"id,b\n" + b"".join(b"%d,3\n" % i for i in MANY),
            b"email,b\n" + b"".join(b"ada%d@example.com,3\n" % i for i in MANY),
        ],
        ids=["constants", "ids and a constant", "addresses and a constant"],
    )
    async def test_a_table_with_nothing_to_learn(self, create, content):
        """It can be uploaded: what is read as constant may be an id, and be corrected to one."""
        response = await create(content)

        assert (response.status_code, response.json()["code"]) == (422, "no_usable_columns")

    @pytest.mark.parametrize("model_type", ["gaussian_copula", "tvae", "ctgan", "copulagan"])
    async def test_odd_columns_are_learnt_and_come_back_sound(self, create, client, server, model_type):
        rows = zip(*(values for values, _ in ODD.values()), strict=True)
        content = "\n".join([",".join(ODD), *map(",".join, rows)]).encode()
        model = (await create(content, model_type)).json()
        await server.run_queue()

        job = await client.post(f"{SYNTHGEN}/models/{model['id']}/generate", json={"num_rows": 300, "seed": 1})
        await server.run_queue()
        table = (await client.get(f"{SYNTHGEN}/jobs/{job.json()['job_id']}/download")).text

        made = list(csv.DictReader(io.StringIO(table)))
        assert len(made) == 300
        for name, (_, is_sound) in ODD.items():
            assert is_sound([row[name] for row in made]), name
