"""The commands that start, stop and watch a server, without one."""

import sys

import pytest

from synthgen_ray import cli
from synthgen_ray.runtime.admin_key import admin_key
from synthgen_ray.runtime.data_dir import DataDir, ServerInfo
from synthgen_ray.settings import Settings


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
