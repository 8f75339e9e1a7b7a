"""What the documents name is there: links, settings, commands and their options, targets of make, options of models."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from ray.scripts.scripts import cli as ray
from ray.serve.scripts import cli as serve

from synthgen_ray.cli import app
from synthgen_ray.domain.params import TRAIN_PARAMS
from synthgen_ray.settings import Group, Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "cluster/README.md",
    "cluster/CAPACITY.md",
    "cluster/prometheus/README.md",
)
README = (ROOT / "README.md").read_text()
GROUPS = {
    name: type(field.default).model_fields
    for name, field in Settings.model_fields.items()
    if isinstance(field.default, Group)
}
CODE = re.compile(r"```\w*\n.*?```|`[^`\n]+`", re.DOTALL)
PROGRAMS: dict[str, Any] = {"synthgen": typer.main.get_command(app), "ray": ray, "serve": serve}
CALL = re.compile(rf"(?<![\w.])({'|'.join(PROGRAMS)}) ([a-z][^\n`]*)")


def code_of(document: str) -> list[str]:
    """Its blocks of code and what stands between backticks."""
    return CODE.findall((ROOT / document).read_text())


def links() -> Iterator[tuple[str, str]]:
    for document in DOCUMENTS:
        for link in sorted(set(re.findall(r"\]\((?!http)([^)]+)\)", (ROOT / document).read_text()))):
            yield document, link


def command_of(program: str, words: list[str]) -> tuple[Any, list[str]]:
    """The command that these words call, and those that are left."""
    command = PROGRAMS[program]
    while hasattr(command, "commands") and words and words[0] in command.commands:
        command, words = command.commands[words[0]], words[1:]
    return command, words


def test_it_has_the_table_that_the_demo_prints():
    for words in ("gaussian_copula", "column shapes", "pair trends"):
        assert words in README


@pytest.mark.parametrize(("document", "link"), list(links()))
def test_links_lead_somewhere(document, link):
    file, _, heading = link.partition("#")
    page = (ROOT / document).parent / file if file else ROOT / document

    assert page.exists()
    if heading:
        headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", one).lower().replace(" ", "-") for one in headings}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_settings_have_the_names_that_it_gives_them(document):
    named = re.findall(rf"\b({'|'.join(GROUPS)})\.(\w+)\b(?!\()", " ".join(code_of(document)))

    assert not [f"{group}.{name}" for group, name in named if name not in GROUPS[group] and name not in ("py", "js")]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_and_their_options_are_there(document):
    for code in code_of(document):
        for program, line in CALL.findall(code.replace("\\\n", " ")):
            called = re.sub(r"( -- |[|;&>)]).*", "", line)
            command, rest = command_of(program, called.replace("[", " ").replace("]", " ").split())
            options = {name for option in command.params for name in option.opts}

            assert not hasattr(command, "commands") or not rest or rest[0].startswith("--"), line
            assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= options | {"--help"}, line


def test_the_runbook_has_each_code_that_comes_with_a_503():
    sources = [file.read_text() for file in (ROOT / "synthgen_ray").rglob("*.py")]
    codes = {code for source in sources for code in re.findall(r'Unavailable\([^)]*"([a-z_]+)"\)', source)}
    runbook = (ROOT / "cluster/README.md").read_text()

    assert {"store_unavailable", "busy"} < codes
    assert [code for code in codes if f"503 `{code}` |" not in runbook] == []


def test_the_runbook_has_each_code_of_what_failed_for_no_fault_of_its_owner():
    sources = "".join(file.read_text() for file in (ROOT / "synthgen_ray").rglob("*.py"))
    codes = set(re.findall(r'(?:JobFailure|SynthGenError|InsufficientStorage)\((?:[^)]*, )?\s*"([a-z_]+)"', sources))
    runbook = (ROOT / "cluster/README.md").read_text()

    assert {"worker_lost", "unreadable_model", "internal_error"} < codes
    assert [code for code in codes - {"cancelled"} if f"`{code}`" not in runbook] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_has_the_targets_that_it_names(document):
    (phony,) = re.findall(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert {target for code in code_of(document) for target in re.findall(r"\bmake ([a-z]+)", code)} <= {*phony.split()}


def test_models_have_the_options_of_its_table_with_these_defaults():
    table = README.partition("| option | default | does |\n")[2].partition("\n\n")[0]
    told = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", table, re.MULTILINE))
    known = {name: field for params in TRAIN_PARAMS.values() for name, field in params.model_fields.items()}

    assert told.keys() <= known.keys()
    for name in ("min_category_count", "max_categories", "precision", "sampling", "marginals"):
        assert told[name].strip('`"').replace(",", "") == str(known[name].default)
