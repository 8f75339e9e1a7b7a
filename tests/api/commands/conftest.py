"""The client's commands against the real application, over a real socket."""

import asyncio
import sys
from collections.abc import Callable
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from synthgen_ray.commands import register
from tests.api.conftest import a_table

PROGRAM = "import typer; from synthgen_ray.commands import register; app = typer.Typer(); register(app); app()"


@pytest.fixture
def environment(url, server, tmp_path) -> dict[str, str]:
    return {"SYNTHGEN_URL": url, "SYNTHGEN_API_KEY": server.key, "SYNTHGEN_DATA_DIR": str(tmp_path)}


@pytest.fixture
def synthgen(environment) -> Callable[..., Any]:
    """Runs a command as a shell would; the result has `exit_code`, `stdout` and `stderr`."""
    app = typer.Typer()
    register(app)

    async def run(*words: object, **more: str) -> Any:
        arguments = [str(word) for word in words]
        return await asyncio.to_thread(CliRunner().invoke, app, arguments, env={**environment, **more})

    return run


@pytest.fixture
def synthgen_process(environment) -> Callable[..., Any]:
    """Starts a command as a process of its own, with pipes for all that is not given."""

    async def start(*words: object, **streams: Any) -> asyncio.subprocess.Process:
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), asyncio.subprocess.PIPE)
        arguments = [str(word) for word in words]
        inherited = {"PYTHONPATH": ":".join(sys.path), "PATH": "/usr/bin:/bin"}
        return await asyncio.create_subprocess_exec(
            sys.executable, "-c", PROGRAM, *arguments, env={**inherited, **environment}, **{**pipes, **streams}
        )

    return start


@pytest.fixture
def accounts(tmp_path):
    (tmp_path / "accounts.csv").write_bytes(a_table())
    return tmp_path / "accounts.csv"


@pytest.fixture
async def trained(synthgen, working, accounts) -> None:
    """A ready model `copula` on the dataset `accounts` of the project `Bank`."""
    await synthgen("upload", accounts, "--project", "Bank")
    result = await synthgen("train", "--dataset", "accounts", "--type", "gaussian_copula", "--name", "copula", "--wait")
    assert result.exit_code == 0, result.output
