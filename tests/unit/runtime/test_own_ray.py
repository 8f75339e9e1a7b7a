"""What is ended of a Ray whose server was killed, and what is not."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from synthgen_ray.runtime.listening import free_port
from synthgen_ray.runtime.own_ray import _end, end_leftovers
from synthgen_ray.settings import LogFormat
from tests.marks import nightly_but
from tests.servers import clean_environment

HOLDS = "import sys; held = open(sys.argv[1], 'a'); print(flush=True); sys.stdin.read()"


@pytest.fixture
def given_process() -> Iterator:
    """A process of a title that holds a file open."""
    with ExitStack() as held:

        def given(title: str, file: Path) -> subprocess.Popen:
            file.parent.mkdir(parents=True, exist_ok=True)
            command, pipe = [title, "-c", HOLDS, str(file)], subprocess.PIPE
            process = held.enter_context(
                subprocess.Popen(command, executable=sys.executable, stdin=pipe, stdout=pipe, text=True)
            )
            held.callback(process.kill)
            assert process.stdout is not None
            process.stdout.readline()  # it has the file
            return process

        yield given


def test_rays_processes_that_write_there_end_and_no_others(given_process, tmp_path):
    log = tmp_path / "data" / "ray" / "session_1" / "logs" / "agent.log"
    left = given_process("ray::DashboardAgent", log)
    elsewhere = given_process("ray::DashboardAgent", tmp_path / "other" / "agent.log")
    looking = given_process("less", log)

    end_leftovers(tmp_path / "data" / "ray")

    assert left.poll() is not None
    assert (elsewhere.poll(), looking.poll()) == (None, None)


@pytest.mark.parametrize("form", nightly_but({LogFormat.JSON}, LogFormat))
def test_a_server_in_the_foreground_tells_of_it_in_the_form_of_its_setting(given_process, tmp_path, form):
    given_process("ray::DashboardAgent", tmp_path / "ray" / "agent.log")
    with socket.create_server(("127.0.0.1", 0)) as taken:  # so that no Ray starts
        port = str(taken.getsockname()[1])
        settings = {"DATA_DIR": str(tmp_path), "LOG_FORMAT": form, "PORT": str(free_port()), "METRICS_PORT": port}
        environment = {**clean_environment(), **{f"SYNTHGEN_{name}": value for name, value in settings.items()}}
        up = [sys.executable, "-m", "synthgen_ray.cli", "up"]
        done = subprocess.run(up, env=environment, capture_output=True, text=True, timeout=120)

    line, refused = done.stderr.splitlines()
    assert "choose another with metrics_port" in refused
    if form is LogFormat.JSON:
        assert "A server was killed here" in json.loads(line)["message"]
    else:
        assert " WARNING synthgen_ray.runtime.own_ray: A server was killed here" in line


def test_one_that_ends_by_itself_meanwhile_is_no_error(given_process, tmp_path):
    left = given_process("ray::DashboardAgent", tmp_path / "agent.log")
    found = psutil.Process(left.pid)
    left.kill()
    left.wait()

    _end([found])

    assert not found.is_running()
