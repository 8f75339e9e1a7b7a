"""`upload`, `train` and `generate`, and how every command ends."""

import gzip
import json
import re

import pytest

from tests.api.conftest import a_table

SOME_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
pytestmark = pytest.mark.usefixtures("working")


class TestUpload:
    async def test_a_new_name_makes_a_project_and_a_known_one_does_not(self, synthgen, accounts):
        first = await synthgen("upload", accounts, "--project", "Bank")
        second = await synthgen("datasets", "upload", accounts, "--project", "Bank", "--name", "again")

        assert first.exit_code == second.exit_code == 0
        assert first.stdout.startswith("Uploaded 'accounts' version 0: 200 rows, 7 columns")
        assert json.loads((await synthgen("projects", "list", "--json")).stdout)["total"] == 1

    async def test_files_of_a_series_have_names_of_their_own(self, synthgen, accounts, tmp_path):
        for month in ("01", "02"):
            file = tmp_path / f"accounts.2024-{month}.csv.gz"
            file.write_bytes(gzip.compress(accounts.read_bytes()))
            await synthgen("upload", file, "--project", "Bank")

        datasets = json.loads((await synthgen("datasets", "list", "--json")).stdout)["items"]
        assert [dataset["name"] for dataset in datasets] == ["accounts.2024-02", "accounts.2024-01"]

    async def test_a_dataset_gets_its_next_version(self, synthgen, accounts):
        await synthgen("upload", accounts, "--project", "Bank")

        result = await synthgen("upload", accounts, "--project", "Bank", "--dataset", "accounts", "--json")

        assert json.loads(result.stdout)["version"] == 1

    async def test_a_second_dataset_of_a_name_is_said(self, synthgen, accounts):
        first = await synthgen("upload", accounts, "--project", "Bank", "--json")
        elsewhere = await synthgen("upload", accounts, "--project", "Shop")

        second = await synthgen("upload", accounts, "--project", "Bank", "--json")

        assert "one more dataset of this name" not in first.stderr + elsewhere.stderr
        assert "warning: 'accounts' is one more dataset of this name in the project" in second.stderr
        assert f"--dataset {json.loads(first.stdout)['dataset_id']}" in second.stderr
        assert f"synthgen datasets delete {json.loads(second.stdout)['dataset_id']}" in second.stderr

    async def test_a_column_is_what_its_owner_says(self, synthgen, accounts):
        words = ["--kind", "age=float", "--primary-key", "account"]

        uploaded = await synthgen("upload", accounts, "--project", "Bank", *words, "--json")

        kinds = {column["name"]: column["kind"] for column in json.loads(uploaded.stdout)["columns"]}
        assert (kinds["age"], kinds["account"]) == ("float", "id")

    async def test_a_column_that_is_not_there_is_refused(self, synthgen, accounts):
        result = await synthgen("upload", accounts, "--project", "Bank", "--kind", "height=float")

        assert result.exit_code == 1
        assert "height: There is no such column." in result.stderr

    async def test_a_file_that_is_not_there_is_misuse(self, synthgen, tmp_path):
        result = await synthgen("upload", tmp_path / "none.csv", "--project", "Bank")

        assert result.exit_code == 2


