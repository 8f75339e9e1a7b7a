"""All of the commands: each answers JSON, and says how it is used."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from synthgen_ray.commands import register
from tests.beside import beside

APP = typer.Typer()
register(APP)


def leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "commands"):
        yield words, command
        return
    for name, below in command.commands.items():
        yield from leaves(below, (*words, name))


COMMANDS = dict(leaves(typer.main.get_command(APP)))


async def test_every_command_answers_with_one_json_document(synthgen, server, accounts, tmp_path):
    seen = set()

    async def run(*words: object) -> dict:
        result = await synthgen(*words, "--json")
        assert result.exit_code == 0, (words, result.output)
        seen.add(words[:2] if words[:2] in COMMANDS else words[:1])
        return json.loads(result.stdout)

    await run("projects", "create", "Bank")
    await run("projects", "rename", "Bank", "Kiel")
    await run("upload", accounts, "--project", "Kiel")
    await run("datasets", "upload", accounts, "--project", "Kiel", "--name", "more")
    await run(
        "train", "--dataset", "accounts", "--type", "gaussian_copula", "--name", "copula", "--config", "refine=true"
    )
    await run("models", "create", "--dataset", "accounts", "--type", "gaussian_copula", "--name", "other")
    await server.run_queue()
    made = await run("generate", "copula", "--rows", 5)
    await server.run_queue()
    await run("impute", "copula", "--dataset", "accounts")
    await run("models", "impute", "copula", "--dataset", "accounts", "--version", 0)
    await server.run_queue()
    cancelled = await run("models", "generate", "copula")
    assert len((await run("sample", "copula", "--rows", 5))["rows"]) == 5
    await run("models", "sample", "copula", "--to", tmp_path / "some.parquet")
    for group in ("projects", "datasets", "models", "jobs", "reports", "keys"):
        await run(group, "list")
    for words in (("projects", "show", "Kiel"), ("projects", "usage", "Kiel"), ("models", "types"), ("limits",)):
        await run(*words)
    for name in ("show", "versions", "columns"):
        await run("datasets", name, "accounts")
    await run("datasets", "correct", "more", "--kind", "age=float")
    (tmp_path / "tables").mkdir()
    accounts.rename(tmp_path / "tables/new.csv")
    await run("datasets", "fetch", "more", f"file://{tmp_path}/tables/new.csv")
    await run("datasets", "download", "accounts", "--to", tmp_path / "back.csv")
    await run("models", "show", "copula")
    await run("models", "export", "copula", "--to", tmp_path / "copula.synthgen")
    await run("models", "import", tmp_path / "copula.synthgen", "--project", "Kiel", "--name", "moved")
    for name in ("show", "watch"):
        await run("jobs", name, made["synthgen_job_id"])
    await run("jobs", "download", made["synthgen_job_id"], "--to", tmp_path / "rows.csv")
    await run("jobs", "cancel", cancelled["synthgen_job_id"])
    report = await run("reports", "create", "copula", "--rows", 30)
    await server.run_queue()
    await run("reports", "show", report["id"])
    await run("reports", "download", report["id"], "--to", tmp_path / "report.json")
    async with beside(server.dispatcher.run()):
        await run("report", "copula", "--rows", 30, "--to", tmp_path / "report.html")
    await run("keys", "create", "nightly", "--role", "viewer")
    await run("audit", "list")
    await run("audit", "verify")
    await run("keys", "delete", "nightly", "--yes")
    await run("models", "delete", "other", "--yes")
    await run("datasets", "delete", "more", "--yes")
    await run("projects", "delete", "Kiel", "--force", "--yes")

    assert seen == set(COMMANDS)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_a_line_and_an_example_of_what_it_takes(words):
    line, example = re.fullmatch(r"(.+)\n\nExample: (.+)", (COMMANDS[words].help or "").strip()).groups()

    assert line.endswith(".")
    used = shlex.split(example.partition(" > ")[0])
    name = next(tuple(used[1:stop]) for stop in (3, 2) if tuple(used[1:stop]) in COMMANDS)
    assert COMMANDS[name].callback.__wrapped__ is COMMANDS[words].callback.__wrapped__
    options = {option for parameter in COMMANDS[words].params for option in parameter.opts}
    assert {word for word in used if word.startswith("--")} <= options
