"""`projects`, `datasets`, `models`, `jobs`, `keys` and `limits`."""

import json
import re

import pytest

from synthgen_ray.client import SynthGen
from synthgen_ray.commands import lookup
from synthgen_ray.domain.params import ModelType
from synthgen_ray.synthesizers.base import load
from tests.api.conftest import a_table

pytestmark = pytest.mark.usefixtures("working")


@pytest.fixture
def answer(synthgen):
    """What a command answers as JSON."""

    async def run(*words: object) -> dict:
        result = await synthgen(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return run


class TestLists:
    async def test_elsewhere_than_on_a_terminal_a_table_is_tabs(self, synthgen, trained):
        models = await synthgen("models", "list", "--project", "Bank")
        jobs = await synthgen("jobs", "list", "--model", "copula", "--status", "completed")

        header, model = models.stdout.splitlines()
        assert header.split("\t")[:4] == ["id", "name", "model_type", "status"]
        assert model.split("\t")[1:4] == ["copula", "gaussian_copula", "ready"]
        assert len(jobs.stdout.splitlines()) == 2

    async def test_what_failed_has_its_code(self, synthgen, answer, trained, tmp_path):
        words = tmp_path / "words.csv"
        words.write_bytes(a_table(100).replace(b"<=50K,", b"<=50K,eleven"))
        await synthgen("upload", words, "--project", "Bank")
        await synthgen("impute", "copula", "--dataset", "words", "--to", tmp_path / "filled.csv")

        listed = await synthgen("jobs", "list", "--status", "failed")
        (failed,) = (await answer("jobs", "list", "--status", "failed"))["items"]

        header, job = (line.split("\t") for line in listed.stdout.splitlines())
        assert job[header.index("error")] == failed["error"]["code"] == "column_mismatch"
        assert failed["error"]["message"]

    async def test_a_list_that_goes_on_says_so(self, synthgen):
        for name in ("A", "B"):
            await synthgen("projects", "create", name)

        result = await synthgen("projects", "list", "--limit", 1)

        assert result.stderr == "1 of 2; see --limit and --offset.\n"

    async def test_the_model_types_come_with_their_options(self, answer):
        types = (await answer("models", "types"))["model_types"]

        assert [each["id"] for each in types] == list(ModelType)
        assert "pac" in types[0]["config_schema"]["properties"]


class TestProjects:
    async def test_one_that_is_added_while_a_name_is_looked_for_makes_no_two_of_another(self, answer, monkeypatch):
        made = [await answer("projects", "create", name) for name in ("A", "B", "C")]
        monkeypatch.setattr(lookup, "PAGE", 2)
        list_projects = SynthGen.list_projects

        def list_and_add(client: SynthGen, limit: int, offset: int) -> dict:
            page = list_projects(client, limit, offset)
            if offset == 0:
                client.create_project("D")
            return page

        monkeypatch.setattr(SynthGen, "list_projects", list_and_add)

        assert await answer("projects", "show", "B") == made[1]

    @pytest.mark.parametrize("by", ["name", "id"])
    async def test_a_name_and_an_id_find_the_same(self, answer, by):
        made = await answer("projects", "create", "Bank", "--description", "Card payments")

        assert await answer("projects", "show", made[by]) == made

    async def test_a_project_has_its_new_name_and_keeps_its_description(self, synthgen, answer):
        await answer("projects", "create", "Bank", "--description", "Card payments")

        result = await synthgen("projects", "rename", "Bank", "Bank of Kiel")

        assert result.stdout == "Project 'Bank' is called 'Bank of Kiel' now.\n"
        assert (await answer("projects", "show", "Bank of Kiel"))["description"] == "Card payments"

    async def test_one_that_holds_something_is_deleted_by_force_alone(self, synthgen, accounts):
        await synthgen("upload", accounts, "--project", "Bank")

        refused = await synthgen("projects", "delete", "Bank", "--yes")
        forced = await synthgen("projects", "delete", "Bank", "--force", "--yes")

        assert (refused.exit_code, forced.exit_code) == (1, 0)
        assert "holds datasets or models" in refused.stderr

    async def test_usage_is_a_line_for_each_quota(self, synthgen, trained):
        result = await synthgen("projects", "usage", "Bank")

        header, *lines = (line.split("\t") for line in result.stdout.splitlines())
        assert header == ["what", "used", "quota"]
        assert {line[0] for line in lines} == {"pending_jobs", "storage_bytes", "generated_rows", "training_seconds"}


class TestDatasets:
    async def test_a_table_comes_back_as_it_went(self, synthgen, tmp_path):
        table = "city,people\nKiel,247000\nLübeck,218000\n"
        (tmp_path / "cities.csv").write_text(table)
        await synthgen("upload", tmp_path / "cities.csv", "--project", "Bank")

        result = await synthgen("datasets", "download", "cities", "--to", tmp_path / "back.csv")

        assert result.exit_code == 0, result.output
        assert (tmp_path / "back.csv").read_text() == table

    async def test_a_table_for_a_spreadsheet_holds_no_formulas(self, synthgen, tmp_path):
        (tmp_path / "sums.csv").write_text("sum,n\n=1+1,-1\n=2+2,-2\n")
        await synthgen("upload", tmp_path / "sums.csv", "--project", "Bank")

        await synthgen("datasets", "download", "sums", "--csv-safe", "--to", tmp_path / "safe.csv")

        assert (tmp_path / "safe.csv").read_text() == "sum,n\n'=1+1,-1\n'=2+2,-2\n"

    async def test_the_ending_of_the_file_names_the_format(self, synthgen, accounts, tmp_path):
        await synthgen("upload", accounts, "--project", "Bank")

        await synthgen("datasets", "download", "accounts", "--to", tmp_path / "back.parquet")

        assert (tmp_path / "back.parquet").read_bytes().startswith(b"PAR1")

    async def test_an_ending_that_is_no_format_is_misuse(self, synthgen, accounts, tmp_path):
        await synthgen("upload", accounts, "--project", "Bank")

        result = await synthgen("datasets", "download", "accounts", "--to", tmp_path / "back.xlsx", COLUMNS="200")

        assert result.exit_code == 2
        assert "Nothing here is written as .xlsx: end it in .csv or .parquet" in result.stderr
        assert not (tmp_path / "back.xlsx").exists()

    async def test_an_earlier_version_can_be_had(self, synthgen, answer, accounts, tmp_path):
        await synthgen("upload", accounts, "--project", "Bank")
        accounts.write_bytes(a_table(50))
        await synthgen("upload", accounts, "--project", "Bank", "--dataset", "accounts")

        await synthgen("datasets", "download", "accounts", "--version", 0, "--to", tmp_path / "first.csv")

        assert (await answer("datasets", "show", "accounts"))["num_rows"] == 50
        assert "columns" not in (await synthgen("datasets", "show", "accounts")).stdout.replace("num_columns", "")
        shown = (await synthgen("datasets", "show", "accounts", "--version", 0)).stdout
        assert '["account", "age", "income", "balance", "active", "opened", "bank"]' in shown
        assert (await answer("datasets", "show", "accounts", "--version", 0))["num_rows"] == 200
        assert len((tmp_path / "first.csv").read_text().splitlines()) == 201
        assert [one["version"] for one in (await answer("datasets", "versions", "accounts"))["items"]] == [1, 0]

    async def test_columns_say_what_each_was_taken_for(self, synthgen, accounts):
        await synthgen("upload", accounts, "--project", "Bank")

        result = await synthgen("datasets", "columns", "accounts")

        kinds = [line.split("\t")[:2] for line in result.stdout.splitlines()]
        assert kinds[:4] == [["name", "kind"], ["account", "id"], ["age", "integer"], ["income", "categorical"]]

    async def test_a_correction_is_seen_in_the_columns(self, synthgen, answer, accounts):
        await synthgen("upload", accounts, "--project", "Bank")

        result = await synthgen("datasets", "correct", "accounts", "--kind", "age=float")

        assert result.stdout == "Corrected 'accounts' version 0.\n"
        columns = (await answer("datasets", "columns", "accounts"))["columns"]
        assert {column["name"]: column["kind"] for column in columns}["age"] == "float"

    async def test_a_correction_of_nothing_is_misuse(self, synthgen):
        assert (await synthgen("datasets", "correct", "accounts")).exit_code == 2

    async def test_a_version_comes_from_storage_that_is_allowed_alone(self, synthgen, accounts, tmp_path):
        await synthgen("upload", accounts, "--project", "Bank")
        (tmp_path / "tables").mkdir()
        (tmp_path / "tables/new.csv").write_bytes(a_table(50))

        fetched = await synthgen("datasets", "fetch", "accounts", f"file://{tmp_path}/tables/new.csv")
        refused = await synthgen("datasets", "fetch", "accounts", f"file://{accounts}")

        assert fetched.stdout.startswith("Fetched 'accounts' version 1: 50 rows, 7 columns")
        assert refused.exit_code == 1

    async def test_one_that_a_model_learnt_stays(self, synthgen, trained):
        refused = await synthgen("datasets", "delete", "accounts", "--yes")
        await synthgen("models", "delete", "copula", "--yes")
        deleted = await synthgen("datasets", "delete", "accounts", "--yes")

        assert (refused.exit_code, deleted.exit_code) == (1, 0)


class TestModels:
    async def test_show_tells_a_model_and_its_jobs(self, synthgen, trained):
        result = await synthgen("models", "show", "copula")

        assert "status           ready" in result.stdout
        assert re.search(r"\njobs +\n  train completed [0-9a-f-]{36}\n$", result.stdout)

    async def test_an_exported_model_draws_rows(self, synthgen, trained, tmp_path):
        result = await synthgen("models", "export", "copula", "--to", tmp_path / "copula.synthgen")

        assert result.exit_code == 0, result.output
        assert load(tmp_path / "copula.synthgen").sample(5, seed=1).num_rows == 5

    async def test_an_imported_model_gives_the_rows_of_the_one_it_was(self, synthgen, trained, tmp_path):
        await synthgen("models", "export", "copula", "--to", tmp_path / "moved.synthgen")

        imported = await synthgen("models", "import", tmp_path / "moved.synthgen", "--project", "Shop")

        assert imported.exit_code == 0, imported.output
        for name in ("copula", "moved"):
            words = ["--rows", 50, "--seed", 7, "--to", tmp_path / f"{name}.csv"]
            assert (await synthgen("generate", name, *words)).exit_code == 0
        assert (tmp_path / "moved.csv").read_bytes() == (tmp_path / "copula.csv").read_bytes()

    async def test_a_deleted_one_is_gone(self, synthgen, answer, trained):
        result = await synthgen("models", "delete", "copula", "--yes")

        assert result.exit_code == 0
        assert (await answer("models", "list"))["total"] == 0


class TestJobs:
    async def test_download_takes_the_rows_of_a_completed_job(self, synthgen, answer, trained, tmp_path):
        made = await answer("generate", "copula", "--rows", 5, "--to", tmp_path / "first.csv")

        result = await synthgen("jobs", "download", made["id"], "--to", tmp_path / "second.csv")

        assert result.exit_code == 0
        assert (tmp_path / "second.csv").read_bytes() == (tmp_path / "first.csv").read_bytes()

    async def test_watch_ends_with_the_job(self, synthgen, answer, trained):
        queued = await answer("generate", "copula", "--rows", 5)

        result = await synthgen("jobs", "watch", queued["synthgen_job_id"])

        assert result.exit_code == 0
        assert result.stdout == f"The generate job {queued['synthgen_job_id']} is completed.\n"
        assert "generate copula: completed 100%" in result.stderr

    async def test_a_word_that_is_no_id_is_misuse(self, synthgen):
        assert (await synthgen("jobs", "show", "copula")).exit_code == 2


class TestKeys:
    async def test_a_new_key_stands_alone_and_works_until_it_is_deleted(self, synthgen, answer):
        await answer("projects", "create", "Bank")
        words = ["--role", "viewer", "--project", "Bank", "--expires", "2099-01-01"]

        made = await synthgen("keys", "create", "nightly", *words)

        key = made.stdout.removesuffix("\n")
        assert (await synthgen("projects", "list", SYNTHGEN_API_KEY=key)).exit_code == 0
        assert (await synthgen("projects", "create", "Shop", SYNTHGEN_API_KEY=key)).exit_code == 1
        (listed,) = (await answer("keys", "list"))["items"]
        assert (listed["name"], listed["role"], listed["expires_at"]) == ("nightly", "viewer", "2099-01-01T00:00:00Z")
        assert key not in json.dumps(listed)
        assert (await synthgen("keys", "delete", "nightly", "--yes")).exit_code == 0
        assert (await answer("keys", "list"))["total"] == 0

    async def test_a_key_in_place_of_its_name_is_not_repeated(self, synthgen, server):
        result = await synthgen("keys", "delete", server.key, "--yes")

        assert result.exit_code == 1
        assert server.key not in result.output

    @pytest.mark.parametrize("words", [[], ["--role", "owner"], ["--role", "viewer", "--expires", "tomorrow"]])
    async def test_a_key_of_no_known_role_or_time_is_misuse(self, synthgen, words):
        assert (await synthgen("keys", "create", "nightly", *words)).exit_code == 2


async def test_limits_are_a_line_each(synthgen):
    result = await synthgen("limits")

    assert dict(line.split(maxsplit=1) for line in result.stdout.splitlines())["generate.max_rows"] == "10000000"