class TestTrain:
    async def test_the_wait_ends_with_a_ready_model(self, synthgen, accounts):
        await synthgen("upload", accounts, "--project", "Bank")

        result = await synthgen("train", "--dataset", "accounts", "--type", "gaussian_copula", "--wait", "--json")

        assert result.exit_code == 0
        model = json.loads(result.stdout)
        assert (model["name"], model["status"]) == ("accounts-gaussian_copula", "ready")
        assert "training accounts-gaussian_copula: completed 100%" in result.stderr

    async def test_an_earlier_version_is_learnt_when_it_is_named(self, synthgen, accounts):
        await synthgen("upload", accounts, "--project", "Bank")
        await synthgen("upload", accounts, "--project", "Bank", "--dataset", "accounts")

        for version in (0, 1):
            words = ["--type", "gaussian_copula", "--version", version, "--name", f"of {version}"]
            await synthgen("train", "--dataset", "accounts", *words)

        models = json.loads((await synthgen("models", "list", "--json")).stdout)["items"]
        assert {model["name"]: model["dataset_version"] for model in models} == {"of 0": 0, "of 1": 1}

    async def test_a_wrong_hyperparameter_is_refused_with_its_name(self, synthgen, accounts):
        await synthgen("upload", accounts, "--project", "Bank")

        result = await synthgen("train", "--dataset", "accounts", "--config", "pac=7")

        assert result.exit_code == 1
        assert "pac" in result.stderr
        assert result.stdout == ""

    async def test_a_dataset_that_is_not_there_is_refused(self, synthgen):
        result = await synthgen("train", "--dataset", "accounts")

        assert result.exit_code == 1
        assert result.stderr == "synthgen: There is no dataset 'accounts'.\n"

    async def test_of_two_datasets_with_one_name_the_id_must_be_given(self, synthgen, accounts):
        for project in ("Bank", "Shop"):
            await synthgen("upload", accounts, "--project", project)

        unclear = await synthgen("train", "--dataset", "accounts", "--type", "gaussian_copula")
        clear = await synthgen("train", "--dataset", "accounts", "--type", "gaussian_copula", "--project", "Shop")

        assert unclear.exit_code == 1
        first, *others = unclear.stderr.splitlines()
        assert first == "synthgen: 2 datasets are called 'accounts'; give the id of one:"
        assert [re.sub(r"made 2\S+Z ", "made then ", line)[38:] for line in others] == [
            "  made then in project 'Shop'",
            "  made then in project 'Bank'",
        ]
        assert clear.exit_code == 0


