"""A server as a process: runs until it is told to stop.

`synthgen up` runs it in the foreground; with `--detach` it is `python -m synthgen_ray.runtime.server`,
with its settings on standard input.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable

from synthgen_ray.runtime.data_dir import DataDir, ServerInfo, StartFailed
from synthgen_ray.runtime.environment import prepare_environment
from synthgen_ray.runtime.logs import write_logs
from synthgen_ray.settings import Settings


def run(settings: Settings, announce: Callable[[ServerInfo], None]) -> None:
    """Serve until SIGINT or SIGTERM. `announce` is called once the server answers.

    Raises: StartFailed.
    """
    write_logs(settings.log_format)
    os.umask(0o077)  # what Ray writes too is for this user alone
    data_dir = DataDir(settings.data_dir)
    data_dir.prepare()
    prepare_environment(data_dir, settings.address)
    from synthgen_ray.runtime.local import running  # imports Ray, which reads the environment

    stopped = threading.Event()

    def listen() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())

    listen()
    with running(settings) as info:
        listen()  # again: while it starts, Ray puts a handler in front that aborts the process three seconds later
        announce(info)
        while not stopped.wait(1):
            pass


def main() -> None:
    settings = Settings.model_validate_json(sys.stdin.readline())
    sys.stdin.close()
    try:
        run(settings, lambda _info: None)
    except StartFailed as error:
        sys.exit(f"synthgen: {error}")


if __name__ == "__main__":
    main()
