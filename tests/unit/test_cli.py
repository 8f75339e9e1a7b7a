"""The commands that start, stop and watch a server, without one."""

import os
import re
import shlex
import socket
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import typer
from rich.markup import render
from typer.testing import CliRunner

from synthgen_ray import cli
from synthgen_ray.runtime.admin_key import admin_key
from synthgen_ray.runtime.data_dir import DataDir, ServerInfo, StartFailed
from synthgen_ray.runtime.listening import free_port
from synthgen_ray.settings import Settings
from tests.servers import clean_environment

OWN = ("up", "down", "status", "backup", "restore", "doctor")
COMMANDS = typer.main.get_command(cli.app).commands


@pytest.fixture
def first_start(tmp_path):
    """What a first `up` says once the server answers."""
    settings = Settings(data_dir=tmp_path)
    admin_key(settings)
    info = ServerInfo("http://127.0.0.1:8888", None, 1)
    return lambda: cli._show(DataDir(tmp_path), settings, info, is_first=True)


def test_the_admin_key_is_shown_on_a_terminal_alone(first_start, tmp_path, capsys, monkeypatch):
    key = (tmp_path / "admin_key").read_text().strip()

    first_start()
    piped = capsys.readouterr().out
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    first_start()

    assert key not in piped
    assert str(tmp_path / "admin_key") in piped
    assert key in capsys.readouterr().out


def test_up_says_where_the_logs_are(first_start, tmp_path, capsys):
    first_start()

    assert f"Logs        {tmp_path}/ray/session_latest/logs" in capsys.readouterr().out


def test_the_version_is_that_of_the_package():
    result = CliRunner().invoke(cli.app, ["--version"])

    assert (result.exit_code, result.stdout) == (0, f"synthgen {version('synthgen-ray')}\n")


@pytest.mark.parametrize("name", OWN)
def test_each_has_an_example_of_what_it_takes(name):
    (example,) = re.findall(r"\n\nExample: (.+)\Z", (COMMANDS[name].help or "").strip())

    program, command, *used = shlex.split(example)
    assert (program, command) == ("synthgen", name)
    options = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert {word for word in used if word.startswith("--")} <= options


def test_no_help_has_words_that_rich_takes_for_markup():
    """`[data]` was shown as nothing."""
    left = [*COMMANDS.values()]
    for command in left:
        left += getattr(command, "commands", {}).values()
    told = [command.help or "" for command in left] + [one.help or "" for command in left for one in command.params]

    assert len(left) > 40
    assert [text for text in told if render(text).plain != text] == []


@pytest.mark.parametrize("command", ["down", "status"])
def test_the_data_directory_is_that_of_the_settings_file(command, tmp_path):
    file = tmp_path / "settings.yaml"
    file.write_text(f"data_dir: {tmp_path}/elsewhere\n")

    result = CliRunner().invoke(cli.app, [command, "--config", str(file)])

    assert (result.exit_code, result.stderr) == (1, f"synthgen: No server runs on {tmp_path}/elsewhere.\n")


@pytest.mark.parametrize("command", OWN)
def test_data_of_another_user_is_said_to_be_anothers(command, tmp_path, monkeypatch):
    (tmp_path / "lock").touch()
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "lock")  # root may read all

    place = [str(tmp_path / "backup")] if command in ("backup", "restore") else []
    result = CliRunner().invoke(cli.app, [command, *place], env={"SYNTHGEN_DATA_DIR": str(tmp_path)})

    assert (result.exit_code, "is another user's" in result.stderr) == (1, True)


@pytest.mark.parametrize("command", ["doctor", "backup"])
def test_what_is_wrong_with_a_database_is_told_in_a_line_without_its_password(command, tmp_path):
    url = f"postgresql://synthgen:secret@127.0.0.1:{free_port()}/synthgen"
    place = [str(tmp_path / "backup")] if command == "backup" else []
    done = subprocess.run(
        [sys.executable, "-m", "synthgen_ray.cli", command, *place, "--data-dir", str(tmp_path)],
        env={**clean_environment(), "SYNTHGEN_DATABASE_URL": url},
        capture_output=True,
        text=True,
    )

    (said,) = [line for line in (done.stdout + done.stderr).splitlines() if "Connect call failed" in line]
    assert done.stderr.splitlines() == ([said] if command == "backup" else [])
    assert (done.returncode, "secret" in done.stdout + done.stderr) == (1, False)


@pytest.mark.parametrize("command", ["down", "status"])
def test_a_server_that_has_not_started_yet_is_not_said_to_be_away(command, tmp_path):
    with DataDir(tmp_path).lock():
        result = CliRunner().invoke(cli.app, [command, "--data-dir", str(tmp_path)])

    assert (result.exit_code, "has not started yet" in result.stderr) == (1, True)


def test_a_server_that_another_down_has_just_ended_is_stopped(tmp_path, monkeypatch):
    place = DataDir(tmp_path)
    lock = place.lock()
    place.write_info(ServerInfo("http://127.0.0.1:8888", None, 1))

    def gone(_pid: int, _signal: int) -> None:
        lock.close()
        raise ProcessLookupError

    monkeypatch.setattr(os, "kill", gone)

    result = CliRunner().invoke(cli.app, ["down", "--data-dir", str(tmp_path)])

    assert (result.exit_code, result.stdout) == (0, "Stopped.\n")


def test_status_says_why_nothing_is_known_of_a_server(tmp_path):
    url = f"http://127.0.0.1:{free_port()}"

    result = CliRunner().invoke(cli.app, ["status", "--url", url, "--data-dir", str(tmp_path)])

    said, why = result.stdout.splitlines()
    assert (result.exit_code, said, why.startswith(f"No server answers at {url}")) == (1, f"{url} is not ready", True)


def test_what_a_killed_server_said_of_itself_is_forgotten_before_the_next_one_starts(tmp_path):
    from synthgen_ray.runtime.local import running

    place = DataDir(tmp_path)
    place.write_info(ServerInfo("http://127.0.0.1:8888", None, os.getpid()))

    with pytest.raises(StartFailed), running(Settings(data_dir=tmp_path, host="0.0.0.0")):  # where it may not listen
        pass

    with place.lock():
        assert place.find_info() is None


@pytest.mark.usefixtures("own_umask")
def test_and_before_a_restore(tmp_path):
    place = DataDir(tmp_path / "data")
    place.prepare()
    place.write_info(ServerInfo("http://127.0.0.1:8888", None, os.getpid()))

    result = CliRunner().invoke(cli.app, ["restore", str(tmp_path / "none"), "--data-dir", str(place.path)])

    assert (result.exit_code, "no backup at this place" in result.stderr) == (1, True)
    with place.lock():
        assert place.find_info() is None


def test_a_port_of_metrics_that_is_taken_is_refused_before_anything_starts(tmp_path):
    from synthgen_ray.runtime.local import running

    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = Settings(data_dir=tmp_path, port=free_port(), metrics_port=taken.getsockname()[1])
        with pytest.raises(StartFailed, match="choose another with metrics_port"), running(settings):
            pass


@pytest.mark.usefixtures("own_umask")
def test_up_names_a_variable_that_sets_nothing(tmp_path):
    environment = {"SYNTHGEN_PROT": "9", "SYNTHGEN_DATA_DIR": str(tmp_path)}
    with DataDir(tmp_path).lock():  # so that nothing starts
        result = CliRunner().invoke(cli.app, ["up", "--detach"], env=environment)

    assert result.exit_code == 1
    assert result.stderr.splitlines()[0] == (
        "synthgen: SYNTHGEN_PROT is no setting, and read by nothing: SYNTHGEN_PORT is meant?"
    )
