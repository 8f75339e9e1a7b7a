"""`synthgen`: start, stop and watch a server. The client's commands are in `commands`, others that need the server's
settings in `operating`."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer

from synthgen_ray.client import ClientError, SynthGen
from synthgen_ray.commands import register
from synthgen_ray.commands.output import Output
from synthgen_ray.commands.server import find_server, local_key
from synthgen_ray.commands.session import AsJson, Key, Url
from synthgen_ray.operating.backup import backup, restore
from synthgen_ray.operating.doctor import doctor
from synthgen_ray.operating.settings import ConfigOption, DataDirOption, load_settings, refuse
from synthgen_ray.runtime.admin_key import KEY_FILE
from synthgen_ray.runtime.data_dir import LATEST, START_S, DataDir, ServerInfo, StartFailed
from synthgen_ray.runtime.server import run
from synthgen_ray.settings import Settings, unread

STOP_S = 60.0

app = typer.Typer(no_args_is_help=True, add_completion=False)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"synthgen {version('synthgen-ray')}")
        raise typer.Exit


@app.callback()
def synthgen(
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is.")
    ] = False,
) -> None:
    """Learn a table, generate synthetic rows like it."""


@app.command()
def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on.  [127.0.0.1]")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the REST API.  [8888]")] = None,
    dashboard_port: Annotated[int | None, typer.Option(help="Port of the Ray dashboard.  [8265]")] = None,
    data_dir: DataDirOption = None,
    address: Annotated[str | None, typer.Option(help="A running Ray cluster to join.")] = None,
    config: ConfigOption = None,
    detach: Annotated[bool, typer.Option(help="Go on in the background once the server answers.")] = False,
) -> None:
    """Start the server. Ctrl-C or `synthgen down` stops it; what it holds survives.

    Example: synthgen up --detach --port 9000
    """
    settings = load_settings(
        config, host=host, port=port, dashboard_port=dashboard_port, data_dir=data_dir, address=address
    )
    for said in unread(os.environ):
        typer.echo(f"synthgen: {said}", err=True)
    os.umask(0o077)
    place = DataDir(settings.data_dir)
    try:
        place.prepare()
        is_first = not (place.path / KEY_FILE).exists() and settings.admin_key is None
        if detach:
            _show(place, settings, _start_in_background(place, settings), is_first=is_first)
        else:
            run(settings, lambda info: _show(place, settings, info, is_first=is_first))
            typer.echo("Stopped; what ran went back to the queue.")
    except StartFailed as error:
        refuse(str(error))


@app.command()
def down(data_dir: DataDirOption = None, config: ConfigOption = None) -> None:
    """Stop the server of a data directory.

    Example: synthgen down --data-dir data
    """
    place = DataDir(load_settings(config, data_dir=data_dir).data_dir)
    info = place.find_info()
    if info is None:
        refuse(_absence(place))
    with suppress(ProcessLookupError):  # it may have ended meanwhile, as by another `down`
        os.kill(info.pid, signal.SIGTERM)
    give_up = time.monotonic() + STOP_S
    while place.is_locked():
        if time.monotonic() > give_up:
            refuse(f"The server (process {info.pid}) did not stop in {STOP_S:.0f} s.")
        time.sleep(0.2)
    typer.echo("Stopped.")


@app.command()
def status(
    data_dir: DataDirOption = None,
    config: ConfigOption = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a server runs on a data directory, on the cluster of `address` or at --url, and whether it is ready.

    Example: synthgen status --json
    """
    settings = load_settings(config, data_dir=data_dir)
    place = DataDir(settings.data_dir)
    about, info = "", place.find_info()
    if url is None and info is None:
        if settings.address is None:
            refuse(_absence(place))
        # What `serve deploy` has deployed is no process of ours, and answers on each node.
        url, key = f"http://127.0.0.1:{settings.port}", key or local_key(settings.data_dir)
        about = f" (Ray at {settings.address})"
    server = find_server(url, key, settings.data_dir)
    if info is not None and info.url != server.url:
        info = None  # it is another that was asked for
    if info is not None:
        about = f" (process {info.pid}, dashboard {info.dashboard or 'none'})"
    try:
        with SynthGen(server.url, server.key) as client:
            ready = client.is_ready()
            told, why = _find_status(client)
    except ClientError as error:
        refuse(str(error))
    pid, dashboard = (info.pid, info.dashboard) if info else (None, None)
    answer = {"url": server.url, "ready": ready, "pid": pid, "dashboard": dashboard, "status": told}
    sentence = f"{server.url} is {'ready' if ready else 'not ready'}{about}"
    broken = [f"{check['name']}: {check['detail']}" for check in told["checks"] if not check["ok"]] if told else []
    reasons = broken or ([why] if why and not ready else [])
    Output(as_json).say(answer, "\n".join([sentence, *reasons]))
    raise typer.Exit(0 if ready else 1)


def _absence(place: DataDir) -> str:
    if place.is_locked():
        return f"What uses {place.path} has not started yet, or is a restore: try again soon."
    return f"No server runs on {place.path}."


def _find_status(client: SynthGen) -> tuple[dict[str, Any] | None, str]:
    """`None`, and why, where the key of the data directory does not open the server, or it cannot answer."""
    try:
        return client.get_status(), ""
    except ClientError as error:
        return None, str(error)


def _start_in_background(place: DataDir, settings: Settings) -> ServerInfo:
    """Run the server in a process of its own and wait until it says that it is ready.

    Raises: StartFailed.
    """
    place.lock().close()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # as Ctrl-C: what follows is wound up
    log = place.new_server_log()
    typer.echo(f"Starting; what goes wrong is in {log}", err=True)
    with log.open("w") as output:
        command = [sys.executable, "-m", "synthgen_ray.runtime.server"]
        server = subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, text=True, start_new_session=True
        )
    try:
        if server.stdin:
            server.stdin.write(settings.to_json() + "\n")
            server.stdin.close()
        return _wait_until_ready(place, server, log)
    except BaseException:  # signals too: a server that nobody was told of must not stay
        server.terminate()
        raise


def _wait_until_ready(place: DataDir, server: "subprocess.Popen[str]", log: Path) -> ServerInfo:
    give_up = time.monotonic() + START_S
    while time.monotonic() < give_up:
        info = place.find_info()
        if info is not None and info.pid == server.pid:
            return info
        if server.poll() is not None:
            raise StartFailed(f"The server did not start; {log} ends with:\n{_tail(log)}")
        time.sleep(0.2)
    raise StartFailed(f"The server was not ready in {START_S:.0f} s; {log} ends with:\n{_tail(log)}")


def _tail(log: Path, lines: int = 20) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])


def _show(place: DataDir, settings: Settings, info: ServerInfo, *, is_first: bool) -> None:
    typer.echo(f"SynthGen    {info.url}")
    typer.echo(f"API docs    {info.url}/docs")
    if info.dashboard:
        typer.echo(f"Dashboard   {info.dashboard}  (token in {place.path / 'ray_token'})")
    if settings.address is None:
        typer.echo(f"Logs        {place.path / 'ray' / LATEST / 'logs'}")
    key_file = place.path / KEY_FILE
    if is_first and sys.stdout.isatty():  # a journal would keep it, and show it to others
        typer.echo(f"Admin key   {key_file.read_text().strip()}  (kept in {key_file})")
    elif key_file.exists():
        typer.echo(f"Admin key   in {key_file}")


app.command()(backup)
app.command()(restore)
app.command()(doctor)
register(app)

if __name__ == "__main__":
    app()
