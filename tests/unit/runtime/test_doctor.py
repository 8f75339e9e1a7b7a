import contextlib
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from ray.exceptions import GetTimeoutError, OutOfMemoryError, RayTaskError
from ray.serve.schema import ServeStatus

from synthgen_ray.artifacts import open_artifacts
from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.runtime.admin_key import admin_key
from synthgen_ray.runtime.data_dir import DataDir, ServerInfo
from synthgen_ray.runtime.doctor.cluster import (
    Asked,
    NodeAnswer,
    Seen,
    _application,
    _artifacts,
    _dashboard,
    _failing,
    _findings,
    answer,
    seen,
)
from synthgen_ray.runtime.doctor.examining import examine
from synthgen_ray.runtime.doctor.finding import Finding, Level
from synthgen_ray.runtime.doctor.machine import data_dir, listening
from synthgen_ray.runtime.doctor.stores import _comes_back, database
from synthgen_ray.runtime.listening import free_port
from synthgen_ray.settings import Settings
from synthgen_ray.store.migrating import known_revisions
from tests.postgres import Postgres, a_postgres

CHECKS = ["versions", "environment", "data_dir", "disk", "listening", "database", "artifacts", "ray"]


@pytest.fixture
def settings(tmp_path, migrated_file) -> Settings:
    """Of a server that has run, and does not now."""
    settings = Settings(data_dir=tmp_path / "data", port=free_port())
    DataDir(settings.data_dir).prepare()
    admin_key(settings)
    (settings.data_dir / "synthgen.db").write_bytes(migrated_file.read_bytes())
    (settings.data_dir / "synthgen.db").chmod(0o600)
    return settings


@pytest.fixture
def finds(settings):
    """That all is well but for this."""

    def check(level: Level, said: str, advice: str, **changed: object) -> None:
        (found,) = sick(examine(settings.model_copy(update=changed)))
        assert found.level is level
        assert said in found.said
        assert advice in found.advice

    return check


def sick(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.level is not Level.OK]


def execute(settings: Settings, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(settings.data_dir / "synthgen.db")) as its:
        its.execute(statement)
        its.commit()


def test_all_is_well_with_a_server_that_has_run(settings):
    assert [(finding.check, finding.level) for finding in examine(settings)] == [(name, Level.OK) for name in CHECKS]


def test_a_server_that_writes_is_no_fault(settings):
    with contextlib.closing(sqlite3.connect(settings.data_dir / "synthgen.db", isolation_level=None)) as its:
        its.execute("BEGIN IMMEDIATE")

        assert sick(examine(settings)) == []


def test_before_the_first_start_nothing_is_there_nor_made(tmp_path):
    found = examine(Settings(data_dir=tmp_path / "data", port=free_port()))

    assert [finding.check for finding in sick(found)] == ["data_dir", "database"]
    assert {finding.level for finding in sick(found)} == {Level.WARN}
    assert not (tmp_path / "data").exists()


def test_it_leaves_nothing_behind(settings):
    open_artifacts(None, settings.data_dir).prepare(is_shared=False)  # as a start does
    before = set(settings.data_dir.rglob("*"))

    examine(settings)

    assert set(settings.data_dir.rglob("*")) == before


@pytest.mark.parametrize(("name", "mode"), [("", "700"), ("admin_key", "600"), ("synthgen.db", "600")])
def test_what_others_can_read_is_named_with_what_closes_it(settings, finds, name, mode):
    path = settings.data_dir / name
    path.chmod(0o755)

    finds(Level.FAIL, str(path), f"chmod {mode} {path}")


def test_a_volume_of_a_pod_is_open_to_nobody_else(settings, finds, monkeypatch):
    settings.data_dir.chmod(0o2777)
    monkeypatch.setattr(Path, "is_mount", lambda path: path == settings.data_dir)
    finds(Level.FAIL, str(settings.data_dir), "chmod 700")

    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")

    assert [one.level for one in data_dir(settings)] == [Level.OK]
    (settings.data_dir / "admin_key").chmod(0o644)
    finds(Level.FAIL, "admin_key", "chmod 600")


def test_a_data_directory_that_is_a_file_is_said_to_be_none(tmp_path):
    (tmp_path / "file").touch(mode=0o644)

    (found,) = data_dir(Settings(data_dir=tmp_path / "file"))

    assert (found.level, "is no folder" in found.said) == (Level.FAIL, True)


def test_a_port_that_is_taken(finds, settings):
    with socket.create_server(("127.0.0.1", settings.port)):
        finds(Level.FAIL, "is taken", f"sport = :{settings.port}")


def test_a_port_of_metrics_that_is_taken(finds):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finds(Level.FAIL, "choose another with metrics_port", f"sport = :{port}", metrics_port=port)


