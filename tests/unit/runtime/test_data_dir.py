import errno
import os
import stat

import pytest
from ray._private.ray_constants import DEFAULT_OBJECT_PREFIX

from synthgen_ray.runtime import data_dir
from synthgen_ray.runtime.admin_key import KEY_FILE, admin_key
from synthgen_ray.runtime.data_dir import AlreadyRunning, DataDir, ServerInfo, StartFailed, private_file
from synthgen_ray.settings import Settings


@pytest.fixture
def place(tmp_path) -> DataDir:
    place = DataDir(tmp_path / "data")
    place.prepare()
    return place


def mode(path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_directory_and_its_secrets_are_private(place):
    token = place.ray_token_file()
    admin_key(Settings(data_dir=place.path))

    assert mode(place.path) == 0o700
    assert mode(token) == mode(place.path / KEY_FILE) == 0o600


def test_a_directory_that_cannot_be_used_is_said_to_be_one_and_why(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "data" / "lock").mkdir(parents=True)

    with pytest.raises(StartFailed, match="file cannot be the data directory: File exists"):
        DataDir(tmp_path / "file").prepare()
    with pytest.raises(StartFailed, match=r"data cannot be the data directory: Is a directory .*lock"):
        DataDir(tmp_path / "data").lock()


def test_a_second_server_is_refused_until_the_first_lets_go(place):
    first = place.lock()

    with pytest.raises(AlreadyRunning, match="synthgen down"):
        place.lock()
    assert place.is_locked()

    first.close()
    assert not place.is_locked()


def test_who_only_looks_whether_a_server_runs_keeps_none_from_starting(place, monkeypatch):
    looking = place.lock()
    monkeypatch.setattr(data_dir.time, "sleep", lambda _: looking.close())

    place.lock().close()


def test_a_server_that_died_is_not_said_to_run(place):
    info = ServerInfo("http://127.0.0.1:1", "http://127.0.0.1:2", 3)
    with place.lock():
        place.write_info(info)
        assert place.find_info() == info

    assert place.find_info() is None


def test_nor_is_one_that_ends_while_it_is_looked_for(place, monkeypatch):
    place.write_info(ServerInfo("http://127.0.0.1:1", None, 3))
    monkeypatch.setattr(place, "is_locked", lambda: place.forget_info() is None)

    assert place.find_info() is None


def test_the_first_call_makes_the_admin_key_and_the_next_find_it(place):
    settings = Settings(data_dir=place.path)

    key = admin_key(settings)

    assert len(key) > 40
    assert admin_key(settings) == key


def test_a_given_key_wins_and_leaves_no_file(place):
    settings = Settings(data_dir=place.path, admin_key="given-key-of-sixteen")

    assert admin_key(settings) == "given-key-of-sixteen"
    assert not (place.path / KEY_FILE).exists()


def test_a_key_file_that_others_can_read_is_refused(place):
    settings = Settings(data_dir=place.path)
    admin_key(settings)
    (place.path / KEY_FILE).chmod(0o644)

    with pytest.raises(StartFailed, match="chmod 600"):
        admin_key(settings)


@pytest.mark.parametrize("name", [KEY_FILE, "ray_token"])
def test_a_secret_that_is_empty_is_refused(place, name):
    (place.path / name).touch(mode=0o600)

    with pytest.raises(StartFailed, match="is empty: delete it"):
        admin_key(Settings(data_dir=place.path)) if name == KEY_FILE else place.ray_token_file()


def test_a_secret_appears_with_all_that_is_in_it_or_not_at_all(place):
    def killed() -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        private_file(place.path / "secret", killed)

    assert list(place.path.iterdir()) == []
    assert private_file(place.path / "secret", lambda: "made").read_text() == "made"


def test_of_two_that_make_a_secret_both_have_the_firsts(place):
    def beaten() -> str:
        return private_file(place.path / "secret", lambda: "first").read_text() + " and second"

    assert private_file(place.path / "secret", beaten).read_text() == "first"
    assert len(list(place.path.iterdir())) == 1


def test_a_secret_is_made_where_a_file_has_one_name_alone(place, monkeypatch):
    def failing(*_, **__):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", failing)

    assert private_file(place.path / "secret", lambda: "made").read_text() == "made"
    assert [file.name for file in place.path.iterdir()] == ["secret"]


def test_a_long_path_moves_rays_sockets_elsewhere(tmp_path):
    deep = DataDir(tmp_path / ("d" * 80))
    deep.prepare()

    with deep.ray_session_dir() as session:
        assert len(str(session)) <= data_dir.SOCKET_PATH_ROOM == 36
        assert mode(session.parent) == 0o700
        assert session not in deep.ray_dirs()  # Ray makes it
        session.mkdir()
        assert session in deep.ray_dirs()
    assert not session.parent.exists()
    assert session not in deep.ray_dirs()


def given_logs(ray) -> None:
    """As Ray leaves them in its folder."""
    logs = ray / "session_2026-01-01" / "logs" / "serve"
    logs.mkdir(parents=True)
    (logs / "proxy.log").write_text("why it ended")
    (ray / "session_latest").symlink_to(ray / "session_2026-01-01")
    (ray / "prom_metrics_service_discovery.json").write_text("[]")


def test_logs_from_elsewhere_are_found_in_the_data_directory_and_stay(tmp_path):
    deep = DataDir(tmp_path / ("d" * 80))
    deep.prepare()
    documented = deep.path / "ray" / "session_latest" / "logs" / "serve" / "proxy.log"

    with deep.ray_session_dir() as session:
        given_logs(session)
        assert documented.read_text() == "why it ended"
        assert (deep.path / "ray" / "prom_metrics_service_discovery.json").read_text() == "[]"

    assert not session.parent.exists()
    assert documented.read_text() == "why it ended"
    assert documented.resolve().is_relative_to(deep.path)


def test_so_do_those_of_a_killed_server(tmp_path):
    deep = DataDir(tmp_path / ("d" * 80))
    deep.prepare()
    left = tmp_path / "outside" / "ray"
    left.mkdir(parents=True)
    given_logs(left)
    (deep.path / data_dir.ELSEWHERE).symlink_to(left)
    assert left in deep.ray_dirs()

    with deep.ray_session_dir() as session:
        assert session != left
        assert not left.parent.exists()
        kept = deep.path / "ray" / "session_2026-01-01" / "logs" / "serve" / "proxy.log"
        assert kept.read_text() == "why it ended"


def test_what_the_last_server_in_the_background_printed_is_kept(place):
    for said in ("first", "second", "third"):
        place.new_server_log().write_text(said)

    assert (place.path / "server.log").read_text() == "third"
    assert (place.path / "server.log.1").read_text() == "second"


def test_the_logs_of_the_last_sessions_are_kept(monkeypatch, place):
    monkeypatch.setattr(data_dir, "SOCKET_PATH_ROOM", 1000)  # pytest's folders are deep
    for day in range(9):
        (place.path / "ray" / f"session_2026-01-0{day}").mkdir(parents=True)

    with place.ray_session_dir() as session:
        pass

    assert [kept.name[-1] for kept in sorted(session.iterdir())] == ["6", "7", "8"]


def test_objects_that_a_killed_server_had_moved_to_disk_go_with_the_next_start(monkeypatch, place):
    monkeypatch.setattr(data_dir, "SOCKET_PATH_ROOM", 1000)
    session = place.path / "ray" / "session_2026-01-01"
    for name in ("logs", f"{DEFAULT_OBJECT_PREFIX}_01ab"):
        (session / name).mkdir(parents=True)

    with place.ray_session_dir():
        assert [kept.name for kept in session.iterdir()] == ["logs"]
