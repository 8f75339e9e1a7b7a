"""What is on this machine alone: versions, the environment, the data directory, the address to listen on."""

import os
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

import httpx
from packaging.requirements import Requirement

from synthgen_ray.runtime.admin_key import KEY_FILE
from synthgen_ray.runtime.data_dir import DataDir, StartFailed
from synthgen_ray.runtime.doctor.finding import Finding, fail, ok, warn
from synthgen_ray.runtime.listening import PortTaken, check_host, check_metrics_port, check_port
from synthgen_ray.settings import Settings, unread

READY_S = 30.0
PACKAGE = "synthgen-ray"


def versions(_settings: Settings) -> Iterator[Finding]:
    unmet = list(_unmet())
    python = ".".join(map(str, sys.version_info[:3]))
    if unmet:
        yield fail("versions", "; ".join(unmet), "pip install --editable . in the clone; of an image, build it anew.")
    else:
        yield ok("versions", f"SynthGen {version(PACKAGE)}, Ray {version('ray')}, Python {python}")


def environment(_settings: Settings) -> Iterator[Finding]:
    wrong = list(unread(os.environ))
    for said in wrong:
        yield warn("environment", said, "Correct its name: configs/default.yaml has them all.")
    if not wrong:
        yield ok("environment", "Each SYNTHGEN_ variable in it is read.")


def data_dir(settings: Settings) -> Iterator[Finding]:
    folder = settings.data_dir
    if folder.exists() and not folder.is_dir():
        yield fail("data_dir", f"{folder} is no folder.", "Set data_dir to one, or to a name that nothing has.")
        return
    private = {folder: 0o700, _token(settings): 0o600, folder / KEY_FILE: 0o600, folder / "synthgen.db": 0o600}
    if _is_a_pods(folder):
        del private[folder]
    open_ones = [(path, mode) for path, mode in private.items() if path.exists() and path.stat().st_mode & 0o077]
    for path, mode in open_ones:
        yield fail("data_dir", f"Others on this machine can use {path}.", f"chmod {mode:o} {path}")
    if not folder.is_dir():
        yield warn("data_dir", f"There is no {folder} yet.", "synthgen up makes it.")
    elif not open_ones:
        yield ok("data_dir", f"{folder} is private.")


def listening(settings: Settings) -> Iterator[Finding]:
    try:
        check_host(settings.host, allow_remote=settings.allow_remote)
        check_host(settings.host, allow_remote=False)
    except StartFailed as error:
        if settings.allow_remote:
            yield warn("listening", f"Other machines reach {settings.host}, without TLS.", "Put a TLS proxy in front.")
        else:
            yield fail("listening", str(error), "Set host to 127.0.0.1.")
            return
    info = DataDir(settings.data_dir).find_info()
    if info is not None:
        yield _readiness(info.url, "synthgen down, then synthgen up.")
        return
    try:
        check_port(settings.host, settings.port)
        if settings.address is None:
            check_metrics_port(settings.metrics_port)
    except StartFailed as error:
        advice = "Set host to 127.0.0.1, and port to one above 1023."
        if isinstance(error, PortTaken):
            advice = f"ss -ltnp 'sport = :{error.port}' tells by whom."
        if settings.address is None:
            yield fail("listening", str(error), advice)
        else:  # by Serve's proxy, which is no process of ours
            yield _readiness(f"http://127.0.0.1:{settings.port}", f"serve status tells what is deployed; {advice}")
    else:
        if settings.address is None:
            yield ok("listening", f"No server runs, and port {settings.port} of {settings.host} is free.")
        else:
            said = f"Nothing listens on port {settings.port} of {settings.host}."
            yield fail("listening", said, "serve deploy a file of configs/serve; serve status tells what is deployed.")


def _is_a_pods(folder: Path) -> bool:
    """A volume of Kubernetes, which makes it open to all: all that there are in its pod."""
    return "KUBERNETES_SERVICE_HOST" in os.environ and folder.is_mount()


def _token(settings: Settings) -> Path:
    """Ray's: that of the cluster which the server joined, or of its own."""
    if settings.address is None:
        return settings.data_dir / "ray_token"
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    return Path(named) if named else Path.home() / ".ray" / "auth_token"


def _readiness(url: str, advice: str) -> Finding:
    try:
        # The proxies that the environment may name have no way back to this machine.
        answer = httpx.get(f"{url}/readyz", timeout=READY_S, trust_env=False)
    except httpx.HTTPError as error:
        return fail("listening", f"{url} does not answer: {error}", advice)
    if answer.is_success:
        return ok("listening", f"{url} is ready.")
    said = f"{url}/readyz answers {answer.status_code}: {answer.text}"
    return fail("listening", said, "See what it names." if answer.status_code == 503 else advice)


def _unmet() -> Iterator[str]:
    for line in requires(PACKAGE) or ():
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(requirement.name)
        except PackageNotFoundError:
            yield f"{requirement.name} is not installed"
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            yield f"{requirement.name} is {found}, and {requirement.specifier} is needed"