def test_a_cluster_on_which_nothing_serves(settings):
    (found,) = listening(settings.model_copy(update={"address": "auto"}))

    assert (found.level, found.advice.partition(" a file")[0]) == (Level.FAIL, "serve deploy")
    assert f"Nothing listens on port {settings.port}" in found.said


@pytest.mark.parametrize("named", [True, False])
def test_the_token_of_a_cluster_that_was_joined_is_looked_at_where_ray_looks(settings, monkeypatch, tmp_path, named):
    token = tmp_path / (".ray/auth_token" if not named else "token")
    token.parent.mkdir(exist_ok=True)
    token.write_text("secret")
    token.chmod(0o644)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH", raising=False)
    if named:
        monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(token))

    (found,) = data_dir(settings.model_copy(update={"address": "auto"}))

    assert (found.level, found.advice) == (Level.FAIL, f"chmod 600 {token}")
    assert [one.level for one in data_dir(settings)] == [Level.OK]


def test_an_address_that_others_reach(finds):
    finds(Level.FAIL, "nothing here speaks TLS", "Set host to 127.0.0.1", host="0.0.0.0")
    finds(Level.WARN, "without TLS", "Put a TLS proxy in front", host="0.0.0.0", allow_remote=True)


def test_an_address_that_is_not_this_machines(settings):
    *_, found = listening(settings.model_copy(update={"host": "192.0.2.1", "allow_remote": True}))

    assert (found.level, "Nothing can listen" in found.said, "ss -ltnp" in found.advice) == (Level.FAIL, True, False)


def test_an_address_of_ipv6(finds):
    finds(Level.FAIL, "::1 is an address of IPv6", "Set host to 127.0.0.1", host="::1")


def test_a_variable_that_is_mistyped(finds, monkeypatch):
    monkeypatch.setenv("SYNTHGEN_PROT", "9")

    finds(Level.WARN, "SYNTHGEN_PORT is meant?", "Correct its name")


