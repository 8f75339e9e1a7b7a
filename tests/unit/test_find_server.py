import json

from synthgen_ray.commands.server import Server, find_server


def given_server_that_runs_on(data_dir, url="http://127.0.0.1:9000"):
    (data_dir / "server.json").write_text(json.dumps({"url": url, "dashboard": "", "pid": 1}))
    (data_dir / "admin_key").write_text("sg_admin\n")


def test_the_server_of_the_data_directory_needs_no_options(tmp_path):
    given_server_that_runs_on(tmp_path)

    assert find_server(None, None, tmp_path) == Server("http://127.0.0.1:9000", "sg_admin")


def test_an_address_may_leave_out_the_scheme(tmp_path):
    given_server_that_runs_on(tmp_path)

    assert find_server("127.0.0.1:9000/", None, tmp_path) == Server("http://127.0.0.1:9000", "sg_admin")


def test_the_admin_key_stays_at_home(tmp_path):
    given_server_that_runs_on(tmp_path)

    assert find_server("https://elsewhere.example", None, tmp_path).key is None


def test_the_admin_key_that_the_environment_sets_is_that_of_the_server_here(tmp_path, monkeypatch):
    monkeypatch.setenv("SYNTHGEN_ADMIN_KEY", "sg_set")

    assert find_server(None, None, tmp_path).key == "sg_set"
    assert find_server("https://elsewhere.example", None, tmp_path).key is None


def test_a_key_that_is_given_wins(tmp_path):
    given_server_that_runs_on(tmp_path)

    assert find_server(None, "sg_mine", tmp_path).key == "sg_mine"


def test_without_a_data_directory_the_usual_address_is_tried(tmp_path):
    assert find_server(None, None, tmp_path / "none") == Server("http://127.0.0.1:8888", None)
