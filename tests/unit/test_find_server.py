from collections.abc import Iterator
from pathlib import Path

import pytest

from synthgen_ray.commands.server import Server, find_server
from synthgen_ray.runtime.data_dir import DataDir, ServerInfo


@pytest.fixture
def left(tmp_path) -> DataDir:
    """What is there of a server that was killed."""
    place = DataDir(tmp_path)
    place.write_info(ServerInfo("http://127.0.0.1:9000", None, 1))
    (tmp_path / "admin_key").write_text("sg_admin\n")
    return place


@pytest.fixture
def runs(left) -> Iterator[None]:
    with left.lock():
        yield


@pytest.mark.usefixtures("runs")
def test_the_server_of_the_data_directory_needs_no_options(tmp_path):
    assert find_server(None, None, tmp_path) == Server("http://127.0.0.1:9000", "sg_admin")


@pytest.mark.usefixtures("runs")
def test_the_data_directory_may_be_in_a_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path.parent))

    assert find_server(None, None, Path("~", tmp_path.name)) == Server("http://127.0.0.1:9000", "sg_admin")


@pytest.mark.usefixtures("runs")
def test_an_address_may_leave_out_the_scheme(tmp_path):
    assert find_server("127.0.0.1:9000/", None, tmp_path) == Server("http://127.0.0.1:9000", "sg_admin")


@pytest.mark.usefixtures("runs")
def test_the_admin_key_stays_at_home(tmp_path):
    assert find_server("https://elsewhere.example", None, tmp_path).key is None


@pytest.mark.usefixtures("runs")
def test_the_admin_key_that_the_environment_sets_is_that_of_the_server_here(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHGEN_ADMIN_KEY", "sg_set")

    assert find_server(None, None, tmp_path).key == "sg_set"
    assert find_server("https://elsewhere.example", None, tmp_path).key is None


@pytest.mark.usefixtures("runs")
def test_a_key_that_is_given_wins(tmp_path):
    assert find_server(None, "sg_mine", tmp_path).key == "sg_mine"


def test_without_a_data_directory_the_usual_address_is_tried(tmp_path):
    assert find_server(None, None, tmp_path / "none") == Server("http://127.0.0.1:8888", None)


@pytest.mark.usefixtures("left")
@pytest.mark.parametrize("url", [None, "127.0.0.1:8888", "127.0.0.1:9000"])
def test_whoever_listens_where_no_server_runs_gets_no_key(tmp_path, monkeypatch, url):
    assert find_server(url, None, tmp_path).key is None

    (tmp_path / "server.json").unlink()
    assert find_server(url, None, tmp_path).key is None
    monkeypatch.setenv("SYNTHGEN_ADMIN_KEY", "sg_set")
    assert find_server(url, None, tmp_path).key is None


def test_what_serve_deploy_has_deployed_leaves_nothing_in_the_data_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHGEN_ADDRESS", "auto")
    monkeypatch.setenv("SYNTHGEN_ADMIN_KEY", "sg_set")

    assert find_server(None, None, tmp_path) == Server("http://127.0.0.1:8888", "sg_set")
