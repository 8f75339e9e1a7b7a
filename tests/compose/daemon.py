"""A Docker daemon, where none runs."""

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.servers import wait_until

FORWARDING = Path("/proc/sys/net/ipv4/ip_forward")


def answers() -> bool:
    return subprocess.run(["docker", "info"], capture_output=True).returncode == 0


@contextlib.contextmanager
def a_daemon(folder: Path) -> Iterator[None]:
    """Leaves the machine as it was: no data, no bridge, no rule of the firewall."""
    if answers():
        yield
        return
    rules, forwarding = _rules(), FORWARDING.read_text()
    FORWARDING.write_text("1")  # else Docker sets it, and drops whatever others forward
    places = ["--data-root", str(folder / "data"), "--exec-root", str(folder / "run")]
    command = ["dockerd", *places, "--pidfile", str(folder / "pid"), *os.environ.get("DOCKERD", "").split()]
    try:
        with (folder / "dockerd.log").open("w") as log, subprocess.Popen(command, stdout=log, stderr=log) as daemon:
            try:
                wait_until(answers, "dockerd answers")
                yield
            finally:
                daemon.terminate()
    finally:
        _restore(rules)
        subprocess.run(["ip", "link", "delete", "docker0"], capture_output=True)
        FORWARDING.write_text(forwarding)
        shutil.rmtree(folder / "data", ignore_errors=True)


def _rules() -> dict[str, str]:
    programs = ("iptables", "ip6tables")
    return {name: subprocess.check_output([f"{name}-save"], text=True) for name in programs}


def _restore(rules: dict[str, str]) -> None:
    """iptables-restore empties only the tables that it is told of."""
    for name, saved in rules.items():
        told = "".join(
            f"*{table}\nCOMMIT\n" for table in ("raw", "mangle", "nat", "filter") if f"*{table}\n" not in saved
        )
        subprocess.run([f"{name}-restore"], input=told + saved, text=True, check=False)
