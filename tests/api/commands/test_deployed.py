"""The operator's commands where `serve deploy` runs the server: no process of ours, nothing in the data directory."""

import asyncio
import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from typer.testing import CliRunner

from synthgen_ray.cli import app
from synthgen_ray.runtime.doctor.finding import Finding, Level
from synthgen_ray.runtime.doctor.machine import listening
from synthgen_ray.settings import Settings


@pytest.fixture
def deployed(url, server, tmp_path) -> dict[str, str]:
    """The environment of a node."""
    return {
        "SYNTHGEN_ADDRESS": "auto",
        "SYNTHGEN_DATA_DIR": str(tmp_path / "node"),
        "SYNTHGEN_PORT": url.rpartition(":")[2],
        "SYNTHGEN_ADMIN_KEY": server.key,
    }


@pytest.fixture
def strangers_port(tmp_path) -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path)) as stranger:
        threading.Thread(target=stranger.serve_forever, daemon=True).start()
        yield stranger.server_port
        stranger.shutdown()


async def test_status_asks_the_proxy_of_this_node(deployed):
    result = await asyncio.to_thread(CliRunner().invoke, app, ["status"], env=deployed)

    assert (result.exit_code, "is ready (Ray at auto)" in result.stdout) == (0, True), result.output


async def test_status_asks_any_server_by_its_address_and_a_key(url, server, tmp_path):
    words = ["status", "--json", "--url", url.removeprefix("http://"), "--data-dir", str(tmp_path / "none")]
    ask = partial(asyncio.to_thread, CliRunner().invoke, app)

    with_key, without = await ask([*words, "--key", server.key]), await ask(words)

    told = json.loads(with_key.stdout)
    assert (with_key.exit_code, told["url"], told["ready"], told["pid"]) == (0, url, True, None), with_key.output
    assert told["status"]["version"] == server.app.version
    assert (without.exit_code, json.loads(without.stdout)["status"]) == (0, None)


async def test_status_refuses_what_is_no_address(tmp_path):
    words = ["status", "--url", "http://", "--data-dir", str(tmp_path)]
    result = await asyncio.to_thread(CliRunner().invoke, app, words)

    assert (result.exit_code, "not the address of a server" in result.stderr) == (1, True)


async def test_the_clients_commands_use_the_admin_key_of_the_environment(deployed, url, monkeypatch):
    monkeypatch.setattr("synthgen_ray.commands.server.DEFAULT_URL", url)  # its port is another in each test

    result = await asyncio.to_thread(CliRunner().invoke, app, ["jobs", "list"], env=deployed)

    assert result.exit_code == 0, result.output


async def test_doctor_asks_who_has_the_port_whether_it_is_ready(url, tmp_path):
    found = await asyncio.to_thread(look, int(url.rpartition(":")[2]), tmp_path)

    assert (found.level, found.said) == (Level.OK, f"{url} is ready.")


async def test_doctor_names_a_stranger_that_has_the_port(strangers_port, tmp_path):
    found = await asyncio.to_thread(look, strangers_port, tmp_path)

    assert (found.level, "answers 404" in found.said) == (Level.FAIL, True)
    assert f"ss -ltnp 'sport = :{strangers_port}'" in found.advice


def look(port: int, data_dir) -> Finding:
    (found,) = listening(Settings(address="auto", data_dir=data_dir / "node", port=port))
    return found
