"""The client's commands against the real application, over a real socket."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import typer
import uvicorn
from typer.testing import CliRunner

from synthgen_ray.commands import register
from tests.api.conftest import a_table

SOME_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"


@pytest.fixture
async def url(server) -> AsyncIterator[str]:
    listener = socket.create_server(("127.0.0.1", 0))
    web = uvicorn.Server(uvicorn.Config(server.app, log_level="error", lifespan="off", ws="none"))
    serving = asyncio.create_task(web.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    web.should_exit = True
    await serving


@pytest.fixture
def synthgen(url, server, working, tmp_path) -> Callable[..., Any]:
    """Runs a command as a shell would; the result has `exit_code`, `stdout` and `stderr`."""
    app = typer.Typer()
    register(app)
    environment = {"SYNTHGEN_URL": url, "SYNTHGEN_API_KEY": server.key, "SYNTHGEN_DATA_DIR": str(tmp_path)}

    async def run(*words: object, **more: str) -> Any:
        arguments = [str(word) for word in words]
        return await asyncio.to_thread(CliRunner().invoke, app, arguments, env={**environment, **more})

    return run


@pytest.fixture
def accounts(tmp_path):
    (tmp_path / "accounts.csv").write_bytes(a_table())
    return tmp_path / "accounts.csv"


@pytest.fixture
async def trained(synthgen, accounts) -> None:
    """A ready model `copula` on the dataset `accounts` of the project `Bank`."""
    await synthgen("upload", accounts, "--project", "Bank")
    result = await synthgen("train", "--dataset", "accounts", "--type", "gaussian_copula", "--name", "copula", "--wait")
    assert result.exit_code == 0, result.output


class TestUpload:
    async def test_a_new_name_makes_a_project_and_a_known_one_does_not(self, synthgen, accounts):
        first = await synthgen("upload", accounts, "--project", "Bank")
        second = await synthgen("datasets", "upload", accounts, "--project", "Bank", "--name", "again")

        assert first.exit_code == second.exit_code == 0
        assert first.stdout.startswith("Uploaded 'accounts' version 0: 200 rows, 7 columns")
        assert json.loads((await synthgen("projects", "list", "--json")).stdout)["total"] == 1

    async def test_a_dataset_gets_its_next_version(self, synthgen, accounts):
        await synthgen("upload", accounts, "--project", "Bank")

        result = await synthgen("upload", accounts, "--project", "Bank", "--dataset", "accounts", "--json")

        assert json.loads(result.stdout)["version"] == 1

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
        assert "2 datasets are called 'accounts'" in unclear.stderr
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

    async def test_the_ending_of_the_file_names_the_format(self, synthgen, trained, tmp_path):
        await synthgen("generate", "copula", "--rows", 5, "--to", tmp_path / "rows.jsonl")

        assert len([json.loads(line) for line in (tmp_path / "rows.jsonl").read_text().splitlines()]) == 5

    async def test_without_a_file_the_job_is_left_for_later(self, synthgen, trained, tmp_path):
        queued = json.loads((await synthgen("generate", "copula", "--rows", 5, "--json")).stdout)

        shown = await synthgen("jobs", "show", queued["synthgen_job_id"], "--json")

        assert json.loads(shown.stdout)["job_type"] == "generate"

    @pytest.mark.parametrize(
        ("option", "value"), [("--where", "income"), ("--rows", "0"), ("--format", "xml"), ("--to", "/none/rows.csv")]
    )
    async def test_misuse_ends_with_2(self, synthgen, trained, option, value):
        result = await synthgen("generate", "copula", option, value)

        assert result.exit_code == 2

    async def test_a_condition_that_the_model_cannot_keep_is_refused(self, synthgen, trained):
        result = await synthgen("generate", "copula", "--where", "planet=Mars")

        assert result.exit_code == 1
        assert "conditions.planet: The model has no such column." in result.stderr


class TestLists:
    async def test_elsewhere_than_on_a_terminal_a_table_is_tabs(self, synthgen, trained):
        models = await synthgen("models", "list", "--project", "Bank")
        jobs = await synthgen("jobs", "list", "--model", "copula", "--status", "completed")

        header, model = models.stdout.splitlines()
        assert header.split("\t")[:4] == ["id", "name", "model_type", "status"]
        assert model.split("\t")[1:4] == ["copula", "gaussian_copula", "ready"]
        assert len(jobs.stdout.splitlines()) == 2

    async def test_a_list_that_goes_on_says_so(self, synthgen):
        for name in ("A", "B"):
            await synthgen("projects", "create", name)

        result = await synthgen("projects", "list", "--limit", 1)

        assert result.stderr == "1 of 2; see --limit and --offset.\n"

    async def test_the_model_types_come_with_their_options(self, synthgen):
        types = json.loads((await synthgen("models", "types", "--json")).stdout)["model_types"]

        assert [each["id"] for each in types] == ["ctgan", "copulagan", "tvae", "gaussian_copula"]
        assert "pac" in types[0]["config_schema"]["properties"]


class TestDelete:
    async def test_a_model_is_gone(self, synthgen, trained):
        result = await synthgen("models", "delete", "copula", "--yes")

        assert result.exit_code == 0
        assert json.loads((await synthgen("models", "list", "--json")).stdout)["total"] == 0

    async def test_nothing_happens_before_a_yes(self, synthgen, trained):
        result = await synthgen("models", "delete", "copula")

        assert result.exit_code == 1
        assert json.loads((await synthgen("models", "list", "--json")).stdout)["total"] == 1


async def test_download_takes_the_rows_of_a_completed_job(synthgen, trained, tmp_path):
    made = await synthgen("generate", "copula", "--rows", 5, "--to", tmp_path / "first.csv", "--json")

    result = await synthgen("jobs", "download", json.loads(made.stdout)["id"], "--to", tmp_path / "second.csv")

    assert result.exit_code == 0
    assert (tmp_path / "second.csv").read_bytes() == (tmp_path / "first.csv").read_bytes()


async def test_show_tells_a_model_and_its_jobs(synthgen, trained):
    result = await synthgen("models", "show", "copula")

    assert "status           ready" in result.stdout
    assert "train completed" in result.stdout


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