@pytest.fixture
def answering(tmp_path, monkeypatch) -> Iterator[str]:
    """A server of this machine that says yes to all, where the environment names a proxy that is away."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "readyz").write_text("ready")
    (tmp_path / "api" / "jobs").mkdir(parents=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_this_machine_is_not_asked_through_a_proxy(answering, settings):
    place = DataDir(settings.data_dir)
    place.write_info(ServerInfo(f"http://{answering}", None, 1))
    with place.lock():
        (found,) = listening(settings)

    assert (found.level, found.said) == (Level.OK, f"http://{answering} is ready.")
    (dashboard,) = _dashboard(answering)
    assert (dashboard.level, "asks for no token" in dashboard.said) == (Level.FAIL, True)


def test_a_disk_that_is_nearly_full(finds, settings):
    upload = settings.upload.model_copy(update={"min_free_bytes": 1 << 60})

    finds(Level.FAIL, "are free", "uploads answer 507", upload=upload)


@pytest.mark.parametrize(
    ("revision", "level", "advice"),
    [("9999", Level.FAIL, "Start the newer version"), (known_revisions()[1], Level.WARN, "synthgen backup before")],
)
def test_a_schema_of_another_version(finds, settings, revision, level, advice):
    execute(settings, f"UPDATE alembic_version SET version_num = '{revision}'")

    finds(level, f"schema {revision}", advice)


def test_a_database_without_tables_of_which_there_is_nothing_to_back_up(finds, settings):
    (settings.data_dir / "synthgen.db").write_bytes(b"")

    finds(Level.WARN, "no tables", "The first start makes them")


class TestAPostgresThatTakesNothing:
    def finding(self, url: str, tmp_path: Path) -> Finding:
        (found,) = database(Settings(data_dir=tmp_path, database_url=url))
        return found

    def test_from_a_user_without_rights_in_it(self, postgres: Postgres, tmp_path):
        name = postgres.new_database()
        postgres.sql("DROP ROLE IF EXISTS guest; CREATE ROLE guest LOGIN PASSWORD 'guest'")
        postgres.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC", name)

        found = self.finding(f"postgresql://guest:guest@127.0.0.1:{postgres.port}/{name}", tmp_path)

        assert (found.level, "GRANT CREATE" in found.advice) == (Level.FAIL, True)
        assert self.finding(postgres.url(name), tmp_path).level is Level.WARN

    def test_since_it_is_a_standby(self, tmp_path):
        with a_postgres() as server:
            server.follow()

            found = self.finding(server.url(), tmp_path)

        assert (found.level, "standby" in found.said) == (Level.FAIL, True)


def test_artifacts_of_another_servers_metadata(finds, settings):
    open_artifacts(None, settings.data_dir).hand_over("somebody else")

    finds(Level.FAIL, "another server's metadata", "Name the database that belongs to them")


@pytest.mark.parametrize(
    ("error", "said", "advice"),
    [
        (RayTaskError("answer", "Traceback:\nNo module named 'synthgen_ray'", None), "No module", "Install"),
        (
            GetTimeoutError("Get timed out: some object(s) not ready."),
            "no answer in 60 s",
            "See the memory and the load",
        ),
        (OutOfMemoryError("Task was killed due to the node running low on memory."), "low on memory", "See the memory"),
    ],
)
def test_a_node_that_does_not_answer_is_told_from_one_that_lacks_the_package(error, said, advice):
    found = _failing("10.0.0.2", error)

    assert (found.level, said in found.said) == (Level.FAIL, True)
    assert found.advice.startswith(advice)


def test_nodes_are_asked_at_once_and_the_silent_ones_are_named(tmp_path):
    silent = threading.Barrier(2)

    def times_out() -> NodeAnswer:
        silent.wait(timeout=10)  # until both are asked
        raise GetTimeoutError

    def answers() -> NodeAnswer:
        return answer(DiskArtifacts(tmp_path), None)

    asked = [("10.0.0.2", times_out), ("10.0.0.3", answers), ("10.0.0.4", times_out)]
    findings = _findings([Asked(address, time.time(), its) for address, its in asked], Seen())

    assert [finding.said.partition(" does not do our work")[0] for finding in findings] == [
        "The node 10.0.0.2",
        "The node 10.0.0.4",
    ]


def test_a_controller_of_serve_that_hangs_is_waited_for_no_longer_than_a_node():
    def hangs() -> ServeStatus:
        raise GetTimeoutError

    (found,) = _application(hangs)

    assert (found.level, found.said) == (Level.FAIL, "Serve's controller: no answer in 60 s.")


class OpenToNobody(DiskArtifacts):
    def sizes(self, location: str, names: Sequence[str]) -> Mapping[str, int]:
        raise PermissionError(13, "Permission denied", location)


class TestNodesThatShareNoArtifacts:
    HERE = Seen("this server")

    @pytest.mark.parametrize(
        ("there", "said", "advice"),
        [
            (Seen(away="no credentials"), "does not see the artifacts: no credentials", "credentials"),
            (Seen(), "sees other artifacts", "that all nodes share"),
        ],
    )
    def test_are_named(self, there, said, advice):
        (found,) = _artifacts("10.0.0.2", there, self.HERE)

        assert (found.level, f"The node 10.0.0.2 {said}" in found.said) == (Level.FAIL, True)
        assert advice in found.advice

    @pytest.mark.parametrize(("there", "here"), [(HERE, HERE), (Seen(), Seen()), (Seen(), Seen(away="down"))])
    def test_what_is_the_same_for_all_is_no_fault_of_theirs(self, there, here):
        assert list(_artifacts("10.0.0.2", there, here)) == []

    def test_each_looks_for_itself(self, tmp_path):
        assert seen(DiskArtifacts(tmp_path)) == Seen()
        DiskArtifacts(tmp_path).hand_over("this server")
        assert seen(DiskArtifacts(tmp_path)) == self.HERE
        assert "Permission denied" in seen(OpenToNobody(tmp_path)).away


class LooksTwice(DiskArtifacts):
    """Artifacts at which somebody else looks while they are looked at."""

    def part_file(self, location: str, name: str) -> contextlib.AbstractContextManager[Path]:
        assert _comes_back(DiskArtifacts(self.path("", "")))
        return super().part_file(location, name)


def test_who_looks_at_the_artifacts_takes_nobodys_file_away(tmp_path):
    assert _comes_back(LooksTwice(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_is_damaged(finds, settings):
    file = settings.data_dir / "synthgen.db"
    content = bytearray(file.read_bytes())
    content[4096:8192] = bytes(4096)  # its second page
    file.write_bytes(content)

    finds(Level.FAIL, "damaged", "synthgen restore")


def test_a_database_and_a_store_that_are_away(settings):
    away = f"127.0.0.1:{free_port()}"
    found = examine(
        settings.model_copy(
            update={
                "database_url": Settings(database_url=f"postgresql://synthgen:secret@{away}/synthgen").database_url,
                "artifacts_url": f"s3://bucket/place?endpoint_override={away}&scheme=http&region=us-east-1",
            }
        )
    )

    assert [(finding.check, finding.level) for finding in sick(found)] == [
        ("database", Level.FAIL),
        ("artifacts", Level.FAIL),
    ]
    assert "secret" not in repr(found)


def test_an_older_library_is_named_with_what_is_needed(finds, monkeypatch):
    from synthgen_ray.runtime.doctor import machine

    monkeypatch.setattr(machine, "requires", lambda _: ["numpy>=999", "absent-from-here", 'pytest>=999; extra == "x"'])

    finds(Level.FAIL, ">=999 is needed; absent-from-here is not installed", "pip install --editable .")