class TestGenerate:
    async def test_the_rows_are_in_the_file_and_obey(self, synthgen, trained, tmp_path):
        file = tmp_path / "rows.csv"

        result = await synthgen(
            "generate",
            "copula",
            "--rows",
            50,
            "--seed",
            1,
            "--where",
            "income=>50K",
            "--where",
            "age=30..60",
            "--to",
            file,
        )

        assert result.exit_code == 0, result.output
        assert result.stdout == f"Wrote 50 rows to {file}.\n"
        header, *rows = (line.split(",") for line in file.read_text().splitlines())
        assert len(rows) == 50
        assert {row[header.index("income")] for row in rows} == {">50K"}
        assert all(30 <= int(row[header.index("age")]) <= 60 for row in rows)

    async def test_the_shares_of_a_column_are_as_asked(self, synthgen, trained, tmp_path):
        shares = """income={">50K": 0.5, "<=50K": 0.5}"""

        await synthgen("generate", "copula", "--rows", 400, "--seed", 1, "--shares", shares, "--to", tmp_path / "r.csv")

        header, *rows = (line.split(",") for line in (tmp_path / "r.csv").read_text().splitlines())
        rich = [row for row in rows if row[header.index("income")] == ">50K"]
        assert 150 < len(rich) < 250

    async def test_the_ending_of_the_file_names_the_format(self, synthgen, trained, tmp_path):
        await synthgen("generate", "copula", "--rows", 5, "--to", tmp_path / "rows.jsonl")

        assert len([json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]) == 5

    @pytest.mark.parametrize("ending", [".csv.gz", ".xlsx", ".json"])
    async def test_an_ending_that_is_no_format_is_misuse(self, synthgen, tmp_path, ending):
        result = await synthgen("generate", "copula", "--rows", 5, "--to", tmp_path / f"rows{ending}", COLUMNS="200")

        assert result.exit_code == 2
        assert "end it in .csv or .parquet or .jsonl." in result.stderr

    async def test_a_format_that_is_named_may_end_in_anything(self, synthgen, trained, tmp_path):
        for name, words in (("rows.txt", ["--format", "jsonl"]), ("rows", [])):
            result = await synthgen("generate", "copula", "--rows", 5, "--to", tmp_path / name, *words)
            assert result.exit_code == 0, result.output

        assert json.loads((tmp_path / "rows.txt").read_text().splitlines()[4])
        assert (tmp_path / "rows").read_text().startswith("account,age")

    @pytest.mark.parametrize("words", [["--csv-safe"], ["--format", "parquet"]])
    async def test_what_is_said_of_a_file_is_misuse_without_one(self, synthgen, words):
        result = await synthgen("sample", "copula", *words)

        assert result.exit_code == 2
        assert words[0] in result.stderr
        assert "goes with --to" in result.stderr

    async def test_two_models_of_a_name_are_told_apart(self, synthgen, trained):
        await synthgen("train", "--dataset", "accounts", "--type", "gaussian_copula", "--name", "copula")

        unclear = await synthgen("generate", "copula")

        assert unclear.exit_code == 1
        assert "2 models are called 'copula'; give the id of one:" in unclear.stderr
        assert unclear.stderr.count("in project 'Bank'") == 2

    async def test_rows_for_a_spreadsheet_are_asked_for_as_such(self, synthgen, trained):
        queued = json.loads((await synthgen("generate", "copula", "--rows", 5, "--csv-safe", "--json")).stdout)

        shown = json.loads((await synthgen("jobs", "show", queued["synthgen_job_id"], "--json")).stdout)
        assert shown["config"]["csv_safe"] is True

    async def test_without_a_file_the_job_is_left_for_later(self, synthgen, trained, tmp_path):
        queued = json.loads((await synthgen("generate", "copula", "--rows", 5, "--json")).stdout)

        shown = await synthgen("jobs", "show", queued["synthgen_job_id"], "--json")

        assert json.loads(shown.stdout)["job_type"] == "generate"

    @pytest.mark.parametrize(
        ("option", "value"),
        [
            ("--where", "income"),
            ("--shares", "income=half"),
            ("--rows", "0"),
            ("--format", "xml"),
            ("--to", "/none/rows.csv"),
        ],
    )
    async def test_misuse_ends_with_2(self, synthgen, option, value):
        result = await synthgen("generate", "copula", option, value)

        assert result.exit_code == 2

    async def test_a_condition_that_the_model_cannot_keep_is_refused(self, synthgen, trained):
        result = await synthgen("generate", "copula", "--where", "planet=Mars")

        assert result.exit_code == 1
        assert "conditions.planet: The model has no such column." in result.stderr


class TestImpute:
    async def test_the_gaps_of_a_dataset_are_filled_in_the_file(self, synthgen, trained, tmp_path):
        gaps = tmp_path / "gaps.csv"
        gaps.write_bytes(a_table(100).replace(b">50K", b""))
        await synthgen("upload", gaps, "--project", "Bank")

        result = await synthgen("impute", "copula", "--dataset", "gaps", "--seed", 1, "--to", tmp_path / "filled.csv")

        assert result.exit_code == 0, result.output
        assert result.stdout == f"Wrote 100 rows to {tmp_path / 'filled.csv'}.\n"
        header, *rows = (line.split(",") for line in (tmp_path / "filled.csv").read_text().splitlines())
        assert {row[header.index("income")] for row in rows} == {">50K", "<=50K"}


async def test_a_refusal_is_1_and_a_sentence(synthgen):
    result = await synthgen("jobs", "show", SOME_ID)

    assert result.exit_code == 1
    assert result.stderr == "synthgen: There is no such job.\n"


async def test_a_missing_key_is_explained(synthgen):
    result = await synthgen("projects", "list", SYNTHGEN_API_KEY="")

    assert result.exit_code == 1
    assert "--key" in result.stderr


async def test_no_server_is_explained(synthgen):
    result = await synthgen("projects", "list", "--url", "http://127.0.0.1:9")

    assert result.exit_code == 1
    assert "synthgen up" in result.stderr
