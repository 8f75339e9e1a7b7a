"""The directory that holds all state of a server: who may use it, and what stands where."""

import fcntl
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

START_S = 600.0  # three attempts of Ray, on a machine with much else to do; a server that died is noticed at once
LEAST_FREE = 32 << 20  # with less Ray does not start, and has no room to say why
LOOKED_AT_S = 0.5  # for longer than this nobody keeps others from a lock that he only looks at
KEPT_SESSIONS = 3  # with their logs
ELSEWHERE = "ray_elsewhere"  # a link to the folder of a Ray for which paths in here are too long
LATEST = "session_latest"
SPILLED = "ray_spilled_objects"  # objects that Ray has moved from memory to disk
SEEN = (LATEST, "prom_metrics_service_discovery.json")  # what others look for in `ray`, wherever it is
# A socket's path has 107 characters, and Ray's longest one ends like this.
SOCKET_PATH_ROOM = 107 - len("/session_2026-01-01_00-00-00_000000_4194304/sockets/dash_TaskEventsHead")


class StartFailed(Exception):
    """The server did not start; the message says why."""


class AlreadyRunning(StartFailed):
    """Another server uses the directory."""


@dataclass(frozen=True)
class ServerInfo:
    """What a running server says of itself, for `status`, `down` and the client's commands."""

    url: str
    dashboard: str | None  # none where a joined Ray has none
    pid: int


class DataDir:
    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def prepare(self) -> None:
        """Raises: StartFailed, when it cannot be made, is not ours, or its disk is full."""
        with self._usable():
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.chmod(0o700)
        free = shutil.disk_usage(self.path).free
        if free < LEAST_FREE:
            needed = f"and a start takes {LEAST_FREE >> 20}: make room on its disk."
            raise StartFailed(f"{free >> 20} MiB are free at {self.path}, {needed}")

    def lock(self) -> IO[str]:
        """The lock of the directory, held until it is closed or the process ends.

        Raises: AlreadyRunning; StartFailed, when it is not ours.
        """
        give_up = time.monotonic() + LOOKED_AT_S
        while (lock := self._free_lock()) is None:
            if time.monotonic() > give_up:
                raise AlreadyRunning(f"A server already runs on {self.path}: stop it with 'synthgen down'.")
            time.sleep(0.01)
        return lock

    def _free_lock(self) -> IO[str] | None:
        with self._usable():
            lock = (self.path / "lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        return lock

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StartFailed(
                f"{self.path} cannot be the data directory: {error.strerror} ({error.filename}). It and all in it must "
                "be of the user who starts the server, on a disk that can be written and has room."
            ) from error

    def is_locked(self) -> bool:
        if not (self.path / "lock").exists():
            return False
        with self._free_lock() or nullcontext() as lock:
            return lock is None

    def ray_token_file(self) -> Path:
        """A file with the token that this server's Ray cluster asks for; made on first use.

        Raises: StartFailed, when it is empty.
        """
        return private_file(self.path / "ray_token", lambda: secrets.token_hex(32))

    @contextmanager
    def ray_session_dir(self) -> Iterator[Path]:
        """Where Ray keeps sockets, logs and spilled objects: here, or where paths are short enough. Its logs are found
        here meanwhile, and stay.

        Ray opens the folder itself to everybody; the one around it stays private.
        """
        inside = self.path / "ray"
        inside.mkdir(exist_ok=True)
        if (self.path / ELSEWHERE).is_symlink():  # its server was killed
            self._bring_logs_home()
        for session in sorted(inside.glob("session_2*"))[:-KEPT_SESSIONS]:
            shutil.rmtree(session, ignore_errors=True)
        for spilled in inside.glob(f"session_2*/{SPILLED}*"):  # by one that was killed: rows, deleted since perhaps
            shutil.rmtree(spilled, ignore_errors=True)
        if len(str(inside)) <= SOCKET_PATH_ROOM:
            yield inside
            return
        with tempfile.TemporaryDirectory(prefix="synthgen-", ignore_cleanup_errors=True) as outside:
            (self.path / ELSEWHERE).symlink_to(Path(outside) / "ray")
            for name in SEEN:
                _point(inside / name, Path("..") / ELSEWHERE / name)
            try:
                yield Path(outside) / "ray"
            finally:
                self._bring_logs_home()

    def _bring_logs_home(self) -> None:
        link, inside = self.path / ELSEWHERE, self.path / "ray"
        outside = link.readlink()
        for name in SEEN:
            (inside / name).unlink(missing_ok=True)
        for logs in sorted(outside.glob("session_2*/logs")):
            kept = inside / logs.parent.name / "logs"
            with suppress(OSError):  # a disk that is full costs logs, and no start
                shutil.rmtree(kept, ignore_errors=True)  # a copy that was cut
                kept.parent.mkdir(exist_ok=True)
                shutil.move(logs, kept)
                _point(inside / LATEST, Path(logs.parent.name))
        shutil.rmtree(outside.parent, ignore_errors=True)
        link.unlink()

    def new_server_log(self) -> Path:
        """The file for what a server in the background prints. That of the one before it stays beside it: it may say
        why that one ended."""
        log = self.path / "server.log"
        if log.exists():
            log.replace(self.path / "server.log.1")
        return log

    def ray_dirs(self) -> list[Path]:
        """Where the Ray of a server here keeps its files, and did so when it was killed."""
        return [place.resolve() for place in (self.path / "ray", self.path / ELSEWHERE) if place.exists()]

    def write_info(self, info: ServerInfo) -> None:
        unfinished = self.path / "server.json.new"
        unfinished.write_text(json.dumps(asdict(info)))
        unfinished.rename(self.path / "server.json")

    def find_info(self) -> ServerInfo | None:
        """What the server that runs here says of itself; `None` when none runs."""
        file = self.path / "server.json"
        if not file.exists() or not self.is_locked():
            return None
        with suppress(FileNotFoundError):  # it may have ended meanwhile
            return ServerInfo(**json.loads(file.read_text()))
        return None

    def find_ray_address(self) -> str | None:
        """Of the Ray that a server here has started; `None` where none runs."""
        if self.find_info() is None:
            return None
        files = [folder / "ray_current_cluster" for folder in self.ray_dirs()]
        return next((file.read_text().strip() for file in files if file.exists()), None)

    def forget_info(self) -> None:
        (self.path / "server.json").unlink(missing_ok=True)


def _point(link: Path, to: Path) -> None:
    link.unlink(missing_ok=True)
    link.symlink_to(to)


def private_file(file: Path, make: Callable[[], str]) -> Path:
    """A file that its owner alone may read. One that is not there is made, and appears with all that is in it.

    Raises: StartFailed, when it is empty.
    """
    if not file.exists():
        unfinished = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
                new.write(make())
                new.flush()
                os.fsync(new.fileno())
            try:
                file.hardlink_to(unfinished)
            except FileExistsError:
                pass  # another process was first
            except OSError:  # a file has one name here
                unfinished.rename(file)
        finally:
            unfinished.unlink(missing_ok=True)
    if not file.stat().st_size:
        raise StartFailed(f"{file} is empty: delete it, and the next start makes another one.")
    return file
